import type { RealtimeInfo } from './realtime.js';

/** Receives what a transport reports. After a channel was closed it reports nothing more. */
export interface ChannelListener {
  /** The channel was subscribed, for the first time or again. Earlier events may be lost. */
  subscribed(): void;
  /** The subscription was lost or failed. The transport tries again by itself. */
  interrupted(): void;
  /** The subscription was refused. The transport does not try again. */
  refused(reason: string, status?: number): void;
  /** An event arrived on the channel. `data` is parsed if it was JSON. */
  event(name: string, data: unknown): void;
}

/** What a transport can use. */
export interface ChannelContext {
  /** The inbox server. */
  readonly base: URL;
  /** Returns the signature for a channel on a socket. Tries again for as long as `isCurrent`. */
  authorize(socketId: string, channel: string, isCurrent: () => boolean): Promise<string>;
}

/** Receives the live events of a channel. */
export interface Transport {
  /** Subscribes to the user's channel. Returns a function that ends the subscription. */
  open(info: RealtimeInfo, context: ChannelContext, listener: ChannelListener): () => void;
}

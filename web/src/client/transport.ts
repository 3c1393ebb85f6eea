import type { RealtimeInfo } from './realtime.js';

/** What a transport tells. Nothing is told after its channel was closed. */
export interface ChannelListener {
  /** The channel is subscribed to, for the first time or again: what came before may be lost. */
  subscribed(): void;
  /** It is not; the transport tries again by itself. */
  interrupted(): void;
  /** It is not, and the transport does not try again. */
  refused(why: string, status?: number): void;
  /** An event of the channel; `data` is what came, parsed if it was JSON. */
  event(name: string, data: unknown): void;
}

/** What a transport may ask. */
export interface ChannelContext {
  /** The inbox server. */
  readonly base: URL;
  /** The signature for a channel on a socket; tried again as long as `isCurrent`. */
  authorize(socketId: string, channel: string, isCurrent: () => boolean): Promise<string>;
}

/** Carries the live events. */
export interface Transport {
  /** Subscribes to the user's channel. Gives a function that ends it. */
  open(info: RealtimeInfo, context: ChannelContext, listener: ChannelListener): () => void;
}

import type { RealtimeInfo } from './realtime.js';
import type { ChannelContext, ChannelListener, Transport } from './transport.js';

/** The live channel. Once it is refused it is closed, and is to be opened again. */
export class Link {
  subscribed = false;
  /** Whether it was subscribed to before, or could not be. */
  wasLost = false;
  /** Why it is refused. */
  refused: { readonly why: string; readonly status?: number } | null = null;
  #close: (() => void) | null = null;
  #isOpen = true;

  constructor(transport: Transport, info: RealtimeInfo, context: ChannelContext, listener: ChannelListener) {
    const whileOpen = <A extends unknown[]>(act: (...args: A) => void) => (...args: A) => {
      if (this.#isOpen) {
        act(...args);
      }
    };
    const close = transport.open(info, context, {
      subscribed: whileOpen(() => {
        this.subscribed = true;
        listener.subscribed();
      }),
      interrupted: whileOpen(() => {
        this.subscribed = false;
        this.wasLost = true;
        listener.interrupted();
      }),
      refused: whileOpen((why, status) => {
        this.subscribed = false;
        this.refused = status === undefined ? { why } : { why, status };
        this.close();
        listener.refused(why, status);
      }),
      event: whileOpen((name, data) => listener.event(name, data)),
    });
    this.#close = close;
    if (!this.#isOpen) {
      close();
    }
  }

  close(): void {
    this.#isOpen = false;
    this.subscribed = false;
    this.#close?.();
    this.#close = null;
  }
}

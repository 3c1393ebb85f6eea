import type { Api } from '../api.js';
import { delay, type Random } from '../backoff.js';
import type { ClientOptions } from '../options.js';
import { pusherTransport } from '../pusherTransport.js';
import type { RealtimeInfo } from '../realtime.js';
import { asInboxError, described, isRetryable } from '../refusal.js';
import type { Snapshot } from '../snapshot.js';
import type { ChannelContext } from '../transport.js';

export interface LiveChannelListener {
  subscribed(): void;
  interrupted(): void;
  refused(): void;
  /** A live event of the inbox arrived. */
  event(data: unknown): void;
}

/** The user's channel for live events. Once refused, it is closed until it is opened again. */
export class LiveChannel {
  /** Where the channel is; null until the server has answered. */
  info: RealtimeInfo | null = null;
  subscribed = false;
  /** Whether the connection was lost, or failed, since the channel was opened. */
  wasLost = false;
  /** Why the channel was refused. */
  refused: Snapshot['error'] | null = null;
  readonly #options: ClientOptions;
  readonly #api: Api;
  readonly #random: Random;
  readonly #ended: AbortSignal;
  readonly #listener: LiveChannelListener;
  /** Identifies the open channel. */
  #current: object | null = null;
  #close: (() => void) | null = null;

  constructor(options: ClientOptions, api: Api, random: Random, ended: AbortSignal, listener: LiveChannelListener) {
    this.#options = options;
    this.#api = api;
    this.#random = random;
    this.#ended = ended;
    this.#listener = listener;
  }

  /** Opens the channel, instead of the one that was open. */
  open(info: RealtimeInfo): void {
    this.close();
    this.info = info;
    const current = {};
    this.#current = current;
    const whileOpen = <A extends unknown[]>(act: (...args: A) => void) => (...args: A) => {
      if (this.#current === current) {
        act(...args);
      }
    };
    const names = [info.event, info.changed_event, this.#options.event];
    const transport = this.#options.transport ?? pusherTransport();
    const close = transport.open(info, this.#context(info), {
      subscribed: whileOpen(() => {
        this.subscribed = true;
        this.#listener.subscribed();
      }),
      interrupted: whileOpen(() => {
        this.subscribed = false;
        this.wasLost = true;
        this.#listener.interrupted();
      }),
      refused: whileOpen((reason, status) => {
        this.close();
        this.refused = described(`live events are refused: ${reason}`, status);
        this.#listener.refused();
      }),
      event: whileOpen((name, data) => {
        if (!name.startsWith('client-') && names.includes(name)) {
          this.#listener.event(data);
        }
      }),
    });
    if (this.#current === current) {
      this.#close = close;
    } else {
      close();
    }
  }

  close(): void {
    this.#current = null;
    this.subscribed = false;
    this.wasLost = false;
    this.refused = null;
    this.#close?.();
    this.#close = null;
  }

  #context(info: RealtimeInfo): ChannelContext {
    return {
      base: this.#api.base,
      authorize: async (socketId, channel, isCurrent) => {
        for (let attempt = 1; ; attempt += 1) {
          try {
            return await this.#api.authorize(info.auth_endpoint, socketId, channel, this.#ended);
          } catch (error) {
            if (!isRetryable(asInboxError(error)) || !isCurrent()) {
              throw error;
            }
            await new Promise((resolve) => setTimeout(resolve, delay(attempt, this.#random)));
            if (!isCurrent()) {
              throw error;
            }
          }
        }
      },
    };
  }
}

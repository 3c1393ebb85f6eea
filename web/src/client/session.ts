import { liveEvent } from '../models/answers.js';
import { WireError } from '../models/read.js';
import type { Position } from '../models/wire.js';
import { Inbox, MAX_WINDOW, PAGE } from '../replica/inbox.js';
import type { Command } from '../replica/overlay.js';
import { Api } from './api.js';
import { InboxError, notStarted, unavailable } from './error.js';
import { Identity } from './identity.js';
import type { ClientOptions } from './options.js';
import { Hold } from './retryAfter.js';
import { LiveChannel } from './session/liveChannel.js';
import { WriteBackoff } from './session/writeBackoff.js';
import type { Parts } from './session/parts.js';
import { Publisher, type SessionListener } from './session/publisher.js';
import { Queries } from './session/queries.js';
import { Schedule } from './session/schedule.js';
import { PendingCalls } from './session/pendingCalls.js';
import { Writes } from './session/writes.js';
import type { Status } from './snapshot.js';
import type { Written } from './source.js';

/** How long a call waits for the server's answer, and while offline, in milliseconds. */
const PATIENCE = 30_000;
const OFFLINE_PATIENCE = 2_000;

/**
 * Everything between `start` and `stop`: the replica, the live channel, the requests, the timer.
 */
export class Session {
  readonly #parts: Parts;
  readonly #queries: Queries;
  readonly #writes: Writes;
  readonly #ended = new AbortController();
  #isPaused = false;
  #willWork = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ClientOptions, base: URL, listener: SessionListener) {
    const random = options.random ?? Math.random;
    const api = new Api(base, new Identity(options.token, options.user), options.fetch ?? fetch);
    const channel = new LiveChannel(options, api, random, this.#ended.signal, {
      subscribed: () => this.#onSubscribed(),
      interrupted: () => this.#onInterrupted(),
      refused: () => this.#changed(),
      event: (data) => this.#onEvent(data),
    });
    this.#parts = {
      options,
      api,
      inbox: new Inbox(options.window ?? PAGE),
      channel,
      schedule: new Schedule(random),
      writeBackoff: new WriteBackoff(random),
      hold: new Hold(random),
      calls: new PendingCalls(),
      publisher: new Publisher(listener),
      changed: () => this.#changed(),
    };
    this.#queries = new Queries(this.#parts);
    this.#writes = new Writes(this.#parts);
  }

  /** The position that the published snapshot shows. */
  get position(): Position {
    return this.#parts.publisher.position;
  }

  begin(): void {
    globalThis.addEventListener?.('online', this.checkNow);
    globalThis.document?.addEventListener('visibilitychange', this.#onVisibility);
    this.#publish();
    this.#soon();
  }

  end(): void {
    this.#ended.abort();
    globalThis.removeEventListener?.('online', this.checkNow);
    globalThis.document?.removeEventListener('visibilitychange', this.#onVisibility);
    clearTimeout(this.#timer);
    this.#disconnect();
    this.#parts.calls.end(notStarted());
  }

  pause(): void {
    if (!this.#isPaused) {
      this.#isPaused = true;
      this.#disconnect();
      this.#parts.calls.queueWrites();
      this.#queries.failOlder(unavailable());
      this.#changed();
    }
  }

  resume(): void {
    if (this.#isPaused) {
      const { channel, inbox, writeBackoff, schedule } = this.#parts;
      this.#isPaused = false;
      this.#queries.refused = null;
      inbox.catchUp();
      schedule.hurry();
      writeBackoff.isUp();
      if (channel.info !== null) {
        channel.open(channel.info);
      }
      this.#changed();
    }
  }

  /**
   * Checks the position now, also if the server asked to be left alone: the network may be back, or
   * the user looks at the page.
   */
  readonly checkNow = (): void => {
    const { hold, schedule, writeBackoff } = this.#parts;
    hold.until = 0;
    schedule.checkNow();
    writeBackoff.isUp();
    this.#soon();
  };

  readonly #onVisibility = (): void => {
    if (document.visibilityState === 'visible') {
      this.checkNow();
    }
  };

  /** Shows the writes of a call at once, and sends them in order. */
  write(commands: readonly Command[]): Promise<Written> {
    const { writeBackoff, calls } = this.#parts;
    const ops = this.#writes.add(commands);
    if (ops === null) {
      return Promise.reject(new InboxError('queue-full', 'too many writes wait for the server'));
    }
    this.#changed();
    return calls.write(ops, this.#isPaused || writeBackoff.isDown ? performance.now() : this.#deadline());
  }

  loadOlder(count: number): Promise<void> {
    const { inbox, schedule, calls } = this.#parts;
    if (this.#isPaused) {
      return Promise.reject(unavailable());
    }
    const more = inbox.loadOlder(count);
    if (more === null) {
      return Promise.reject(new InboxError('window-full', `no more than ${MAX_WINDOW} notifications can be held`));
    }
    if (inbox.isLoaded && inbox.nextQuery() === null) {
      return Promise.resolve();
    }
    schedule.hurry();
    this.#soon();
    return calls.older(more, this.#deadline());
  }

  /** Returns when a call made now stops waiting. */
  #deadline(): number {
    return performance.now() + (this.#status() === 'offline' ? OFFLINE_PATIENCE : PATIENCE);
  }

  #changed(): void {
    this.#parts.publisher.changed();
    this.#soon();
  }

  /** Schedules one `#work` for everything that happens until then. */
  #soon(): void {
    if (!this.#willWork && !this.#ended.signal.aborted) {
      this.#willWork = true;
      queueMicrotask(() => {
        this.#willWork = false;
        this.#work();
      });
    }
  }

  /** Sends what is due, publishes what happened, and sets the timer. */
  #work(): void {
    if (this.#ended.signal.aborted) {
      return;
    }
    const { inbox, writeBackoff, calls } = this.#parts;
    const now = performance.now();
    writeBackoff.update(inbox);
    if (!this.#isPaused) {
      if (this.#queries.next <= now) {
        void this.#queries.send();
      }
      if (this.#writes.next <= now) {
        void this.#writes.send();
      }
    }
    inbox.giveUpOlder(calls.expire(now));
    this.#publish();
    calls.resolve(inbox);
    calls.settle();
    clearTimeout(this.#timer);
    const sendAt = this.#isPaused ? Infinity : Math.min(this.#queries.next, this.#writes.next);
    const wakeAt = Math.min(sendAt, calls.deadline);
    if (wakeAt < Infinity) {
      this.#timer = setTimeout(() => this.#soon(), Math.max(0, Math.ceil(wakeAt - performance.now())));
    }
  }

  #disconnect(): void {
    this.#parts.channel.close();
    this.#queries.cancel();
    this.#writes.cancel();
  }

  #onSubscribed(): void {
    this.#queries.subscribed();
    this.#parts.writeBackoff.isUp();
    this.#changed();
  }

  #onInterrupted(): void {
    this.#parts.calls.limit(performance.now() + OFFLINE_PATIENCE);
    this.#changed();
  }

  #onEvent(data: unknown): void {
    const { inbox, publisher, schedule } = this.#parts;
    const before = inbox.head;
    try {
      publisher.announce(inbox.onLive(liveEvent(data)));
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      // The event may have been a change.
      inbox.catchUp();
    }
    if (inbox.head !== before) {
      schedule.confirmed();
    }
    this.#changed();
  }

  #publish(): void {
    const { channel, inbox, publisher } = this.#parts;
    const { refused, failure } = this.#queries;
    const status = this.#status();
    const reasons = { failed: refused, polling: channel.refused, offline: failure };
    publisher.publish(inbox, status, status in reasons ? reasons[status as keyof typeof reasons] : null);
  }

  #status(): Status {
    const { channel, inbox } = this.#parts;
    if (this.#isPaused) {
      return 'paused';
    }
    const { refused, failure } = this.#queries;
    if (refused !== null) {
      return 'failed';
    }
    if (channel.refused !== null) {
      return failure === null ? 'polling' : 'offline';
    }
    if (!channel.subscribed) {
      return channel.wasLost || failure !== null ? 'offline' : 'connecting';
    }
    return !inbox.isLoaded ? 'connecting' : inbox.isCatchingUp ? 'catching-up' : 'live';
  }
}

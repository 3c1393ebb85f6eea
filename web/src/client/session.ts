import { liveEvent } from '../models/answers.js';
import { WireError } from '../models/read.js';
import type { Position } from '../models/wire.js';
import { Inbox, MAX_WINDOW, PAGE } from '../replica/inbox.js';
import type { Command } from '../replica/overlay.js';
import { Api } from './api.js';
import { InboxError, notStarted, unavailable } from './error.js';
import { Identity } from './identity.js';
import type { ClientOptions } from './options.js';
import { LiveChannel } from './session/liveChannel.js';
import { Pace } from './session/pace.js';
import type { Parts } from './session/parts.js';
import { Publisher, type SessionListener } from './session/publisher.js';
import { Questions } from './session/questions.js';
import { Schedule } from './session/schedule.js';
import { Waiting } from './session/waiting.js';
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
  readonly #questions: Questions;
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
      pace: new Pace(random),
      waiting: new Waiting(),
      publisher: new Publisher(listener),
      changed: () => this.#changed(),
    };
    this.#questions = new Questions(this.#parts);
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
    this.#parts.waiting.end(notStarted());
  }

  pause(): void {
    if (!this.#isPaused) {
      this.#isPaused = true;
      this.#disconnect();
      this.#parts.waiting.queueWrites();
      this.#questions.failOlder(unavailable());
      this.#changed();
    }
  }

  resume(): void {
    if (this.#isPaused) {
      const { channel, inbox, pace, schedule } = this.#parts;
      this.#isPaused = false;
      this.#questions.refused = null;
      inbox.catchUp();
      schedule.hurry();
      pace.isUp();
      if (channel.info !== null) {
        channel.open(channel.info);
      }
      this.#changed();
    }
  }

  /** Checks the position now: the network may be back, or the user looks at the page. */
  readonly checkNow = (): void => {
    this.#parts.schedule.checkNow();
    this.#parts.pace.isUp();
    this.#soon();
  };

  readonly #onVisibility = (): void => {
    if (document.visibilityState === 'visible') {
      this.checkNow();
    }
  };

  /** Shows the writes of a call at once, and sends them in order. */
  write(commands: readonly Command[]): Promise<Written> {
    const { pace, waiting } = this.#parts;
    const ops = this.#writes.add(commands);
    if (ops === null) {
      return Promise.reject(new InboxError('queue-full', 'too many writes wait for the server'));
    }
    this.#changed();
    return waiting.write(ops, this.#isPaused || pace.isDown ? performance.now() : this.#deadline());
  }

  loadOlder(count: number): Promise<void> {
    const { inbox, schedule, waiting } = this.#parts;
    if (this.#isPaused) {
      return Promise.reject(unavailable());
    }
    const more = inbox.loadOlder(count);
    if (more === null) {
      return Promise.reject(new InboxError('window-full', `no more than ${MAX_WINDOW} notifications can be held`));
    }
    if (inbox.isLoaded && inbox.wants() === null) {
      return Promise.resolve();
    }
    schedule.hurry();
    this.#soon();
    return waiting.older(more, this.#deadline());
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
    const { inbox, pace, waiting } = this.#parts;
    const now = performance.now();
    pace.lookAt(inbox);
    if (!this.#isPaused) {
      if (this.#questions.next <= now) {
        void this.#questions.send();
      }
      if (this.#writes.next <= now) {
        void this.#writes.send();
      }
    }
    inbox.giveUpOlder(waiting.expire(now));
    this.#publish();
    waiting.resolve(inbox);
    waiting.settle();
    clearTimeout(this.#timer);
    const sendAt = this.#isPaused ? Infinity : Math.min(this.#questions.next, this.#writes.next);
    const wakeAt = Math.min(sendAt, waiting.deadline);
    if (wakeAt < Infinity) {
      this.#timer = setTimeout(() => this.#soon(), Math.max(0, Math.ceil(wakeAt - performance.now())));
    }
  }

  #disconnect(): void {
    this.#parts.channel.close();
    this.#questions.cancel();
    this.#writes.cancel();
  }

  #onSubscribed(): void {
    this.#questions.subscribed();
    this.#parts.pace.isUp();
    this.#changed();
  }

  #onInterrupted(): void {
    this.#parts.waiting.limit(performance.now() + OFFLINE_PATIENCE);
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
    publisher.publish(inbox, this.#status(), this.#questions.refused ?? channel.refused);
  }

  #status(): Status {
    const { channel, inbox } = this.#parts;
    if (this.#isPaused) {
      return 'paused';
    }
    if (this.#questions.refused !== null || channel.refused !== null) {
      return 'failed';
    }
    if (!channel.subscribed) {
      return channel.wasLost || this.#questions.hasFailed ? 'offline' : 'connecting';
    }
    return !inbox.isLoaded ? 'connecting' : inbox.isCatchingUp ? 'catching-up' : 'live';
  }
}

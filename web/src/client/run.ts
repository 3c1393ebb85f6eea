import { liveEvent } from '../models/answers.js';
import { WireError } from '../models/read.js';
import { samePosition, type Head, type InboxPage, type Position } from '../models/wire.js';
import { Inbox, MAX_WINDOW, PAGE, type Ask, type InboxEvent } from '../replica/inbox.js';
import type { PendingWrite } from '../replica/overlay.js';
import { Api } from './api.js';
import { Identity } from './identity.js';
import { Link } from './link.js';
import type { ClientOptions } from './options.js';
import { Pace } from './pace.js';
import { pusherTransport } from './pusherTransport.js';
import type { RealtimeInfo } from './realtime.js';
import { isRetryable, Refusal } from './refusal.js';
import { delay, type Random } from './retry.js';
import { Schedule } from './schedule.js';
import { InboxError, type Announcement, type Command, type RefusedWrite, type Snapshot, type Status, type Written } from './types.js';
import { unavailable, Waiting } from './waiting.js';

/** How long a call waits for a server that does not answer; and while there is no live channel either. In milliseconds. */
const PATIENCE = 30_000;
const OFFLINE_PATIENCE = 2_000;

type Question = Ask | { readonly kind: 'head' } | { readonly kind: 'realtime' };

/** Who is told of what happens. */
export interface Outlets {
  snapshot(snapshot: Snapshot): void;
  announcement(announcement: Announcement): void;
  rolledBack(write: RefusedWrite): void;
}

/** Owns everything between `start` and `stop`: the replica, the channel, the questions to the server and the timer. */
export class Run {
  /** The position that the published snapshot shows. */
  seen: Position = { seq: 0, tag: null };
  readonly #options: ClientOptions;
  readonly #outlets: Outlets;
  readonly #api: Api;
  readonly #inbox: Inbox;
  readonly #random: Random;
  readonly #schedule: Schedule;
  readonly #pace: Pace;
  readonly #waiting = new Waiting();
  readonly #ended = new AbortController();
  #info: RealtimeInfo | null = null;
  #link: Link | null = null;
  #isPaused = false;
  /** While the channel is not subscribed to though a position check was answered, the server is asked where it is. */
  #asksWhere = false;
  /** At most one question. */
  #question: AbortController | null = null;
  /** At most one write, beside a question. */
  #sending: AbortController | null = null;
  #hasFailed = false;
  #refused: Snapshot['error'] | null = null;
  #announcements: Announcement[] = [];
  #rolledBack: RefusedWrite[] = [];
  #published: Snapshot | null = null;
  #hasChanged = true;
  #isTurning = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: ClientOptions, base: URL, outlets: Outlets) {
    this.#options = options;
    this.#outlets = outlets;
    this.#random = options.random ?? Math.random;
    this.#api = new Api(base, new Identity(options.token, options.user), options.fetch ?? fetch);
    this.#inbox = new Inbox(options.window ?? PAGE);
    this.#schedule = new Schedule(this.#random);
    this.#pace = new Pace(this.#random);
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
    this.#waiting.end(notStarted());
  }

  pause(): void {
    if (!this.#isPaused) {
      this.#isPaused = true;
      this.#disconnect();
      this.#waiting.queued();
      this.#olderFailed(unavailable());
      this.#changed();
    }
  }

  resume(): void {
    if (this.#isPaused) {
      this.#isPaused = false;
      this.#refused = null;
      this.#inbox.catchUp();
      this.#schedule.hurry();
      this.#pace.isUp();
      this.#connect();
      this.#changed();
    }
  }

  /** Something hints that the network is back, or that the user looks. */
  readonly checkNow = (): void => {
    this.#schedule.checkNow();
    this.#pace.isUp();
    this.#soon();
  };

  readonly #onVisibility = (): void => {
    if (document.visibilityState === 'visible') {
      this.checkNow();
    }
  };

  /** Shows the writes of a call. They are sent in their turn. */
  write(commands: readonly Command[]): Promise<Written> {
    const at = new Date().toISOString();
    const ops: string[] = [];
    for (const command of commands) {
      const op = newOp();
      if (!this.#inbox.write(op, command, at)) {
        this.#takeBack(ops);
        return Promise.reject(new InboxError('queue-full', 'too many writes wait for the server'));
      }
      ops.push(op);
    }
    this.#changed();
    return this.#waiting.write(ops, this.#isPaused || this.#pace.isDown ? performance.now() : this.#deadline());
  }

  loadOlder(count: number): Promise<void> {
    if (this.#isPaused) {
      return Promise.reject(unavailable());
    }
    const more = this.#inbox.loadOlder(count);
    if (more === null) {
      return Promise.reject(new InboxError('window-full', `no more than ${MAX_WINDOW} notifications can be held`));
    }
    if (this.#inbox.isLoaded && this.#inbox.wants() === null) {
      return Promise.resolve();
    }
    this.#schedule.hurry();
    this.#soon();
    return this.#waiting.older(more, this.#deadline());
  }

  /** How long a call that is made now waits for a server that does not answer. */
  #deadline(): number {
    return performance.now() + (this.#status() === 'offline' ? OFFLINE_PATIENCE : PATIENCE);
  }

  #takeBack(ops: readonly string[]): void {
    ops.forEach((op) => this.#inbox.onRefused(op));
  }

  #olderFailed(error: InboxError): void {
    this.#inbox.giveUpOlder(this.#waiting.olderFailed(error));
  }

  #changed(): void {
    this.#hasChanged = true;
    this.#soon();
  }

  /** Does what is to be done, once all that came together was taken in. */
  #soon(): void {
    if (!this.#isTurning && !this.#ended.signal.aborted) {
      this.#isTurning = true;
      queueMicrotask(() => {
        this.#isTurning = false;
        this.#turn();
      });
    }
  }

  #turn(): void {
    if (this.#ended.signal.aborted) {
      return;
    }
    const now = performance.now();
    const askAt = this.#askAt();
    if (askAt <= now) {
      void this.#ask(this.#wants() ?? { kind: 'head' });
    }
    this.#pace.lookAt(this.#inbox);
    if (this.#sendAt() <= now) {
      void this.#send(this.#inbox.wantsWrite() as PendingWrite);
    }
    this.#inbox.giveUpOlder(this.#waiting.expire(now));
    this.#publish();
    this.#waiting.reached(this.#inbox);
    this.#waiting.tell();
    clearTimeout(this.#timer);
    const wakeAt = Math.min(this.#askAt(), this.#sendAt(), this.#waiting.deadline);
    if (wakeAt < Infinity) {
      this.#timer = setTimeout(() => this.#soon(), Math.max(0, Math.ceil(wakeAt - performance.now())));
    }
  }

  /** The question to ask, as soon as there is time for it. */
  #wants(): Question | null {
    if (this.#info === null || this.#asksWhere) {
      return { kind: 'realtime' };
    }
    // What is missing below must not put off finding out what is missing above.
    if (!this.#inbox.isCatchingUp && this.#schedule.checkIsDue) {
      return { kind: 'head' };
    }
    return this.#inbox.wants();
  }

  /** When to ask. Never while a question is under way, or nothing is to be asked. */
  #askAt(): number {
    return this.#question !== null || this.#isPaused ? Infinity : this.#schedule.next(this.#wants() !== null);
  }

  async #ask(question: Question): Promise<void> {
    const asking = new AbortController();
    this.#question = asking;
    const askedAt = this.#inbox.head;
    const isCurrent = () => this.#question === asking;
    try {
      const answer = await this.#answerTo(question, asking.signal);
      if (isCurrent()) {
        this.#question = null;
        answer(askedAt);
      }
    } catch (error) {
      if (isCurrent()) {
        this.#question = null;
        this.#onQuestionFailed(asInboxError(error));
      }
    }
    this.#changed();
  }

  async #answerTo(question: Question, signal: AbortSignal): Promise<(askedAt: Position) => void> {
    switch (question.kind) {
      case 'realtime': {
        const info = await this.#api.realtime(signal);
        return () => this.#onRealtime(info);
      }
      case 'head': {
        const head = await this.#api.head(signal);
        return (askedAt) => this.#onHead(askedAt, head);
      }
      case 'older': {
        const page = await this.#api.page(question.limit, question.before, signal);
        return (askedAt) => this.#onOlder(askedAt, question.before, page);
      }
      case 'snapshot': {
        const page = await this.#api.page(Math.min(this.#options.window ?? PAGE, PAGE), null, signal);
        return (askedAt) => this.#onNews(askedAt, () => this.#inbox.onSnapshot(page));
      }
      case 'changes': {
        const answer = await this.#api.changes(question.after, signal);
        return (askedAt) => this.#onNews(askedAt, () => this.#inbox.onChanges(question.after, answer));
      }
    }
  }

  #onRealtime(info: RealtimeInfo): void {
    this.#isAnswered();
    const hasMoved = this.#info === null || this.#link === null || this.#link.refused !== null || JSON.stringify(info) !== JSON.stringify(this.#info);
    this.#asksWhere = false;
    this.#info = info;
    this.#schedule.interval = 1000 * Math.min(86_400, Math.max(1, this.#options.positionCheck ?? info.position_check_seconds));
    this.#schedule.hurry();
    if (hasMoved) {
      this.#connect();
    }
  }

  #onHead(askedAt: Position, head: Head): void {
    this.#isAnswered();
    this.#inbox.onHead(askedAt, head);
    this.#asksWhere = this.#link?.subscribed !== true;
    const isCurrent = !this.#inbox.isCatchingUp;
    if (isCurrent) {
      this.#schedule.confirmed();
    }
    this.#schedule.answered(isCurrent || !samePosition(this.#inbox.head, askedAt));
  }

  #onOlder(askedAt: Position, before: number, page: InboxPage): void {
    this.#isAnswered();
    const { low } = this.#inbox;
    this.#inbox.onOlder(askedAt, before, page);
    this.#schedule.answered(this.#inbox.low !== low || !samePosition(this.#inbox.head, askedAt));
  }

  #onNews(askedAt: Position, fold: () => InboxEvent[]): void {
    this.#isAnswered();
    this.#happened(fold());
    const isCurrent = !this.#inbox.isCatchingUp;
    if (isCurrent) {
      this.#schedule.confirmed();
    }
    this.#schedule.answered(isCurrent || !samePosition(this.#inbox.head, askedAt));
  }

  #isAnswered(): void {
    this.#pace.isUp();
    this.#hasFailed = false;
    this.#refused = null;
  }

  #onQuestionFailed(error: InboxError): void {
    this.#olderFailed(error);
    this.#asksWhere = false;
    this.#hasFailed = true;
    switch (error.kind) {
      case 'unauthenticated':
      case 'forbidden':
      case 'unknown':
        this.#refused = described(error.message, error.status);
        this.#waiting.queued();
        return this.#schedule.refused();
      case 'unavailable':
        return this.#schedule.failed();
      default:
        return this.#schedule.failedSlowly();
    }
  }

  /** When to send the next write. Never while one is under way, or none waits. */
  #sendAt(): number {
    const isWanted = this.#sending === null && !this.#isPaused && this.#inbox.wantsWrite() !== undefined;
    return isWanted ? this.#pace.next : Infinity;
  }

  async #send(write: PendingWrite): Promise<void> {
    const sending = new AbortController();
    this.#sending = sending;
    const askedAt = this.#inbox.head;
    const isCurrent = () => this.#sending === sending;
    try {
      const head = await this.#api.write(write, sending.signal);
      if (isCurrent()) {
        this.#sending = null;
        this.#onWritten(write, askedAt, head);
      }
    } catch (error) {
      if (isCurrent()) {
        this.#sending = null;
        this.#onUnwritten(write, askedAt, asInboxError(error));
      }
    }
    this.#changed();
  }

  #onWritten(write: PendingWrite, askedAt: Position, head: Head): void {
    this.#pace.answered(write);
    this.#inbox.onWritten(write.op, askedAt, head);
    if (!write.wasAnswered) {
      this.#schedule.hurry();
    }
  }

  #onUnwritten(write: PendingWrite, askedAt: Position, error: InboxError): void {
    if (isRetryable(error)) {
      this.#pace.failed();
      return this.#waiting.queued();
    }
    this.#pace.isUp();
    this.#onWriteRefused(write, error);
    if (error instanceof Refusal && error.head !== undefined) {
      this.#inbox.onHead(askedAt, error.head);
      this.#schedule.hurry();
    }
    // Another history, or nobody knows what was done.
    if (error.kind === 'conflict' || error.kind === 'protocol') {
      this.#inbox.catchUp();
    }
  }

  /** The write is shown no more. If its caller still waits, it is told, and what it wanted done after it is not done; else all are told. */
  #onWriteRefused(write: PendingWrite, error: InboxError): void {
    const ops = this.#waiting.refused(write.op, error);
    if (ops === undefined) {
      return this.#inbox.onRefused(write.op).forEach(() => this.#rolledBack.push({ command: write.command, error }));
    }
    // What the server did before stays done.
    const undone = this.#inbox.pendingWrites.filter(({ op, wasAnswered }) => ops.includes(op) && (op === write.op || !wasAnswered));
    this.#takeBack(undone.map(({ op }) => op));
  }

  #connect(): void {
    this.#link?.close();
    if (this.#info === null) {
      return;
    }
    const context = {
      base: this.#api.base,
      authorize: (socketId: string, channel: string, isCurrent: () => boolean) => this.#authorize(socketId, channel, isCurrent),
    };
    this.#link = new Link(this.#options.transport ?? pusherTransport(), this.#info, context, {
      subscribed: () => this.#onSubscribed(),
      interrupted: () => {
        this.#waiting.until(performance.now() + OFFLINE_PATIENCE);
        this.#changed();
      },
      refused: () => this.#changed(),
      event: (name, data) => this.#onEvent(name, data),
    });
  }

  #disconnect(): void {
    this.#link?.close();
    this.#link = null;
    this.#question?.abort();
    this.#question = null;
    this.#sending?.abort();
    this.#sending = null;
  }

  #onSubscribed(): void {
    this.#asksWhere = false;
    if (this.#inbox.isLoaded) {
      // A question that is under way may wait for a connection that is dead.
      this.#question?.abort();
      this.#question = null;
    }
    this.#inbox.catchUp();
    this.#schedule.hurry();
    this.#pace.isUp();
    this.#changed();
  }

  #onEvent(name: string, data: unknown): void {
    const ours = [this.#info?.event, this.#info?.changed_event, this.#options.event];
    if (name.startsWith('client-') || !ours.includes(name)) {
      return;
    }
    const before = this.#inbox.head;
    try {
      this.#happened(this.#inbox.onLive(liveEvent(data)));
    } catch (error) {
      if (!(error instanceof WireError)) {
        throw error;
      }
      // Something was there that is not known.
      this.#inbox.catchUp();
    }
    if (this.#inbox.head !== before) {
      this.#schedule.confirmed();
    }
    this.#changed();
  }

  async #authorize(socketId: string, channel: string, isCurrent: () => boolean): Promise<string> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#api.authorize(this.#info?.auth_endpoint ?? '', socketId, channel, this.#ended.signal);
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
  }

  #happened(events: readonly InboxEvent[]): void {
    for (const event of events) {
      if (event.kind === 'announce') {
        this.#announcements.push(event.announcement);
      }
    }
  }

  #status(): Status {
    const { subscribed, wasLost, refused } = this.#link ?? {};
    if (this.#isPaused) {
      return 'paused';
    }
    if (this.#refused !== null || refused) {
      return 'failed';
    }
    if (subscribed !== true) {
      return wasLost === true || this.#hasFailed ? 'offline' : 'connecting';
    }
    return !this.#inbox.isLoaded ? 'connecting' : this.#inbox.isCatchingUp ? 'catching-up' : 'live';
  }

  #publish(): void {
    if (this.#hasChanged) {
      this.#hasChanged = false;
      this.#publishSnapshot();
    }
    this.#announcements.splice(0).forEach((announcement) => this.#outlets.announcement(announcement));
    this.#rolledBack.splice(0).forEach((write) => this.#outlets.rolledBack(write));
  }

  #publishSnapshot(): void {
    const inbox = this.#inbox;
    const status = this.#status();
    const refused = this.#link?.refused;
    const error = this.#refused ?? (refused ? described(`live events are refused: ${refused.why}`, refused.status) : null);
    const shown = inbox.shown();
    const before = this.#published;
    const isSame = before?.notifications.length === shown.length && shown.every((row, index) => row === before.notifications[index]);
    const snapshot: Snapshot = {
      notifications: isSame ? before.notifications : Object.freeze(shown),
      pending: inbox.head.pending,
      status,
      loaded: inbox.isLoaded,
      hasOlder: inbox.low > 0,
      unconfirmed: inbox.pendingWrites.length,
      ...(status === 'failed' && error ? { error } : {}),
    };
    this.seen = inbox.head;
    const keys = Object.keys(snapshot) as (keyof Snapshot)[];
    if (before === null || keys.some((key) => snapshot[key] !== before[key]) || 'error' in before !== 'error' in snapshot) {
      this.#published = Object.freeze(snapshot);
      this.#outlets.snapshot(this.#published);
    }
  }
}

function described(title: string, status: number | undefined): NonNullable<Snapshot['error']> {
  return Object.freeze(status === undefined ? { title } : { title, status });
}

function asInboxError(error: unknown): InboxError {
  return error instanceof InboxError ? error : new InboxError('protocol', 'something went wrong in the client');
}

export function notStarted(): InboxError {
  return new InboxError('not-started', 'the client is not started, or is stopped');
}

function newOp(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

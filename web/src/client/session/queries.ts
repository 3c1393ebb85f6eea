import { samePosition, type Head, type InboxPage, type Position } from '../../models/wire.js';
import { PAGE, type Query, type InboxEvent } from '../../replica/inbox.js';
import type { InboxError } from '../error.js';
import type { RealtimeInfo } from '../realtime.js';
import { described } from '../refusal.js';
import type { Snapshot } from '../snapshot.js';
import type { Parts } from './parts.js';
import { RequestSlot } from './requestSlot.js';

/** A request of the inbox, a position check, or a request for the live channel's place. */
type SessionQuery = Query | { readonly kind: 'head' } | { readonly kind: 'realtime' };

/** Sends the queries of a session to the server, one at a time, and takes the answers. */
export class Queries {
  /** Why the last query failed, if it did. */
  failure: Snapshot['error'] | null = null;
  /** Why the server refuses to answer. */
  refused: Snapshot['error'] | null = null;
  readonly #parts: Parts;
  /** Whether a position check was answered although the channel is not subscribed. */
  #mayHaveMoved = false;
  readonly #slot = new RequestSlot();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** When to send the next query; never while one is pending. */
  get next(): number {
    const { schedule, hold } = this.#parts;
    return this.#slot.isFree ? Math.max(hold.until, schedule.next(this.#nextQuery() !== null)) : Infinity;
  }

  async send(): Promise<void> {
    const query = this.#nextQuery() ?? { kind: 'head' };
    const askedAt = this.#parts.inbox.head;
    await this.#slot.send(
      (signal) => this.#answerTo(query, signal),
      (take) => take(askedAt),
      (error) => this.#onFailed(error),
    );
    this.#parts.changed();
  }

  cancel(): void {
    this.#slot.cancel();
  }

  /** The channel was subscribed: everything missed before must be loaded now. */
  subscribed(): void {
    const { inbox, schedule } = this.#parts;
    this.#mayHaveMoved = false;
    if (inbox.isLoaded) {
      // The pending query may wait on a dead connection.
      this.cancel();
    }
    inbox.catchUp();
    schedule.hurry();
  }

  /** Rejects the `loadOlder` calls. */
  failOlder(error: InboxError): void {
    this.#parts.inbox.giveUpOlder(this.#parts.calls.failOlder(error));
  }

  #nextQuery(): SessionQuery | null {
    const { channel, inbox, schedule } = this.#parts;
    if (channel.info === null || this.#mayHaveMoved) {
      return { kind: 'realtime' };
    }
    // Loading older pages must not delay the check for new changes.
    if (!inbox.isCatchingUp && schedule.checkIsDue) {
      return { kind: 'head' };
    }
    return inbox.nextQuery();
  }

  /** Returns a function that takes the answer, given the position at which it was requested. */
  async #answerTo(query: SessionQuery, signal: AbortSignal): Promise<(askedAt: Position) => void> {
    const { api, inbox, options } = this.#parts;
    switch (query.kind) {
      case 'realtime': {
        const info = await api.realtime(signal);
        return () => this.#onRealtime(info);
      }
      case 'head': {
        const head = await api.head(signal);
        return (askedAt) => this.#onHead(askedAt, head);
      }
      case 'older': {
        const page = await api.page(query.limit, query.before, signal);
        return (askedAt) => this.#onOlder(askedAt, query.before, page);
      }
      case 'snapshot': {
        const page = await api.page(Math.min(options.window ?? PAGE, PAGE), null, signal);
        return (askedAt) => this.#onNews(askedAt, () => inbox.onSnapshot(page));
      }
      case 'changes': {
        const answer = await api.changes(query.after, signal);
        return (askedAt) => this.#onNews(askedAt, () => inbox.onChanges(query.after, answer));
      }
    }
  }

  #onRealtime(info: RealtimeInfo): void {
    const { channel, options, schedule } = this.#parts;
    this.#onAnswered();
    this.#mayHaveMoved = false;
    const seconds = options.positionCheck ?? info.position_check_seconds;
    schedule.interval = 1000 * Math.min(86_400, Math.max(1, seconds));
    schedule.hurry();
    if (channel.info === null || channel.refused !== null || JSON.stringify(info) !== JSON.stringify(channel.info)) {
      channel.open(info);
    }
  }

  #onHead(askedAt: Position, head: Head): void {
    this.#onAnswered();
    this.#parts.inbox.onHead(askedAt, head);
    this.#mayHaveMoved = !this.#parts.channel.subscribed;
    this.#checked(askedAt);
  }

  #onNews(askedAt: Position, fold: () => readonly InboxEvent[]): void {
    this.#onAnswered();
    this.#parts.publisher.announce(fold());
    this.#checked(askedAt);
  }

  #onOlder(askedAt: Position, before: number, page: InboxPage): void {
    const { inbox, schedule } = this.#parts;
    this.#onAnswered();
    const { low } = inbox;
    inbox.onOlder(askedAt, before, page);
    schedule.answered(inbox.low !== low || !samePosition(inbox.head, askedAt));
  }

  /** Plans the next query after an answer that compared the replica with the server. */
  #checked(askedAt: Position): void {
    const { inbox, schedule } = this.#parts;
    if (!inbox.isCatchingUp) {
      schedule.confirmed();
    }
    schedule.answered(!inbox.isCatchingUp || !samePosition(inbox.head, askedAt));
  }

  #onAnswered(): void {
    this.#parts.writeBackoff.queryAnswered();
    this.failure = null;
    this.refused = null;
  }

  #onFailed(error: InboxError): void {
    const { schedule, hold, calls } = this.#parts;
    hold.ask(error.retryAfter);
    this.failOlder(error);
    this.#mayHaveMoved = false;
    if (this.failure?.title !== error.message) {
      this.failure = described(error.message, error.status);
    }
    switch (error.kind) {
      case 'unauthenticated':
      case 'forbidden':
      case 'unknown':
        this.refused = described(error.message, error.status);
        calls.queueWrites();
        return schedule.refused();
      case 'unavailable':
        return schedule.failed();
      default:
        return schedule.failedSlowly();
    }
  }
}

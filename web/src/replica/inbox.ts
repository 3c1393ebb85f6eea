import type { InboxNotification } from '../models/notification.js';
import type { Timestamp } from '../models/time.js';
import {
  follows,
  samePosition,
  type Change,
  type ChangesAnswer,
  type Head,
  type InboxPage,
  type LiveEvent,
  type Position,
  type ResetReason,
} from '../models/wire.js';
import { Announcer, type Announcement } from './announcer.js';
import { CatchUp } from './catchUp.js';
import { Overlay, type Command, type PendingWrite, type WriteRequest } from './overlay.js';
import { History } from './history.js';
import { RecentChanges } from './recentChanges.js';
import { Window } from './window.js';

/** How many notifications a replica can hold at most. */
export const MAX_WINDOW = 5_000;

/** How many notifications one page or snapshot has at most. */
export const PAGE = 200;

/** A catch-up with more changes than this ends with a snapshot. The server's own limit is lower. */
const FAR_BEHIND = 10_000;

/** A request that the inbox wants sent. The answer goes to the `on…` method of the same name. */
export type Query =
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'changes'; readonly after: Position }
  | { readonly kind: 'older'; readonly before: number; readonly limit: number };

/** Something that happened to the inbox. Only the first snapshot has no reason. */
export type InboxEvent =
  | { readonly kind: 'applied'; readonly change: Change }
  | { readonly kind: 'replaced'; readonly reason: ResetReason | null }
  | { readonly kind: 'announce'; readonly announcement: Announcement }
  | { readonly kind: 'rolled_back'; readonly write: PendingWrite };

/**
 * The client's replica of one user's inbox: a fold of numbered changes, without I/O or a clock. It
 * follows the same rules as `Inbox` in the Rust crate `internal-notifications-service`; the cases
 * in `tests/inbox-cases` test both.
 *
 * A change is applied only if it is the very next one: its seq follows, and its `prev` is the last
 * tag. A change that the replica has already passed is ignored. Anything else means that a change
 * was lost, or that the server's history is another one (a restored backup), and starts a catch-up.
 * Only the answer to a catch-up decides. A bounded number of live events can wait for it.
 *
 * The caller does three things: it passes on what arrives (`on…`), sends the queries that the
 * inbox returns (`nextQuery`), one at a time, and acts on the returned events.
 */
export class Inbox {
  readonly #window: Window;
  readonly #history = new History();
  readonly #recent = new RecentChanges();
  readonly #overlay = new Overlay();
  readonly #announcer: Announcer;
  #head: Head = { seq: 0, tag: null, pending: 0 };
  /** An older page that was read after the replica's position, with its `before`. */
  #held: { readonly before: number; readonly page: InboxPage } | null = null;
  /** The running catch-up; null while live events are applied as they arrive. */
  #catchUp: CatchUp | null = CatchUp.withSnapshot();
  #loaded = false;

  /**
   * Creates a replica that holds at most `window` notifications. Its first query is for a snapshot.
   */
  constructor(window: number) {
    const most = Math.max(1, window);
    this.#window = new Window(most);
    this.#announcer = new Announcer(most);
  }

  /** Returns the notifications, newest first, with the pending writes applied. */
  shown(): readonly InboxNotification[] {
    return this.#overlay.over([...this.#window.rows].reverse());
  }

  /** The seq from which on every notification is held; 0 if that includes the oldest. */
  get low(): number {
    return this.#window.low;
  }

  /** The position and count after the last applied change. */
  get head(): Head {
    return this.#head;
  }

  /** Whether the first snapshot has arrived. */
  get isLoaded(): boolean {
    return this.#loaded;
  }

  /** Whether it may have missed a change, and waits for an answer. */
  get isCatchingUp(): boolean {
    return this.#catchUp !== null;
  }

  /** Returns the request to send now. Send one at a time; after a failure, look here again. */
  nextQuery(): Query | null {
    if (this.#catchUp !== null) {
      return this.#catchUp.needsSnapshot ? { kind: 'snapshot' } : { kind: 'changes', after: this.#position };
    }
    const { missing, low } = this.#window;
    return missing > 0 ? { kind: 'older', before: low, limit: Math.min(missing, PAGE) } : null;
  }

  /** Starts a catch-up: after a new subscription, or an event that could not be read. */
  catchUp(): void {
    if (this.#catchUp === null) {
      this.#catchUp = new CatchUp();
    } else {
      this.#catchUp.dirty = true;
    }
  }

  onLive(event: LiveEvent): InboxEvent[] {
    if (event.kind === 'bare') {
      return announce(this.#announcer.bare(event.notification));
    }
    const events: InboxEvent[] = [];
    if (this.#catchUp !== null) {
      this.#catchUp.keep(event);
    } else if (!this.#fold(event, events)) {
      this.#catchUp = new CatchUp();
    }
    return events;
  }

  /**
   * Takes the server's head, from a position check or a write sent when the inbox was at `askedAt`.
   * A head that the inbox has not passed starts a catch-up, and so does one older than `askedAt`.
   */
  onHead(askedAt: Position, head: Head): void {
    if (!this.#history.contains(head) || head.seq < askedAt.seq) {
      this.catchUp();
    }
  }

  /** Takes the answer to a `snapshot` request. */
  onSnapshot(page: InboxPage): InboxEvent[] {
    const events: InboxEvent[] = [];
    if (this.#catchUp?.needsSnapshot === true) {
      this.#replace(this.#catchUp.reason, page, events);
    }
    return events;
  }

  /** Takes the answer to a `changes` request; ignores it if the inbox is no longer at `after`. */
  onChanges(after: Position, answer: ChangesAnswer): InboxEvent[] {
    const events: InboxEvent[] = [];
    const catchUp = this.#catchUp;
    if (catchUp === null || catchUp.needsSnapshot || !samePosition(after, this.#head)) {
      return events;
    }
    if (answer.kind === 'reset') {
      this.#replace(answer.reason, answer.snapshot, events);
      return events;
    }
    const folded = this.#foldPage(catchUp, answer.changes, answer.more, events);
    if (folded === 'last') {
      this.#settle(events);
      this.#foldWaiting(events);
    } else if (folded !== 'more') {
      catchUp.needSnapshot(folded);
    }
    return events;
  }

  /**
   * Takes the answer to an `older` request, sent with `before` when the inbox was at `askedAt`. A
   * page newer than the replica waits for a catch-up. A page that the replica has passed is brought
   * up to date. A page older than `askedAt` belongs to another history.
   */
  onOlder(askedAt: Position, before: number, page: InboxPage): void {
    if (this.nextQuery()?.kind !== 'older' || this.low !== before) {
      return;
    }
    if (page.head.seq < askedAt.seq) {
      this.catchUp();
    } else if (this.#history.contains(page.head)) {
      this.#merge(before, page);
    } else {
      this.#held = { before, page };
      this.catchUp();
    }
  }

  /**
   * Makes room for `count` older notifications, which the inbox then queries. Returns how much room
   * was made: less near the limit, 0 if the oldest is held already, null if the limit is reached.
   */
  loadOlder(count: number): number | null {
    return this.#loaded && this.low === 0 ? 0 : this.#window.grow(count, MAX_WINDOW);
  }

  /** Takes back room that `loadOlder` made. Notifications that have arrived stay. */
  giveUpOlder(count: number): void {
    this.#window.shrink(count);
  }

  /**
   * Shows a write until the server and the replica have it. Returns false, and does not show it, if
   * 500 writes wait for the server's answer or 5,000 are pending.
   */
  write(op: string, command: Command, at: Timestamp): boolean {
    return this.#overlay.push(op, command, at);
  }

  /**
   * Returns the request to send now: the first write without an answer, together with the marks of
   * the same kind right after it. Send one at a time; if the answer is lost, look here again.
   */
  nextWrite(): WriteRequest | undefined {
    return this.#overlay.nextRequest();
  }

  /** Whether a write waits for the server's answer. */
  get hasUnanswered(): boolean {
    return this.#overlay.waiting > 0;
  }

  /** The writes that the replica does not contain yet. */
  get pendingWrites(): readonly PendingWrite[] {
    return this.#overlay.writes;
  }

  /** Takes the server's confirmation of a write that was sent when the inbox was at `askedAt`. */
  onWritten(op: string, askedAt: Position, head: Head): void {
    this.#overlay.answered(op, head);
    this.#leaveOverlay();
    this.onHead(askedAt, head);
  }

  /** Removes the writes of a request that the server refused, or a write that was never sent. */
  onRefused(op: string): InboxEvent[] {
    return this.#overlay.take(op).map((write) => ({ kind: 'rolled_back', write }));
  }

  get #position(): Position {
    return { seq: this.#head.seq, tag: this.#head.tag };
  }

  /** Applies a page of a catch-up. Returns whether it was the last, or why a snapshot is needed. */
  #foldPage(catchUp: CatchUp, changes: readonly Change[], more: boolean, events: InboxEvent[]): 'last' | 'more' | ResetReason {
    if (!contiguous(this.#position, changes) || (more && changes.length === 0)) {
      return 'other';
    }
    for (const change of changes) {
      if (change.kind === 'unknown') {
        return 'other';
      } else if (change.kind === 'gone') {
        if (catchUp.gone.size >= FAR_BEHIND) {
          return 'behind';
        }
        catchUp.gone.add(change.id);
      } else if (change.kind === 'removed') {
        change.ids.forEach((id) => catchUp.gone.delete(id));
      }
      this.#apply(change, events);
    }
    if (more) {
      return this.#announcer.waiting.rows.length > FAR_BEHIND ? 'behind' : 'more';
    }
    return catchUp.gone.size > 0 ? 'other' : 'last';
  }

  #replace(reason: ResetReason | null, page: InboxPage, events: InboxEvent[]): void {
    const low = this.#window.replace(page.notifications, page.next ?? 0);
    this.#head = page.head;
    this.#history.restart(page.head);
    this.#recent.restart(page.head);
    this.#held = null;
    this.#catchUp?.gone.clear();
    events.push({ kind: 'replaced', reason: this.#loaded ? reason : null });
    const rows = this.#window.rows;
    if (this.#loaded) {
      events.push(...announce(this.#announcer.again(rows, low, page.head.seq, reason === 'diverged')));
    } else {
      this.#announcer.first(rows, page.head.seq);
    }
    this.#loaded = true;
    this.#foldWaiting(events);
  }

  /** Applies the waiting live events. If one was lost or does not fit, catches up once more. */
  #foldWaiting(events: InboxEvent[]): void {
    const catchUp = this.#catchUp;
    if (catchUp === null) {
      return;
    }
    this.#catchUp = null;
    let { dirty } = catchUp;
    for (const event of catchUp.waiting) {
      dirty = !this.#fold(event, events) || dirty;
    }
    if (dirty) {
      this.#catchUp = new CatchUp();
    } else {
      this.#caughtUp();
    }
  }

  #caughtUp(): void {
    this.#leaveOverlay();
    this.#overlay.sendAgain();
    const held = this.#held;
    this.#held = null;
    if (held !== null && this.#history.contains(held.page.head)) {
      this.#merge(held.before, held.page);
    }
  }

  /** Removes the writes that the replica contains by now. */
  #leaveOverlay(): void {
    this.#overlay.passed((position) => this.#history.contains(position));
  }

  /** Adds an older page. One that no longer fits, or is too old to update, is queried again. */
  #merge(before: number, page: InboxPage): void {
    const next = page.next ?? 0;
    if (this.low !== before || next >= before) {
      return;
    }
    const rows = this.#recent.replay(page.head.seq, page.notifications);
    if (rows !== undefined) {
      this.#window.extend(rows, next);
    }
  }

  /** Applies or ignores a live event. Returns false if it can do neither. */
  #fold(event: LiveEvent, events: InboxEvent[]): boolean {
    if (event.kind === 'bare') {
      return true;
    }
    const stamp = event.kind === 'thin' ? event.stamp : event.change;
    if (this.#history.contains(stamp)) {
      return true;
    }
    if (event.kind === 'thin' || event.change.kind === 'gone' || event.change.kind === 'unknown' || !follows(stamp, this.#head)) {
      return false;
    }
    this.#apply(event.change, events);
    this.#settle(events);
    return true;
  }

  /** Applies one change. */
  #apply(change: Change, events: InboxEvent[]): void {
    this.#head = { seq: change.seq, tag: change.tag, pending: change.pending };
    this.#history.push(this.#head);
    this.#recent.push(change);
    this.#leaveOverlay();
    const { waiting } = this.#announcer;
    for (const window of [this.#window, waiting]) {
      switch (change.kind) {
        case 'added':
          window.add(change.notification, change.seq);
          break;
        case 'opened':
          change.ids.forEach((id) => window.mark(id, change.at));
          break;
        case 'unopened':
          change.ids.forEach((id) => window.mark(id, null));
          break;
        case 'opened_all':
          window.openThrough(change.through, change.at);
          break;
        case 'removed':
          change.ids.forEach((id) => window.remove(id));
          break;
        default:
      }
    }
    events.push({ kind: 'applied', change });
  }

  #settle(events: InboxEvent[]): void {
    events.push(...announce(this.#announcer.settle(this.#head.seq)));
  }
}

function announce(announcements: readonly Announcement[]): InboxEvent[] {
  return announcements.map((announcement) => ({ kind: 'announce', announcement }));
}

function contiguous(position: Position, changes: readonly Change[]): boolean {
  return changes.every((change, index) => follows(change, changes[index - 1] ?? position));
}

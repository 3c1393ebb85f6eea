import type { Announcement, Command, InboxNotification, Timestamp } from '../client/types.js';
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
import { Announcing } from './announcing.js';
import { CatchUp } from './catchUp.js';
import { Overlay, type PendingWrite } from './overlay.js';
import { Passed } from './passed.js';
import { Recent } from './recent.js';
import { Window } from './window.js';

/** The most notifications that a replica can hold. */
export const MAX_WINDOW = 5_000;

/** The most notifications of one page, and of a first snapshot. */
export const PAGE = 200;

/** A catch-up that brings more than this is given up for a snapshot; a server gives one by itself before that. */
const FAR_BEHIND = 10_000;

/** What the inbox needs from the server: `snapshot` for `onSnapshot`, `changes` for `onChanges`, `older` for `onOlder`. */
export type Ask =
  | { readonly kind: 'snapshot' }
  | { readonly kind: 'changes'; readonly after: Position }
  | { readonly kind: 'older'; readonly before: number; readonly limit: number };

/** What happened to the inbox, in order. The first snapshot has no reason. */
export type InboxEvent =
  | { readonly kind: 'applied'; readonly change: Change }
  | { readonly kind: 'replaced'; readonly reason: ResetReason | null }
  | { readonly kind: 'announce'; readonly announcement: Announcement }
  | { readonly kind: 'rolled_back'; readonly write: PendingWrite };

/**
 * One user's inbox on the client: a fold of numbered changes. The same rules as `Inbox` of the Rust crate
 * `internal-notifications-service`; both are put through `tests/inbox-cases`. No I/O, no clock.
 *
 * A change is applied if and only if it is the very next one: its seq follows and its `prev` is the tag of the last. What is known to be
 * passed is ignored. Anything else means that something was lost, or that the server's history is another one (a restored backup), and
 * starts a catch-up, whose answer alone decides. Live events that come meanwhile wait, boundedly.
 *
 * Whoever drives it does three things: it hands over what comes (`on…`), asks the server for what the inbox `wants`, one question at a
 * time, and does what the returned events say.
 */
export class Inbox {
  readonly #window: Window;
  readonly #passed = new Passed();
  readonly #recent = new Recent();
  readonly #overlay = new Overlay();
  readonly #announcing: Announcing;
  #head: Head = { seq: 0, tag: null, pending: 0 };
  /** An older page, with the `before` it was asked with, that is newer than the replica. */
  #held: { readonly before: number; readonly page: InboxPage } | null = null;
  /** What is being caught up; null while live events are folded as they come. */
  #catchUp: CatchUp | null = CatchUp.withSnapshot();
  #loaded = false;

  /** A replica that holds at most `window` notifications (at least one). It wants its first snapshot. */
  constructor(window: number) {
    const most = Math.max(1, window);
    this.#window = new Window(most);
    this.#announcing = new Announcing(most);
  }

  /** The notifications that it holds, newest first, with the user's own writes that are under way. */
  shown(): readonly InboxNotification[] {
    return this.#overlay.over([...this.#window.rows].reverse());
  }

  /** The seq from which every notification in the inbox is held; 0 when it holds the oldest. */
  get low(): number {
    return this.#window.low;
  }

  /** The last change applied, and the count that came with it. */
  get head(): Head {
    return this.#head;
  }

  /** Whether a first snapshot has come. */
  get isLoaded(): boolean {
    return this.#loaded;
  }

  /** Whether it may have missed something, and waits for an answer that tells. */
  get isCatchingUp(): boolean {
    return this.#catchUp !== null;
  }

  /** What to ask the server for now. Ask one question at a time. If it fails, ask what this says then. */
  wants(): Ask | null {
    if (this.#catchUp !== null) {
      return this.#catchUp.wantsSnapshot ? { kind: 'snapshot' } : { kind: 'changes', after: this.#position };
    }
    const { missing, low } = this.#window;
    return missing > 0 ? { kind: 'older', before: low, limit: Math.min(missing, PAGE) } : null;
  }

  /** Something may have been missed (a new subscription, an event that could not be read): catch up. */
  catchUp(): void {
    if (this.#catchUp === null) {
      this.#catchUp = new CatchUp();
    } else {
      this.#catchUp.dirty = true;
    }
  }

  onLive(event: LiveEvent): InboxEvent[] {
    if (event.kind === 'bare') {
      return announce(this.#announcing.bare(event.notification));
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
   * The server told its head, in answer to a question asked when the inbox was at `askedAt` (a position check, or a write).
   * A head that differs in seq or tag starts a catch-up, unless the inbox has passed it since; so does one older than `askedAt`.
   */
  onHead(askedAt: Position, head: Head): void {
    if (!this.#passed.holds(head) || head.seq < askedAt.seq) {
      this.catchUp();
    }
  }

  /** The answer to a `snapshot` that it wanted. */
  onSnapshot(page: InboxPage): InboxEvent[] {
    const events: InboxEvent[] = [];
    if (this.#catchUp?.wantsSnapshot === true) {
      this.#replace(this.#catchUp.reason, page, events);
    }
    return events;
  }

  /** The answer to `changes` asked at `after`. One that was asked at another position than the present one is dropped. */
  onChanges(after: Position, answer: ChangesAnswer): InboxEvent[] {
    const events: InboxEvent[] = [];
    const catchUp = this.#catchUp;
    if (catchUp === null || catchUp.wantsSnapshot || !samePosition(after, this.#head)) {
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
      catchUp.wantSnapshot(folded);
    }
    return events;
  }

  /** The answer to `older`, asked with `before` when the inbox was at `askedAt`. One that is newer than the replica waits for a catch-up;
   * one that the replica has passed since is brought up to date with what it did since; one older than `askedAt` is of another history. */
  onOlder(askedAt: Position, before: number, page: InboxPage): void {
    if (this.wants()?.kind !== 'older' || this.low !== before) {
      return;
    }
    if (page.head.seq < askedAt.seq) {
      this.catchUp();
    } else if (this.#passed.holds(page.head)) {
      this.#merge(before, page);
    } else {
      this.#held = { before, page };
      this.catchUp();
    }
  }

  /** Holds `count` more notifications, older ones. They are wanted from the server, if it has them. Gives how many more it may hold: fewer
   * near the bound, 0 when it holds the oldest already; null when it may hold as many as it can already. */
  loadOlder(count: number): number | null {
    return this.#loaded && this.low === 0 ? 0 : this.#window.grow(count, MAX_WINDOW);
  }

  /** Wants `count` fewer again, of what `loadOlder` gave; those that have come stay. */
  giveUpOlder(count: number): void {
    this.#window.shrink(count);
  }

  /** Shows a write of the user's own, until the server has it and the replica too. False, and it is not shown, when 500 wait for the
   * server's answer, or 5,000 are not in the replica. */
  write(op: string, command: Command, at: Timestamp): boolean {
    return this.#overlay.push(op, command, at);
  }

  /** The write to send to the server now. One at a time; if the answer is lost, send what this says then. */
  wantsWrite(): PendingWrite | undefined {
    return this.#overlay.unanswered;
  }

  /** The writes that the replica does not have yet. */
  get pendingWrites(): readonly PendingWrite[] {
    return this.#overlay.writes;
  }

  /** The server did a write, sent when the inbox was at `askedAt`. */
  onWritten(op: string, askedAt: Position, head: Head): void {
    this.#overlay.answered(op, head);
    this.#leaveOverlay();
    this.onHead(askedAt, head);
  }

  /** The server refused a write. */
  onRefused(op: string): InboxEvent[] {
    const write = this.#overlay.take(op);
    return write === undefined ? [] : [{ kind: 'rolled_back', write }];
  }

  get #position(): Position {
    return { seq: this.#head.seq, tag: this.#head.tag };
  }

  /** Folds a page of a catch-up; says whether it was the last, or why only a snapshot can help. */
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
      return this.#announcing.waiting.rows.length > FAR_BEHIND ? 'behind' : 'more';
    }
    return catchUp.gone.size > 0 ? 'other' : 'last';
  }

  #replace(reason: ResetReason | null, page: InboxPage, events: InboxEvent[]): void {
    const low = this.#window.replace(page.notifications, page.next ?? 0);
    this.#head = page.head;
    this.#passed.restart(page.head);
    this.#recent.restart(page.head);
    this.#held = null;
    this.#catchUp?.gone.clear();
    events.push({ kind: 'replaced', reason: this.#loaded ? reason : null });
    const rows = this.#window.rows;
    if (this.#loaded) {
      events.push(...announce(this.#announcing.again(rows, low, page.head.seq, reason === 'diverged')));
    } else {
      this.#announcing.first(rows, page.head.seq);
    }
    this.#loaded = true;
    this.#foldWaiting(events);
  }

  /** Folds the live events that waited. The catch-up is over, unless one of them was lost or does not fit: then it asks once more. */
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
    if (held !== null && this.#passed.holds(held.page.head)) {
      this.#merge(held.before, held.page);
    }
  }

  /** Writes that the replica has are no longer shown over it. */
  #leaveOverlay(): void {
    this.#overlay.passed((position) => this.#passed.holds(position));
  }

  /** Adds an older page, unless the window has changed below since it was asked for, or it was read too long ago: then it is wanted again. */
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

  /** Applies or ignores a live event; false when it does neither, which starts a catch-up. */
  #fold(event: LiveEvent, events: InboxEvent[]): boolean {
    if (event.kind === 'bare') {
      return true;
    }
    const stamp = event.kind === 'thin' ? event.stamp : event.change;
    if (this.#passed.holds(stamp)) {
      return true;
    }
    if (event.kind === 'thin' || event.change.kind === 'gone' || event.change.kind === 'unknown' || !follows(stamp, this.#head)) {
      return false;
    }
    this.#apply(event.change, events);
    this.#settle(events);
    return true;
  }

  /** The one place where a change has its effect. */
  #apply(change: Change, events: InboxEvent[]): void {
    this.#head = { seq: change.seq, tag: change.tag, pending: change.pending };
    this.#passed.pass(this.#head);
    this.#recent.pass(change);
    this.#leaveOverlay();
    const { waiting } = this.#announcing;
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
    events.push(...announce(this.#announcing.settle(this.#head.seq)));
  }
}

function announce(announcements: readonly Announcement[]): InboxEvent[] {
  return announcements.map((announcement) => ({ kind: 'announce', announcement }));
}

function contiguous(position: Position, changes: readonly Change[]): boolean {
  return changes.every((change, index) => follows(change, changes[index - 1] ?? position));
}

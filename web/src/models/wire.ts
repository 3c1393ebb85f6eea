import type { BareNotification, InboxNotification } from './notification.js';
import type { Timestamp } from './time.js';

/** A point in the history of an inbox: its last change. A new inbox is at (0, null). */
export interface Position {
  readonly seq: number;
  /** 16 lower-case hexadecimal digits; null only at seq 0. */
  readonly tag: string | null;
}

/** The newest position, with its count of pending notifications. */
export interface Head extends Position {
  readonly pending: number;
}

/** The place of a change in the history. */
export interface Stamp {
  /** One more than the previous change's seq. */
  readonly seq: number;
  readonly tag: string;
  /** The previous change's tag; null for the first change. */
  readonly prev: string | null;
  /** How many notifications are pending after it. */
  readonly pending: number;
  /** When it was made, which becomes `opened_at` of what it opens. */
  readonly at: Timestamp;
}

export type RemovedReason = 'user' | 'retracted' | 'expired' | 'pruned' | 'recounted' | 'other';

/**
 * What a change does. A newer server may send one that this version does not know (`unknown`); the
 * replica then loads a snapshot.
 */
export type ChangeKind =
  | { readonly kind: 'added'; readonly notification: InboxNotification }
  | { readonly kind: 'gone'; readonly id: string }
  | { readonly kind: 'opened' | 'unopened'; readonly ids: readonly string[] }
  | { readonly kind: 'removed'; readonly ids: readonly string[]; readonly reason: RemovedReason }
  | { readonly kind: 'opened_all'; readonly through: number }
  | { readonly kind: 'unknown' };

/** One record of an inbox's log. An inbox changes in no other way. */
export type Change = Stamp & ChangeKind;

/** A page of notifications, with the head at the time of reading. */
export interface InboxPage {
  readonly head: Head;
  /** Newest first. */
  readonly notifications: readonly InboxNotification[];
  /** The `before` of the next page: the smallest `added` of this one. Null at the end. */
  readonly next: number | null;
}

/** Why the server answered a catch-up with a snapshot. */
export type ResetReason = 'diverged' | 'trimmed' | 'behind' | 'other';

/** The answer to a catch-up: all changes after the position, in pages, or a snapshot. */
export type ChangesAnswer =
  | { readonly kind: 'changes'; readonly changes: readonly Change[]; readonly more: boolean }
  | { readonly kind: 'reset'; readonly reason: ResetReason; readonly snapshot: InboxPage };

/**
 * The content of a live event.
 *
 * - `thin`: a change that is too large for the transport; only its stamp is sent.
 * - `bare`: a notification from a sender that does not use the inbox server.
 */
export type LiveEvent =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'thin'; readonly stamp: Stamp }
  | { readonly kind: 'bare'; readonly notification: BareNotification };

export function samePosition(a: Position, b: Position): boolean {
  return a.seq === b.seq && a.tag === b.tag;
}

/** Returns whether a stamp is of the very next change after a position. */
export function follows(stamp: Stamp, at: Position): boolean {
  return stamp.seq === at.seq + 1 && stamp.prev === at.tag;
}

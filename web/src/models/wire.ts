import type { BareNotification, InboxNotification, Timestamp } from '../client/types.js';

/** A point in the history of an inbox: the last change applied. A new inbox is at (0, null). */
export interface Position {
  readonly seq: number;
  /** 16 lower-case hexadecimal digits; null exactly at seq 0. */
  readonly tag: string | null;
}

/** The newest position, with the count of pending notifications that belongs to it. */
export interface Head extends Position {
  readonly pending: number;
}

/** Where a change stands. */
export interface Stamp {
  /** The previous change's + 1. */
  readonly seq: number;
  readonly tag: string;
  /** The tag of the change before; null for the first. */
  readonly prev: string | null;
  /** Pending notifications after it. */
  readonly pending: number;
  /** When it was made; `opened_at` of what it opens. */
  readonly at: Timestamp;
}

export type RemovedReason = 'user' | 'retracted' | 'expired' | 'pruned' | 'recounted' | 'other';

/** What a change does. `unknown` is of a newer server: a replica cannot fold it and takes a snapshot. */
export type ChangeKind =
  | { readonly kind: 'added'; readonly notification: InboxNotification }
  | { readonly kind: 'gone'; readonly id: string }
  | { readonly kind: 'opened' | 'unopened'; readonly ids: readonly string[] }
  | { readonly kind: 'removed'; readonly ids: readonly string[]; readonly reason: RemovedReason }
  | { readonly kind: 'opened_all'; readonly through: number }
  | { readonly kind: 'unknown' };

/** One record of an inbox's log: the only way an inbox ever changes. */
export type Change = Stamp & ChangeKind;

/** The newest notifications and the head, read together; or an older page. */
export interface InboxPage {
  readonly head: Head;
  /** Newest first. */
  readonly notifications: readonly InboxNotification[];
  /** The smallest `added` of the page, to ask for the next one with; null at the end. */
  readonly next: number | null;
}

/** Why a catch-up was answered with a snapshot. */
export type ResetReason = 'diverged' | 'trimmed' | 'behind' | 'other';

/** Every change after the position, in pages, or a reset; never a part. */
export type ChangesAnswer =
  | { readonly kind: 'changes'; readonly changes: readonly Change[]; readonly more: boolean }
  | { readonly kind: 'reset'; readonly reason: ResetReason; readonly snapshot: InboxPage };

/** What a live event says. `thin`: there is a change, too large for the transport. `bare`: from a sender that knows of no inbox server. */
export type LiveEvent =
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'thin'; readonly stamp: Stamp }
  | { readonly kind: 'bare'; readonly notification: BareNotification };

export function samePosition(a: Position, b: Position): boolean {
  return a.seq === b.seq && a.tag === b.tag;
}

/** Whether a stamp is of the very next change after a position. */
export function follows(stamp: Stamp, at: Position): boolean {
  return stamp.seq === at.seq + 1 && stamp.prev === at.tag;
}

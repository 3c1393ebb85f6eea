import type { InboxNotification } from '../models/notification.js';

/**
 * What the client is doing.
 *
 * - `idle`: not started, or stopped; there is no user.
 * - `connecting`: waiting for the first snapshot.
 * - `live`: subscribed, and up to date as of the last event or check.
 * - `catching-up`: subscribed, and loading missed changes.
 * - `offline`: not connected; the client keeps trying. `error` says why the server does not answer,
 *   if it was asked.
 * - `polling`: live events are refused; the list follows by position checks. See `error`.
 * - `paused`: paused by the app; the state is kept but not updated.
 * - `failed`: cannot work with this user, token or configuration; see `error`.
 */
export type Status = 'idle' | 'connecting' | 'live' | 'catching-up' | 'offline' | 'polling' | 'paused' | 'failed';

/** The inbox at one moment. It is frozen; the list and the count belong together. */
export interface Snapshot {
  /** Newest first, with the user's own unconfirmed writes applied. */
  readonly notifications: readonly InboxNotification[];
  /**
   * How many notifications in the whole inbox are not opened, as last reported by the server.
   * Unconfirmed writes do not count yet.
   */
  readonly pending: number;
  readonly status: Status;
  /** Whether the first snapshot has arrived. */
  readonly loaded: boolean;
  /** Whether the inbox may have older notifications than the list. */
  readonly hasOlder: boolean;
  /** How many of the user's writes are not yet stored on the server and part of the list. */
  readonly unconfirmed: number;
  /** Why the status is `offline`, `polling` or `failed`, as far as it is known. */
  readonly error?: { readonly status?: number; readonly title: string };
}

/** The snapshot without a user. */
export const IDLE: Snapshot = Object.freeze({
  notifications: Object.freeze([]),
  pending: 0,
  status: 'idle',
  loaded: false,
  hasOlder: false,
  unconfirmed: 0,
});

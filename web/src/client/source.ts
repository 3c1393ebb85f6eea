import type { Announcement } from '../replica/announcer.js';
import type { Command } from '../replica/overlay.js';
import type { InboxError } from './error.js';
import type { Snapshot } from './snapshot.js';

/** A write that was shown before the server answered, was refused, and is no longer shown. */
export interface RefusedWrite {
  readonly command: Command;
  readonly error: InboxError;
}

/**
 * How far a write came.
 *
 * - `stored`: the server has stored it, and the list contains it.
 * - `queued`: there is no connection. The write is shown, and sent once there is one. If the server
 *   then refuses it, it is rolled back and `onRolledBack` reports it.
 */
export type Written = 'stored' | 'queued';

/** The part of a client that the elements need. */
export interface InboxSource {
  /** The inbox now. Each change makes a new frozen object. */
  readonly snapshot: Snapshot;
  /**
   * Calls `listener` shortly after each change of `snapshot`. Returns a function that ends this.
   */
  onSnapshot(listener: (snapshot: Snapshot) => void): () => void;
  /** Calls `listener` with each arrival, in order. Returns a function that ends this. */
  onAnnouncement(listener: (announcement: Announcement) => void): () => void;
  /**
   * Calls `listener` with each queued write that was refused. Returns a function that ends this.
   */
  onRolledBack(listener: (write: RefusedWrite) => void): () => void;
  /**
   * Marks these as opened, which is shown at once, as with the other writes. Rejects with an
   * `InboxError` if the server refuses while the call waits, or if the queue is full.
   */
  markOpened(ids: readonly string[]): Promise<Written>;
  markUnopened(ids: readonly string[]): Promise<Written>;
  /** Opens everything the user has seen, also what is older than the list, and nothing newer. */
  markAllOpened(): Promise<Written>;
  remove(ids: readonly string[]): Promise<Written>;
  /**
   * Extends the list by `count` older notifications (50 by default). Resolves once they are loaded
   * or there are none. Rejects if the list is full or there is no connection.
   */
  loadOlder(count?: number): Promise<void>;
}

/** A source that can be started and stopped. */
export interface InboxClient extends InboxSource {
  /** Starts, or starts again after `failed`. Does nothing while the client runs. */
  start(): void;
  /** Ends everything and forgets the user. The snapshot is then empty and `idle`. */
  stop(): void;
  /** Ends live events and keeps the state, as if the network were gone. */
  pause(): void;
  /** Continues after `pause()`, and catches up. */
  resume(): void;
}

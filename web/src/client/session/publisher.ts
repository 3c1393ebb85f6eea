import type { Position } from '../../models/wire.js';
import type { Announcement } from '../../replica/announcer.js';
import type { Inbox, InboxEvent } from '../../replica/inbox.js';
import type { Snapshot, Status } from '../snapshot.js';
import type { RefusedWrite } from '../source.js';

/** Receives everything that a session publishes. */
export interface SessionListener {
  snapshot(snapshot: Snapshot): void;
  announcement(announcement: Announcement): void;
  rolledBack(write: RefusedWrite): void;
}

/** Collects what happened, and publishes it together: the snapshot first. */
export class Publisher {
  /** The position that the published snapshot shows. */
  position: Position = { seq: 0, tag: null };
  readonly #listener: SessionListener;
  #announcements: Announcement[] = [];
  #rolledBack: RefusedWrite[] = [];
  #published: Snapshot | null = null;
  #hasChanged = true;

  constructor(listener: SessionListener) {
    this.#listener = listener;
  }

  /** The snapshot may have changed. */
  changed(): void {
    this.#hasChanged = true;
  }

  announce(events: readonly InboxEvent[]): void {
    for (const event of events) {
      if (event.kind === 'announce') {
        this.#announcements.push(event.announcement);
      }
    }
  }

  rolledBack(write: RefusedWrite): void {
    this.#rolledBack.push(write);
  }

  publish(inbox: Inbox, status: Status, error: Snapshot['error'] | null): void {
    if (this.#hasChanged) {
      this.#hasChanged = false;
      this.#publishSnapshot(inbox, status, error);
    }
    this.#announcements.splice(0).forEach((announcement) => this.#listener.announcement(announcement));
    this.#rolledBack.splice(0).forEach((write) => this.#listener.rolledBack(write));
  }

  #publishSnapshot(inbox: Inbox, status: Status, error: Snapshot['error'] | null): void {
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
      ...(error ? { error } : {}),
    };
    this.position = inbox.head;
    const keys = Object.keys(snapshot) as (keyof Snapshot)[];
    if (before === null || keys.some((key) => snapshot[key] !== before[key]) || 'error' in before !== 'error' in snapshot) {
      this.#published = Object.freeze(snapshot);
      this.#listener.snapshot(this.#published);
    }
  }
}

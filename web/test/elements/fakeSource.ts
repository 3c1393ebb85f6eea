import type { Snapshot } from '../../src/client/snapshot.js';
import type { InboxSource, RefusedWrite, Written } from '../../src/client/source.js';
import type { InboxNotification } from '../../src/models/notification.js';
import type { Announcement } from '../../src/replica/announcer.js';

/** Creates a notification as the server would send it. */
export function notification(added: number, fields: Partial<InboxNotification> = {}): InboxNotification {
  const at = new Date(Date.UTC(2026, 0, 1) + added * 1_000).toISOString();
  return {
    id: `n${added}`,
    heading: `Heading ${added}`,
    content: `Content ${added}`,
    buttons: [],
    opened: false,
    created_at: at,
    sender: 'key:test',
    added,
    ...fields,
  };
}

/** An inbox in memory that executes every call at once and records it in `calls`. */
export class FakeSource implements InboxSource {
  readonly calls: string[] = [];
  snapshot: Snapshot;
  /** Older notifications, newest first, which `loadOlder` moves into the list. */
  older: InboxNotification[] = [];
  /** If set, calls reject with it. */
  failure: Error | undefined;
  starts = 0;
  readonly #snapshots = new Set<(snapshot: Snapshot) => void>();
  readonly #announcements = new Set<(announcement: Announcement) => void>();
  readonly #rolledBack = new Set<(write: RefusedWrite) => void>();

  constructor(notifications: readonly InboxNotification[] = [], fields: Partial<Snapshot> = {}) {
    this.snapshot = {
      notifications,
      pending: notifications.filter(({ opened }) => !opened).length,
      status: 'live',
      loaded: true,
      hasOlder: false,
      unconfirmed: 0,
      ...fields,
    };
  }

  get listeners(): number {
    return this.#snapshots.size + this.#announcements.size + this.#rolledBack.size;
  }

  set(fields: Partial<Snapshot>): void {
    const notifications = fields.notifications ?? this.snapshot.notifications;
    const pending = fields.pending ?? notifications.filter(({ opened }) => !opened).length;
    this.snapshot = Object.freeze({ ...this.snapshot, ...fields, notifications, pending });
    this.#snapshots.forEach((listener) => listener(this.snapshot));
  }

  arrive(...arrived: readonly InboxNotification[]): void {
    for (const notification of arrived) {
      this.set({ notifications: [notification, ...this.snapshot.notifications] });
      this.announce({ kind: 'notification', notification });
    }
  }

  announce(announcement: Announcement): void {
    this.#announcements.forEach((listener) => listener(announcement));
  }

  rollBack(write: RefusedWrite): void {
    this.#rolledBack.forEach((listener) => listener(write));
  }

  onSnapshot(listener: (snapshot: Snapshot) => void): () => void {
    return added(this.#snapshots, listener);
  }

  onAnnouncement(listener: (announcement: Announcement) => void): () => void {
    return added(this.#announcements, listener);
  }

  onRolledBack(listener: (write: RefusedWrite) => void): () => void {
    return added(this.#rolledBack, listener);
  }

  markOpened(ids: readonly string[]): Promise<Written> {
    return this.#write(`opened ${ids.join()}`, (row) => (ids.includes(row.id) ? { ...row, opened: true } : row));
  }

  markUnopened(ids: readonly string[]): Promise<Written> {
    return this.#write(`unopened ${ids.join()}`, (row) => (ids.includes(row.id) ? { ...row, opened: false } : row));
  }

  markAllOpened(): Promise<Written> {
    return this.#write('opened all', (row) => ({ ...row, opened: true }));
  }

  remove(ids: readonly string[]): Promise<Written> {
    return this.#write(`removed ${ids.join()}`, (row) => (ids.includes(row.id) ? null : row));
  }

  async loadOlder(count = 50): Promise<void> {
    this.calls.push('older');
    if (this.failure) {
      throw this.failure;
    }
    const page = this.older.splice(0, count);
    this.set({ notifications: [...this.snapshot.notifications, ...page], hasOlder: this.older.length > 0 });
  }

  start(): void {
    this.starts += 1;
  }

  async #write(call: string, change: (row: InboxNotification) => InboxNotification | null): Promise<Written> {
    this.calls.push(call);
    if (this.failure) {
      throw this.failure;
    }
    this.set({ notifications: this.snapshot.notifications.flatMap((row) => change(row) ?? []) });
    return 'stored';
  }
}

function added<T>(set: Set<T>, listener: T): () => void {
  set.add(listener);
  return () => set.delete(listener);
}

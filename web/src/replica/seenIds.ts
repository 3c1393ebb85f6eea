import type { InboxNotification } from '../models/notification.js';
import { compareTimes, type Timestamp } from '../models/time.js';

/**
 * A notification's place, by seq and by time. After a restored backup, new notifications may have
 * low seqs, but not early times.
 */
interface Place {
  readonly added: number;
  /** Null is earlier than every time. */
  readonly createdAt: Timestamp | null;
}

interface Seen {
  readonly announced: boolean;
  /** Null if it was never in the inbox. */
  readonly place: Place | null;
}

/**
 * The newest ids that the replica has seen or announced. Everything older is covered by a place:
 * what is at that place or before it is old.
 */
export class SeenIds {
  readonly #most: number;
  /** In the order of first sight. */
  readonly #ids = new Map<string, Seen>();
  #old: Place = { added: 0, createdAt: null };

  constructor(window: number) {
    this.#most = Math.max(window, 500) * 2;
  }

  /** Declares everything up to this place as old. */
  forgetThrough({ added, createdAt }: Place): void {
    const isLater = createdAt !== null && (this.#old.createdAt === null || compareTimes(createdAt, this.#old.createdAt) > 0);
    this.#old = { added: Math.max(this.#old.added, added), createdAt: isLater ? createdAt : this.#old.createdAt };
  }

  /** Returns whether a notification is remembered or old. */
  contains(row: InboxNotification): boolean {
    const { added, createdAt } = this.#old;
    const isOld = row.added <= added && createdAt !== null && compareTimes(row.created_at, createdAt) <= 0;
    return isOld || this.#ids.has(row.id);
  }

  announced(id: string): boolean {
    return this.#ids.get(id)?.announced ?? false;
  }

  remember(row: InboxNotification, announced: boolean): void {
    this.#insert(row.id, { announced, place: placeOf(row) });
  }

  rememberBare(id: string): void {
    this.#insert(id, { announced: true, place: null });
  }

  #insert(id: string, seen: Seen): void {
    const before = this.#ids.get(id);
    this.#ids.set(id, { announced: seen.announced || before?.announced === true, place: seen.place ?? before?.place ?? null });
    if (this.#ids.size > this.#most) {
      const [oldest, { place }] = this.#ids.entries().next().value as [string, Seen];
      this.#ids.delete(oldest);
      if (place !== null) {
        this.forgetThrough(place);
      }
    }
  }
}

export function placeOf(row: InboxNotification): Place {
  return { added: row.added, createdAt: row.created_at };
}

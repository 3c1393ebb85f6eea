import type { InboxNotification, Timestamp } from '../client/types.js';
import { compareTimes } from '../models/time.js';

/** Where a notification stood, by seq and by time: after a restored backup, new ones may have low seqs, but not early times. */
interface Place {
  readonly added: number;
  /** Null is before every time. */
  readonly createdAt: Timestamp | null;
}

interface Seen {
  readonly announced: boolean;
  /** Its place, unless it was never in the inbox. */
  readonly place: Place | null;
}

/** The ids that the replica has seen or announced, the newest of them; and where all others are old. */
export class Known {
  readonly #most: number;
  /** In the order in which they were first seen. */
  readonly #ids = new Map<string, Seen>();
  #old: Place = { added: 0, createdAt: null };

  constructor(window: number) {
    this.#most = Math.max(window, 500) * 2;
  }

  /** What is not remembered and stands here or before is old. */
  forgetThrough({ added, createdAt }: Place): void {
    const isLater = createdAt !== null && (this.#old.createdAt === null || compareTimes(createdAt, this.#old.createdAt) > 0);
    this.#old = { added: Math.max(this.#old.added, added), createdAt: isLater ? createdAt : this.#old.createdAt };
  }

  /** Whether a notification is remembered, or old. */
  holds(row: InboxNotification): boolean {
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

import type { InboxNotification } from '../models/notification.js';
import type { Timestamp } from '../models/time.js';

type Row = InboxNotification;

/** The newest notifications of the inbox: all with `added >= low`. */
export class Window {
  /** Oldest first. */
  #rows: Row[] = [];
  readonly #added = new Map<string, number>();
  #most: number;
  #low = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Oldest first. */
  get rows(): readonly Row[] {
    return this.#rows;
  }

  get low(): number {
    return this.#low;
  }

  /** How many older rows fit; 0 if there are none. */
  get missing(): number {
    return this.#low > 0 ? Math.max(0, this.#most - this.#rows.length) : 0;
  }

  /** Raises the bound, up to `cap`. Returns by how much, or null if it is at the cap. */
  grow(count: number, cap: number): number | null {
    const room = cap - this.#most;
    if (room <= 0) {
      return null;
    }
    const more = Math.min(count, room);
    this.#most += more;
    return more;
  }

  /** Lowers the bound, but not below the number of rows. */
  shrink(count: number): void {
    this.#most = Math.min(this.#most, Math.max(this.#most - count, this.#rows.length, 1));
  }

  /** Adds the next older rows. */
  extend(rows: readonly Row[], low: number): void {
    for (const row of rows) {
      if (row.added < this.#low && row.added >= low && !this.#added.has(row.id)) {
        this.insert(row);
      }
    }
    this.#low = low;
    this.#evict();
  }

  /**
   * Replaces all rows by these, which are all with `added >= low`. Returns `low` after eviction.
   */
  replace(rows: readonly Row[], low: number): number {
    this.take();
    this.#low = low;
    rows.forEach((row) => this.insert(row));
    this.#evict();
    return this.#low;
  }

  /** Adds a row at its place, and evicts the oldest beyond the bound. */
  add(row: Row, seq: number): Row {
    const placed = row.added === seq ? row : Object.freeze({ ...row, added: seq });
    this.insert(placed);
    this.#evict();
    return placed;
  }

  /** Removes all rows and returns them, oldest first. */
  take(): readonly Row[] {
    const rows = this.#rows;
    this.#rows = [];
    this.#added.clear();
    return rows;
  }

  /** Puts a row at its place. */
  insert(row: Row): void {
    this.remove(row.id);
    this.#added.set(row.id, row.added);
    const index = this.#from(row.added);
    this.#rows.splice(index, this.#rows[index]?.added === row.added ? 1 : 0, row);
  }

  mark(id: string, openedAt: Timestamp | null): void {
    const index = this.#indexOf(id);
    const row = this.#rows[index];
    if (row !== undefined) {
      this.#rows[index] = withOpened(row, openedAt);
    }
  }

  openThrough(through: number, at: Timestamp): void {
    this.#rows = this.#rows.map((row) => (row.added <= through ? withOpened(row, at) : row));
  }

  remove(id: string): void {
    const index = this.#indexOf(id);
    if (index >= 0) {
      this.#rows.splice(index, 1);
    }
    this.#added.delete(id);
  }

  #evict(): void {
    const evicted = this.#rows.splice(0, Math.max(0, this.#rows.length - this.#most));
    if (evicted.length > 0) {
      evicted.forEach((row) => this.#added.delete(row.id));
      this.#low = this.#rows[0]?.added ?? this.#low;
    }
  }

  #indexOf(id: string): number {
    const added = this.#added.get(id);
    if (added === undefined) {
      return -1;
    }
    const index = this.#from(added);
    return this.#rows[index]?.added === added ? index : -1;
  }

  /** Returns the index of the first row with this `added` or a higher one. */
  #from(added: number): number {
    let [low, high] = [0, this.#rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#rows[middle] as Row).added < added) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }
}

/**
 * Returns the row as opened at a time, or as pending with null; the same object if it is already.
 */
export function withOpened(row: Row, openedAt: Timestamp | null): Row {
  return row.opened === (openedAt !== null) ? row : Object.freeze({ ...row, opened: openedAt !== null, opened_at: openedAt });
}

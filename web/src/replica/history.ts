import type { Position } from '../models/wire.js';

/** A repeated event up to this many changes old is recognized; an older one costs a catch-up. */
const REMEMBERED = 4_096;

/**
 * The newest positions that the replica passed through, also by changes that affected nothing in
 * the window. An event of any other position is never taken for a repeat.
 */
export class History {
  /** The seq of the first tag. */
  #first = 0;
  #tags: (string | null)[] = [];

  /** Starts again at the position of a snapshot. */
  restart(position: Position): void {
    this.#first = position.seq;
    this.#tags = [position.tag];
  }

  /** Adds the next position. */
  push(position: Position): void {
    this.#tags.push(position.tag);
    if (this.#tags.length > REMEMBERED) {
      this.#tags.shift();
      this.#first += 1;
    }
  }

  /** Returns whether the replica passed through this very position. */
  contains(position: Position): boolean {
    return this.#tags[position.seq - this.#first] === position.tag;
  }
}

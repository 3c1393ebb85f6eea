import type { Position } from '../models/wire.js';

/** A late event of this many changes ago is still known for a repeat; an older one costs a catch-up. */
const REMEMBERED = 4_096;

/**
 * The positions that the replica itself passed through, the newest of them. It holds every change, also those that touched nothing in
 * the window; an event that it does not hold is never taken for a repeat.
 */
export class Passed {
  /** The seq of the first tag. */
  #first = 0;
  #tags: (string | null)[] = [];

  /** Forgets everything: the replica is at a position by a snapshot. */
  restart(position: Position): void {
    this.#first = position.seq;
    this.#tags = [position.tag];
  }

  /** The replica went on to the next position. */
  pass(position: Position): void {
    this.#tags.push(position.tag);
    if (this.#tags.length > REMEMBERED) {
      this.#tags.shift();
      this.#first += 1;
    }
  }

  /** Whether the replica passed through this very position. */
  holds(position: Position): boolean {
    return this.#tags[position.seq - this.#first] === position.tag;
  }
}

import type { Inbox } from '../replica/inbox.js';
import type { PendingWrite } from '../replica/overlay.js';
import { delay, type Random } from './retry.js';

/** When the next write is sent. Times are of `performance.now()`. */
export class Pace {
  readonly #random: Random;
  #notBefore = 0;
  /** Attempts in a row without an answer. */
  #failures = 0;
  /** Repeats of writes in a row that were answered in vain: with a history that the replica could not find. */
  #inVain = 0;
  /** The write that the first of these repeats was of. */
  #waitsFor: string | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  get next(): number {
    return this.#notBefore;
  }

  /** Whether the last attempt was in vain, and nothing tells that the next would not be. */
  get isDown(): boolean {
    return this.#failures > 0;
  }

  failed(): void {
    this.#failures += 1;
    this.#notBefore = performance.now() + delay(this.#failures, this.#random);
  }

  /** A write was answered. While writes are sent over and over, each is waited for, whichever it is. */
  answered(write: PendingWrite): void {
    this.isUp();
    if (write.wasAnswered) {
      this.#waitsFor ??= write.op;
      this.#inVain += 1;
      this.#notBefore = performance.now() + delay(this.#inVain, this.#random);
    }
  }

  /** Repeats are in vain no more once the replica has the write. */
  lookAt(inbox: Inbox): void {
    if (this.#waitsFor !== null && !inbox.pendingWrites.some((write) => write.op === this.#waitsFor)) {
      this.#waitsFor = null;
      this.#inVain = 0;
      if (!this.isDown) {
        this.#notBefore = performance.now();
      }
    }
  }

  /** The server can be reached, or so it seems. */
  isUp(): void {
    if (this.isDown) {
      this.#failures = 0;
      this.#notBefore = performance.now();
    }
  }
}

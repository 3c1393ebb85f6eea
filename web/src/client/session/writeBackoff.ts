import type { Inbox } from '../../replica/inbox.js';
import type { WriteRequest } from '../../replica/overlay.js';
import { delay, slowDelay, type Random } from '../backoff.js';

/** When the next write is sent. Times are those of `performance.now()`. */
export class WriteBackoff {
  readonly #random: Random;
  #notBefore = 0;
  /** Attempts in a row without an answer. */
  #failures = 0;
  /** Whether an answered query has ended the wait since a write was last answered. */
  #wasHurried = false;
  /** Repeated writes in a row that were answered from a history that the replica cannot find. */
  #repeats = 0;
  /** The first of these repeated writes. */
  #repeated: string | null = null;

  constructor(random: Random) {
    this.#random = random;
  }

  get next(): number {
    return this.#notBefore;
  }

  /** Whether the last attempt failed, and nothing suggests that the next would succeed. */
  get isDown(): boolean {
    return this.#failures > 0;
  }

  failed(): void {
    this.#failures += 1;
    this.#notBefore = performance.now() + delay(this.#failures, this.#random);
  }

  /** A write was refused, not for good, but hardly for a short time. */
  failedSlowly(): void {
    this.#failures += 1;
    this.#notBefore = performance.now() + slowDelay(this.#failures, this.#random);
  }

  /** A write was answered. As long as writes are repeated, every further write waits. */
  answered(write: WriteRequest): void {
    this.isUp();
    if (write.wasAnswered) {
      this.#repeated ??= write.op;
      this.#repeats += 1;
      this.#notBefore = performance.now() + delay(this.#repeats, this.#random);
    }
  }

  /** Ends the waiting for repeated writes once the replica contains the first of them. */
  update(inbox: Inbox): void {
    if (this.#repeated !== null && !inbox.pendingWrites.some((write) => write.op === this.#repeated)) {
      this.#repeated = null;
      this.#repeats = 0;
      if (!this.isDown) {
        this.#notBefore = performance.now();
      }
    }
  }

  /** A query was answered. Ends the wait only once: the server may answer queries and no write. */
  queryAnswered(): void {
    if (this.isDown && !this.#wasHurried) {
      this.isUp();
      this.#wasHurried = true;
    }
  }

  /** The server is reachable, or seems to be. */
  isUp(): void {
    this.#wasHurried = false;
    if (this.isDown) {
      this.#failures = 0;
      this.#notBefore = performance.now();
    }
  }
}

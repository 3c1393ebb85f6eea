import { checkDelay, delay, slowDelay, type Random } from './retry.js';

/** Answers in a row that may lead nowhere before the next is waited for: a catch-up may have to ask again at once. */
const PATIENCE = 3;

/** When the server is asked next. Times are of `performance.now()`. */
export class Schedule {
  /** Milliseconds between position checks. */
  interval = 60_000;
  readonly #random: Random;
  #checkAt = Infinity;
  #notBefore = 0;
  /** Questions in a row that failed, or were answered without leading anywhere. */
  #inVain = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** When the next question is asked: as soon as possible if there is one, else when the position is to be checked. */
  next(wanted: boolean): number {
    return wanted ? this.#notBefore : Math.max(this.#checkAt, this.#notBefore);
  }

  get checkIsDue(): boolean {
    return this.#checkAt <= performance.now();
  }

  /** The replica was as new as the server just now. */
  confirmed(): void {
    this.#checkAt = performance.now() + checkDelay(this.interval, this.#random);
  }

  /** Something hints that the position should be checked now. */
  checkNow(): void {
    this.#checkAt = performance.now();
    this.hurry();
  }

  /** A question was answered, and led somewhere or not. */
  answered(useful: boolean): void {
    if (useful) {
      return this.hurry();
    }
    this.#inVain += 1;
    if (this.#inVain > PATIENCE) {
      this.#wait(delay(this.#inVain - PATIENCE, this.#random));
    }
  }

  /** A question failed, and may be asked again soon. */
  failed(): void {
    this.#inVain += 1;
    this.#wait(delay(this.#inVain, this.#random));
  }

  /** An answer that could not be read: the next will hardly be better soon. */
  failedSlowly(): void {
    this.#inVain += 1;
    this.#wait(slowDelay(this.#random));
  }

  /** A question was refused: the next is asked when the position would be checked. */
  refused(): void {
    this.#wait(checkDelay(this.interval, this.#random));
  }

  /** Failures of before count no more. */
  hurry(): void {
    this.#inVain = 0;
    this.#notBefore = performance.now();
  }

  #wait(milliseconds: number): void {
    this.#notBefore = performance.now() + milliseconds;
  }
}

import { checkDelay, delay, slowDelay, type Random } from '../backoff.js';

/** How many useless answers in a row cause no delay: a catch-up may have to ask again at once. */
const FREE_ANSWERS = 3;

/** The longest wait after refusals, in milliseconds. */
const LONGEST = 600_000;

/** When the next query is sent to the server. Times are those of `performance.now()`. */
export class Schedule {
  /** Milliseconds between position checks. */
  interval = 60_000;
  readonly #random: Random;
  #checkAt = Infinity;
  #notBefore = 0;
  /** Queries in a row that failed, or whose answer changed nothing. */
  #useless = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Returns when to send a query: a wanted one, or else the next position check. */
  next(wanted: boolean): number {
    return wanted ? this.#notBefore : Math.max(this.#checkAt, this.#notBefore);
  }

  get checkIsDue(): boolean {
    return this.#checkAt <= performance.now();
  }

  /** The replica is up to date now; the next position check is an interval away. */
  confirmed(): void {
    this.#checkAt = performance.now() + checkDelay(this.interval, this.#random);
  }

  /** The position must be checked now. */
  checkNow(): void {
    this.#checkAt = performance.now();
    this.hurry();
  }

  /** A query was answered. After several useless answers in a row, the next query waits. */
  answered(useful: boolean): void {
    if (useful) {
      return this.hurry();
    }
    this.#useless += 1;
    if (this.#useless > FREE_ANSWERS) {
      this.#wait(delay(this.#useless - FREE_ANSWERS, this.#random));
    }
  }

  /** A query failed, and the next may soon succeed. */
  failed(): void {
    this.#useless += 1;
    this.#wait(delay(this.#useless, this.#random));
  }

  /** An answer could not be read, and the next is unlikely to be better soon. */
  failedSlowly(): void {
    this.#useless += 1;
    this.#wait(slowDelay(this.#useless, this.#random));
  }

  /** A query was refused. The next one waits as long as a position check, and then ever longer. */
  refused(): void {
    this.#useless += 1;
    this.#wait(checkDelay(Math.min(LONGEST, this.interval * 2 ** (this.#useless - 1)), this.#random));
  }

  /** The position must be checked as soon as a query may be sent. */
  checkSoon(): void {
    this.#checkAt = performance.now();
  }

  /** The next query need not wait; earlier failures are forgotten. */
  hurry(): void {
    this.#useless = 0;
    this.#notBefore = performance.now();
  }

  #wait(milliseconds: number): void {
    this.#notBefore = performance.now() + milliseconds;
  }
}

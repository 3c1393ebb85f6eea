import type { Random } from './backoff.js';

/** The longest wait that a server is obeyed for, in milliseconds. */
const LONGEST = 3_600_000;

/** Reads the header `Retry-After`, seconds or a date, as milliseconds from now. */
export function retryAfter(header: string | null): number | undefined {
  const text = header?.trim() ?? '';
  const wait = /^\d+$/.test(text) ? 1000 * Number(text) : /^[A-Z]/.test(text) ? Date.parse(text) - Date.now() : NaN;
  return Number.isNaN(wait) ? undefined : Math.max(0, wait);
}

/** Until when the server asked to be left alone. Times are those of `performance.now()`. */
export class Hold {
  until = 0;
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** Waits as long as the server asked, and a little more, so that not all come back at once. */
  ask(milliseconds: number | undefined): void {
    if (milliseconds !== undefined) {
      const wait = Math.min(LONGEST, milliseconds);
      this.until = performance.now() + wait + (wait / 10 + 500) * this.#random();
    }
  }
}

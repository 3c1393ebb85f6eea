/** The first delay's limit, and the limit of every delay, in milliseconds. */
const BASE = 500;
const CAP = 10_000;

/** Returns a number from 0 to 1, as `Math.random` does. */
export type Random = () => number;

/**
 * Returns the delay after failure number `attempt` (from 1): exponential backoff with full jitter.
 */
export function delay(attempt: number, random: Random): number {
  return Math.min(CAP, BASE * 2 ** Math.max(0, attempt - 1)) * random();
}

/**
 * Returns the delay after failure number `attempt` that is unlikely to pass soon: ever longer, from
 * 10 s up to 5 minutes.
 */
export function slowDelay(attempt: number, random: Random): number {
  return Math.min(300_000, CAP * 2 ** Math.max(0, attempt - 1)) * (0.5 + random() / 2);
}

/** Returns the time until the next position check: at most the interval, less some jitter. */
export function checkDelay(interval: number, random: Random): number {
  return interval * (0.9 + random() / 10);
}

/** The limit of the first wait, and the limit that no wait exceeds, in milliseconds. */
const BASE = 500;
const CAP = 10_000;

/** Gives a number from 0 to 1, as `Math.random` does. */
export type Random = () => number;

/** How long to wait after the failed attempt `attempt` (from 1): a random part of a limit that doubles (full jitter). */
export function delay(attempt: number, random: Random): number {
  return Math.min(CAP, BASE * 2 ** Math.max(0, attempt - 1)) * random();
}

/** How long to wait after what will hardly pass by itself: near the cap. */
export function slowDelay(random: Random): number {
  return CAP * (0.5 + random() / 2);
}

/** How long until the next position check: at most the interval, so that a loss is found within it. */
export function checkDelay(interval: number, random: Random): number {
  return interval * (0.9 + random() / 10);
}

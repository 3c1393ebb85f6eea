import type { LiveEvent, ResetReason } from '../models/wire.js';

/** Live events that wait for the answer of a catch-up, at most. */
const WAITING = 256;

/** A catch-up under way. */
export class CatchUp {
  /** Live events that came meanwhile. */
  readonly waiting: LiveEvent[] = [];
  /** Something came that could not wait: ask once more after the last answer. */
  dirty = false;
  /** Added and gone again, with the removal still to come. */
  readonly gone = new Set<string>();
  /** Changes cannot help. */
  wantsSnapshot = false;
  /** Why, but for the first snapshot. */
  reason: ResetReason | null = null;

  static withSnapshot(): CatchUp {
    const catchUp = new CatchUp();
    catchUp.wantsSnapshot = true;
    return catchUp;
  }

  wantSnapshot(reason: ResetReason): void {
    this.wantsSnapshot = true;
    this.reason = reason;
  }

  keep(event: LiveEvent): void {
    if (this.waiting.length < WAITING) {
      this.waiting.push(event);
    } else {
      this.dirty = true;
    }
  }
}

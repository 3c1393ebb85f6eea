import type { LiveEvent, ResetReason } from '../models/wire.js';

/** How many live events can wait for the end of a catch-up. */
const WAITING = 256;

/** A running catch-up. */
export class CatchUp {
  /** Live events that arrived meanwhile. */
  readonly waiting: LiveEvent[] = [];
  /** An event could not wait: catch up once more afterwards. */
  dirty = false;
  /** Notifications that were added and already removed; their removals must still follow. */
  readonly gone = new Set<string>();
  /** Changes are not enough. */
  needsSnapshot = false;
  /** Why a snapshot is wanted; null for the first one. */
  reason: ResetReason | null = null;

  static withSnapshot(): CatchUp {
    const catchUp = new CatchUp();
    catchUp.needsSnapshot = true;
    return catchUp;
  }

  needSnapshot(reason: ResetReason): void {
    this.needsSnapshot = true;
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

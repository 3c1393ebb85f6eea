import type { InboxNotification } from '../models/notification.js';
import type { Timestamp } from '../models/time.js';
import type { Change, Position } from '../models/wire.js';
import { withOpened } from './window.js';

/** How many changes are remembered, and ids in them. An older page is requested again. */
const CHANGES = 4_096;
const IDS = 10_000;

type Effect =
  | { readonly mark: readonly string[]; readonly openedAt: Timestamp | null }
  | { readonly through: number; readonly openedAt: Timestamp }
  | { readonly remove: readonly string[] };

/**
 * What the newest changes did to existing notifications. An older page that the server read before
 * them is brought up to date with these.
 */
export class RecentChanges {
  /** The seq before the oldest effect. */
  #floor = 0;
  #effects: (Effect | null)[] = [];
  #ids = 0;

  restart(position: Position): void {
    this.#floor = position.seq;
    this.#effects = [];
    this.#ids = 0;
  }

  push(change: Change): void {
    const effect = effectOf(change);
    this.#ids += size(effect);
    this.#effects.push(effect);
    while (this.#effects.length > CHANGES || this.#ids > IDS) {
      this.#ids -= size(this.#effects.shift() ?? null);
      this.#floor += 1;
    }
  }

  /**
   * Brings rows read at a seq up to date. Returns undefined if that seq is no longer remembered.
   */
  replay(readAt: number, rows: readonly InboxNotification[]): readonly InboxNotification[] | undefined {
    if (readAt < this.#floor) {
      return undefined;
    }
    const now = new Map(rows.map((row) => [row.id, row]));
    const update = (row: InboxNotification | undefined, openedAt: Timestamp | null) =>
      row && now.set(row.id, withOpened(row, openedAt));
    for (const effect of this.#effects.slice(readAt - this.#floor)) {
      if (effect === null) {
        continue;
      }
      if ('mark' in effect) {
        effect.mark.forEach((id) => update(now.get(id), effect.openedAt));
      } else if ('remove' in effect) {
        effect.remove.forEach((id) => now.delete(id));
      } else {
        [...now.values()].filter((row) => row.added <= effect.through).forEach((row) => update(row, effect.openedAt));
      }
    }
    return [...now.values()];
  }
}

function effectOf(change: Change): Effect | null {
  switch (change.kind) {
    case 'opened':
      return { mark: change.ids, openedAt: change.at };
    case 'unopened':
      return { mark: change.ids, openedAt: null };
    case 'opened_all':
      return { through: change.through, openedAt: change.at };
    case 'removed':
      return { remove: change.ids };
    default:
      return null;
  }
}

function size(effect: Effect | null): number {
  if (effect === null) {
    return 0;
  }
  return 'mark' in effect ? effect.mark.length : 'remove' in effect ? effect.remove.length : 1;
}

import type { InboxNotification, Timestamp } from '../client/types.js';
import type { Change, Position } from '../models/wire.js';
import { withOpened } from './window.js';

/** Changes remembered, and ids in them; a page older than that is asked for again. */
const CHANGES = 4_096;
const IDS = 10_000;

type Effect =
  | { readonly mark: readonly string[]; readonly openedAt: Timestamp | null }
  | { readonly through: number; readonly openedAt: Timestamp }
  | { readonly remove: readonly string[] };

/** What the newest changes did to notifications that were there already, to be done again to an older page that was read before them. */
export class Recent {
  /** The seq that the oldest effect follows. */
  #floor = 0;
  #effects: (Effect | null)[] = [];
  #ids = 0;

  restart(position: Position): void {
    this.#floor = position.seq;
    this.#effects = [];
    this.#ids = 0;
  }

  pass(change: Change): void {
    const effect = effectOf(change);
    this.#ids += size(effect);
    this.#effects.push(effect);
    while (this.#effects.length > CHANGES || this.#ids > IDS) {
      this.#ids -= size(this.#effects.shift() ?? null);
      this.#floor += 1;
    }
  }

  /** Rows read at a seq as they are now; undefined when that is longer ago than is remembered. */
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

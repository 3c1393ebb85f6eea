import type { Announcement, BareNotification, InboxNotification } from '../client/types.js';
import { Known, placeOf } from './known.js';
import { Window } from './window.js';

/** What is announced, and what was: each notification at most once, in order. */
export class Announcing {
  /** Added by a catch-up that is not over; apart from the window of the inbox, so that an evicted one is announced too. */
  readonly waiting = new Window(Infinity);
  /** Up to this seq, what was to be announced is. */
  #settled = 0;
  readonly #known: Known;

  constructor(window: number) {
    this.#known = new Known(window);
  }

  /** Everything up to `seq` is folded: announces what is still pending of it. */
  settle(seq: number): Announcement[] {
    this.#settled = seq;
    return this.waiting.take().flatMap((row) => this.#announce(row));
  }

  #announce(row: InboxNotification): Announcement[] {
    const announced = this.#known.announced(row.id);
    this.#known.remember(row, announced || !row.opened);
    return announced || row.opened ? [] : [{ kind: 'notification', notification: row }];
  }

  /** The first snapshot: nothing of it is announced. Rows come oldest first, here and below. */
  first(rows: readonly InboxNotification[], seq: number): void {
    this.#settled = seq;
    this.#known.forgetThrough({ added: seq, createdAt: null });
    for (const row of rows) {
      this.#known.forgetThrough(placeOf(row));
      this.#known.remember(row, false);
    }
  }

  /**
   * A later snapshot. New is what was added since announcing was settled, unless that is a seq of another history; and what is neither
   * remembered nor old: a trimmed log cannot tell another history. Where the snapshot is not the whole inbox, there may
   * be more: below a page that is new to its end, and anywhere in another history.
   */
  again(rows: readonly InboxNotification[], low: number, seq: number, diverged: boolean): Announcement[] {
    const settled = diverged ? Infinity : this.#settled;
    const isNew = (row: InboxNotification) => row.added > settled || !this.#known.holds(row);
    this.waiting.take();
    this.#settled = seq;
    const oldest = rows[0];
    const skipped = low > 0 && (diverged || (oldest !== undefined && isNew(oldest)));
    const announcements: Announcement[] = skipped ? [{ kind: 'skipped' }] : [];
    for (const row of rows) {
      if (isNew(row)) {
        announcements.push(...this.#announce(row));
      } else {
        this.#known.remember(row, false);
      }
    }
    return announcements;
  }

  /** A notification that no inbox server stored: announced once by its id, if it has one. */
  bare(notification: BareNotification): Announcement[] {
    const { id } = notification;
    if (typeof id === 'string') {
      if (this.#known.announced(id)) {
        return [];
      }
      this.#known.rememberBare(id);
    }
    return [{ kind: 'bare', notification }];
  }
}

import type { BareNotification, InboxNotification } from '../models/notification.js';
import { SeenIds, placeOf } from './seenIds.js';
import { Window } from './window.js';

/** An arrival that an app may show as a toast or play a sound for. */
export type Announcement =
  /** It was added to the inbox. Each notification is announced at most once, in order. */
  | { readonly kind: 'notification'; readonly notification: InboxNotification }
  /** A sender without the inbox server triggered it. It is neither listed nor counted. */
  | { readonly kind: 'bare'; readonly notification: BareNotification }
  /** Too much was missed; more may have arrived than is announced. */
  | { readonly kind: 'skipped' };

/** Decides which notifications to announce: each at most once, in order. */
export class Announcer {
  /**
   * Notifications that an unfinished catch-up added. They are kept apart from the inbox's window,
   * so that evicted ones are announced too.
   */
  readonly waiting = new Window(Infinity);
  /** Everything up to this seq has been announced. */
  #settled = 0;
  readonly #seen: SeenIds;

  constructor(window: number) {
    this.#seen = new SeenIds(window);
  }

  /** Announces what is still pending, after everything up to `seq` was applied. */
  settle(seq: number): Announcement[] {
    this.#settled = seq;
    return this.waiting.take().flatMap((row) => this.#announce(row));
  }

  #announce(row: InboxNotification): Announcement[] {
    const announced = this.#seen.announced(row.id);
    this.#seen.remember(row, announced || !row.opened);
    return announced || row.opened ? [] : [{ kind: 'notification', notification: row }];
  }

  /** Takes the first snapshot and announces nothing. Rows are oldest first, here and below. */
  first(rows: readonly InboxNotification[], seq: number): void {
    this.#settled = seq;
    this.#seen.forgetThrough({ added: seq, createdAt: null });
    for (const row of rows) {
      this.#seen.forgetThrough(placeOf(row));
      this.#seen.remember(row, false);
    }
  }

  /**
   * Takes a later snapshot and announces what is new in it: rows after the last settled seq (unless
   * the history is another one, where that seq means nothing), and rows that are neither remembered
   * nor old (a trimmed log cannot show that the history is another one).
   *
   * If the snapshot is not the whole inbox, more may have arrived than it shows: when even its
   * oldest row is new, and always in another history.
   */
  again(rows: readonly InboxNotification[], low: number, seq: number, diverged: boolean): Announcement[] {
    const settled = diverged ? Infinity : this.#settled;
    const isNew = (row: InboxNotification) => row.added > settled || !this.#seen.contains(row);
    this.waiting.take();
    this.#settled = seq;
    const oldest = rows[0];
    const skipped = low > 0 && (diverged || (oldest !== undefined && isNew(oldest)));
    const announcements: Announcement[] = skipped ? [{ kind: 'skipped' }] : [];
    for (const row of rows) {
      if (isNew(row)) {
        announcements.push(...this.#announce(row));
      } else {
        this.#seen.remember(row, false);
      }
    }
    return announcements;
  }

  /** Announces a bare notification: once, if it has an id. */
  bare(notification: BareNotification): Announcement[] {
    const { id } = notification;
    if (typeof id === 'string') {
      if (this.#seen.announced(id)) {
        return [];
      }
      this.#seen.rememberBare(id);
    }
    return [{ kind: 'bare', notification }];
  }
}

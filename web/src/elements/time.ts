const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Formats times in one language. */
export class Times {
  readonly #relative: Intl.RelativeTimeFormat;
  readonly #day: Intl.DateTimeFormat;
  readonly #dayOfYear: Intl.DateTimeFormat;
  readonly #full: Intl.DateTimeFormat;

  constructor(locale: string) {
    this.#relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'narrow' });
    this.#day = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short' });
    this.#dayOfYear = new Intl.DateTimeFormat(locale, { day: 'numeric', month: 'short', year: 'numeric' });
    this.#full = new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeStyle: 'short' });
  }

  /** Formats how long ago a time was, or its date after a week. A time in the future is `now`. */
  relative(time: number, now: number): string {
    const ago = now - time;
    if (Number.isNaN(ago)) {
      return '';
    }
    if (ago < MINUTE) {
      return this.#relative.format(0, 'second');
    }
    if (ago < HOUR) {
      return this.#relative.format(-Math.floor(ago / MINUTE), 'minute');
    }
    if (ago < DAY) {
      return this.#relative.format(-Math.floor(ago / HOUR), 'hour');
    }
    if (ago < 7 * DAY) {
      return this.#relative.format(-Math.floor(ago / DAY), 'day');
    }
    const sameYear = new Date(time).getFullYear() === new Date(now).getFullYear();
    return (sameYear ? this.#day : this.#dayOfYear).format(time);
  }

  full(time: number): string {
    return Number.isNaN(time) ? '' : this.#full.format(time);
  }
}

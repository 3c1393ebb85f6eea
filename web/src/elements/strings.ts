/**
 * All texts of the elements, apart from those of notifications and errors, which the server sends.
 */
export interface Strings {
  /** The language of times and numbers (BCP 47). It should be that of the strings. */
  readonly locale: string;
  readonly title: string;
  /** The bell's name for screen readers. */
  readonly bell: (pending: number) => string;
  /** Shown beside the title if the count is not 0. */
  readonly pending: (pending: number) => string;
  /** Read out for an unread notification. */
  readonly unopened: string;
  readonly markAll: string;
  readonly markOpened: string;
  readonly markUnopened: string;
  readonly remove: string;
  readonly more: string;
  readonly less: string;
  readonly retry: string;
  readonly empty: string;
  readonly emptyHint: string;
  readonly loading: string;
  readonly idle: string;
  readonly idleHint: string;
  readonly offline: string;
  readonly offlineHint: string;
  readonly paused: string;
  readonly pausedHint: string;
  readonly failed: string;
  /** Shown while the server has not stored this many writes. */
  readonly waiting: (writes: number) => string;
  readonly refused: string;
  readonly olderFailed: string;
  readonly olderFull: string;
  readonly end: string;
  /** Read out when notifications arrive. `text` is the last one's heading or content. */
  readonly arrived: (count: number, text: string, pending: number) => string;
}

type Forms = { readonly other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;

/**
 * Returns the form of a text for a number, by the language's plural rules. `#` in it is replaced by
 * the number.
 */
export function plural(locale: string, count: number, forms: Forms): string {
  const form = forms[new Intl.PluralRules(locale).select(count)] ?? forms.other;
  return form.replace('#', new Intl.NumberFormat(locale).format(count));
}

const unread = (count: number): string => plural('en', count, { other: '# unread' });

export const english: Strings = {
  locale: 'en',
  title: 'Notifications',
  bell: (pending) => (pending > 0 ? `Notifications, ${unread(pending)}` : 'Notifications'),
  pending: unread,
  unopened: 'Unread',
  markAll: 'Mark all as read',
  markOpened: 'Mark as read',
  markUnopened: 'Mark as unread',
  remove: 'Remove',
  more: 'Show more',
  less: 'Show less',
  retry: 'Try again',
  empty: 'You’re all caught up',
  emptyHint: 'New notifications appear here by themselves.',
  loading: 'Loading notifications',
  idle: 'You’re signed out',
  idleHint: 'Sign in to see your notifications.',
  offline: 'You’re offline',
  offlineHint: 'You’ll see what you missed when you’re back.',
  paused: 'Live updates are off',
  pausedHint: 'You’ll see what you missed when they’re on again.',
  failed: 'Notifications can’t be shown',
  waiting: (writes) => plural('en', writes, { one: '# change will be saved later.', other: '# changes will be saved later.' }),
  refused: 'Your change could not be saved and was undone.',
  olderFailed: 'Older notifications could not be loaded.',
  olderFull: 'Older notifications are not shown here.',
  end: 'That’s everything',
  arrived: (count, text, pending) =>
    `${count === 1 ? `New notification: ${text}` : plural('en', count, { other: '# new notifications' })}. ${unread(pending)}.`,
};

import type { InboxNotification } from '../models/notification.js';
import type { Announcement } from '../replica/announcer.js';

/** The user opened a notification. Unless the event is cancelled, the page navigates to `path`. */
export interface OpenDetail {
  readonly notification: InboxNotification;
  /**
   * `payload.path` as an absolute URL, or null if it is missing or not safe. Safe are `http:`,
   * `https:` and paths of this origin.
   */
  readonly path: string | null;
  /** `payload.data`, as `JSON.parse` reads it. */
  readonly data: unknown;
  /** `payload.auth`, as `JSON.parse` reads it. */
  readonly auth: unknown;
}

/** The user pressed a button of a notification. */
export interface ButtonDetail {
  readonly notification: InboxNotification;
  readonly id: string;
}

/** The events of both elements. All bubble and are composed. */
export interface InboxEvents {
  'internal-notification-open': CustomEvent<OpenDetail>;
  'internal-notification-button': CustomEvent<ButtonDetail>;
  'internal-notification-announce': CustomEvent<Announcement>;
}

declare global {
  interface HTMLElementEventMap extends InboxEvents {}
}

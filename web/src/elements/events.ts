import type { InboxNotification } from '../models/notification.js';
import type { Announcement } from '../replica/announcing.js';

/** A notification was opened. Unless it is cancelled, the page goes to `path`, if there is one. */
export interface OpenDetail {
  readonly notification: InboxNotification;
  /** `payload.path` as an absolute URL, if it is safe: `http:`, `https:` or a path of this origin. */
  readonly path: string | null;
  /** `payload.data`, as it was sent. */
  readonly data: unknown;
  /** `payload.auth`, as it was sent. */
  readonly auth: unknown;
}

/** A button of a notification was pressed. */
export interface ButtonDetail {
  readonly notification: InboxNotification;
  readonly id: string;
}

/** Events of both elements. All bubble and are composed. */
export interface InboxEvents {
  'internal-notification-open': CustomEvent<OpenDetail>;
  'internal-notification-button': CustomEvent<ButtonDetail>;
  'internal-notification-announce': CustomEvent<Announcement>;
}

declare global {
  interface HTMLElementEventMap extends InboxEvents {}
}

import { count, flag, id, lenientTime, list, object, optional, record, text, time, type Reader } from './read.js';
import type { Timestamp } from './time.js';

/** A button of a notification. Unknown keys are kept. */
export interface NotificationButton {
  readonly id: string;
  readonly text: string;
  readonly icon?: string | null;
  readonly [key: string]: unknown;
}

/**
 * A notification as its sender wrote it. Only `content` is always present. Unknown keys are kept.
 * All texts are plain text, never HTML.
 */
export interface BareNotification {
  readonly id?: string | null;
  readonly heading?: string | null;
  readonly content: string;
  /** As `JSON.parse` reads it, which rounds numbers that a double cannot hold. */
  readonly payload?: unknown;
  /** Unchecked: decide which URLs are safe before you show it. */
  readonly image_url?: string | null;
  readonly send_after?: Timestamp | null;
  readonly expires_at?: Timestamp | null;
  readonly buttons?: readonly NotificationButton[] | null;
  readonly [key: string]: unknown;
}

/** A notification in the inbox, with the fields that the server adds. */
export interface InboxNotification extends BareNotification {
  readonly id: string;
  readonly buttons: readonly NotificationButton[];
  /** Whether the user has opened it on any device. */
  readonly opened: boolean;
  readonly opened_at?: Timestamp | null;
  /** When the server stored it. */
  readonly created_at: Timestamp;
  /** `user:ID`, `key:NAME` or `outbox:NAME`, set by the server. */
  readonly sender: string;
  /** The seq of the change that added it, which is its place in the list. */
  readonly added: number;
}

const body = {
  heading: optional(text),
  content: text,
  image_url: optional(text),
  send_after: optional(lenientTime),
  expires_at: optional(lenientTime),
  buttons: optional(list(record({ id: text, text, icon: optional(text) }))),
};

const bare = record({ ...body, id: optional(id), opened: optional(flag) });

const stored = record({ ...body, id, opened: flag, created_at: time, opened_at: optional(time), sender: text, added: count });

/** Reads a notification that no inbox server has stored. Unknown keys are kept, here and below. */
export const bareNotification: Reader<BareNotification> = (value) => {
  bare(value);
  return Object.freeze({ ...object(value) }) as unknown as BareNotification;
};

/** Reads a notification of an inbox. */
export const inboxNotification: Reader<InboxNotification> = (value) => {
  stored(value);
  const json = object(value);
  return Object.freeze({ ...json, buttons: json['buttons'] ?? [] }) as unknown as InboxNotification;
};

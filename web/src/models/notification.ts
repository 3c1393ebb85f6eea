import type { BareNotification, InboxNotification } from '../client/types.js';
import { count, flag, id, lenientTime, list, object, optional, record, text, time, type Reader } from './read.js';

/** What the sender wrote. */
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

/** A notification that no inbox server stored. Unknown keys are kept, here and below. */
export const bareNotification: Reader<BareNotification> = (value) => {
  bare(value);
  return Object.freeze({ ...object(value) }) as unknown as BareNotification;
};

/** A row of an inbox. */
export const inboxNotification: Reader<InboxNotification> = (value) => {
  stored(value);
  const json = object(value);
  return Object.freeze({ ...json, buttons: json['buttons'] ?? [] }) as unknown as InboxNotification;
};

import type { BareNotification, InboxNotification, NotificationButton } from '../client/types.js';
import { at, count, flag, id, lenientTime, list, object, optional, text, time, type Json, type Reader } from './read.js';

/** A notification that no inbox server stored. Unknown keys are kept, here and below. */
export const bareNotification: Reader<BareNotification> = (value, key) => {
  const json = object(value, key);
  checkBody(json);
  at(json, 'id', optional(id));
  at(json, 'opened', optional(flag));
  return Object.freeze({ ...json }) as unknown as BareNotification;
};

/** A row of an inbox. */
export const inboxNotification: Reader<InboxNotification> = (value, key) => {
  const json = object(value, key);
  checkBody(json);
  at(json, 'id', id);
  at(json, 'opened', flag);
  at(json, 'created_at', time);
  at(json, 'opened_at', optional(time));
  at(json, 'sender', text);
  at(json, 'added', count);
  return Object.freeze({ ...json, buttons: json['buttons'] ?? [] }) as unknown as InboxNotification;
};

/** What the sender wrote. */
function checkBody(json: Json): void {
  at(json, 'heading', optional(text));
  at(json, 'content', text);
  at(json, 'image_url', optional(text));
  at(json, 'send_after', optional(lenientTime));
  at(json, 'expires_at', optional(lenientTime));
  at(json, 'buttons', optional(list(button)));
}

const button: Reader<NotificationButton> = (value, key) => {
  const json = object(value, key);
  at(json, 'id', text);
  at(json, 'text', text);
  at(json, 'icon', optional(text));
  return json as unknown as NotificationButton;
};

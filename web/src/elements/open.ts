import type { InboxNotification } from '../models/notification.js';
import type { ButtonDetail, OpenDetail } from './events.js';
import { safeUrl } from './safeUrl.js';

/** How long a page waits for the write before it goes elsewhere, which would cut the request off. */
const PATIENCE_MS = 1_000;

/** Tells the page, and goes to the notification's path unless the page has another mind. */
export async function open(
  host: HTMLElement,
  notification: InboxNotification,
  elsewhere: boolean,
  written: Promise<unknown>,
): Promise<void> {
  const payload = notification.payload;
  const { path, data, auth } = typeof payload === 'object' && payload ? (payload as Record<string, unknown>) : {};
  const url = safeUrl(path);
  const detail: OpenDetail = { notification, path: url, data, auth };
  if (!host.dispatchEvent(emitted('open', detail, true)) || url === null) {
    return;
  }
  if (elsewhere) {
    window.open(url, '_blank', 'noopener');
    return;
  }
  await Promise.race([written, new Promise((done) => setTimeout(done, PATIENCE_MS))]);
  location.assign(url);
}

export function press(host: HTMLElement, notification: InboxNotification, id: string): void {
  host.dispatchEvent(emitted('button', { notification, id }));
}

function emitted(name: string, detail: OpenDetail | ButtonDetail, cancelable = false): CustomEvent {
  return new CustomEvent(`internal-notification-${name}`, { bubbles: true, composed: true, cancelable, detail });
}

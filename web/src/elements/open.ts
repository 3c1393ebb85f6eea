import type { InboxNotification } from '../models/notification.js';
import type { ButtonDetail, OpenDetail } from './events.js';
import { safeUrl } from './safeUrl.js';

/** How long the page waits for the write before it navigates, which would cancel the request. */
const PATIENCE_MS = 1_000;

/** Dispatches the event, and navigates to the notification's path unless the page cancels it. */
export async function open(
  host: HTMLElement,
  notification: InboxNotification,
  inNewTab: boolean,
  written: Promise<unknown>,
): Promise<void> {
  const payload = notification.payload;
  const { path, data, auth } = typeof payload === 'object' && payload ? (payload as Record<string, unknown>) : {};
  const url = safeUrl(path);
  const detail: OpenDetail = { notification, path: url, data, auth };
  if (!host.dispatchEvent(eventOf('open', detail, true)) || url === null) {
    return;
  }
  if (inNewTab) {
    window.open(url, '_blank', 'noopener');
    return;
  }
  await Promise.race([written, new Promise((done) => setTimeout(done, PATIENCE_MS))]);
  location.assign(url);
}

export function press(host: HTMLElement, notification: InboxNotification, id: string): void {
  host.dispatchEvent(eventOf('button', { notification, id }));
}

function eventOf(name: string, detail: OpenDetail | ButtonDetail, cancelable = false): CustomEvent {
  return new CustomEvent(`internal-notification-${name}`, { bubbles: true, composed: true, cancelable, detail });
}

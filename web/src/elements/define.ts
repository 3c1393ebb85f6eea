import { InternalNotificationsBell } from './bell.js';
import { InternalNotificationsInbox } from './inbox.js';

declare global {
  interface HTMLElementTagNameMap {
    'internal-notifications-bell': InternalNotificationsBell;
    'internal-notifications-inbox': InternalNotificationsInbox;
  }
}

/** Registers both elements, once, if there is a DOM. */
export function define(): void {
  const registry = globalThis.customElements;
  for (const [name, element] of [
    ['internal-notifications-bell', InternalNotificationsBell],
    ['internal-notifications-inbox', InternalNotificationsInbox],
  ] as const) {
    if (registry && !registry.get(name)) {
      registry.define(name, element);
    }
  }
}

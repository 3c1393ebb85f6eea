import { define } from './elements/define.js';

export * from './client.js';
export { InternalNotificationsBell } from './elements/bell.js';
export type { ButtonDetail, InboxEvents, OpenDetail } from './elements/events.js';
export { InternalNotificationsInbox } from './elements/inbox.js';
export { safeUrl } from './elements/safeUrl.js';
export { english, plural, type Strings } from './elements/strings.js';

define();

import { InternalNotificationsClient } from '../client/client.js';
import type { TokenSource } from '../client/identity.js';
import type { InboxClient } from '../client/source.js';

/** Creates the client of an element for which the page has set none. */
export function ownClient(server: string, user: string | null, token: TokenSource): InboxClient {
  return new InternalNotificationsClient({ server, token, ...(user ? { user } : {}) });
}

import { InternalNotificationsClient } from '../client/client.js';
import type { TokenSource } from '../client/identity.js';
import type { InboxClient } from '../client/source.js';

/** The client of an element that was given none. */
export function ownClient(server: string, user: string | null, token: TokenSource): InboxClient {
  return new InternalNotificationsClient({ server, token, ...(user ? { user } : {}) });
}

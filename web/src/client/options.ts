import type { TokenSource } from './identity.js';
import type { Random } from './retry.js';
import type { Transport } from './transport.js';
import { InboxError } from './types.js';

/** How a client is set up. */
export interface ClientOptions {
  /** The inbox server: `http(s)://host[:port][/path]`, or a path of the page's own. */
  readonly server: string | URL;
  /** The user's token, or who gives one. */
  readonly token: TokenSource;
  /** The user's id; a token of another user is refused. Without it the first token says who it is. */
  readonly user?: string;
  /** How many notifications are held, until `loadOlder`: 1 to 5,000, default 200. */
  readonly window?: number;
  /** Who carries the live events; default: pusher-js with a connection of its own. */
  readonly transport?: Transport;
  /** Seconds between position checks; default: what the server says, 60. */
  readonly positionCheck?: number;
  /** Another event that carries bare notifications. */
  readonly event?: string;
  readonly fetch?: typeof fetch;
  readonly random?: Random;
}

/** The server's address without a slash at its end. */
export function baseUrl(server: string | URL): URL {
  const here = globalThis.location?.href;
  const url = URL.canParse(server, here) ? new URL(server, here) : null;
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw new InboxError('invalid', 'the server must be an http(s) URL or a path');
  }
  url.search = '';
  url.hash = '';
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}

import type { Random } from './backoff.js';
import { InboxError } from './error.js';
import type { TokenSource } from './identity.js';
import type { Transport } from './transport.js';

/** The options of a client. */
export interface ClientOptions {
  /** The inbox server: `http(s)://host[:port][/path]`, or a path on the page's own origin. */
  readonly server: string | URL;
  /** The user's token, or a function that returns one. */
  readonly token: TokenSource;
  /**
   * The user's id. A token of another user is refused. By default the first token names the user.
   */
  readonly user?: string;
  /** How many notifications the list holds before `loadOlder`: 1 to 5,000, by default 200. */
  readonly window?: number;
  /** Receives the live events. By default pusher-js with its own connection. */
  readonly transport?: Transport;
  /** Seconds between position checks. By default what the server says, which is usually 60. */
  readonly positionCheck?: number;
  /** The name of another event that carries bare notifications. */
  readonly event?: string;
  readonly fetch?: typeof fetch;
  readonly random?: Random;
}

/** Parses the server's address, and removes a slash at its end. */
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

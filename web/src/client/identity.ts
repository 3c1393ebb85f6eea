import { InboxError } from './types.js';

/**
 * The user's token: a text, or a function that is asked before every call and should hand out one that it keeps; with `fresh` the server
 * refused the last one (401), and a kept one will not do. An error that it throws counts as: no connection, try again.
 */
export type TokenSource = string | ((fresh: boolean) => string | Promise<string>);

/** The tokens of one user. */
export class Identity {
  readonly #source: TokenSource;
  #user: string | undefined;

  /** Without a `user`, the user is whom the first token names. */
  constructor(source: TokenSource, user?: string) {
    this.#source = source;
    this.#user = user;
  }

  /** A token of this user. One of another user is refused, so that nobody ever sees another one's inbox. */
  async token(fresh: boolean): Promise<string> {
    const token: unknown = typeof this.#source === 'string' ? this.#source : await this.#ask(this.#source, fresh);
    if (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token)) {
      throw new InboxError('unauthenticated', 'the token is malformed');
    }
    const subject = subjectOf(token);
    this.#user ??= subject;
    if (subject !== undefined && subject !== this.#user) {
      throw new InboxError('unauthenticated', 'the token belongs to another user; stop the client first');
    }
    return token;
  }

  async #ask(source: Exclude<TokenSource, string>, fresh: boolean): Promise<string> {
    try {
      return await source(fresh);
    } catch (error) {
      throw error instanceof InboxError ? error : new InboxError('unavailable', 'the token could not be had');
    }
  }
}

/** The `sub` of a JWT; undefined when it is none. Its signature is for the server to verify. */
function subjectOf(token: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(atob((token.split('.')[1] as string).replaceAll('-', '+').replaceAll('_', '/')));
    const subject: unknown = (claims as { sub?: unknown } | null)?.sub;
    return typeof subject === 'string' ? subject : undefined;
  } catch {
    return undefined;
  }
}

import { InboxError } from './error.js';

/**
 * The user's token: a text, or a function that is called before every request and should return a
 * cached token. With `fresh`, the server refused the last token (401), and a new one is needed. If
 * the function throws, the client treats it as a lost connection and tries again.
 */
export type TokenSource = string | ((fresh: boolean) => string | Promise<string>);

/** Gets the tokens of one user. */
export class Identity {
  readonly #source: TokenSource;
  #user: string | undefined;

  /** Without `user`, the first token decides who the user is. */
  constructor(source: TokenSource, user?: string) {
    this.#source = source;
    this.#user = user;
  }

  /**
   * Returns a token of this user. Rejects one of another user, so that nobody sees a foreign inbox.
   */
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
      throw error instanceof InboxError ? error : new InboxError('unavailable', 'the app could not get a token');
    }
  }
}

/**
 * Returns the `sub` of a JWT, or undefined for any other text. The server verifies the signature.
 */
function subjectOf(token: string): string | undefined {
  try {
    const claims: unknown = JSON.parse(atob((token.split('.')[1] as string).replaceAll('-', '+').replaceAll('_', '/')));
    const subject: unknown = (claims as { sub?: unknown } | null)?.sub;
    return typeof subject === 'string' ? subject : undefined;
  } catch {
    return undefined;
  }
}

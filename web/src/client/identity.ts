import { InboxError } from './error.js';

/**
 * The user's token: a text, or a function that is called before every request and should return a
 * cached token. With `fresh`, the server refused the last token (401), and a new one is needed; it
 * is then not called with `fresh` again before it has answered, or 30 s have passed. If the
 * function throws or does not answer in time, the client treats it as a lost connection and tries
 * again.
 */
export type TokenSource = string | ((fresh: boolean) => string | Promise<string>);

/** A token, and how often the app had been asked for a fresh one when it returned this one. */
interface Token {
  readonly text: string;
  readonly generation: number;
}

/** How long the app may take to return a token, in milliseconds. */
const TIMEOUT = 30_000;

/** The wait after the first fresh token that is refused, and the longest one, in milliseconds. */
const FIRST_WAIT = 10_000;
const LONGEST_WAIT = 600_000;

/**
 * Gets the tokens of one user. The app is asked for one fresh token at a time, for all requests
 * that need it, and ever more seldom while its tokens stay refused.
 */
export class Identity {
  readonly #source: TokenSource;
  #user: string | undefined;
  #generation = 0;
  /** The last fresh token, or the question for one that has no answer yet. */
  #fresh: Promise<Token> | null = null;
  #isAsking = false;
  /** How many fresh tokens there were since the server accepted one. */
  #refused = 0;
  #notBefore = 0;

  /** Without `user`, the first token decides who the user is. */
  constructor(source: TokenSource, user?: string) {
    this.#source = source;
    this.#user = user;
  }

  /**
   * Returns a token of this user. Rejects one of another user, so that nobody sees a foreign inbox.
   */
  async token(): Promise<Token> {
    const generation = this.#generation;
    return { text: await this.#checked(false), generation };
  }

  /**
   * Returns a token to use in place of one that the server refused, or null if there is no other
   * one now.
   */
  async replacement(refused: Token): Promise<Token | null> {
    if (refused.generation === this.#generation && !this.#isAsking) {
      if (performance.now() < this.#notBefore) {
        return null;
      }
      this.#fresh = this.#renew();
    }
    const fresh = await this.#fresh;
    return fresh === null || fresh.text === refused.text ? null : fresh;
  }

  /** The server accepted a token. */
  accepted(): void {
    this.#refused = 0;
    this.#notBefore = 0;
  }

  async #renew(): Promise<Token> {
    this.#isAsking = true;
    try {
      const text = await this.#checked(true);
      this.#generation += 1;
      this.#notBefore = performance.now() + Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** this.#refused);
      this.#refused += 1;
      return { text, generation: this.#generation };
    } finally {
      this.#isAsking = false;
    }
  }

  async #checked(fresh: boolean): Promise<string> {
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
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => (timer = setTimeout(reject, TIMEOUT)));
    try {
      return await Promise.race([source(fresh), late]);
    } catch (error) {
      throw error instanceof InboxError ? error : new InboxError('unavailable', 'the app could not get a token');
    } finally {
      clearTimeout(timer);
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

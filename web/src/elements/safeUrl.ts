/** The longest URL that is followed, in characters. */
const LONGEST = 8_192;

/** White space and control characters. URL parsers drop some of them anywhere. */
const INVISIBLE = /[\s\p{C}]/u;

/**
 * Returns the absolute form of a URL from a notification, or null if it is not safe. Safe are
 * `http:` and `https:` URLs without credentials, and paths of this origin (`/orders/1`). Texts that
 * only some parsers read as such (`\`, `//host`, white space, control characters) are refused.
 */
export function safeUrl(text: unknown, origin: string = location.origin): string | null {
  if (typeof text !== 'string' || text.length > LONGEST || INVISIBLE.test(text) || text.includes('\\')) {
    return null;
  }
  const isPath = /^\/(?!\/)/.test(text);
  if (!isPath && !/^https?:\/\/[^/]/i.test(text)) {
    return null;
  }
  const base = isPath ? origin : undefined;
  const url = URL.canParse(text, base) ? new URL(text, base) : null;
  if (!url || !/^https?:$/.test(url.protocol) || !url.hostname || url.username || url.password) {
    return null;
  }
  // `/.//host` resolves to the path `//host`, which names another host if it is resolved again.
  return isPath && (url.origin !== origin || url.pathname.startsWith('//')) ? null : url.href;
}

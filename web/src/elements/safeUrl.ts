/** Longer ones are no addresses that a person would follow. */
const LONGEST = 8_192;

/** White space and control characters: URL parsers drop some of them, wherever they stand. */
const INVISIBLE = /[\s\p{C}]/u;

/**
 * The absolute form of a URL found in a notification, if it is `http:` or `https:` without credentials, or a path of this origin
 * (`/orders/1`); else null. What only some parsers would read as such (`\`, `//host`, white space, control characters) is refused.
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
  // `/.//host` is a path here, and would be another host to whoever follows the path alone.
  return isPath && (url.origin !== origin || url.pathname.startsWith('//')) ? null : url.href;
}

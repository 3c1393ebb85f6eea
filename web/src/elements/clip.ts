/**
 * Returns the beginning of a text: at most `most` UTF-16 units, never half of a surrogate pair, and
 * with an ellipsis if it was cut.
 */
export function clip(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }
  const end = /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return `${text.slice(0, end)}…`;
}

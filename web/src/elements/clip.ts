/** A text's beginning, for a text of any length: at most `most` UTF-16 units, no half of a pair, with an ellipsis where it is cut. */
export function clip(text: string, most: number): string {
  if (text.length <= most) {
    return text;
  }
  const end = /[\uD800-\uDBFF]/.test(text.charAt(most - 1)) ? most - 1 : most;
  return `${text.slice(0, end)}…`;
}

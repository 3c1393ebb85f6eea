/** Returns the index that a key moves to from one of `count` items, or undefined for other keys. */
export function stepOf(key: string, from: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
    case 'PageDown':
      return Math.min(from + 1, count - 1);
    case 'ArrowUp':
    case 'PageUp':
      return Math.max(from - 1, 0);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

import type { Timestamp } from '../client/types.js';

const FORM = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)?$/;

/** Whether a text is a time of RFC 3339, or the same without a zone where that is allowed. */
export function isTime(text: string, zoneless = false): boolean {
  const match = FORM.exec(text);
  return match !== null && (zoneless || match[2] !== undefined) && !Number.isNaN(Date.parse(text));
}

/** Which of two times is later: positive when the first is. To the nanosecond, as the server tells them. */
export function compareTimes(a: Timestamp, b: Timestamp): number {
  return Date.parse(a) - Date.parse(b) || fraction(a) - fraction(b);
}

function fraction(time: Timestamp): number {
  return Number((FORM.exec(time)?.[1] ?? '').padEnd(9, '0'));
}

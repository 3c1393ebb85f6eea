/** A time in RFC 3339, as the server writes it. */
export type Timestamp = string;

const FORM = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)?$/;

/** Returns whether a text is a time of RFC 3339; with `zoneless` the zone may be missing. */
export function isTime(text: string, zoneless = false): boolean {
  const match = FORM.exec(text);
  return match !== null && (zoneless || match[2] !== undefined) && !Number.isNaN(Date.parse(text));
}

/** Compares two times to the nanosecond. The result is positive when the first is later. */
export function compareTimes(a: Timestamp, b: Timestamp): number {
  return Date.parse(a) - Date.parse(b) || fraction(a) - fraction(b);
}

function fraction(time: Timestamp): number {
  return Number((FORM.exec(time)?.[1] ?? '').padEnd(9, '0'));
}

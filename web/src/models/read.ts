import { isTime } from './time.js';

/** Outside data does not have the documented form. */
export class WireError extends Error {}

export type Json = Readonly<Record<string, unknown>>;

/** Returns the value with its type, or throws a `WireError`. */
export type Reader<T> = (value: unknown) => T;

/** Reads a value that passes a check. */
function checked<T>(passes: (value: unknown) => boolean): Reader<T> {
  return (value) => {
    if (!passes(value)) {
      throw new WireError();
    }
    return value as T;
  };
}

export const object = checked<Json>((value) => typeof value === 'object' && value !== null && !Array.isArray(value));

export const flag = checked<boolean>((value) => typeof value === 'boolean');

/** Reads a number. The wire has u64; JavaScript is exact only up to 2^53 - 1. */
export const count = checked<number>((value) => Number.isSafeInteger(value) && (value as number) >= 0);

/** Reads a text that passes a check. */
function textThat(passes: (text: string) => boolean): Reader<string> {
  return checked((value) => typeof value === 'string' && passes(value));
}

export const text = textThat(() => true);

export function matching(form: RegExp): Reader<string> {
  return textThat((text) => form.test(text));
}

/** Reads a time of RFC 3339. */
export const time = textThat((text) => isTime(text));

/** Reads a time that may lack its zone. */
export const lenientTime = textThat((text) => isTime(text, true));

export const tag = matching(/^[0-9a-f]{16}$/);

/** Reads an id: 1 to 128 characters without control characters. */
export const id = matching(/^[^\p{Cc}\p{Cs}]{1,128}$/u);

const array = checked<unknown[]>(Array.isArray);

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value) => array(value).map((one) => item(one));
}

/** Reads a value that may be null or missing; both become null. */
export function optional<T>(read: Reader<T>): Reader<T | null> {
  return (value) => (value === undefined || value === null ? null : read(value));
}

/** Reads one of the known texts; any other becomes `other`. */
export function oneOf<T extends string>(known: readonly T[], other: T): Reader<T> {
  return (value) => known.find((one) => one === text(value)) ?? other;
}

type Readers<T> = { readonly [K in keyof T]: Reader<T[K]> };

/** Reads an object with these keys, and drops all others. */
export function record<T extends object>(readers: Readers<T>): Reader<T> {
  return (value) => {
    const json = object(value);
    const entries = Object.entries<Reader<unknown>>(readers as Readers<Json>);
    return Object.fromEntries(entries.map(([key, read]) => [key, read(json[key])])) as T;
  };
}

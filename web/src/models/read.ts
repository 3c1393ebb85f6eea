import { isTime } from './time.js';

/** What came from outside is not what the interface says. */
export class WireError extends Error {}

export type Json = Readonly<Record<string, unknown>>;

/** A reader gives the value as its type, or throws a `WireError`. */
export type Reader<T> = (value: unknown) => T;

/** A value that passes a check. */
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

/** Numbers of the wire are u64; beyond 2^53-1 JavaScript would confuse them. */
export const count = checked<number>((value) => Number.isSafeInteger(value) && (value as number) >= 0);

/** A text that passes a check. */
function textThat(passes: (text: string) => boolean): Reader<string> {
  return checked((value) => typeof value === 'string' && passes(value));
}

export const text = textThat(() => true);

export function matching(form: RegExp): Reader<string> {
  return textThat((text) => form.test(text));
}

/** RFC 3339. */
export const time = textThat((text) => isTime(text));

/** Also without a zone. */
export const lenientTime = textThat((text) => isTime(text, true));

export const tag = matching(/^[0-9a-f]{16}$/);

/** 1 to 128 characters, none of them a control character. */
export const id = matching(/^[^\p{Cc}\p{Cs}]{1,128}$/u);

const array = checked<unknown[]>(Array.isArray);

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value) => array(value).map((one) => item(one));
}

/** Null where it is null or left out. */
export function optional<T>(read: Reader<T>): Reader<T | null> {
  return (value) => (value === undefined || value === null ? null : read(value));
}

/** One of these, or the last of them for what this version does not know. */
export function oneOf<T extends string>(known: readonly T[], other: T): Reader<T> {
  return (value) => known.find((one) => one === text(value)) ?? other;
}

type Readers<T> = { readonly [K in keyof T]: Reader<T[K]> };

/** An object with these keys; others are left out. */
export function record<T extends object>(readers: Readers<T>): Reader<T> {
  return (value) => {
    const json = object(value);
    const entries = Object.entries<Reader<unknown>>(readers as Readers<Json>);
    return Object.fromEntries(entries.map(([key, read]) => [key, read(json[key])])) as T;
  };
}

import { isTime } from './time.js';

/** What came from outside is not what the interface says. Its message names the key, never the value. */
export class WireError extends Error {}

export type Json = Readonly<Record<string, unknown>>;

/** A reader gives the value as its type, or throws a `WireError`. */
export type Reader<T> = (value: unknown, key: string) => T;

function wrong(key: string, expected: string): never {
  throw new WireError(`\`${key}\` must be ${expected}`);
}

export const object: Reader<Json> = (value, key) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : wrong(key, 'an object');

export const text: Reader<string> = (value, key) => (typeof value === 'string' ? value : wrong(key, 'a text'));

export const flag: Reader<boolean> = (value, key) => (typeof value === 'boolean' ? value : wrong(key, 'true or false'));

/** Numbers of the wire are u64; beyond 2^53-1 JavaScript would confuse them. */
export const count: Reader<number> = (value, key) =>
  Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : wrong(key, 'a whole number from 0 to 2^53-1');

export const time: Reader<string> = (value, key) =>
  typeof value === 'string' && isTime(value) ? value : wrong(key, 'a time of RFC 3339');

/** Also without a zone. */
export const lenientTime: Reader<string> = (value, key) =>
  typeof value === 'string' && isTime(value, true) ? value : wrong(key, 'a time');

export const tag: Reader<string> = (value, key) =>
  typeof value === 'string' && /^[0-9a-f]{16}$/.test(value) ? value : wrong(key, '16 lower-case hexadecimal digits');

/** 1 to 128 characters, none of them a control character. */
export const id: Reader<string> = (value, key) =>
  typeof value === 'string' && /^[^\p{Cc}\p{Cs}]{1,128}$/u.test(value) ? value : wrong(key, 'an id of 1 to 128 characters');

export function list<T>(item: Reader<T>): Reader<readonly T[]> {
  return (value, key) => (Array.isArray(value) ? value.map((one) => item(one, key)) : wrong(key, 'a list'));
}

/** Null where it is null or left out. */
export function optional<T>(read: Reader<T>): Reader<T | null> {
  return (value, key) => (value === undefined || value === null ? null : read(value, key));
}

/** One of these, or the last of them for what this version does not know. */
export function oneOf<T extends string>(known: readonly T[], other: T): Reader<T> {
  return (value, key) => known.find((one) => one === text(value, key)) ?? other;
}

/** The value at a key. */
export function at<T>(json: Json, key: string, read: Reader<T>): T {
  return read(json[key], key);
}

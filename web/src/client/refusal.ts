import { head as readHead } from '../models/answers.js';
import type { Head } from '../models/wire.js';
import { InboxError, type InboxErrorKind } from './error.js';
import type { Snapshot } from './snapshot.js';

/** How many characters of the server's text are shown. */
const MAX_DETAIL = 300;

/** An error answer, with the head of the inbox if the server sent it. */
export class Refusal extends InboxError {
  readonly head: Head | undefined;

  private constructor(status: number, detail: string, head: Head | undefined) {
    super(kindOf(status), detail, status);
    this.head = head;
  }

  /** Describes an error answer. `token` is the token that was sent; it is never shown. */
  static of(status: number, body: string, token: string): Refusal {
    const problem = parsed(body);
    const text = problem['detail'] ?? problem['title'];
    const isShown = typeof text === 'string' && text !== '' && !text.includes(token);
    const detail = `the server answered ${status}${isShown ? `: ${shown(text)}` : ''}`;
    return new Refusal(status, detail, headOf(problem['head']));
  }
}

/**
 * Returns whether a repeat may succeed. After an unreadable answer it is unknown what the server
 * did, and a repeat does no harm.
 */
export function isRetryable(error: InboxError): boolean {
  return error.kind === 'unavailable' || (error.kind === 'protocol' && error.status === undefined);
}

/** Returns the error of a snapshot whose status is `failed`. */
export function described(title: string, status: number | undefined): NonNullable<Snapshot['error']> {
  return Object.freeze(status === undefined ? { title } : { title, status });
}

export function asInboxError(error: unknown): InboxError {
  return error instanceof InboxError ? error : new InboxError('protocol', 'something went wrong in the client');
}

const KINDS: Readonly<Record<number, InboxErrorKind>> = {
  400: 'invalid',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'unknown',
  408: 'unavailable',
  409: 'conflict',
  413: 'invalid',
  422: 'invalid',
  429: 'unavailable',
};

function kindOf(status: number): InboxErrorKind {
  return KINDS[status] ?? (status >= 500 && status < 600 ? 'unavailable' : 'protocol');
}

function parsed(body: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(body)) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function headOf(value: unknown): Head | undefined {
  try {
    return value === undefined || value === null ? undefined : readHead(value);
  } catch {
    return undefined;
  }
}

/**
 * Returns a server's text as it may be shown: bounded, without control and direction characters.
 */
function shown(text: string): string {
  return [...text.slice(0, 2 * MAX_DETAIL)].slice(0, MAX_DETAIL).join('').replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

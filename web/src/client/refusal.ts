import { head as readHead } from '../models/answers.js';
import type { Head } from '../models/wire.js';
import { InboxError, type InboxErrorKind } from './error.js';
import type { Snapshot } from './snapshot.js';

/** How many characters of the server's text are shown. */
const MAX_DETAIL = 300;

/** The beginning of the `type` of every problem that an inbox server answers. */
const NAMESPACE = 'urn:internal-notifications:';

/** The refusal of the inbox server, with the head of the inbox if the server sent it. */
export class Refusal extends InboxError {
  readonly head: Head | undefined;
  /** Whether it is for good: a write is then rolled back. */
  readonly isFinal: boolean;

  private constructor(status: number, detail: string, problem: Record<string, unknown>) {
    super(kindOf(status), detail, status);
    this.head = headOf(problem['head']);
    this.isFinal = FINAL.includes(this.kind) && problem['type'] !== `${NAMESPACE}no-such-route`;
  }

  /** Describes an error answer. `token` is the token that was sent; it is never shown. */
  static of(status: number, body: string, token: string): Refusal {
    const problem = parsed(body);
    const text = problem['detail'] ?? problem['title'];
    const isShown = typeof text === 'string' && text !== '' && !text.includes(token);
    const detail = `the server answered ${status}${isShown ? `: ${shown(text)}` : ''}`;
    return new Refusal(status, detail, problem);
  }
}

/** The kinds of refusals that are for good. */
const FINAL: readonly InboxErrorKind[] = ['forbidden', 'unknown', 'conflict', 'invalid'];

/**
 * Describes an error answer. Only the inbox server refuses, with a problem of its own: an ingress,
 * a firewall or a login page that answers in its place says nothing about the request. With 401 it
 * does not matter who answered.
 */
export function failure(status: number, body: string, token: string): InboxError {
  if (status === 401 || String(parsed(body)['type']).startsWith(NAMESPACE)) {
    return Refusal.of(status, body, token);
  }
  return new InboxError('unavailable', `the server answered ${status}, and not as an inbox server`, status);
}

/**
 * Returns whether a repeat may succeed. After an unreadable answer it is unknown what the server
 * did, and a repeat does no harm.
 */
export function isRetryable(error: InboxError): boolean {
  return error.kind === 'unavailable' || (error.kind === 'protocol' && error.status === undefined);
}

/** Returns whether a write was refused for good, or cannot be sent. */
export function isFinal(error: InboxError): boolean {
  return error instanceof Refusal ? error.isFinal : error.kind === 'invalid';
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

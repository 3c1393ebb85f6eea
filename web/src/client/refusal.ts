import { head as readHead } from '../models/answers.js';
import type { Head } from '../models/wire.js';
import { InboxError, type InboxErrorKind } from './types.js';

/** Characters of a server's text that are shown. */
const MAX_DETAIL = 300;

/** An answer that is no success, with the head of the inbox where the server told it. */
export class Refusal extends InboxError {
  readonly head: Head | undefined;

  private constructor(status: number, detail: string, head: Head | undefined) {
    super(kindOf(status), detail, status);
    this.head = head;
  }

  /** What an answer says. `token` is what was sent, and never shown. */
  static of(status: number, body: string, token: string): Refusal {
    const problem = parsed(body);
    const told = problem['detail'] ?? problem['title'];
    const isShown = typeof told === 'string' && told !== '' && !told.includes(token);
    const detail = `the server answered ${status}${isShown ? `: ${shown(told)}` : ''}`;
    return new Refusal(status, detail, headOf(problem['head']));
  }
}

/** Whether the same call may do better. An answer that cannot be read tells nothing of what was done; a repeat does no harm. */
export function isRetryable(error: InboxError): boolean {
  return error.kind === 'unavailable' || (error.kind === 'protocol' && error.status === undefined);
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

function headOf(told: unknown): Head | undefined {
  try {
    return told === undefined || told === null ? undefined : readHead(told);
  } catch {
    return undefined;
  }
}

/** A server's text as it may be shown: bounded, without control characters and those that turn text around. */
function shown(text: string): string {
  return [...text.slice(0, 2 * MAX_DETAIL)].slice(0, MAX_DETAIL).join('').replace(/[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '\ufffd');
}

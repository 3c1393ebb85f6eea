/**
 * - `not-started`: before `start()` or after `stop()`.
 * - `queue-full`: too many writes wait for the server; this one was dropped.
 * - `window-full`: the list holds as many notifications as it can.
 * - `unavailable`: no connection, or the server cannot answer now, or something else answered.
 * - `unauthenticated`, `forbidden`, `invalid`: the server refused the request.
 * - `unknown`: the server does not know the notification.
 * - `conflict`: the server's history is not the one the user saw.
 * - `protocol`: the server's answer could not be read.
 */
export type InboxErrorKind =
  | 'not-started'
  | 'queue-full'
  | 'window-full'
  | 'unavailable'
  | 'unauthenticated'
  | 'forbidden'
  | 'unknown'
  | 'conflict'
  | 'invalid'
  | 'protocol';

/** Why something failed. The message is plain text for people. */
export class InboxError extends Error {
  readonly kind: InboxErrorKind;
  /** The HTTP status, if the server answered. */
  readonly status: number | undefined;
  /** How long the server asks to be left alone, in milliseconds, if it does. */
  retryAfter: number | undefined;

  constructor(kind: InboxErrorKind, message: string, status?: number) {
    super(message);
    this.name = 'InboxError';
    this.kind = kind;
    this.status = status;
  }
}

export function unavailable(): InboxError {
  return new InboxError('unavailable', 'there is no connection');
}

export function notStarted(): InboxError {
  return new InboxError('not-started', 'the client is not started, or was stopped');
}

import { changesAnswer, head, inboxPage } from '../models/answers.js';
import { record, text, WireError, type Reader } from '../models/read.js';
import type { ChangesAnswer, Head, InboxPage, Position } from '../models/wire.js';
import type { WriteRequest } from '../replica/overlay.js';
import { boundedText } from './body.js';
import { InboxError } from './error.js';
import type { Identity } from './identity.js';
import { realtimeInfo, type RealtimeInfo } from './realtime.js';
import { failure, isRetryable, Refusal } from './refusal.js';
import { retryAfter } from './retryAfter.js';

/** How long a call may take in all, with getting the token, in milliseconds. */
const TIMEOUT = 30_000;

/** How many changes one request asks for: the most that the server returns. */
const CHANGES = 500;

interface Request {
  readonly method: string;
  readonly body?: object;
  /** Whether the endpoint need not be an inbox server's, so that its status alone decides. */
  readonly isAnyone?: boolean;
}

type Query = Readonly<Record<string, string | number | null>>;

/**
 * The inbox server's routes for a user. A call is one request, and a second one with a fresh token
 * if the first was answered with 401.
 */
export class Api {
  readonly base: URL;
  readonly #identity: Identity;
  readonly #fetch: typeof fetch;

  constructor(base: URL, identity: Identity, fetch: typeof globalThis.fetch) {
    this.base = base;
    this.#identity = identity;
    this.#fetch = fetch;
  }

  realtime(signal: AbortSignal): Promise<RealtimeInfo> {
    return this.#get('v1/realtime', {}, realtimeInfo, signal);
  }

  page(limit: number, before: number | null, signal: AbortSignal): Promise<InboxPage> {
    return this.#get('v1/inbox', { limit, before }, inboxPage, signal);
  }

  head(signal: AbortSignal): Promise<Head> {
    return this.#get('v1/inbox/head', {}, head, signal);
  }

  changes(after: Position, signal: AbortSignal): Promise<ChangesAnswer> {
    return this.#get('v1/inbox/changes', { after: after.seq, tag: after.tag, limit: CHANGES }, changesAnswer, signal);
  }

  /** Sends a write, and returns the head after it. */
  write({ op, command }: WriteRequest, signal: AbortSignal): Promise<Head> {
    const send = async (url: URL, request: Request): Promise<Head> => (await this.#call(url, request, writeAnswer, signal)).head;
    const mark = (route: string, what: object) => send(this.#url(`v1/inbox/${route}`), { method: 'POST', body: { ...what, op } });
    switch (command.kind) {
      case 'opened':
      case 'unopened':
        return mark(command.kind, { ids: command.ids });
      case 'opened_all':
        return mark('opened', { all: true, through: command.through, tag: command.tag });
      case 'remove':
        return send(this.#url(`v1/inbox/notifications/${segmentOf(command.id)}`, { op }), { method: 'DELETE' });
    }
  }

  /** Returns the signature for a channel. `endpoint` is a path of the server or a URL. */
  authorize(endpoint: string, socketId: string, channel: string, signal: AbortSignal): Promise<string> {
    const isPath = endpoint.startsWith('/') && !endpoint.startsWith('//');
    const url = isPath ? this.#url(endpoint.slice(1)) : URL.canParse(endpoint) ? new URL(endpoint) : null;
    if (url === null || (url.protocol !== 'https:' && !(url.protocol === 'http:' && this.base.protocol === 'http:'))) {
      return Promise.reject(new InboxError('protocol', 'the server named no usable auth endpoint'));
    }
    const body = { socket_id: socketId, channel_name: channel };
    return this.#call(url, { method: 'POST', body, isAnyone: !isPath }, authAnswer, signal).then(({ auth }) => auth);
  }

  #get<T>(route: string, query: Query, read: Reader<T>, signal: AbortSignal): Promise<T> {
    return this.#call(this.#url(route, query), { method: 'GET' }, read, signal);
  }

  #url(route: string, query: Query = {}): URL {
    const url = new URL(`${this.base.pathname}/${route}`.replace(/^\/+/, '/'), this.base);
    for (const [key, value] of Object.entries(query)) {
      if (value !== null) {
        url.searchParams.set(key, String(value));
      }
    }
    return url;
  }

  async #call<T>(url: URL, request: Request, read: Reader<T>, signal: AbortSignal): Promise<T> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), TIMEOUT);
    const giveUp = () => late.abort();
    signal.addEventListener('abort', giveUp);
    try {
      return await unlessAborted(this.#authorized(url, request, read, late.signal), late.signal);
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', giveUp);
    }
  }

  async #authorized<T>(url: URL, request: Request, read: Reader<T>, signal: AbortSignal): Promise<T> {
    const token = await this.#identity.token();
    try {
      return await this.#once(url, request, token.text, read, signal);
    } catch (error) {
      const isRefused = error instanceof Refusal && error.kind === 'unauthenticated';
      const fresh = isRefused ? await this.#identity.replacement(token) : null;
      if (fresh === null) {
        throw error;
      }
      return await this.#once(url, request, fresh.text, read, signal);
    }
  }

  async #once<T>(url: URL, { method, body, isAnyone }: Request, token: string, read: Reader<T>, signal: AbortSignal): Promise<T> {
    const headers: Record<string, string> = { accept: 'application/json', authorization: `Bearer ${token}` };
    const init: RequestInit = { method, headers, signal, cache: 'no-store', credentials: 'omit', redirect: 'error' };
    if (body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(body);
    }
    let response: Response;
    let answer: string | undefined;
    try {
      response = await this.#fetch.call(globalThis, url, init);
      answer = await boundedText(response);
    } catch {
      throw new InboxError('unavailable', 'the server cannot be reached');
    }
    if (!response.ok) {
      const explain = isAnyone ? Refusal.of : failure;
      const error = explain(response.status, answer ?? '', token);
      error.retryAfter = isRetryable(error) ? retryAfter(response.headers.get('retry-after')) : undefined;
      throw error;
    }
    const result = understood(answer, read);
    this.#identity.accepted();
    return result;
  }
}

function understood<T>(answer: string | undefined, read: Reader<T>): T {
  if (answer === undefined) {
    throw new InboxError('protocol', "the server's answer is too long");
  }
  try {
    return read(JSON.parse(answer));
  } catch (error) {
    if (error instanceof WireError || error instanceof SyntaxError) {
      throw new InboxError('protocol', "the server's answer cannot be read");
    }
    throw error;
  }
}

const authAnswer = record({ auth: text });
const writeAnswer = record({ head });

/** Encodes an id as a segment of a path. `.` and `..` cannot be encoded: clients resolve them. */
function segmentOf(id: string): string {
  if (id === '.' || id === '..') {
    throw new InboxError('invalid', 'this id cannot be part of a URL');
  }
  return encodeURIComponent(id);
}

/** Rejects on abort, also if the promise ignores the signal. */
function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(new InboxError('unavailable', 'the server did not answer in time')));
    promise.then(resolve, reject);
  });
}

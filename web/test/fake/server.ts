import type { ChannelListener, Transport } from '../../src/client/transport.js';
import type { Raw } from '../cases/expand.js';
import { eventOf, FakeLog } from './log.js';

export const INFO = {
  key: 'k',
  channel: 'private-ada',
  auth_endpoint: '/pusher/auth',
  path: '',
  event: 'internal-notification',
  changed_event: 'internal-notifications-changed',
  position_check_seconds: 60,
};

/** A number is the status of a refusal by the server. */
export type Fault = 'network' | 'never' | number | { readonly body: string; readonly init?: ResponseInit };

/** An inbox server of one user in memory, with its live channel. */
export class FakeServer {
  log = new FakeLog();
  info: Raw = INFO;
  /** The requests so far, such as `GET /v1/inbox?limit=200`. */
  readonly requests: string[] = [];
  readonly tokens: string[] = [];
  /** Returns how a request fails, if it does. */
  fault: (request: string) => Fault | undefined = () => undefined;
  /** Receives the body of each request that has one. */
  onBody: (body: Raw) => void = () => {};
  /** The only token that is accepted. */
  token = 'good';
  /** Whether live events are delivered. */
  isLive = true;
  /** The open channels. */
  readonly channels = new Set<ChannelListener>();
  opened = 0;

  readonly transport: Transport = {
    open: (_info, _context, listener) => {
      this.opened += 1;
      this.channels.add(listener);
      if (this.isLive) {
        queueMicrotask(() => this.channels.has(listener) && listener.subscribed());
      }
      return () => this.channels.delete(listener);
    },
  };

  readonly fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const url = new URL(String(input));
    const request = `${init.method} ${url.pathname}${url.search}`;
    this.requests.push(request);
    const token = new Headers(init.headers).get('authorization')?.replace('Bearer ', '') ?? '';
    this.tokens.push(token);
    if (init.body !== undefined) {
      this.onBody(JSON.parse(String(init.body)) as Raw);
    }
    const fault = this.fault(request);
    if (fault === 'never') {
      return await new Promise((_, reject) => init.signal?.addEventListener('abort', () => reject(new Error('aborted'))));
    }
    if (fault === 'network') {
      throw new TypeError('Failed to fetch');
    }
    if (typeof fault === 'object') {
      return new Response(fault.body, fault.init);
    }
    if (typeof fault === 'number') {
      return this.#problem(fault);
    }
    return token === this.token ? this.#answer(url, init) : this.#problem(401);
  };

  /** Sends the live event of a change to every open channel. */
  deliver(change: Raw): void {
    const { name, data } = eventOf(change);
    this.channels.forEach((channel) => channel.event(name, structuredClone(data)));
  }

  push(id: string): Raw {
    const change = this.log.add(id);
    if (this.isLive) {
      this.deliver(change);
    }
    return change;
  }

  disconnect(): void {
    this.isLive = false;
    this.channels.forEach((channel) => channel.interrupted());
  }

  reconnect(): void {
    this.isLive = true;
    this.channels.forEach((channel) => channel.subscribed());
  }

  #answer(url: URL, init: RequestInit): Response {
    const query = url.searchParams;
    const number = (name: string) => (query.has(name) ? Number(query.get(name)) : null);
    switch (url.pathname) {
      case '/v1/realtime':
        return Response.json(this.info);
      case '/v1/inbox':
        return Response.json(this.log.page(number('limit') ?? 50, number('before')));
      case '/v1/inbox/head':
        return Response.json(this.log.head);
      case '/v1/inbox/changes':
        return Response.json(this.log.answer(number('after') ?? 0, query.get('tag'), number('limit') ?? 200));
      default:
        return this.#write(url, init);
    }
  }

  #write(url: URL, init: RequestInit): Response {
    const body: Raw = init.body === undefined ? {} : JSON.parse(String(init.body));
    const removed = /^\/v1\/inbox\/notifications\/(.+)$/.exec(url.pathname)?.[1];
    const kind = removed !== undefined ? 'removed' : body['all'] === true ? 'opened_all' : url.pathname.split('/').at(-1);
    const ids = removed === undefined ? body['ids'] : [decodeURIComponent(removed)];
    const outcome = this.log.write({ ...body, kind, ids }, body['op'] ?? url.searchParams.get('op'));
    if (typeof outcome === 'number') {
      return this.#problem(outcome);
    }
    if (outcome !== null && this.isLive) {
      this.deliver(outcome);
    }
    return Response.json({ seq: outcome?.['seq'] ?? null, head: this.log.head });
  }

  #problem(status: number): Response {
    const body = { type: 'urn:internal-notifications:refused', title: 'Refused', status, detail: `problem ${status}`, head: this.log.head };
    return Response.json(body, { status, headers: { 'content-type': 'application/problem+json' } });
  }
}

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { InternalNotificationsClient } from '../src/client.js';
import { clientOf, pass } from './fake/client.js';
import { FakeServer, INFO } from './fake/server.js';

let server: FakeServer;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
  server = new FakeServer();
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function started(options: Parameters<typeof clientOf>[1] = {}) {
  const all = clientOf(server, options);
  all.client.start();
  await pass();
  expect(all.client.snapshot.status).toBe('live');
  return all;
}

describe('start', () => {
  it('shows the inbox, announces none of it, and goes live', async () => {
    server.log.add('a');
    server.log.add('b');
    const { client, announced, statuses, ids } = await started();
    expect(ids()).toBe('b a');
    expect(client.snapshot).toMatchObject({ pending: 2, loaded: true, hasOlder: false, unconfirmed: 0 });
    expect(announced).toEqual([]);
    expect(statuses).toEqual(['connecting', 'catching-up', 'live']);
    expect(Object.isFrozen(client.snapshot) && Object.isFrozen(client.snapshot.notifications) && Object.isFrozen(client.snapshot.notifications[0])).toBe(true);
  });

  it('retries with growing delays while the server cannot be reached', async () => {
    server.fault = () => 'network';
    const { client } = clientOf(server);
    client.start();
    await pass();
    expect(client.snapshot).toMatchObject({ status: 'offline', loaded: false, error: { title: 'the server cannot be reached' } });
    expect(server.requests.length).toBe(1);
    for (const wait of [500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000]) {
      const before = server.requests.length;
      await pass(wait - 1);
      expect(server.requests.length).toBe(before);
      await pass(1);
      expect(server.requests.length).toBe(before + 1);
    }
    server.fault = () => undefined;
    await pass(10_000);
    expect(client.snapshot.status).toBe('live');
    expect(client.snapshot.error).toBeUndefined();
  });

  it('says that no inbox server answers', async () => {
    server.fault = () => ({ body: '<html>', init: { status: 404 } });
    const { client } = clientOf(server);
    client.start();
    await pass();
    expect(client.snapshot).toMatchObject({ status: 'offline', error: { status: 404, title: expect.stringContaining('not as an inbox server') } });
  });

  it.each([401, 403, 404])('fails on a %i, and sends nothing for a minute', async (status) => {
    server.fault = () => status;
    const { client } = clientOf(server);
    client.start();
    await pass();
    expect(client.snapshot).toMatchObject({ status: 'failed', error: { status, title: `the server answered ${status}: problem ${status}` } });
    const asked = server.requests.length;
    await pass(50_000);
    expect(server.requests.length).toBe(asked);
    server.fault = () => undefined;
    client.start();
    await pass();
    expect(client.snapshot.status).toBe('live');
    expect(client.snapshot.error).toBeUndefined();
  });

  it('gets a fresh token once when one is refused', async () => {
    server.log.add('a');
    server.token = 'new';
    const asked: boolean[] = [];
    let kept = 'old';
    const { ids } = await started({ token: (fresh) => (asked.push(fresh), fresh && (kept = 'new'), kept) });
    expect(ids()).toBe('a');
    expect(asked.filter((fresh) => fresh)).toEqual([true]);
    expect(server.tokens.slice(0, 2)).toEqual(['old', 'new']);
  });

  it('asks for one fresh token at a time, and ever more seldom while it stays refused', async () => {
    server.log.add('a');
    let [asking, together, asked] = [0, 0, 0];
    const token = async (fresh: boolean) => {
      if (fresh) {
        asked += 1;
        asking += 1;
        together = Math.max(together, asking);
        await new Promise((resolve) => setTimeout(resolve, 100));
        asking -= 1;
      }
      return `token-${asked}`;
    };
    server.token = 'token-0';
    const { client } = await started({ token });
    server.token = 'another';
    void client.markOpened(['a']);
    client.start();
    await pass(1_000);
    expect([asked, together]).toEqual([1, 1]);
    expect(client.snapshot).toMatchObject({ status: 'failed', unconfirmed: 1 });
    await pass(3_600_000);
    expect(asked).toBeGreaterThan(4);
    expect(asked).toBeLessThan(20);
    server.token = `token-${asked + 1}`;
    await pass(1_200_000);
    expect(client.snapshot).toMatchObject({ status: 'live', unconfirmed: 0 });
  });

  it('asks for a fresh token again when the app has not answered in time', async () => {
    let [asked, kept] = [0, 'old'];
    const token = (fresh: boolean): string | Promise<string> => {
      asked += Number(fresh);
      if (fresh && asked === 1) {
        return new Promise(() => {});
      }
      return fresh ? (kept = 'new') : kept;
    };
    server.token = 'new';
    const { client } = clientOf(server, { token });
    client.start();
    await pass(29_000);
    expect(asked).toBe(1);
    await pass(11_000);
    expect(asked).toBe(2);
    expect(client.snapshot.status).toBe('live');
  });

  it('never shows the inbox of a second user', async () => {
    const jwt = (sub: string) => `h.${btoa(JSON.stringify({ sub })).replaceAll('=', '')}.s`;
    let token = jwt('ada');
    server.token = token;
    const { client } = await started({ token: () => token });
    token = server.token = jwt('bob');
    await pass(60_000);
    expect(client.snapshot).toMatchObject({ status: 'failed', error: { title: expect.stringContaining('another user') } });
    expect(server.tokens).not.toContain(token);
  });

  it('starts only once, stops, and starts again', async () => {
    server.log.add('a');
    const { client, ids } = await started();
    client.start();
    await pass();
    expect(server.opened).toBe(1);
    client.stop();
    client.stop();
    expect(client.snapshot).toMatchObject({ status: 'idle', loaded: false, notifications: [] });
    expect(server.channels.size).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
    await expect(client.markOpened(['a'])).rejects.toMatchObject({ kind: 'not-started' });
    client.start();
    await pass();
    expect(ids()).toBe('a');
  });

  it('rejects invalid options', () => {
    for (const options of [{ server: 'ftp://h' }, { server: 'javascript:1' }, { server: 'https://u:p@h' }, { window: 0 }, { window: 5_001 }, { window: 1.5 }]) {
      expect(() => clientOf(server, options)).toThrowError(expect.objectContaining({ kind: 'invalid' }));
    }
    expect(new InternalNotificationsClient({ server: 'https://h/in/', token: 't' }).snapshot.status).toBe('idle');
  });
});

describe('live', () => {
  it('shows and announces what arrives', async () => {
    const { client, announced, ids } = await started();
    server.push('a');
    server.push('b');
    await pass();
    expect(ids()).toBe('b a');
    expect(client.snapshot.pending).toBe(2);
    expect(announced).toEqual(['a', 'b']);
  });

  it('catches up on missed events when the channel is back', async () => {
    const { client, announced, statuses, ids } = await started();
    server.disconnect();
    await pass();
    expect(client.snapshot.status).toBe('offline');
    server.push('a');
    server.push('b');
    server.reconnect();
    await pass();
    expect(ids()).toBe('b a');
    expect(announced).toEqual(['a', 'b']);
    expect(statuses.slice(-3)).toEqual(['offline', 'catching-up', 'live']);
  });

  it('detects the loss of the last event within the interval of a position check', async () => {
    const { ids } = await started();
    server.log.add('lost');
    await pass(53_000);
    expect(ids()).toBe('');
    await pass(7_000);
    expect(ids()).toBe('lost');
  });

  it('checks its position when the network is back, and when the page becomes visible', async () => {
    const [window, document] = [new EventTarget(), Object.assign(new EventTarget(), { visibilityState: 'hidden' })];
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
    vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window));
    vi.stubGlobal('document', document);
    const { client, ids } = await started();
    server.log.add('a');
    window.dispatchEvent(new Event('online'));
    await pass();
    expect(ids()).toBe('a');
    server.log.add('b');
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(ids()).toBe('a');
    document.visibilityState = 'visible';
    document.dispatchEvent(new Event('visibilitychange'));
    await pass();
    expect(ids()).toBe('b a');
    client.stop();
    const asked = server.requests.length;
    window.dispatchEvent(new Event('online'));
    await pass();
    expect(server.requests.length).toBe(asked);
  });

  it('catches up after an unreadable event, and ignores events of others', async () => {
    const { ids } = await started();
    server.log.add('a');
    const asked = server.requests.length;
    server.channels.forEach((channel) => channel.event('client-internal-notification', { content: 'forged' }));
    server.channels.forEach((channel) => channel.event('pusher:anything', {}));
    await pass();
    expect(server.requests.length).toBe(asked);
    server.channels.forEach((channel) => channel.event(INFO.event, 'not even JSON'));
    await pass();
    expect(ids()).toBe('a');
  });

  it('polls while the channel is refused, and opens it again', async () => {
    const { client, ids } = await started();
    server.isLive = false;
    server.channels.forEach((channel) => channel.refused('no', 403));
    await pass();
    expect(client.snapshot).toMatchObject({ status: 'polling', error: { status: 403 } });
    server.log.add('a');
    server.isLive = true;
    await pass(60_000);
    expect(ids()).toBe('a');
    expect(client.snapshot.status).toBe('live');
    expect(server.opened).toBe(2);
  });

  it('follows live events that have moved to another host', async () => {
    await started();
    server.disconnect();
    server.info = { ...INFO, host: 'elsewhere', port: 1, scheme: 'http' };
    await pass(61_000);
    expect(server.opened).toBe(2);
    expect(server.channels.size).toBe(1);
  });

  it('cancels a question that a new subscription overtakes', async () => {
    const { ids } = await started();
    server.fault = (request) => (request.includes('changes') ? 'never' : undefined);
    server.disconnect();
    server.reconnect();
    await pass();
    server.log.add('a');
    server.fault = () => undefined;
    server.disconnect();
    server.reconnect();
    await pass();
    expect(ids()).toBe('a');
  });

  it('survives a listener that throws', async () => {
    const { client, ids } = await started();
    const shown = vi.spyOn(console, 'error').mockImplementation(() => {});
    client.onSnapshot(() => {
      throw new Error('of the app');
    });
    server.push('a');
    await pass();
    server.push('b');
    await pass();
    expect(ids()).toBe('b a');
    expect(shown).toHaveBeenCalled();
  });

  it.each([
    ['not JSON', '<html>'],
    ['another shape', '{"seq":1}'],
    ['a seq beyond what JavaScript counts', '{"seq":9007199254740993,"tag":"00000000000000aa","pending":0,"notifications":[],"next":null}'],
    ['an empty body', ''],
  ])('asks again later after an unreadable answer: %s', async (_, body) => {
    server.log.add('a');
    let bad = true;
    server.fault = (request) => (bad && request.startsWith('GET /v1/inbox') ? { body } : undefined);
    const { client, ids } = clientOf(server);
    client.start();
    await pass();
    expect(client.snapshot.loaded).toBe(false);
    const asked = server.requests.length;
    await pass(4_000);
    expect(server.requests.length).toBe(asked);
    bad = false;
    await pass(6_000);
    expect(ids()).toBe('a');
  });

  it('rejects an answer that is too long', async () => {
    let bad = true;
    server.fault = (request) => (bad && request.startsWith('GET /v1/inbox') ? { body: 'x'.repeat(9 * 1024 * 1024) } : undefined);
    const { client } = clientOf(server);
    client.start();
    await pass();
    expect(client.snapshot.loaded).toBe(false);
    bad = false;
    await pass(10_000);
    expect(client.snapshot.loaded).toBe(true);
  });

  it('gives up on a question that is never answered', async () => {
    const { ids } = await started();
    server.log.add('a');
    let never = true;
    server.fault = (request) => (never && request.includes('head') ? 'never' : undefined);
    await pass(60_000);
    never = false;
    await pass(31_000);
    expect(ids()).toBe('a');
  });
});

describe('writes', () => {
  it('are shown at once, and stored', async () => {
    server.log.add('a');
    const { client, ids } = await started();
    const written = client.markOpened(['a']);
    await pass();
    await expect(written).resolves.toBe('stored');
    expect(ids()).toBe('a*');
    expect(client.snapshot).toMatchObject({ pending: 0, unconfirmed: 0 });
    expect(server.log.rows[0]?.['opened']).toBe(true);
  });

  it('resolve as queued without a connection, and are stored once there is one', async () => {
    server.log.add('a');
    server.log.add('b');
    const { client, ids } = await started();
    server.disconnect();
    server.fault = () => 'network';
    await pass();
    const written = client.markOpened(['a']);
    await pass();
    await expect(written).resolves.toBe('queued');
    expect(ids()).toBe('b a*');
    expect(client.snapshot).toMatchObject({ pending: 2, unconfirmed: 1 });
    await expect(client.remove(['b'])).resolves.toBe('queued');
    expect(ids()).toBe('a*');
    server.fault = () => undefined;
    server.reconnect();
    await pass(10_000);
    expect(ids()).toBe('a*');
    expect(client.snapshot).toMatchObject({ pending: 0, unconfirmed: 0 });
    expect(server.log.rows.map((row) => row['id'])).toEqual(['a']);
  });

  it('are executed once, also if an answer is lost', async () => {
    server.log.add('a');
    const { client } = await started();
    let lost = true;
    const { fetch } = server;
    const posts = () => server.requests.filter((request) => request.startsWith('POST'));
    const losing = clientOf(server, {
      fetch: (async (input: unknown, init: RequestInit) => {
        const response = await fetch(input, init);
        if (lost && init.method === 'POST') {
          lost = false;
          throw new TypeError('Failed to fetch');
        }
        return response;
      }) as typeof globalThis.fetch,
    });
    losing.client.start();
    await pass();
    await expect(Promise.race([losing.client.markOpened(['a']), pass(5_000)])).resolves.toBe('queued');
    await pass(5_000);
    expect(posts().length).toBe(2);
    expect(server.log.changes.filter((change) => change['kind'] === 'opened').length).toBe(1);
    expect(losing.client.snapshot.unconfirmed).toBe(0);
    expect(client.snapshot.notifications[0]?.opened).toBe(true);
  });

  it('that are refused are rolled back, and reject', async () => {
    server.log.add('a');
    const { client, refused, ids } = await started();
    server.fault = (request) => (request.startsWith('POST') ? 422 : undefined);
    const written = client.markOpened(['a']);
    written.catch(() => {});
    await pass();
    await expect(written).rejects.toMatchObject({ kind: 'invalid', status: 422 });
    expect(ids()).toBe('a');
    expect(refused).toEqual([]);
  });

  it('that something else answers are kept, and sent again with the same op', async () => {
    server.log.add('a');
    const { client, refused } = await started();
    const ops: string[] = [];
    const html = (status: number) => ({ body: '<html>', init: { status } });
    const answers = [html(302), html(403), html(404), html(409), html(422), { body: '<html>' }, { body: '{}' }, 401, 421, html(502)];
    server.fault = (request) => (request.startsWith('POST') ? answers[ops.length - 1] : undefined);
    server.onBody = (body) => ops.push(String(body['op']));
    await expect(Promise.race([client.markOpened(['a']), pass(5_000)])).resolves.toBe('queued');
    expect(client.snapshot.unconfirmed).toBe(1);
    await pass(1_200_000);
    expect(ops.length).toBe(answers.length + 1);
    expect(new Set(ops).size).toBe(1);
    expect(client.snapshot).toMatchObject({ unconfirmed: 0, pending: 0, status: 'live' });
    expect(refused).toEqual([]);
  });

  it('that are queued behind a login page are stored once when it is gone', async () => {
    for (let n = 0; n < 300; n += 1) {
      server.log.add(`n${n}`);
    }
    const { client, refused } = await started({ window: 300 });
    await client.loadOlder(1).catch(() => {});
    await pass();
    const answers = [302, 403, 404, 200].map((status) => ({ body: '<html>', init: { status } }));
    let turn = 0;
    server.fault = () => answers[(turn += 1) % answers.length];
    server.disconnect();
    const marked = server.log.rows.map((row) => client.markOpened([row['id']]));
    await pass(5_000);
    expect(new Set(await Promise.all(marked))).toEqual(new Set(['queued']));
    const before = server.requests.filter((request) => request.startsWith('POST')).length;
    await pass(60_000);
    const tries = server.requests.filter((request) => request.startsWith('POST')).length - before;
    expect(tries).toBeGreaterThan(3);
    expect(tries).toBeLessThan(30);
    expect(client.snapshot).toMatchObject({ unconfirmed: 300, status: 'offline' });
    server.fault = () => undefined;
    server.reconnect();
    await pass(1_000);
    expect(client.snapshot).toMatchObject({ unconfirmed: 0, pending: 0, status: 'live' });
    expect(server.log.changes.filter((change) => change['kind'] === 'opened').length).toBeLessThan(4);
    expect(refused).toEqual([]);
  });

  it('and queries wait as long as the server asks', async () => {
    server.log.add('a');
    const { client } = await started();
    const busy = { body: '', init: { status: 503, headers: { 'retry-after': '120' } } };
    server.fault = (request) => (request.startsWith('POST') ? busy : undefined);
    void client.markOpened(['a']);
    await pass();
    server.fault = () => undefined;
    const asked = server.requests.length;
    await pass(119_000);
    expect(server.requests.length).toBe(asked);
    await pass(15_000);
    expect(client.snapshot.unconfirmed).toBe(0);
  });

  it('and queries do not wait when the network is back or the user looks at the page', async () => {
    const [window, document] = [new EventTarget(), Object.assign(new EventTarget(), { visibilityState: 'visible' })];
    vi.stubGlobal('addEventListener', window.addEventListener.bind(window));
    vi.stubGlobal('removeEventListener', window.removeEventListener.bind(window));
    vi.stubGlobal('document', document);
    server.log.add('a');
    const { client } = await started();
    const busy = { body: '', init: { status: 503, headers: { 'retry-after': '120' } } };
    for (const returned of [() => window.dispatchEvent(new Event('online')), () => document.dispatchEvent(new Event('visibilitychange'))]) {
      server.fault = (request) => (request.startsWith('POST') ? busy : undefined);
      void client.markOpened(['a']);
      await pass();
      server.fault = () => undefined;
      const asked = server.requests.length;
      await pass(60_000);
      expect(server.requests.length).toBe(asked);
      returned();
      await pass();
      expect(server.requests.length).toBeGreaterThan(asked);
      expect(client.snapshot.unconfirmed).toBe(0);
      await client.markUnopened(['a']);
    }
  });

  const wrongRoute = { body: JSON.stringify({ type: 'urn:internal-notifications:no-such-route' }), init: { status: 404 } };
  it.each([['401', 401], ['404 of a missing route', wrongRoute], ['405', 405], ['421', 421]])('that are refused with %s are sent ever more seldom while queries are answered', async (_, fault) => {
    server.log.add('a');
    let asked = 0;
    const { client } = await started({ token: (fresh) => ((asked += Number(fresh)), 'good') });
    const before = server.requests.length;
    const posts = () => server.requests.filter((request) => request.startsWith('POST')).length;
    // A client that never waits would keep the fake clock from advancing.
    server.fault = (request) => (request.startsWith('POST') ? (posts() > 100 ? 'never' : fault) : undefined);
    void client.markOpened(['a']);
    await pass();
    // The first answered query ends the wait, since the server may have refused everything.
    expect(posts()).toBe(2);
    await pass(3_600_000);
    expect(posts()).toBeGreaterThan(10);
    expect(posts()).toBeLessThan(25);
    expect(asked).toBeLessThan(25);
    expect(server.requests.length - before).toBeLessThan(150);
    expect(client.snapshot.unconfirmed).toBe(1);
    server.fault = () => undefined;
    client.start();
    await pass();
    expect(client.snapshot.unconfirmed).toBe(0);
  });

  it('that were queued and are refused are rolled back, and the listeners are notified', async () => {
    server.log.add('a');
    const { client, refused, ids } = await started();
    client.pause();
    const written = client.remove(['a']);
    await pass();
    await expect(written).resolves.toBe('queued');
    expect(ids()).toBe('');
    server.fault = (request) => (request.startsWith('DELETE') ? 403 : undefined);
    client.resume();
    await pass();
    expect(ids()).toBe('a');
    expect(refused).toMatchObject([{ command: { kind: 'remove', id: 'a' }, error: { kind: 'forbidden' } }]);
  });

  it('open all that was seen, and nothing newer', async () => {
    server.log.add('a');
    const { client, ids } = await started();
    server.disconnect();
    server.push('b');
    void client.markAllOpened();
    server.reconnect();
    await pass();
    expect(ids()).toBe('b a*');
    expect(server.log.head['pending']).toBe(1);
  });

  it('open nothing in another history than the one that was seen', async () => {
    server.log.add('a');
    const backup = server.log.copy();
    server.log.add('b');
    const { client, ids } = await started();
    server.log = backup;
    server.log.add('c');
    const written = client.markAllOpened();
    written.catch(() => {});
    await pass();
    await expect(written).rejects.toMatchObject({ kind: 'conflict' });
    expect(ids()).toBe('c a');
  });

  it('of any number of ids are sent in requests of 500', async () => {
    for (let n = 0; n < 501; n += 1) {
      server.log.add(`n${n}`);
    }
    const { client } = await started({ window: 600 });
    await client.loadOlder(1).catch(() => {});
    await pass();
    const written = client.markOpened(server.log.rows.map((row) => row['id']));
    await pass();
    await expect(written).resolves.toBe('stored');
    expect(client.snapshot.pending).toBe(0);
    expect(server.requests.filter((request) => request.startsWith('POST')).length).toBe(2);
  });

  it('are bounded', async () => {
    const { client } = await started();
    client.pause();
    const ids = Array.from({ length: 500 }, (_, n) => `n${n}`);
    const queued = client.remove(ids);
    await pass();
    await expect(queued).resolves.toBe('queued');
    const more = client.remove(['n']);
    more.catch(() => {});
    await pass();
    await expect(more).rejects.toMatchObject({ kind: 'queue-full' });
    expect(client.snapshot.unconfirmed).toBe(500);
  });

  it.each([['..'], ['']])('reject the id %j', async (id) => {
    const { client } = await started();
    const removed = client.remove([id]);
    removed.catch(() => {});
    await pass();
    await expect(removed).rejects.toMatchObject({ kind: 'invalid' });
    expect(server.requests.some((request) => request.startsWith('DELETE'))).toBe(false);
  });

  it('send any other id as one segment of the path', async () => {
    const id = 'a/../b?c#d%é';
    server.log.add(id);
    const { client, ids } = await started();
    const removed = client.remove([id]);
    await pass();
    await expect(removed).resolves.toBe('stored');
    expect(ids()).toBe('');
  });
});

describe('older', () => {
  it('are loaded until there are no more', async () => {
    for (let n = 1; n <= 7; n += 1) {
      server.log.add(`n${n}`);
    }
    const { client, ids } = await started({ window: 3 });
    expect(ids()).toBe('n7 n6 n5');
    expect(client.snapshot.hasOlder).toBe(true);
    const loaded = client.loadOlder(3);
    await pass();
    await loaded;
    expect(ids()).toBe('n7 n6 n5 n4 n3 n2');
    const rest = client.loadOlder(3);
    await pass();
    await rest;
    expect(client.snapshot.hasOlder).toBe(false);
    await client.loadOlder(3);
  });

  it('are not loaded without a connection, nor beyond 5,000', async () => {
    for (let n = 1; n <= 3; n += 1) {
      server.log.add(`n${n}`);
    }
    const { client, ids } = await started({ window: 1 });
    client.pause();
    await expect(client.loadOlder(1)).rejects.toMatchObject({ kind: 'unavailable' });
    client.resume();
    await pass();
    server.fault = () => 'network';
    const failing = client.loadOlder(4_999);
    failing.catch(() => {});
    await pass();
    await expect(failing).rejects.toMatchObject({ kind: 'unavailable' });
    server.fault = () => 'never';
    const waits = client.loadOlder(4_999);
    waits.catch(() => {});
    await pass(600);
    await expect(client.loadOlder(1)).rejects.toMatchObject({ kind: 'window-full' });
    expect(ids()).toBe('n3');
  });
});

describe('pause', () => {
  it('keeps the state, and resume catches up', async () => {
    server.push('a');
    const { client, announced, ids } = await started();
    client.pause();
    await pass();
    expect(client.snapshot).toMatchObject({ status: 'paused', loaded: true });
    const asked = server.requests.length;
    server.push('b');
    server.push('c');
    await pass(300_000);
    expect(ids()).toBe('a');
    expect(server.requests.length).toBe(asked);
    client.resume();
    await pass();
    expect(ids()).toBe('c b a');
    expect(announced).toEqual(['b', 'c']);
    expect(client.snapshot.status).toBe('live');
  });
});

import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { eventOf, type FakeLog } from './fake/log.js';
import { clientOf, pass } from './fake/client.js';
import { FakeServer } from './fake/server.js';

/** The events of a schedule. `n` chooses among the existing notifications. */
const KINDS = [
  'push', 'push', 'push and lose', 'opened elsewhere', 'unopened elsewhere', 'all opened elsewhere', 'removed elsewhere',
  'repeat', 'garbage', 'thin', 'disconnect', 'reconnect', 'network down', 'network up', 'a while', 'a minute',
  'trim', 'back up', 'restore', 'open', 'unopen', 'open all', 'remove', 'load older', 'pause', 'resume',
] as const;

const step = fc.record({ kind: fc.constantFrom(...KINDS), n: fc.nat(99) });

/** How many schedules run. They are always the same ones, unless `SCHEDULES` asks for more. */
const RUNS = Number(process.env['SCHEDULES'] ?? 200);

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance', 'Date'] });
});

afterEach(() => {
  vi.useRealTimers();
});

it('ends equal to the server, whatever is lost, repeated, late or restored', { timeout: 600_000 }, async () => {
  const schedules = fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.integer({ min: 1, max: 6 }), run);
  await fc.assert(schedules, { numRuns: RUNS, seed: 8 });
});

async function run(steps: readonly { kind: (typeof KINDS)[number]; n: number }[], window: number): Promise<void> {
  vi.clearAllTimers();
  const server = new FakeServer();
  const { client, announced } = clientOf(server, { window });
  let [pushed, jitter] = [0, 0];
  let backup: FakeLog | null = null;
  const of = <T>(all: readonly T[], n: number): T | undefined => all[n % Math.max(1, all.length)];
  const known = (n: number) => String(of(server.log.rows, n)?.['id'] ?? 'unknown');
  const elsewhere = (command: object) => {
    const change = server.log.write(command);
    if (server.isLive && typeof change === 'object' && change !== null) {
      server.deliver(change);
    }
  };
  const unless = (promise: Promise<unknown>) => void promise.catch(() => {});
  client.start();
  for (const { kind, n } of steps) {
    switch (kind) {
      case 'push':
        server.push(`n${(pushed += 1)}`);
        break;
      case 'push and lose':
        server.log.add(`n${(pushed += 1)}`);
        break;
      case 'opened elsewhere':
        elsewhere({ kind: 'opened', ids: [known(n), known(n + 1)] });
        break;
      case 'unopened elsewhere':
        elsewhere({ kind: 'unopened', ids: [known(n)] });
        break;
      case 'all opened elsewhere':
        elsewhere({ kind: 'opened_all', through: server.log.head['seq'], tag: server.log.head['tag'] });
        break;
      case 'removed elsewhere':
        elsewhere({ kind: 'removed', ids: [known(n)] });
        break;
      case 'repeat': {
        const old = of(server.log.changes, n);
        if (old !== undefined && server.isLive) {
          server.deliver(old);
        }
        break;
      }
      case 'garbage':
        server.channels.forEach((channel) => channel.event('internal-notification', of([null, 'x', { inbox: {} }, { content: 7 }], n)));
        break;
      case 'thin': {
        const old = of(server.log.changes, n);
        if (old !== undefined && server.isLive) {
          server.channels.forEach((channel) => channel.event('internal-notification', { truncated: true, inbox: eventOf(old).data['inbox'] }));
        }
        break;
      }
      case 'disconnect':
        server.disconnect();
        break;
      case 'reconnect':
        server.reconnect();
        break;
      case 'network down':
        server.fault = (request) => ((jitter += request.length + n) % 3 === 0 ? undefined : of(['network', 'never', 503, { body: '<' }] as const, jitter));
        break;
      case 'network up':
        server.fault = () => undefined;
        break;
      case 'a while':
        await pass(n * 20);
        break;
      case 'a minute':
        await pass(60_000);
        break;
      case 'trim':
        server.log.trim();
        break;
      case 'back up':
        backup = server.log.copy();
        break;
      case 'restore':
        server.log = backup?.copy() ?? server.log;
        break;
      case 'open':
        unless(client.markOpened([known(n)]));
        break;
      case 'unopen':
        unless(client.markUnopened([known(n)]));
        break;
      case 'open all':
        unless(client.markAllOpened());
        break;
      case 'remove':
        unless(client.remove([known(n)]));
        break;
      case 'load older':
        unless(client.loadOlder(1 + (n % 3)));
        break;
      case 'pause':
        client.pause();
        break;
      case 'resume':
        client.resume();
        break;
    }
    if (n % 3 === 0) {
      await pass();
    }
  }
  server.fault = () => undefined;
  client.resume();
  server.reconnect();
  await pass(120_000);
  const { notifications, pending, status, unconfirmed, hasOlder } = client.snapshot;
  const rows = server.log.rows.toReversed();
  expect(status).toBe('live');
  expect(unconfirmed).toBe(0);
  expect(pending).toBe(server.log.head['pending']);
  expect(notifications.map(({ id, opened }) => ({ id, opened }))).toEqual(rows.slice(0, notifications.length).map(({ id, opened }) => ({ id, opened })));
  // The client may expect older ones that are gone by now, but never miss that there are some.
  expect(hasOlder || notifications.length === rows.length).toBe(true);
  expect(notifications.length).toBeGreaterThanOrEqual(Math.min(window, rows.length));
  const notified = announced.filter((id) => id !== 'skipped');
  expect(new Set(notified).size).toBe(notified.length);
  client.stop();
  await pass();
  expect(vi.getTimerCount()).toBe(0);
}

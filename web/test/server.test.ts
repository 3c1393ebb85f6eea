import { spawn, type ChildProcess } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import Pusher from 'pusher-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { echoTransport, InternalNotificationsClient, type ClientOptions, type Snapshot } from '../src/client.js';

const BIN = process.env['INTERNAL_NOTIFICATIONS_BIN'];
const SECRET = 'a-secret-of-the-tests-which-is-not-short';
const KEY = 'a-key-of-the-tests-which-is-not-short';

if (BIN === undefined) {
  console.warn('skipped the client against a real server: set INTERNAL_NOTIFICATIONS_BIN to the path of the binary');
}

/** The server's process, which can end and start again at the same address. */
class Server {
  readonly #folder = mkdtempSync(join(tmpdir(), 'internal-notifications-web-'));
  #process: ChildProcess | undefined;
  url = 'http://127.0.0.1:0';

  async start(): Promise<void> {
    const args = ['serve', '--json', '--listen', new URL(this.url).host, '--database', `sqlite://${join(this.#folder, 'inbox.db')}`];
    const env = { INTERNAL_NOTIFICATIONS_JWT_SECRET: SECRET, INTERNAL_NOTIFICATIONS_API_KEYS: `test:${KEY}`, RUST_LOG: 'error' };
    const process = spawn(BIN as string, args, { env, cwd: this.#folder, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#process = process;
    const ended = once(process, 'exit').then(() => Promise.reject(new Error('the server did not start')));
    ended.catch(() => {});
    const [line] = (await Promise.race([once(createInterface(process.stdout), 'line'), ended])) as [string];
    this.url = (JSON.parse(line) as { url: string }).url;
  }

  async kill(): Promise<void> {
    const process = this.#process;
    this.#process = undefined;
    if (process !== undefined && process.exitCode === null) {
      const ended = once(process, 'exit');
      process.kill('SIGKILL');
      await ended;
    }
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true });
  }

  async push(user: string, id: string, more: object = {}): Promise<void> {
    const body = JSON.stringify({ user_ids: [user], notification: { id, content: `text of ${id}`, ...more } });
    const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
    const answer = await fetch(`${this.url}/v1/notifications`, { method: 'POST', headers, body });
    expect(answer.status).toBe(201);
  }
}

function token(user: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: user, exp: Math.floor(Date.now() / 1000) + 600 })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

const ids = ({ notifications }: Snapshot) => notifications.map(({ id, opened }) => (opened ? `${id}*` : id)).join(' ');

/** Waits for a snapshot. */
function until(client: InternalNotificationsClient, is: (snapshot: Snapshot) => boolean): Promise<void> {
  return new Promise((resolve, reject) => {
    const seen: string[] = [];
    const end = client.onSnapshot(look);
    const timer = setTimeout(() => reject(new Error(`the snapshot did not come: ${seen.join(', ')}`)), 25_000);
    function look(snapshot: Snapshot): void {
      seen.push(`${snapshot.status}: ${ids(snapshot)}`);
      if (is(snapshot)) {
        clearTimeout(timer);
        end();
        resolve();
      }
    }
    look(client.snapshot);
  });
}

describe.skipIf(BIN === undefined)('against a real server', { timeout: 60_000 }, () => {
  const server = new Server();
  const clients: InternalNotificationsClient[] = [];
  const clientOf = (user: string, options: Partial<ClientOptions> = {}) => {
    const client = new InternalNotificationsClient({ server: server.url, token: token(user), user, ...options });
    clients.push(client);
    client.start();
    return client;
  };

  beforeAll(() => server.start());
  afterEach(() => clients.splice(0).forEach((client) => client.stop()));
  afterAll(() => server.end());

  it('goes live, and two tabs agree', async () => {
    await server.push('ada', 'before', { image_url: 'https://example.org/i.png', buttons: [{ id: 'y', text: 'Yes' }] });
    const [one, two] = [clientOf('ada'), clientOf('ada')];
    const announced: unknown[] = [];
    one.onAnnouncement((announcement) => announced.push(announcement.kind === 'notification' && announcement.notification.id));
    await Promise.all([one, two].map((client) => until(client, ({ status }) => status === 'live')));
    await server.push('ada', 'live');
    await Promise.all([one, two].map((client) => until(client, (snapshot) => ids(snapshot) === 'live before')));
    expect(announced).toEqual(['live']);
    await expect(one.markOpened(['live'])).resolves.toBe('stored');
    await until(two, (snapshot) => ids(snapshot) === 'live* before' && snapshot.pending === 1);
    await expect(two.markAllOpened()).resolves.toBe('stored');
    await expect(two.remove(['before'])).resolves.toBe('stored');
    await until(one, (snapshot) => ids(snapshot) === 'live*' && snapshot.pending === 0);
  });

  it('shows what it missed while it was paused', async () => {
    const client = clientOf('bob');
    await until(client, ({ status }) => status === 'live');
    client.pause();
    for (let n = 1; n <= 5; n += 1) {
      await server.push('bob', `n${n}`, { payload: 'x'.repeat(12_000) });
    }
    client.resume();
    await until(client, (snapshot) => ids(snapshot) === 'n5 n4 n3 n2 n1' && snapshot.status === 'live');
    await server.push('bob', 'thin', { payload: 'x'.repeat(12_000) });
    await until(client, (snapshot) => ids(snapshot) === 'thin n5 n4 n3 n2 n1');
  });

  it('keeps its writes when the server dies and comes back', async () => {
    await server.push('eve', 'a');
    const client = clientOf('eve');
    await until(client, ({ status }) => status === 'live');
    await server.kill();
    await until(client, ({ status }) => status === 'offline');
    await expect(client.markOpened(['a'])).resolves.toBe('queued');
    expect(ids(client.snapshot)).toBe('a*');
    expect(client.snapshot.pending).toBe(1);
    await server.start();
    await server.push('eve', 'b');
    await until(client, (snapshot) => ids(snapshot) === 'b a*' && snapshot.pending === 1 && snapshot.status === 'live' && snapshot.unconfirmed === 0);
  });

  it('uses the connection of a Laravel Echo', async () => {
    const client = clientOf('kim');
    await until(client, ({ status }) => status === 'live');
    const headers = { authorization: `Bearer ${token('kim')}` };
    const { key } = (await (await fetch(`${server.url}/v1/realtime`, { headers })).json()) as { key: string };
    const { hostname, port } = new URL(server.url);
    const pusher: Pusher = new Pusher(key, {
      cluster: '',
      wsHost: hostname,
      wsPort: Number(port),
      forceTLS: false,
      enabledTransports: ['ws'],
      channelAuthorization: { transport: 'ajax', endpoint: `${server.url}/broadcasting/auth`, headers },
    });
    const over = clientOf('kim', { transport: echoTransport({ connector: { pusher } }) });
    await until(over, ({ status }) => status === 'live');
    await server.push('kim', 'a');
    await until(over, (snapshot) => ids(snapshot) === 'a');
    over.stop();
    expect(pusher.connection.state).toBe('connected');
    pusher.disconnect();
  });

  it('fails with a token of another server', async () => {
    const client = clientOf('ada', { token: `${token('ada').slice(0, -3)}abc` });
    await until(client, ({ status, error }) => status === 'failed' && error?.status === 401);
  });
});

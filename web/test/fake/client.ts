import { vi } from 'vitest';
import { InternalNotificationsClient } from '../../src/client/client.js';
import type { ClientOptions } from '../../src/client/options.js';
import type { RefusedWrite } from '../../src/client/source.js';
import type { Announcement } from '../../src/replica/announcer.js';
import type { FakeServer } from './server.js';

/** Creates a client of the fake server, with records of everything that it reported. */
export function clientOf(server: FakeServer, options: Partial<ClientOptions> = {}) {
  const client = new InternalNotificationsClient({
    server: 'http://inbox.test',
    token: 'good',
    transport: server.transport,
    fetch: server.fetch as typeof fetch,
    random: () => 1,
    ...options,
  });
  const announced: string[] = [];
  const statuses: string[] = [];
  const refused: RefusedWrite[] = [];
  client.onAnnouncement((announcement: Announcement) => announced.push('notification' in announcement ? String(announcement.notification.id) : announcement.kind));
  client.onSnapshot(({ status }) => status !== statuses.at(-1) && statuses.push(status));
  client.onRolledBack((write) => refused.push(write));
  return { client, announced, statuses, refused, ids: () => client.snapshot.notifications.map((row) => (row.opened ? `${row.id}*` : row.id)).join(' ') };
}

/** Lets `milliseconds` pass, and then everything happen that is not waiting for a timer. */
export async function pass(milliseconds = 0): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds);
  // Bodies are read from streams, which need turns of the event loop besides timers.
  for (let turn = 0; turn < 50; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    await vi.advanceTimersByTimeAsync(0);
  }
}

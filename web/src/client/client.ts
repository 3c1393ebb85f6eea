import { id as readId } from '../models/read.js';
import type { Position } from '../models/wire.js';
import type { Announcement } from '../replica/announcer.js';
import { MAX_WINDOW, PAGE } from '../replica/inbox.js';
import type { Command } from '../replica/overlay.js';
import { InboxError, notStarted } from './error.js';
import { Listeners } from './listeners.js';
import { baseUrl, type ClientOptions } from './options.js';
import { Session } from './session.js';
import { IDLE, type Snapshot } from './snapshot.js';
import type { InboxClient, RefusedWrite, Written } from './source.js';

/** How many ids one write can name. */
const MAX_IDS = 500;

/**
 * A user's inbox, live over Pusher Channels and completed by catch-ups. It has no user interface.
 */
export class InternalNotificationsClient implements InboxClient {
  readonly #options: ClientOptions;
  readonly #base: URL;
  readonly #snapshots = new Listeners<Snapshot>();
  readonly #announcements = new Listeners<Announcement>();
  readonly #rolledBack = new Listeners<RefusedWrite>();
  #session: Session | null = null;
  #snapshot = IDLE;

  /**
   * Throws an `InboxError` of kind `invalid` for invalid options. Does nothing before `start()`.
   */
  constructor(options: ClientOptions) {
    this.#base = baseUrl(options.server);
    const window = options.window ?? PAGE;
    if (!Number.isInteger(window) || window < 1 || window > MAX_WINDOW) {
      throw new InboxError('invalid', `\`window\` must be 1 to ${MAX_WINDOW}`);
    }
    this.#options = options;
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  onSnapshot(listener: (snapshot: Snapshot) => void): () => void {
    // An earlier listener may have stopped the client: pass on the present snapshot.
    return this.#snapshots.add(() => listener(this.#snapshot));
  }

  onAnnouncement(listener: (announcement: Announcement) => void): () => void {
    return this.#announcements.add(listener);
  }

  onRolledBack(listener: (write: RefusedWrite) => void): () => void {
    return this.#rolledBack.add(listener);
  }

  start(): void {
    if (this.#session !== null) {
      return this.#session.checkNow();
    }
    const session: Session = new Session(this.#options, this.#base, {
      snapshot: (snapshot) => {
        if (this.#session === session) {
          this.#snapshot = snapshot;
          this.#snapshots.notify(snapshot);
        }
      },
      announcement: (announcement) => this.#session === session && this.#announcements.notify(announcement),
      rolledBack: (write) => this.#session === session && this.#rolledBack.notify(write),
    });
    this.#session = session;
    session.begin();
  }

  stop(): void {
    const session = this.#session;
    this.#session = null;
    session?.end();
    if (this.#snapshot !== IDLE) {
      this.#snapshot = IDLE;
      this.#snapshots.notify(IDLE);
    }
  }

  pause(): void {
    this.#session?.pause();
  }

  resume(): void {
    this.#session?.resume();
  }

  markOpened(ids: readonly string[]): Promise<Written> {
    return this.#write(() => chunks(ids).map((some) => ({ kind: 'opened', ids: some })));
  }

  markUnopened(ids: readonly string[]): Promise<Written> {
    return this.#write(() => chunks(ids).map((some) => ({ kind: 'unopened', ids: some })));
  }

  markAllOpened(): Promise<Written> {
    return this.#write((seen) => (seen.seq === 0 ? [] : [{ kind: 'opened_all', through: seen.seq, tag: seen.tag }]));
  }

  remove(ids: readonly string[]): Promise<Written> {
    return this.#write(() => checked(ids).map((id) => ({ kind: 'remove', id })));
  }

  async loadOlder(count = 50): Promise<void> {
    if (!Number.isInteger(count) || count < 1) {
      throw new InboxError('invalid', '`count` must be a whole number above 0');
    }
    return this.#running().loadOlder(count);
  }

  async #write(commands: (seen: Position) => Command[]): Promise<Written> {
    const session = this.#running();
    const list = commands(session.position);
    return list.length === 0 ? 'stored' : session.write(list);
  }

  #running(): Session {
    if (this.#session === null) {
      throw notStarted();
    }
    return this.#session;
  }
}

function checked(ids: readonly string[]): readonly string[] {
  try {
    return ids.map((id) => readId(id));
  } catch {
    throw new InboxError('invalid', 'an id is malformed');
  }
}

function chunks(ids: readonly string[]): (readonly string[])[] {
  const good = checked(ids);
  return Array.from({ length: Math.ceil(good.length / MAX_IDS) }, (_, index) => good.slice(index * MAX_IDS, (index + 1) * MAX_IDS));
}

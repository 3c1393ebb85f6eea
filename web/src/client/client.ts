import { id as readId } from '../models/read.js';
import type { Position } from '../models/wire.js';
import { MAX_WINDOW, PAGE } from '../replica/inbox.js';
import { IDLE } from './idle.js';
import { Listeners } from './listeners.js';
import { baseUrl, type ClientOptions } from './options.js';
import { notStarted, Run } from './run.js';
import { InboxError, type Announcement, type Command, type InboxClient, type RefusedWrite, type Snapshot, type Written } from './types.js';

/** The most ids of one write. */
const MAX_IDS = 500;

/** The inbox of a user, live over Pusher Channels and complete by catch-up, without a look of its own. */
export class InternalNotificationsClient implements InboxClient {
  readonly #options: ClientOptions;
  readonly #base: URL;
  readonly #snapshots = new Listeners<Snapshot>();
  readonly #announcements = new Listeners<Announcement>();
  readonly #rolledBack = new Listeners<RefusedWrite>();
  #run: Run | null = null;
  #snapshot = IDLE;

  /** Throws an `InboxError` of kind `invalid` when it cannot work. Nothing happens before `start()`. */
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
    // Whoever is told after one that stopped the client sees what is then.
    return this.#snapshots.add(() => listener(this.#snapshot));
  }

  onAnnouncement(listener: (announcement: Announcement) => void): () => void {
    return this.#announcements.add(listener);
  }

  onRolledBack(listener: (write: RefusedWrite) => void): () => void {
    return this.#rolledBack.add(listener);
  }

  start(): void {
    if (this.#run !== null) {
      return this.#run.checkNow();
    }
    const run: Run = new Run(this.#options, this.#base, {
      snapshot: (snapshot) => {
        if (this.#run === run) {
          this.#snapshot = snapshot;
          this.#snapshots.tell(snapshot);
        }
      },
      announcement: (announcement) => this.#run === run && this.#announcements.tell(announcement),
      rolledBack: (write) => this.#run === run && this.#rolledBack.tell(write),
    });
    this.#run = run;
    run.begin();
  }

  stop(): void {
    const run = this.#run;
    this.#run = null;
    run?.end();
    if (this.#snapshot !== IDLE) {
      this.#snapshot = IDLE;
      this.#snapshots.tell(IDLE);
    }
  }

  pause(): void {
    this.#run?.pause();
  }

  resume(): void {
    this.#run?.resume();
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
    const run = this.#running();
    const list = commands(run.seen);
    return list.length === 0 ? 'stored' : run.write(list);
  }

  #running(): Run {
    if (this.#run === null) {
      throw notStarted();
    }
    return this.#run;
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

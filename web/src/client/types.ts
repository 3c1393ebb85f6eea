/**
 * What the headless client and the elements agree on. Names of fields that come from the server are the server's own.
 */

/** A time: RFC 3339, as the server writes it. */
export type Timestamp = string;

/** A button of a notification. Unknown keys are kept. */
export interface NotificationButton {
  readonly id: string;
  readonly text: string;
  readonly icon?: string | null;
  readonly [key: string]: unknown;
}

/** A notification as a sender writes it. Only `content` is sure to be there; unknown keys are kept. Every text is text, never HTML. */
export interface BareNotification {
  readonly id?: string | null;
  readonly heading?: string | null;
  readonly content: string;
  readonly payload?: unknown;
  /** Not checked: whoever shows it decides which URLs are safe. */
  readonly image_url?: string | null;
  readonly send_after?: Timestamp | null;
  readonly expires_at?: Timestamp | null;
  readonly buttons?: readonly NotificationButton[] | null;
  readonly [key: string]: unknown;
}

/** A notification in the inbox: what the sender wrote, and what the server knows of it. */
export interface InboxNotification extends BareNotification {
  readonly id: string;
  readonly buttons: readonly NotificationButton[];
  /** Whether the user has opened it, on any device. */
  readonly opened: boolean;
  readonly opened_at?: Timestamp | null;
  /** When the server stored it. */
  readonly created_at: Timestamp;
  /** `user:ID`, `key:NAME` or `outbox:NAME`, stamped by the server. */
  readonly sender: string;
  /** The seq of the change that added it to this inbox: its place in the list. */
  readonly added: number;
}

/**
 * What the client is doing.
 *
 * - `idle`: not started, or stopped: there is no user;
 * - `connecting`: getting the first snapshot;
 * - `live`: subscribed, as new as the last event or check;
 * - `catching-up`: subscribed, asking for what was missed;
 * - `offline`: not connected, trying again;
 * - `paused`: by choice; the state is kept, and not renewed;
 * - `failed`: will not work without another user, token or configuration; `error` says why.
 */
export type Status = 'idle' | 'connecting' | 'live' | 'catching-up' | 'offline' | 'paused' | 'failed';

/** The inbox at one moment; list and count belong together. Frozen. */
export interface Snapshot {
  /** Newest first, with the user's own writes that are under way. */
  readonly notifications: readonly InboxNotification[];
  /** Notifications in the whole inbox that are not opened, as the server last told; writes under way are not in it. */
  readonly pending: number;
  readonly status: Status;
  /** Whether a first snapshot has come. */
  readonly loaded: boolean;
  /** Whether there may be older notifications than the list holds. */
  readonly hasOlder: boolean;
  /** Writes of the user's own that the server does not have yet, or the replica not. */
  readonly unconfirmed: number;
  /** Why it is `failed`. */
  readonly error?: { readonly status?: number; readonly title: string };
}

/** What an app may show as it comes: a toast, a sound. */
export type Announcement =
  /** It came to the inbox. Each is announced at most once, in order. */
  | { readonly kind: 'notification'; readonly notification: InboxNotification }
  /** A sender that knows of no inbox server triggered it on the channel; it is not in the list or the count. */
  | { readonly kind: 'bare'; readonly notification: BareNotification }
  /** There may be more that came and are not announced one by one: too much was missed. */
  | { readonly kind: 'skipped' };

/** A write in the user's own inbox. */
export type Command =
  | { readonly kind: 'opened'; readonly ids: readonly string[] }
  | { readonly kind: 'unopened'; readonly ids: readonly string[] }
  /** All that were added up to `through`, which the user saw, in the history where it has that tag. */
  | { readonly kind: 'opened_all'; readonly through: number; readonly tag: string | null }
  | { readonly kind: 'remove'; readonly id: string };

/** A write that was shown before the server had it, was refused, and is shown no more. */
export interface RefusedWrite {
  readonly command: Command;
  readonly error: InboxError;
}

/**
 * How far a write came: `stored`, the server has it and the list too; `queued`, there is no connection: it is shown, and sent when
 * there is one. If it is refused then, it is rolled back and `onRolledBack` says so.
 */
export type Written = 'stored' | 'queued';

/**
 * - `not-started`: before `start()` or after `stop()`;
 * - `queue-full`: too many writes wait for the server; this one is not shown;
 * - `window-full`: the list holds as many as it may;
 * - `unavailable`: no connection, or the server cannot answer now;
 * - `unauthenticated`, `forbidden`, `unknown` (no such notification), `conflict` (the history is another than the one seen), `invalid`: refused;
 * - `protocol`: an answer that is not what the interface says.
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

/** Why something was not done. Its message is for people, and is text. */
export class InboxError extends Error {
  readonly kind: InboxErrorKind;
  /** The HTTP status, if the server answered. */
  readonly status: number | undefined;

  constructor(kind: InboxErrorKind, message: string, status?: number) {
    super(message);
    this.name = 'InboxError';
    this.kind = kind;
    this.status = status;
  }
}

/** What the elements need of a client. */
export interface InboxSource {
  /** The inbox now: a new frozen object at each change. */
  readonly snapshot: Snapshot;
  /** Called whenever `snapshot` has changed, not at once. Gives a function that ends it, as the others do. */
  onSnapshot(listener: (snapshot: Snapshot) => void): () => void;
  onAnnouncement(listener: (announcement: Announcement) => void): () => void;
  onRolledBack(listener: (write: RefusedWrite) => void): () => void;
  /** Shown at once. Rejects with an `InboxError` when it is refused before it was told to be queued, and when the queue is full. */
  markOpened(ids: readonly string[]): Promise<Written>;
  markUnopened(ids: readonly string[]): Promise<Written>;
  /** Opens everything that the list's moment has seen, also what is older than the list, and nothing that came since. */
  markAllOpened(): Promise<Written>;
  remove(ids: readonly string[]): Promise<Written>;
  /** Holds `count` older ones more (default 50). Resolves when they are there or there are none; rejects when the list is full, or without a connection. */
  loadOlder(count?: number): Promise<void>;
}

/** A source with a life of its own. */
export interface InboxClient extends InboxSource {
  /** Starts, or starts again after `failed`; does nothing when it runs. */
  start(): void;
  /** Ends everything and forgets the user; the snapshot is empty and `idle`. */
  stop(): void;
  /** Stops live events and keeps the state, as if the network were gone but by choice. */
  pause(): void;
  resume(): void;
}

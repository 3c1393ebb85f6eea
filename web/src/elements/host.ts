import type { TokenSource } from '../client/identity.js';
import { IDLE, type Snapshot } from '../client/snapshot.js';
import type { InboxClient, InboxSource } from '../client/source.js';
import { Announcer } from './announcer.js';
import { ownClient } from './ownClient.js';
import { english, type Strings } from './strings.js';

/** Lets the package be imported without a DOM, on a server that renders pages. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/**
 * The base of both elements: a view of a source, with strings. The source is set by the page, or
 * created from `server`, `token` and `user`.
 */
export abstract class Host extends Base {
  static readonly observedAttributes: readonly string[] = ['server', 'user', 'theme'];

  protected readonly root: ShadowRoot;
  protected readonly announcer = new Announcer(this, () => this.#strings);
  #given: InboxSource | undefined;
  #own: InboxClient | undefined;
  #token: TokenSource | undefined;
  #strings: Strings = english;
  #shown: InboxSource | undefined;
  #detach: (() => void)[] = [];

  constructor() {
    super();
    this.root = this.attachShadow({ mode: 'open', delegatesFocus: false });
  }

  /** The source that is shown: the client that the page has set, or else the element's own. */
  get client(): InboxSource | undefined {
    return this.#given ?? this.#own;
  }

  set client(client: InboxSource | undefined) {
    if (this.#given !== (client ?? undefined)) {
      this.#given = client ?? undefined;
      this.#renew();
    }
  }

  /** The user's token, or a function that returns one; used only by the element's own client. */
  set token(token: TokenSource | undefined) {
    this.#token = token ?? undefined;
    this.#renew();
  }

  get strings(): Strings {
    return this.#strings;
  }

  /** Replaces the given English strings. */
  set strings(strings: Partial<Strings>) {
    this.#strings = { ...english, ...strings };
    this.restart();
    this.render(this.snapshot);
  }

  protected get snapshot(): Snapshot {
    return this.#shown?.snapshot ?? IDLE;
  }

  /** Shows a snapshot. */
  protected abstract render(snapshot: Snapshot): void;

  /** Discards what was rendered with other strings or from another source. */
  protected abstract restart(): void;

  /** Attaches further listeners. Returns functions that detach them. */
  protected attached(_source: InboxSource): (() => void)[] {
    return [];
  }

  connectedCallback(): void {
    for (const name of ['client', 'token', 'strings'] as const) {
      this.#upgrade(name);
    }
    if (this.#own) {
      // The element was only moved.
      this.#connect();
    } else {
      this.#renew();
    }
    this.render(this.snapshot);
  }

  disconnectedCallback(): void {
    this.#connect();
    // Only if the element was removed, not moved.
    queueMicrotask(() => !this.isConnected && this.#renew());
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (name !== 'theme' && before !== after) {
      this.#renew();
    }
  }

  /** Applies a property that was set before the element was defined. */
  #upgrade(name: 'client' | 'token' | 'strings'): void {
    if (Object.hasOwn(this, name)) {
      const self = this as unknown as Record<string, unknown>;
      const value = self[name];
      delete self[name];
      self[name] = value;
    }
  }

  /** Replaces the element's own client: the user, server or token has changed. */
  #renew(): void {
    const [server, user, token] = [this.getAttribute('server'), this.getAttribute('user'), this.#token];
    const before = this.#own;
    this.#own = undefined;
    try {
      if (this.isConnected && !this.#given && server !== null && token) {
        this.#own = ownClient(server, user, token);
        this.#own.start();
      }
    } catch (error) {
      // An attribute is invalid: nothing is shown, and the previous client still ends.
      console.error(error);
    }
    this.#connect();
    before?.stop();
  }

  /** Listens to the source while the element is in a page. */
  #connect(): void {
    const source = this.isConnected ? this.client : undefined;
    if (source === this.#shown) {
      return;
    }
    this.#detach.forEach((detach) => detach());
    this.#shown = source;
    this.#detach = source
      ? [source.onSnapshot((snapshot) => this.render(snapshot)), this.announcer.listen(source), ...this.attached(source)]
      : [];
    this.restart();
    this.render(this.snapshot);
  }
}

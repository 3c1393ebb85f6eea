import type { TokenSource } from '../client/identity.js';
import { IDLE, type Snapshot } from '../client/snapshot.js';
import type { InboxClient, InboxSource } from '../client/source.js';
import { Announcer } from './announcer.js';
import { ownClient } from './ownClient.js';
import { english, type Strings } from './strings.js';

/** So that the package can be imported where there is no DOM: on a server that renders pages. */
const Base = (globalThis.HTMLElement ?? class {}) as typeof HTMLElement;

/** What both elements are: a view of a source, with strings. The source is given, or made of `server`, `token` and `user`. */
export abstract class Host extends Base {
  static readonly observedAttributes: readonly string[] = ['server', 'user', 'theme'];

  protected readonly root: ShadowRoot;
  protected readonly announcer = new Announcer(this, () => this.#strings);
  #given: InboxSource | undefined;
  #own: InboxClient | undefined;
  #token: TokenSource | undefined;
  #strings: Strings = english;
  #shown: InboxSource | undefined;
  #ends: (() => void)[] = [];

  constructor() {
    super();
    this.root = this.attachShadow({ mode: 'open', delegatesFocus: false });
  }

  /** What is shown. Set it to a client that the page has; else the element's own, if it could make one. */
  get client(): InboxSource | undefined {
    return this.#given ?? this.#own;
  }

  set client(client: InboxSource | undefined) {
    if (this.#given !== (client ?? undefined)) {
      this.#given = client ?? undefined;
      this.#renew();
    }
  }

  /** The user's token, or what gets a fresh one. Only for the element's own client. */
  set token(token: TokenSource | undefined) {
    this.#token = token ?? undefined;
    this.#renew();
  }

  get strings(): Strings {
    return this.#strings;
  }

  /** Those given replace the English ones. */
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

  /** Forgets what was made with other strings or of another source. */
  protected abstract restart(): void;

  /** What else to listen to. */
  protected attached(_source: InboxSource): (() => void)[] {
    return [];
  }

  connectedCallback(): void {
    for (const name of ['client', 'token', 'strings'] as const) {
      this.#upgrade(name);
    }
    if (this.#own) {
      // It was only moved.
      this.#connect();
    } else {
      this.#renew();
    }
    this.render(this.snapshot);
  }

  disconnectedCallback(): void {
    this.#connect();
    // Not when it is only moved.
    queueMicrotask(() => !this.isConnected && this.#renew());
  }

  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (name !== 'theme' && before !== after) {
      this.#renew();
    }
  }

  /** Takes what was set before the element was defined. */
  #upgrade(name: 'client' | 'token' | 'strings'): void {
    if (Object.hasOwn(this, name)) {
      const self = this as unknown as Record<string, unknown>;
      const value = self[name];
      delete self[name];
      self[name] = value;
    }
  }

  /** Another user, server or token: another client. */
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
      // An attribute that cannot be: nothing is shown, and the client before it ends all the same.
      console.error(error);
    }
    this.#connect();
    before?.stop();
  }

  /** Listens to the source if the element is in a page. */
  #connect(): void {
    const source = this.isConnected ? this.client : undefined;
    if (source === this.#shown) {
      return;
    }
    this.#ends.forEach((end) => end());
    this.#shown = source;
    this.#ends = source
      ? [source.onSnapshot((snapshot) => this.render(snapshot)), this.announcer.listen(source), ...this.attached(source)]
      : [];
    this.restart();
    this.render(this.snapshot);
  }
}

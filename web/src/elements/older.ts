import { InboxError } from '../client/error.js';
import type { Snapshot } from '../client/snapshot.js';
import type { InboxSource } from '../client/source.js';
import { h } from './dom.js';

/** The state of older pages: nothing to report, loading, failed, or no room for more. */
export type OlderState = 'idle' | 'loading' | 'failed' | 'full';

/**
 * Loads an older page whenever the end of the list is near: when its element, which covers the last
 * part, is in view.
 */
export class Older {
  readonly element = h('div', { class: 'sentinel', 'aria-hidden': 'true' });
  readonly #source: () => InboxSource | undefined;
  readonly #changed: () => void;
  #observer: IntersectionObserver | undefined;
  #before: Snapshot | undefined;
  #state: OlderState = 'idle';

  constructor(source: () => InboxSource | undefined, changed: () => void) {
    this.#source = source;
    this.#changed = changed;
  }

  get state(): OlderState {
    return this.#state;
  }

  /** Starts to watch the end of the list. */
  watch(): void {
    this.#observer ??= new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) {
        void this.#load();
      }
    });
    this.again();
  }

  unwatch(): void {
    this.#observer?.disconnect();
    this.#observer = undefined;
  }

  /** Watches again if the list now has older notifications, or the connection is back. */
  follow(snapshot: Snapshot): void {
    const before = this.#before;
    this.#before = snapshot;
    const isBack = snapshot.status === 'live' && before?.status !== 'live';
    if (snapshot.hasOlder && (!before?.hasOlder || isBack)) {
      this.again();
    }
  }

  /** Tries again, at once if the end is in view. */
  again(): void {
    if (this.#state !== 'loading') {
      this.#become('idle');
    }
    this.#observer?.unobserve(this.element);
    this.#observer?.observe(this.element);
  }

  /** Resets the state for another source. */
  restart(): void {
    this.#before = undefined;
    this.#state = 'idle';
  }

  async #load(): Promise<void> {
    const source = this.#source();
    if (!source?.snapshot.hasOlder || this.#state !== 'idle') {
      return;
    }
    this.#become('loading');
    const became = await source.loadOlder().then(
      () => 'idle' as const,
      (error: unknown) => (error instanceof InboxError && error.kind === 'window-full' ? 'full' : 'failed'),
    );
    if (source !== this.#source()) {
      return;
    }
    this.#become(became);
    if (became === 'idle') {
      this.again();
    }
  }

  #become(state: OlderState): void {
    if (this.#state !== state) {
      this.#state = state;
      this.#changed();
    }
  }
}

import type { InboxSource } from '../client/source.js';
import type { Announcement } from '../replica/announcing.js';
import { clip } from './clip.js';
import { h } from './dom.js';
import type { Strings } from './strings.js';

/** Long enough for what a catch-up brings to be said as one. */
const QUIET_MS = 500;

/** Those that show one source; the first that is seen speaks for it, so that a bell and the inbox that it opens do not say everything twice. */
const speakers = new WeakMap<InboxSource, Announcer[]>();

/** Tells a screen reader what arrives, and the page by an event. */
export class Announcer {
  readonly element = h('div', { class: 'sr', role: 'status' });
  readonly #host: HTMLElement;
  readonly #strings: () => Strings;
  #count = 0;
  #last = '';
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(host: HTMLElement, strings: () => Strings) {
    this.#host = host;
    this.#strings = strings;
  }

  /** What is not rendered is not read out. */
  get isSeen(): boolean {
    return this.element.checkVisibility?.() ?? true;
  }

  /** Gives a function that ends it. */
  listen(source: InboxSource): () => void {
    const all = speakers.get(source) ?? [];
    speakers.set(source, all);
    all.push(this);
    const end = source.onAnnouncement((announcement) => {
      if ((all.find((one) => one.isSeen) ?? all[0]) === this) {
        this.#announce(announcement, source);
      }
    });
    return () => {
      end();
      all.splice(all.indexOf(this), 1);
      clearTimeout(this.#timer);
      this.#timer = undefined;
      this.#count = 0;
    };
  }

  #announce(announcement: Announcement, source: InboxSource): void {
    this.#host.dispatchEvent(
      new CustomEvent('internal-notification-announce', { bubbles: true, composed: true, detail: announcement }),
    );
    if (announcement.kind === 'skipped') {
      return;
    }
    this.#count += 1;
    this.#last = clip(announcement.notification.heading || announcement.notification.content, 120);
    this.#timer ??= setTimeout(() => {
      this.element.textContent = this.#strings().arrived(this.#count, this.#last, source.snapshot.pending);
      this.#count = 0;
      this.#timer = undefined;
    }, QUIET_MS);
  }
}

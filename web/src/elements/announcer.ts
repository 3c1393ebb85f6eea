import type { InboxSource } from '../client/source.js';
import type { Announcement } from '../replica/announcer.js';
import { clip } from './clip.js';
import { h } from './dom.js';
import type { Strings } from './strings.js';

/** How long arrivals are collected into one sentence: long enough for a catch-up. */
const QUIET_MS = 500;

/**
 * The announcers of each source. Only the first visible one reports, so that a bell and the inbox
 * that it opens do not both do so.
 */
const announcers = new WeakMap<InboxSource, Announcer[]>();

/** Announces arrivals to screen readers, and to the page as events. */
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

  /** Whether the element is rendered; screen readers read nothing else. */
  get isVisible(): boolean {
    return this.element.checkVisibility?.() ?? true;
  }

  /** Announces what arrives at a source. Returns a function that ends this. */
  listen(source: InboxSource): () => void {
    const all = announcers.get(source) ?? [];
    announcers.set(source, all);
    all.push(this);
    const end = source.onAnnouncement((announcement) => {
      if ((all.find((one) => one.isVisible) ?? all[0]) === this) {
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

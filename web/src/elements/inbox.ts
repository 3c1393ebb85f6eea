import type { Snapshot } from '../client/snapshot.js';
import type { InboxSource } from '../client/source.js';
import base from './base.css?inline';
import { h, setAttribute, setText } from './dom.js';
import { Feed, type Action } from './feed.js';
import { Host } from './host.js';
import css from './inbox.css?inline';
import { messageOf, Notice } from './notice.js';
import { Older, type OlderState } from './older.js';
import { open, press } from './open.js';
import { adopt } from './sheet.js';

const TICK_MS = 30_000;
const REFUSED_MS = 6_000;
const SKELETONS = 5;

/** `<internal-notifications-inbox>`: shows the list. */
export class InternalNotificationsInbox extends Host {
  readonly #title = h('h2', { part: 'title', id: 'title' });
  readonly #count = h('span', { part: 'count' });
  readonly #markAll = h('button', { part: 'mark-all', type: 'button' });
  readonly #banner = new Notice('banner', () => this.#retry());
  readonly #state = new Notice('state', () => this.#retry());
  readonly #skeleton = h('div', { part: 'loading' }, h('span', { class: 'sr' }));
  readonly #feed = new Feed(this.strings, (action) => void this.#act(action));
  readonly #older = new Older(
    () => this.client,
    () => this.render(this.snapshot),
  );
  readonly #foot = h('div', { part: 'foot' });
  readonly #scroller = h('div', { part: 'scroller' });
  readonly #panel = h('div', { part: 'panel' });
  readonly #refused = h('div', { part: 'refused', role: 'status' });
  #tick: ReturnType<typeof setInterval> | undefined;
  #forget: ReturnType<typeof setTimeout> | undefined;
  #listed: unknown;

  constructor() {
    super();
    adopt(this.root, base, css);
    for (let n = 0; n < SKELETONS; n += 1) {
      this.#skeleton.append(h('div', { class: 'bone', 'aria-hidden': 'true' }));
    }
    this.#markAll.addEventListener('click', () => void this.#write(this.client?.markAllOpened()));
    const body = h('div', { class: 'body' }, this.#feed.element, this.#older.element);
    this.#scroller.append(this.#skeleton, this.#state.element, body, this.#foot);
    const header = h('div', { part: 'header' }, this.#title, this.#count, this.#markAll);
    this.#panel.append(header, this.#banner.element, this.#scroller, this.#refused, this.announcer.element);
    this.root.append(this.#panel);
    this.restart();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.#older.watch();
    this.#tick = setInterval(() => this.#feed.tick(), TICK_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#older.unwatch();
    clearInterval(this.#tick);
  }

  /** Focuses the current notification, else the newest, else the message shown instead. */
  override focus(): void {
    if (!this.#feed.focus()) {
      (this.#state.element.hidden ? this.#panel : this.#state.element).focus();
    }
  }

  protected override attached(source: InboxSource): (() => void)[] {
    return [source.onRolledBack(() => this.#showRefused())];
  }

  protected override restart(): void {
    const { strings } = this;
    this.#feed.restart(strings);
    this.#older.restart();
    this.#listed = undefined;
    setText(this.#title, strings.title);
    setText(this.#markAll, strings.markAll);
    setText(this.#skeleton.firstElementChild as Element, strings.loading);
  }

  protected override render(snapshot: Snapshot): void {
    const { strings } = this;
    const { notifications, pending, hasOlder, status, loaded } = snapshot;
    const message = messageOf(snapshot, strings);
    const isEmpty = notifications.length === 0;
    const isLoading = isEmpty && message === null;
    setAttribute(this.#panel, 'data-status', status);
    this.#count.hidden = pending === 0;
    setText(this.#count, pending === 0 ? '' : strings.pending(pending));
    this.#markAll.hidden = pending === 0;
    const retry = status === 'failed' && this.client && 'start' in this.client ? strings.retry : null;
    this.#banner.show(isEmpty ? null : message, retry);
    this.#state.show(isEmpty ? message : null, retry);
    this.#skeleton.hidden = !isLoading;
    this.#feed.element.hidden = isEmpty;
    setAttribute(this.#feed.element, 'aria-busy', String(status === 'catching-up' || this.#older.state === 'loading'));
    if (this.#listed !== notifications) {
      this.#listed = notifications;
      if (this.#feed.show(notifications, hasOlder)) {
        this.focus();
      }
    }
    this.#older.follow(snapshot);
    this.#showFoot(this.#older.state, !isEmpty && loaded, hasOlder);
  }

  #showFoot(older: OlderState, isListed: boolean, hasOlder: boolean): void {
    const { strings } = this;
    const texts: Record<OlderState, string> = {
      idle: '',
      loading: '',
      failed: strings.olderFailed,
      full: strings.olderFull,
    };
    this.#foot.hidden = !isListed;
    setAttribute(this.#foot, 'data-older', hasOlder ? older : 'end');
    const text = hasOlder ? texts[older] : strings.end;
    if (this.#foot.firstChild?.textContent !== text) {
      this.#foot.replaceChildren(h('span', {}, text));
      if (hasOlder && older === 'failed') {
        const again = h('button', { part: 'retry', type: 'button' }, strings.retry);
        again.addEventListener('click', () => this.#older.again());
        this.#foot.append(again);
      }
    }
  }

  async #act({ kind, notification, id, inNewTab }: Action): Promise<void> {
    const source = this.client;
    const ids = [notification.id];
    if (kind === 'button') {
      press(this, notification, id);
    } else if (kind === 'remove') {
      await this.#write(source?.remove(ids));
    } else if (kind === 'toggle') {
      await this.#write(notification.opened ? source?.markUnopened(ids) : source?.markOpened(ids));
    } else {
      const written = notification.opened ? undefined : source?.markOpened(ids);
      await open(this, notification, inNewTab, this.#write(written));
    }
  }

  /** Waits for a write and shows if it failed. Never rejects. */
  async #write(written: Promise<unknown> | undefined): Promise<void> {
    try {
      await written;
    } catch {
      this.#showRefused();
    }
  }

  #showRefused(): void {
    setText(this.#refused, this.strings.refused);
    clearTimeout(this.#forget);
    this.#forget = setTimeout(() => setText(this.#refused, ''), REFUSED_MS);
  }

  #retry(): void {
    const { client } = this;
    if (client && 'start' in client && typeof client.start === 'function') {
      client.start();
    }
  }
}

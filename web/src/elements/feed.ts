import type { InboxNotification } from '../models/notification.js';
import { articleAfter, insert, take } from './chunks.js';
import { h } from './dom.js';
import { Item, type ItemAction } from './item.js';
import { stepOf } from './keyboard.js';
import type { Strings } from './strings.js';
import { Times } from './time.js';

/** An action of the user on one notification. */
export interface Action {
  readonly kind: 'open' | 'toggle' | 'remove' | 'button';
  readonly notification: InboxNotification;
  /** The id of the pressed button. */
  readonly id: string;
  /** Whether to open it in another tab: with the control or command key, or the middle button. */
  readonly inNewTab: boolean;
}

/**
 * The list, following the feed pattern of the ARIA Authoring Practices: focusable articles, one tab
 * stop for the current article and its buttons, and keys that move between articles. The arrow
 * keys, Home and End move too.
 */
export class Feed {
  readonly element = h('div', { part: 'list', role: 'feed', 'aria-labelledby': 'title' });
  readonly #items = new Map<string, Item>();
  readonly #itemOf = new WeakMap<Element, Item>();
  readonly #act: (action: Action) => void;
  #notifications: readonly InboxNotification[] = [];
  #current: string | undefined;
  #strings: Strings;
  #times: Times;

  constructor(strings: Strings, act: (action: Action) => void) {
    this.#strings = strings;
    this.#times = new Times(strings.locale);
    this.#act = act;
    this.element.addEventListener('click', (event) => this.#onClick(event));
    this.element.addEventListener('auxclick', (event) => event.button === 1 && this.#onClick(event));
    this.element.addEventListener('keydown', (event) => this.#onKey(event));
    this.element.addEventListener('focusin', (event) => this.#moveTo(this.#at(event)));
  }

  get isEmpty(): boolean {
    return this.#notifications.length === 0;
  }

  restart(strings: Strings): void {
    this.#strings = strings;
    this.#times = new Times(strings.locale);
    this.#items.clear();
    this.#notifications = [];
    this.element.replaceChildren();
  }

  /**
   * Shows these notifications, newest first. Returns whether the focus was in a notification that
   * is gone, with no other one to move to.
   */
  show(notifications: readonly InboxNotification[], hasOlder: boolean): boolean {
    const isFirst = this.isEmpty;
    const focused = this.#focused();
    const place = focused ? this.#notifications.findIndex(({ id }) => id === focused.notification.id) : -1;
    this.#notifications = notifications;
    this.#drop(new Set(notifications.map(({ id }) => id)));
    let next = this.element.querySelector('article');
    for (const [index, notification] of notifications.entries()) {
      const item = this.#itemFor(notification, isFirst);
      if (item.element === next) {
        next = articleAfter(next);
      } else {
        insert(item.element, next, this.element);
      }
      item.place(index + 1, hasOlder ? -1 : notifications.length);
    }
    if (!this.#items.has(this.#current ?? '')) {
      this.#moveTo(this.#itemAt(Math.max(place, 0)));
    }
    return place >= 0 && !this.#focused() && !this.focus();
  }

  tick(): void {
    const now = Date.now();
    this.#items.forEach((item) => item.tick(now));
  }

  /** Focuses the current notification, or the newest. Returns false if there is none. */
  focus(): boolean {
    const item = this.#items.get(this.#current ?? '');
    item?.element.focus();
    return item !== undefined;
  }

  #itemFor(notification: InboxNotification, isFirst: boolean): Item {
    let item = this.#items.get(notification.id);
    if (item) {
      item.update(notification);
      return item;
    }
    item = new Item(notification, this.#strings, this.#times);
    item.element.classList.toggle('arrived', !isFirst && notification === this.#notifications[0]);
    this.#items.set(notification.id, item);
    this.#itemOf.set(item.element, item);
    return item;
  }

  #drop(kept: ReadonlySet<string>): void {
    for (const [id, item] of this.#items) {
      if (!kept.has(id)) {
        take(item.element);
        this.#items.delete(id);
      }
    }
  }

  #itemAt(index: number): Item | undefined {
    const notification = this.#notifications[Math.min(index, this.#notifications.length - 1)];
    return notification && this.#items.get(notification.id);
  }

  #at(event: Event): Item | undefined {
    const article = event.target instanceof Element ? event.target.closest('article') : null;
    return article ? this.#itemOf.get(article) : undefined;
  }

  #focused(): Item | undefined {
    const root = this.element.getRootNode();
    const active = root instanceof ShadowRoot ? root.activeElement : null;
    const article = active?.closest('article');
    return article ? this.#itemOf.get(article) : undefined;
  }

  #moveTo(item: Item | undefined): void {
    const before = this.#items.get(this.#current ?? '');
    if (item !== before) {
      if (before) {
        before.current = false;
      }
      this.#current = item?.notification.id;
    }
    if (item) {
      item.current = true;
    }
  }

  #onClick(event: MouseEvent): void {
    const item = this.#at(event);
    const pressed = event.target instanceof Element ? event.target.closest('[data-action]') : null;
    const kind = pressed?.getAttribute('data-action') as ItemAction | undefined;
    if (!item || (!pressed && getSelection()?.type === 'Range')) {
      return;
    }
    this.#moveTo(item);
    if (kind === 'more') {
      item.toggleMore();
    } else if (kind !== undefined && event.type !== 'auxclick') {
      this.#perform(item, kind, event, pressed ? item.buttonId(pressed) : undefined);
    } else if (kind === undefined) {
      this.#perform(item, 'open', event);
    }
  }

  #onKey(event: KeyboardEvent): void {
    const item = this.#at(event);
    if (!item || event.defaultPrevented || event.altKey) {
      return;
    }
    const here = this.#notifications.findIndex(({ id }) => id === item.notification.id);
    const to = event.ctrlKey || event.metaKey ? undefined : stepOf(event.key, here, this.#notifications.length);
    const isOnItem = event.target === item.element;
    if (to !== undefined) {
      this.#moveTo(this.#itemAt(to));
      this.focus();
    } else if (isOnItem && (event.key === 'Enter' || event.key === ' ')) {
      this.#perform(item, 'open', event);
    } else if (event.key === 'Delete' || (isOnItem && event.key === 'Backspace')) {
      this.#perform(item, 'remove', event);
    } else {
      return;
    }
    event.preventDefault();
  }

  #perform(item: Item, kind: Action['kind'], event: MouseEvent | KeyboardEvent, id = ''): void {
    const inNewTab = event.ctrlKey || event.metaKey || event.type === 'auxclick';
    this.#act({ kind, notification: item.notification, id, inNewTab });
  }
}

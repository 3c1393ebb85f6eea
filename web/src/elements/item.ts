import type { InboxNotification, NotificationButton } from '../models/notification.js';
import { clip } from './clip.js';
import { h, setAttribute, setText } from './dom.js';
import { icon, type Icon } from './icons.js';
import { safeUrl } from './safeUrl.js';
import type { Strings } from './strings.js';
import type { Times } from './time.js';

const HEADING = 200;
const CONTENT = 240;
const CONTENT_IN_FULL = 20_000;
const BUTTON = 60;
const BUTTONS = 8;
const LINES = 5;

let items = 0;

/** What a button of an item does. */
export type ItemAction = 'toggle' | 'remove' | 'more' | 'button';

/**
 * One notification of the list, as an article. It remembers what it shows, so that an update
 * changes only what differs.
 */
export class Item {
  readonly element: HTMLElement;
  #notification: InboxNotification;
  readonly #strings: Strings;
  readonly #times: Times;
  readonly #state: HTMLElement;
  readonly #heading: HTMLElement;
  readonly #time: HTMLTimeElement;
  readonly #content: HTMLElement;
  readonly #more: HTMLButtonElement;
  readonly #media: HTMLElement;
  readonly #buttons: HTMLElement;
  readonly #toggle: HTMLButtonElement;
  #created = NaN;
  #position = 0;
  #size = 0;
  #current = false;
  #inFull = false;

  constructor(notification: InboxNotification, strings: Strings, times: Times) {
    this.#notification = notification;
    this.#strings = strings;
    this.#times = times;
    const id = `item-${++items}`;
    this.#state = h('span', { class: 'sr', id: `${id}-state` });
    this.#heading = h('div', { part: 'heading', dir: 'auto', id: `${id}-heading` });
    this.#time = h('time', { part: 'time' });
    this.#content = h('div', { part: 'content', dir: 'auto', id: `${id}-content` });
    this.#more = h('button', { part: 'more', type: 'button', 'data-action': 'more' });
    this.#media = h('div', { class: 'media' });
    this.#buttons = h('div', { part: 'buttons' });
    this.#toggle = tool('toggle', 'tick');
    this.element = h(
      'article',
      { part: 'item', tabindex: '-1', 'aria-labelledby': `${id}-state ${id}-heading`, 'aria-describedby': `${id}-content` },
      h('span', { part: 'dot', 'aria-hidden': 'true' }),
      h('div', { class: 'top' }, this.#state, this.#heading, this.#time),
      this.#content,
      this.#more,
      this.#media,
      this.#buttons,
      h('div', { part: 'tools' }, this.#toggle, named(tool('remove', 'cross'), strings.remove)),
    );
    this.#showAll();
    this.#showTabStops();
  }

  get notification(): InboxNotification {
    return this.#notification;
  }

  /** Returns the id of the notification's button that is, or contains, this element. */
  buttonId(element: Element): string | undefined {
    const index = [...this.#buttons.children].findIndex((button) => button.contains(element));
    return this.#notification.buttons[index]?.id;
  }

  update(notification: InboxNotification): void {
    const before = this.#notification;
    if (before === notification) {
      return;
    }
    this.#notification = notification;
    if (JSON.stringify(shown(before)) !== JSON.stringify(shown(notification))) {
      this.#showAll();
      this.#showTabStops();
    }
  }

  /**
   * Sets the place in the feed, from 1, and the feed's size, which is -1 if there are older ones.
   */
  place(position: number, size: number): void {
    if (this.#position !== position) {
      this.#position = position;
      setAttribute(this.element, 'aria-posinset', String(position));
    }
    if (this.#size !== size) {
      this.#size = size;
      setAttribute(this.element, 'aria-setsize', String(size));
    }
  }

  /** Makes the article and its buttons tab stops, or not. */
  set current(current: boolean) {
    if (this.#current !== current) {
      this.#current = current;
      this.#showTabStops();
    }
  }

  tick(now: number): void {
    setText(this.#time, this.#times.relative(this.#created, now));
  }

  /** Shows the whole text, or only its beginning. */
  toggleMore(): void {
    this.#inFull = !this.#inFull;
    this.#showContent();
  }

  #showAll(): void {
    const { heading, created_at, image_url, opened, buttons } = this.#notification;
    this.element.classList.toggle('unopened', !opened);
    setAttribute(this.element, 'part', opened ? 'item' : 'item item-unopened');
    setText(this.#state, opened ? '' : this.#strings.unopened);
    setText(this.#heading, clip(heading ?? '', HEADING));
    this.#created = Date.parse(created_at);
    setAttribute(this.#time, 'datetime', created_at);
    setAttribute(this.#time, 'title', this.#times.full(this.#created));
    this.tick(Date.now());
    this.#showContent();
    this.#showImage(safeUrl(image_url));
    this.#buttons.replaceChildren(...buttons.slice(0, BUTTONS).map(buttonOf));
    this.#toggle.replaceChildren(icon(opened ? 'unread' : 'tick'));
    named(this.#toggle, opened ? this.#strings.markUnopened : this.#strings.markOpened);
  }

  #showContent(): void {
    const { content } = this.#notification;
    const isLong = content.length > CONTENT || clip(content, CONTENT).split('\n').length > LINES;
    setText(this.#content, clip(content, this.#inFull ? CONTENT_IN_FULL : CONTENT));
    this.#content.classList.toggle('clamped', isLong && !this.#inFull);
    this.#more.hidden = !isLong;
    setAttribute(this.#more, 'aria-expanded', String(this.#inFull));
    setText(this.#more, this.#inFull ? this.#strings.less : this.#strings.more);
  }

  #showImage(url: string | null): void {
    const shown = this.#media.querySelector('img');
    if (url === null) {
      shown?.remove();
    } else if (shown?.src !== url) {
      const image = h('img', { part: 'image', alt: '', loading: 'lazy', decoding: 'async', referrerpolicy: 'no-referrer' });
      image.addEventListener('error', () => image.remove(), { once: true });
      image.src = url;
      this.#media.replaceChildren(image);
    }
  }

  #showTabStops(): void {
    const stop = this.#current ? 0 : -1;
    for (const element of [this.element, ...this.element.querySelectorAll('button')]) {
      element.tabIndex = stop;
    }
  }
}

/** Returns everything that an item shows of a notification. */
function shown({ heading, content, created_at, image_url, opened, buttons }: InboxNotification): unknown {
  return [heading, content, created_at, image_url, opened, buttons];
}

function buttonOf(button: NotificationButton): HTMLButtonElement {
  return h('button', { part: 'action', type: 'button', dir: 'auto', 'data-action': 'button' }, clip(button.text, BUTTON));
}

function tool(action: ItemAction, name: Icon): HTMLButtonElement {
  return h('button', { part: 'tool', type: 'button', 'data-action': action }, icon(name));
}

function named(button: HTMLButtonElement, name: string): HTMLButtonElement {
  setAttribute(button, 'aria-label', name);
  setAttribute(button, 'title', name);
  return button;
}

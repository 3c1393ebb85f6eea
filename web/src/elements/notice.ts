import type { Snapshot } from '../client/snapshot.js';
import { clip } from './clip.js';
import { h, setAttribute, setText } from './dom.js';
import { icon, type Icon } from './icons.js';
import type { Strings } from './strings.js';

/** A message above the list, or instead of it if there is nothing to list. */
export interface Message {
  readonly kind: 'empty' | 'idle' | 'offline' | 'failed';
  readonly title: string;
  readonly hint: string;
}

/** Returns the message about an inbox, or null if all is well or it is loading. */
export function messageOf(snapshot: Snapshot, strings: Strings): Message | null {
  const { status, loaded, error, unconfirmed } = snapshot;
  const later = unconfirmed > 0 ? strings.waiting(unconfirmed) : '';
  switch (status) {
    case 'failed':
      return { kind: 'failed', title: strings.failed, hint: clip(error?.title ?? '', 200) };
    case 'offline':
      return { kind: 'offline', title: strings.offline, hint: later || strings.offlineHint };
    case 'paused':
      return { kind: 'offline', title: strings.paused, hint: later || strings.pausedHint };
    case 'idle':
      return { kind: 'idle', title: strings.idle, hint: strings.idleHint };
    default:
      return loaded && snapshot.notifications.length === 0
        ? { kind: 'empty', title: strings.empty, hint: strings.emptyHint }
        : null;
  }
}

const ICONS: Record<Message['kind'], Icon> = { empty: 'tick', idle: 'bell', offline: 'offline', failed: 'alert' };

/** Shows a message with an icon, and a button to try again if that helps. */
export class Notice {
  readonly element: HTMLElement;
  readonly #icon = h('span', { class: 'icon' });
  readonly #title = h('strong', { dir: 'auto' });
  readonly #hint = h('span', { dir: 'auto' });
  readonly #retry = h('button', { part: 'retry', type: 'button' });
  #kind: Message['kind'] | undefined;

  constructor(part: string, retry: () => void) {
    const text = h('div', { class: 'text' }, this.#title, this.#hint);
    this.element = h('div', { part, tabindex: '-1' }, this.#icon, text, this.#retry);
    this.#retry.addEventListener('click', retry);
    this.element.hidden = true;
  }

  show(message: Message | null, retry: string | null): void {
    this.element.hidden = message === null;
    this.#retry.hidden = retry === null;
    setText(this.#retry, retry ?? '');
    setText(this.#title, message?.title ?? '');
    setText(this.#hint, message?.hint ?? '');
    if (message && message.kind !== this.#kind) {
      this.#kind = message.kind;
      setAttribute(this.element, 'data-kind', message.kind);
      this.#icon.replaceChildren(icon(ICONS[message.kind]));
    }
  }
}

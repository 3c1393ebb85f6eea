import type { Snapshot } from '../client/snapshot.js';
import type { InboxSource } from '../client/source.js';
import base from './base.css?inline';
import css from './bell.css?inline';
import { h, setAttribute, setText } from './dom.js';
import { Host } from './host.js';
import { icon } from './icons.js';
import { InternalNotificationsInbox } from './inbox.js';
import { place } from './placement.js';
import { adopt } from './sheet.js';
import type { Strings } from './strings.js';

/**
 * The parts of the inbox that the bell exports. The inbox calls its buttons `action`, since the
 * bell has a part `button`.
 */
const PARTS =
  'panel, header, title, count, mark-all, banner, state, loading, scroller, list, item, item-unopened, dot, heading, time, content, more, image, buttons, action, tools, tool, foot, retry, refused';

/** `<internal-notifications-bell>`: shows how many notifications are unread, and opens the list. */
export class InternalNotificationsBell extends Host {
  readonly #badge = h('span', { part: 'badge', 'aria-hidden': 'true' });
  readonly #button = h('button', { part: 'button', type: 'button', 'aria-haspopup': 'dialog', 'aria-expanded': 'false' });
  readonly #popover = h('div', { part: 'popover', popover: 'auto', role: 'dialog' });
  readonly #place = (): void => place(this.#popover, this.getBoundingClientRect(), this.#isRtl);
  #inbox: InternalNotificationsInbox | undefined;
  #passedStrings: Strings | undefined;
  #before: Snapshot | undefined;

  constructor() {
    super();
    adopt(this.root, base, css);
    const slot = h('slot', { name: 'icon' }, icon('bell'));
    this.#button.append(h('span', { class: 'icon' }, slot), this.#badge);
    this.#button.popoverTargetElement = this.#popover;
    this.#popover.addEventListener('beforetoggle', (event) => event.newState === 'open' && this.#createInbox());
    this.#popover.addEventListener('toggle', () => this.#toggled(this.#popover.matches(':popover-open')));
    this.#popover.addEventListener('focusout', (event) => this.#onFocusOut(event.relatedTarget));
    this.#popover.addEventListener('keydown', (event) => this.#onKey(event));
    this.root.append(this.#button, this.#popover, this.announcer.element);
  }

  /** Opens the list. */
  show(): void {
    this.#popover.showPopover();
  }

  /** Closes the list. */
  hide(): void {
    this.#popover.hidePopover();
  }

  override focus(options?: FocusOptions): void {
    this.#button.focus(options);
  }

  override attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    super.attributeChangedCallback(name, before, after);
    if (name === 'theme') {
      this.#updateInbox();
    }
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#toggled(false);
  }

  protected override attached(_source: InboxSource): (() => void)[] {
    this.#updateInbox();
    return [];
  }

  protected override restart(): void {
    this.#before = undefined;
    this.#updateInbox();
  }

  protected override render(snapshot: Snapshot): void {
    const { strings } = this;
    const { pending, status } = snapshot;
    const name = strings.bell(pending);
    setAttribute(this.#button, 'aria-label', name);
    setAttribute(this.#button, 'title', name);
    setAttribute(this.#button, 'data-status', status);
    setAttribute(this.#popover, 'aria-label', strings.title);
    this.#badge.hidden = pending === 0;
    setText(this.#badge, pending === 0 ? '' : new Intl.NumberFormat(strings.locale).format(pending));
    this.#button.classList.toggle('rang', this.#before?.loaded === true && pending > this.#before.pending);
    this.#before = snapshot;
  }

  get #isRtl(): boolean {
    return getComputedStyle(this).direction === 'rtl';
  }

  /** Creates the list when it is first opened. */
  #createInbox(): void {
    if (!this.#inbox) {
      this.#inbox = new InternalNotificationsInbox();
      this.#inbox.setAttribute('exportparts', PARTS);
      this.#popover.append(this.#inbox);
    }
    this.#updateInbox();
  }

  #updateInbox(): void {
    const inbox = this.#inbox;
    if (inbox) {
      setAttribute(inbox, 'theme', this.getAttribute('theme'));
      if (this.#passedStrings !== this.strings) {
        this.#passedStrings = this.strings;
        inbox.strings = this.strings;
      }
      inbox.client = this.client;
    }
  }

  #toggled(isOpen: boolean): void {
    setAttribute(this.#button, 'aria-expanded', String(isOpen));
    this.#keepInPlace(isOpen);
    if (isOpen) {
      this.#inbox?.focus();
    }
  }

  #keepInPlace(isOpen: boolean): void {
    const follow = isOpen ? addEventListener : removeEventListener;
    follow('resize', this.#place);
    follow('scroll', this.#place, { capture: true });
    if (isOpen) {
      this.#place();
    }
  }

  /** Closes the list on Escape and focuses the bell, wherever in the list the focus was. */
  #onKey(event: KeyboardEvent): void {
    if (event.key === 'Escape' && !event.defaultPrevented) {
      event.preventDefault();
      this.hide();
      this.focus();
    }
  }

  /** Closes the list when the focus leaves it, so that it does not cover the focused element. */
  #onFocusOut(to: EventTarget | null): void {
    if (to instanceof Node && to !== this.#button && to !== this && !this.#popover.contains(to)) {
      this.hide();
    }
  }
}

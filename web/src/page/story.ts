import { h } from '../elements/dom.js';

const STEPS = {
  send: ['Send', 'Write to the other one. It arrives at once.'],
  offline: ['Go offline', 'Switch one side off, and send it some more.'],
  back: ['Come back', 'Switch it on again: what it missed comes at once.'],
  open: ['Open', 'Open one in a second tab. This one follows.'],
} as const;

export type Step = keyof typeof STEPS;

const MOST_LINES = 100;

/** What to try, ticked off as it happens, and a log of it. */
export class Story {
  readonly steps = h('ol', { class: 'steps', 'aria-label': 'What to try' });
  readonly log = h('div', { class: 'log', role: 'log', 'aria-label': 'What happened', tabindex: '0' });
  readonly #items = new Map<string, HTMLElement>();

  constructor() {
    for (const [step, [title, text]] of Object.entries(STEPS)) {
      const item = h('li', {}, h('strong', {}, title), h('span', {}, text));
      this.#items.set(step, item);
      this.steps.append(item);
    }
    this.tell('Nothing has happened yet. Send something.');
  }

  tell(text: string): void {
    const time = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
    this.log.prepend(h('p', {}, h('time', {}, time), h('span', { dir: 'auto' }, text)));
    while (this.log.childElementCount > MOST_LINES) {
      this.log.lastElementChild?.remove();
    }
  }

  done(step: Step): void {
    const item = this.#items.get(step);
    if (item && !item.classList.contains('done')) {
      item.classList.add('done');
      item.append(h('span', { class: 'sr' }, 'Done'));
    }
  }
}

import { h } from '../elements/dom.js';

const STEPS = {
  send: ['Send', 'Write to the other user. It arrives at once.'],
  offline: ['Go offline', 'Switch one side off, and send it something.'],
  back: ['Come back', 'Switch it on again. What it missed arrives at once.'],
  open: ['Open', 'Open a notification in a second tab. This tab follows.'],
} as const;

export type Step = keyof typeof STEPS;

const MOST_LINES = 100;

/** The steps to try, ticked off as they happen, and a log. */
export class Story {
  readonly steps = h('ol', { class: 'steps', 'aria-label': 'What to try' });
  readonly lines = h('div', { class: 'log', role: 'log', 'aria-label': 'What happened', tabindex: '0' });
  readonly #items = new Map<string, HTMLElement>();

  constructor() {
    for (const [step, [title, text]] of Object.entries(STEPS)) {
      const item = h('li', {}, h('strong', {}, title), h('span', {}, text));
      this.#items.set(step, item);
      this.steps.append(item);
    }
    this.log('Nothing has happened yet. Send something.');
  }

  log(text: string): void {
    const time = new Date().toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
    this.lines.prepend(h('p', {}, h('time', {}, time), h('span', { dir: 'auto' }, text)));
    while (this.lines.childElementCount > MOST_LINES) {
      this.lines.lastElementChild?.remove();
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

import { h } from '../elements/dom.js';
import type { Draft } from './push.js';

type Sample = Partial<Omit<Draft, 'to'>>;

const SAMPLES: readonly Sample[] = [
  { heading: 'Lunch', content: 'At noon, in the garden?' },
  { heading: 'Your order is on its way', content: 'It should be with you tomorrow before noon.', image: 'assets/picture.svg' },
  { heading: 'Can you look over this?', content: 'The launch checklist, before Thursday.', button: 'Accept' },
  { heading: 'The build is green', content: 'All 1,204 tests passed.', path: '/builds/1204' },
];

/**
 * Creates the form that pushes a notification. Without `recipients` the recipient is a text field.
 */
export function compose(recipients: readonly string[] | null, send: (draft: Draft) => Promise<void>): HTMLFormElement {
  const to = recipients
    ? h('select', { name: 'to' }, ...recipients.map((user) => h('option', { value: user }, user)))
    : h('input', { name: 'to', required: '', autocomplete: 'off' });
  const problem = h('p', { class: 'problem', role: 'alert' });
  const form = h(
    'form',
    { class: 'compose' },
    h('div', { class: 'fields' }, field('To', to), field('Heading', input('heading'))),
    field('Text', input('content', { required: '' })),
    h(
      'details',
      {},
      h('summary', {}, 'Picture, link, button'),
      field('Picture (URL)', input('image')),
      h('div', { class: 'fields' }, field('Link when opened', input('path')), field('Button', input('button'))),
    ),
    h('div', { class: 'send' }, h('button', { type: 'submit', class: 'primary' }, 'Send'), problem),
  );
  let sample = 0;
  let isSending = false;
  fill(form, SAMPLES[0]!);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (isSending) {
      return;
    }
    isSending = true;
    const draft = Object.fromEntries(new FormData(form)) as unknown as Draft;
    problem.textContent = '';
    send(draft).then(
      () => fill(form, SAMPLES[++sample % SAMPLES.length]!),
      (error: unknown) => (problem.textContent = error instanceof Error ? error.message : 'It could not be sent.'),
    ).finally(() => (isSending = false));
  });
  return form;
}

function fill(form: HTMLFormElement, sample: Sample): void {
  for (const name of ['heading', 'content', 'image', 'path', 'button'] as const) {
    const value = sample[name] ?? '';
    (form.elements.namedItem(name) as HTMLInputElement).value =
      name === 'image' && value ? new URL(value, location.href).pathname : value;
  }
}

export function input(name: string, attributes: Readonly<Record<string, string>> = {}): HTMLInputElement {
  return h('input', { name, autocomplete: 'off', dir: 'auto', ...attributes });
}

export function field(name: string, control: HTMLElement): HTMLLabelElement {
  return h('label', {}, h('span', {}, name), control);
}

// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { InboxError } from '../../src/client/error.js';
import { define } from '../../src/elements/define.js';
import type { InternalNotificationsInbox } from '../../src/elements/inbox.js';
import { FakeSource, notification } from './fakeSource.js';

define();
let inbox: InternalNotificationsInbox;

beforeEach(() => {
  inbox = document.createElement('internal-notifications-inbox');
  document.body.append(inbox);
});

afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

const part = (name: string): HTMLElement[] => [...inbox.shadowRoot!.querySelectorAll<HTMLElement>(`[part~="${name}"]`)];
const headings = (): string[] => part('heading').map((element) => element.textContent ?? '');
const show = (source: FakeSource): FakeSource => {
  inbox.client = source;
  return source;
};

it('shows the newest first, and changes only what differs', () => {
  const [two, one] = [notification(2), notification(1)];
  const source = show(new FakeSource([two, one]));
  const before = part('item');
  source.arrive(notification(3));
  source.set({ notifications: source.snapshot.notifications.map((row) => (row === one ? { ...one, opened: true } : row)) });
  expect(headings()).toEqual(['Heading 3', 'Heading 2', 'Heading 1']);
  expect(part('item').slice(1)).toEqual(before);
  expect(part('item-unopened')).toHaveLength(2);
});

it('follows every change of order', () => {
  const rows = [5, 4, 3, 2, 1].map((added) => notification(added));
  const source = show(new FakeSource(rows));
  for (const order of [[3, 4, 0], [0, 1, 2, 3, 4], [4, 2], [], [1, 0, 3]]) {
    source.set({ notifications: order.map((index) => rows[index]!) });
    expect(headings()).toEqual(order.map((index) => rows[index]!.heading));
  }
});

it('numbers the articles, with an unknown total while there are older ones', () => {
  const source = show(new FakeSource([notification(2), notification(1)], { hasOlder: true }));
  const numbers = (): (string | null)[][] =>
    part('item').map((item) => [item.getAttribute('aria-posinset'), item.getAttribute('aria-setsize')]);
  expect(numbers()).toEqual([['1', '-1'], ['2', '-1']]);
  source.set({ hasOlder: false, notifications: [notification(3), ...source.snapshot.notifications] });
  expect(numbers()).toEqual([['1', '3'], ['2', '3'], ['3', '3']]);
});

it('shows markup as text', () => {
  const markup = '<img src=x onerror=hacked()><script>hacked()</script>';
  show(new FakeSource([notification(1, { heading: markup, content: markup, buttons: [{ id: 'a', text: markup }] })]));
  expect(part('heading')[0]!.textContent).toBe(markup);
  expect(part('content')[0]!.textContent).toBe(markup);
  expect(part('action')[0]!.textContent).toBe(markup);
  expect(inbox.shadowRoot!.querySelector('img, script')).toBeNull();
});

it('a click opens, and dispatches an event with the payload', async () => {
  const payload = { path: '/orders/1', data: { order: 1 }, auth: ['admin'] };
  const source = show(new FakeSource([notification(1, { payload })]));
  const opened = vi.fn((event: HTMLElementEventMap['internal-notification-open']) => event.preventDefault());
  document.body.addEventListener('internal-notification-open', opened, { once: true });
  part('item')[0]!.click();
  expect(source.calls).toEqual(['opened n1']);
  const { detail } = opened.mock.calls[0]![0];
  expect(detail).toMatchObject({ data: payload.data, auth: payload.auth, path: `${location.origin}/orders/1` });
});

it.each(['javascript:alert(1)', '//evil.example', 7, null])('the unsafe path %j becomes null', (path) => {
  show(new FakeSource([notification(1, { payload: { path } })]));
  const opened = vi.fn();
  inbox.addEventListener('internal-notification-open', (event) => opened(event.detail.path));
  part('item')[0]!.click();
  expect(opened).toHaveBeenCalledWith(null);
});

it.each([undefined, null, 'text', 3, ['path']])('a payload %j has no path', (payload) => {
  show(new FakeSource([notification(1, { payload })]));
  const opened = vi.fn();
  inbox.addEventListener('internal-notification-open', (event) => opened(event.detail.path));
  part('item')[0]!.click();
  expect(opened).toHaveBeenCalledWith(null);
});

it('a button dispatches its id, and opens nothing', () => {
  const buttons = [{ id: 'yes', text: 'Yes' }, { id: 'no', text: 'No' }];
  const source = show(new FakeSource([notification(1, { buttons })]));
  const pressed = vi.fn();
  document.body.addEventListener('internal-notification-button', (event) => pressed(event.detail.id), { once: true });
  part('action')[1]!.click();
  expect(pressed).toHaveBeenCalledWith('no');
  expect(source.calls).toEqual([]);
});

it('marks as read and unread, removes, and marks all', () => {
  const source = show(new FakeSource([notification(2), notification(1)]));
  part('tool')[0]!.click();
  expect(part('tool')[0]!.getAttribute('aria-label')).toBe('Mark as unread');
  part('tool')[0]!.click();
  part('tool')[1]!.click();
  part('mark-all')[0]!.click();
  expect(source.calls).toEqual(['opened n2', 'unopened n2', 'removed n2', 'opened all']);
  expect(part('mark-all')[0]!.hidden).toBe(true);
});

it('shows that a write was refused', async () => {
  const source = show(new FakeSource([notification(1)]));
  source.failure = new InboxError('forbidden', 'no');
  part('tool')[1]!.click();
  await vi.waitFor(() => expect(part('refused')[0]!.textContent).toMatch('could not be saved'));
});

it('shows for a while that a write was rolled back', () => {
  vi.useFakeTimers();
  const source = show(new FakeSource([notification(1)]));
  source.rollBack({ command: { kind: 'remove', id: 'n1' }, error: new InboxError('conflict', 'no') });
  expect(part('refused')[0]!.textContent).toMatch('undone');
  vi.advanceTimersByTime(10_000);
  expect(part('refused')[0]!.textContent).toBe('');
});

it('a failed client can be started again', () => {
  const source = show(new FakeSource([], { status: 'failed', loaded: false, error: { title: 'Unauthorized' } }));
  expect(part('state')[0]!.textContent).toMatch('Unauthorized');
  part('state')[0]!.querySelector('button')!.click();
  expect(source.starts).toBe(1);
});

it('cuts a long text, and shows more of it on request, up to a limit', () => {
  show(new FakeSource([notification(1, { content: 'y'.repeat(3_000_000), heading: 'x'.repeat(3_000_000) })]));
  const [content, more] = [part('content')[0]!, part('more')[0]!];
  expect(part('heading')[0]!.textContent!.length).toBeLessThan(250);
  expect(content.textContent!.length).toBeLessThan(300);
  more.click();
  expect(more.getAttribute('aria-expanded')).toBe('true');
  expect(content.textContent!.length).toBeGreaterThan(10_000);
  expect(content.textContent!.length).toBeLessThan(30_000);
});

it('shows images only from safe URLs, lazily, without a referrer, and not broken ones', () => {
  const images = ['https://img.example/a.png', 'javascript:alert(1)', 'data:image/png;base64,AA', '//evil.example/a.png'];
  show(new FakeSource(images.map((image_url, index) => notification(9 - index, { image_url }))));
  const [image, ...others] = part('image') as HTMLImageElement[];
  expect(others).toEqual([]);
  expect(image!.src).toBe('https://img.example/a.png');
  expect([image!.getAttribute('loading'), image!.getAttribute('referrerpolicy')]).toEqual(['lazy', 'no-referrer']);
  image!.dispatchEvent(new Event('error'));
  expect(part('image')).toEqual([]);
});

it('dispatches each arrival once, and sums them up for a screen reader', () => {
  vi.useFakeTimers();
  const source = show(new FakeSource([]));
  const second = document.createElement('internal-notifications-inbox');
  second.client = source;
  document.body.append(second);
  const announced = vi.fn();
  document.body.addEventListener('internal-notification-announce', announced);
  source.arrive(notification(1), notification(2));
  vi.advanceTimersByTime(1_000);
  expect(announced).toHaveBeenCalledTimes(2);
  const said = [inbox, second].map((element) => element.shadowRoot!.querySelector('.sr[role="status"]')!.textContent);
  expect(said).toEqual(['2 new notifications. 2 unread.', '']);
});

it('replaces strings', () => {
  show(new FakeSource([notification(1)]));
  inbox.strings = { locale: 'de', title: 'Mitteilungen', pending: (count) => `${count} ungelesen` };
  expect(part('title')[0]!.textContent).toBe('Mitteilungen');
  expect(part('count')[0]!.textContent).toBe('1 ungelesen');
  expect(headings()).toEqual(['Heading 1']);
});

it('stops listening when it leaves the page, or when its source is replaced', () => {
  const [one, two] = [show(new FakeSource()), new FakeSource([notification(1)])];
  expect(one.listeners).toBe(3);
  show(two);
  expect([one.listeners, two.listeners]).toEqual([0, 3]);
  inbox.remove();
  expect(two.listeners).toBe(0);
  document.body.append(inbox);
  expect(two.listeners).toBe(3);
  expect(headings()).toEqual(['Heading 1']);
});

it('applies what was set before it was defined', () => {
  const late = document.createElement('internal-notifications-late-inbox');
  const source = new FakeSource([notification(1)]);
  Object.assign(late, { client: source });
  document.body.append(late);
  customElements.define('internal-notifications-late-inbox', class extends (inbox.constructor as CustomElementConstructor) {});
  expect(late.shadowRoot?.querySelectorAll('article')).toHaveLength(1);
});

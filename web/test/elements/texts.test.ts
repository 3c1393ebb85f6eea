import { expect, it } from 'vitest';
import { clip } from '../../src/elements/clip.js';
import { stepOf } from '../../src/elements/keyboard.js';
import { messageOf } from '../../src/elements/notice.js';
import { english, plural } from '../../src/elements/strings.js';
import { FakeSource, notification } from './fakeSource.js';

it('never clips half of a surrogate pair', () => {
  expect(clip('ab😀cd', 3)).toBe('ab…');
  expect(clip('ab😀cd', 4)).toBe('ab😀…');
  expect(clip('abc', 3)).toBe('abc');
});

it.each([
  [1, '1 zpráva'],
  [3, '3 zprávy'],
  [5, '5 zpráv'],
  [1_234, '1 234 zpráv'],
])('%d uses the plural form of the language', (count, text) => {
  const forms = { one: '# zpráva', few: '# zprávy', other: '# zpráv' };
  expect(plural('cs', count, forms).replace(/\s/g, ' ')).toBe(text);
});

it('the English texts count', () => {
  expect(english.bell(0)).toBe('Notifications');
  expect(english.bell(12_345)).toBe('Notifications, 12,345 unread');
  expect(english.waiting(1)).toBe('1 change will be saved later.');
  expect(english.arrived(1, 'Lunch', 2)).toBe('New notification: Lunch. 2 unread.');
  expect(english.arrived(3, 'Lunch', 4)).toBe('3 new notifications. 4 unread.');
});

it.each([
  ['ArrowDown', 4, 4],
  ['ArrowDown', 0, 1],
  ['PageDown', 1, 2],
  ['ArrowUp', 0, 0],
  ['PageUp', 2, 1],
  ['Home', 3, 0],
  ['End', 0, 4],
  ['a', 0, undefined],
])('%s moves from %d of 5 to %s', (key, from, to) => {
  expect(stepOf(key, from, 5)).toBe(to);
});

it.each([
  ['connecting', false, [], null],
  ['live', true, [], 'empty'],
  ['live', true, [notification(1)], null],
  ['catching-up', true, [], 'empty'],
  ['offline', false, [], 'offline'],
  ['offline', true, [notification(1)], 'offline'],
  ['paused', true, [], 'offline'],
  ['failed', false, [], 'failed'],
  ['idle', false, [], 'idle'],
] as const)('%s, loaded %s: shows %4$s', (status, loaded, notifications, kind) => {
  const { snapshot } = new FakeSource(notifications, { status, loaded });
  expect(messageOf(snapshot, english)?.kind ?? null).toBe(kind);
});

it('shows how many writes wait while offline, and shortens the reason of a failure', () => {
  expect(messageOf(new FakeSource([], { status: 'offline', unconfirmed: 2 }).snapshot, english)?.hint).toMatch('2 changes');
  const error = { title: 'x'.repeat(1_000_000) };
  expect(messageOf(new FakeSource([], { status: 'failed', error }).snapshot, english)?.hint).toHaveLength(201);
});

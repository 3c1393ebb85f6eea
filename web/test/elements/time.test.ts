import { expect, it } from 'vitest';
import { Times } from '../../src/elements/time.js';

const NOW = Date.UTC(2026, 5, 15, 12);
const MINUTE = 60_000;

it.each([
  [-5 * MINUTE, 'now'],
  [0, 'now'],
  [59_999, 'now'],
  [MINUTE, '1m ago'],
  [59 * MINUTE, '59m ago'],
  [60 * MINUTE, '1h ago'],
  [24 * 60 * MINUTE, 'yesterday'],
  [6 * 24 * 60 * MINUTE, '6d ago'],
  [30 * 24 * 60 * MINUTE, 'May 16'],
  [300 * 24 * 60 * MINUTE, 'Aug 19, 2025'],
])('%d ms ago is %s', (ago, text) => {
  expect(new Times('en').relative(NOW - ago, NOW)).toBe(text);
});

it('formats in other languages', () => {
  expect(new Times('de').relative(NOW - 2 * 24 * 60 * MINUTE, NOW)).toBe('vorgestern');
});

it('formats an invalid time as nothing', () => {
  const times = new Times('en');
  expect([times.relative(NaN, NOW), times.full(NaN)]).toEqual(['', '']);
});

it('the full time has the day and the hour', () => {
  expect(new Times('en').full(Date.UTC(2026, 5, 15, 12))).toMatch(/Monday, June 15, 2026.*\d:00/);
});

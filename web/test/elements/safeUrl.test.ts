import { expect, it } from 'vitest';
import { safeUrl } from '../../src/elements/safeUrl.js';

const ORIGIN = 'https://app.example';

it.each([
  ['https://shop.example/orders/1', 'https://shop.example/orders/1'],
  ['http://127.0.0.1:8080/', 'http://127.0.0.1:8080/'],
  ['HTTPS://Shop.Example', 'https://shop.example/'],
  ['https://[::1]/', 'https://[::1]/'],
  ['https://shop.example/?q=%0A#//x', 'https://shop.example/?q=%0A#//x'],
  ['/', 'https://app.example/'],
  ['/orders/1?tab=2#top', 'https://app.example/orders/1?tab=2#top'],
  ['/a//b', 'https://app.example/a//b'],
  ['/javascript:alert(1)', 'https://app.example/javascript:alert(1)'],
  ['/grüße', 'https://app.example/gr%C3%BC%C3%9Fe'],
])('%s is followed', (text, href) => {
  expect(safeUrl(text, ORIGIN)).toBe(href);
});

it.each([
  '',
  'javascript:alert(1)',
  'JaVaScRiPt:alert(1)',
  'java\nscript:alert(1)',
  'java\tscript:alert(1)',
  '\u0001javascript:alert(1)',
  ' javascript:alert(1)',
  'javascript://%0aalert(1)',
  'javascript:https://shop.example/',
  'data:text/html,<script>alert(1)</script>',
  'data:image/svg+xml,<svg/>',
  'vbscript:msgbox(1)',
  'blob:https://app.example/1',
  'file:///etc/passwd',
  'filesystem:https://app.example/x',
  'about:blank',
  'view-source:https://app.example/',
  'mailto:a@b.example',
  'ftp://shop.example/',
  'ws://shop.example/',
  '//evil.example',
  '///evil.example',
  '/\\evil.example',
  '\\\\evil.example',
  '\\/evil.example',
  '/\t/evil.example',
  '/\n/evil.example',
  '/\r\n/evil.example',
  '/\u0000/evil.example',
  '/ /evil.example',
  '/\u00a0/evil.example',
  '/\u2028/evil.example',
  '/\ufeff/evil.example',
  '/.//evil.example',
  '/..//evil.example',
  '/a/..//evil.example',
  '/%2e%2e//evil.example',
  ' /orders',
  '/orders ',
  'https:/evil.example',
  'https:evil.example',
  'https:///evil.example',
  'https:\\\\evil.example',
  'https://app.example\\@evil.example',
  'https://app.example@evil.example/',
  'https://user:secret@evil.example/',
  'https://',
  'https://?x',
  'http://[',
  'https://exa mple/',
  'https://evil.example/\u202egnp.exe',
  'https://evil\u200b.example/',
  'orders/1',
  '#top',
  '?q=1',
  'https',
  ':',
  `/${'a'.repeat(9_000)}`,
])('%j is refused', (text) => {
  expect(safeUrl(text, ORIGIN)).toBeNull();
});

it.each([undefined, null, 1, true, {}, [], ['https://shop.example/'], { toString: () => 'https://shop.example/' }])(
  '%j is refused, since it is not a text',
  (value) => {
    expect(safeUrl(value, ORIGIN)).toBeNull();
  },
);

it('a path is refused without an origin', () => {
  expect(safeUrl('/orders', 'null')).toBeNull();
});

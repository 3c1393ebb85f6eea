import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ids, repeated, type Raw } from './cases/expand.js';
import { Runner } from './cases/runner.js';

const folder = new URL('../../tests/inbox-cases/', import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith('.json'));

/** The keys that a `then` can have. */
const STATE_KEYS = ['shown', 'pending', 'head', 'low', 'next_query', 'writes'];
const STEP_KEYS = ['events', 'opened_at', 'next_write', 'unreadable'];

it('has cases to read', () => {
  expect(files.length).toBeGreaterThan(0);
});

for (const file of files) {
  const { cases } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { cases: Raw[] };
  describe(file, () => {
    it('has cases with unique names', () => {
      expect(cases.length).toBeGreaterThan(0);
      expect(new Set(cases.map((one) => one['name'])).size).toBe(cases.length);
    });
    for (const one of cases) {
      it(one['name'], () => run(one));
    }
  });
}

function run(one: Raw): void {
  const runner = new Runner(one['window'] ?? 3);
  let state: Raw = { shown: '', pending: 0, head: '0', low: 0, next_query: 'snapshot', writes: '' };
  expect(runner.state()).toEqual(state);
  (one['steps'] as Raw[]).forEach((short, index) => {
    const where = `step ${index + 1}: ${JSON.stringify(short)}`;
    for (const step of repeated(short)) {
      const happened = runner.step(step);
      expect(happened, where).toEqual(step['then']?.events ?? []);
      expect(runner.unreadable, where).toBe(step['then']?.unreadable ?? false);
    }
    const then: Raw = repeated(short).at(-1)?.['then'] ?? {};
    expect(Object.keys(then).filter((key) => ![...STATE_KEYS, ...STEP_KEYS].includes(key))).toEqual([]);
    const mentioned = Object.entries(then).filter(([key]) => STATE_KEYS.includes(key));
    state = { ...state, ...Object.fromEntries(mentioned) };
    const actual = runner.state();
    if (typeof state['writes'] === 'number') {
      actual['writes'] = ids(actual['writes']).length;
    }
    expect(actual, where).toEqual(state);
    if (then['next_write'] !== undefined) {
      expect(runner.nextWrite(), where).toBe(then['next_write']);
    }
    for (const [id, at] of Object.entries(then['opened_at'] ?? {})) {
      expect(runner.openedAt(id), `${where}: ${id}`).toBe(at);
    }
  });
}

import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { beforeAll, expect, it } from 'vitest';

/** The most that our own code may have as it is published, minified and compressed, in bytes. */
const MOST = { client: 12_000, index: 20_000 };

const chunks = new Map<string, Rollup.OutputChunk>();

beforeAll(async () => {
  const [built] = (await build({ configFile: 'vite.config.ts', logLevel: 'error', build: { write: false } })) as Rollup.RollupOutput[];
  for (const file of built?.output ?? []) {
    if (file.type === 'chunk') {
      chunks.set(file.fileName, file);
    }
  }
});

/** A file with all that it imports. */
function filesOf(name: string, found = new Set<string>()): Set<string> {
  const chunk = chunks.get(name);
  if (chunk && !found.has(name)) {
    found.add(name);
    chunk.imports.forEach((other) => filesOf(other, found));
  }
  return found;
}

it.each(Object.entries(MOST))('%s is small', (entry, most) => {
  const code = [...filesOf(`${entry}.js`)].map((name) => chunks.get(name)!.code);
  const size = gzipSync(code.join('')).length;
  console.info(`${entry}: ${size} bytes`);
  expect(size).toBeGreaterThan(1_000);
  expect(size).toBeLessThan(most);
});

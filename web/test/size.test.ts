import { gzipSync } from 'node:zlib';
import { build, type Plugin, type Rollup } from 'vite';
import { expect, it } from 'vitest';

/**
 * The limits of our own code, minified and compressed, in bytes; without and with its style sheets.
 */
const MOST = { client: { code: 13_000, all: 13_000 }, index: { code: 21_000, all: 24_000 } };

const withoutStyles: Plugin = {
  name: 'without styles',
  enforce: 'pre',
  load: (id) => (id.includes('.css') ? ':host{}' : null),
};

/** Returns the size of an entry and its imports, compressed together as an app's bundler would. */
async function sizeOf(entry: string, plugins: Plugin[]): Promise<number> {
  const options = { configFile: 'vite.config.ts', logLevel: 'error', plugins, build: { write: false } } as const;
  const [built] = (await build(options)) as Rollup.RollupOutput[];
  const chunks = new Map((built?.output ?? []).map((file) => [file.fileName, file]));
  const found = new Set<string>();
  const follow = (name: string): string => {
    const chunk = chunks.get(name);
    if (chunk?.type !== 'chunk' || found.has(name)) {
      return '';
    }
    found.add(name);
    return chunk.code + chunk.imports.map(follow).join('');
  };
  return gzipSync(follow(`${entry}.js`)).length;
}

it.each(Object.entries(MOST))('%s is within its limit', async (entry, most) => {
  const [code, all] = [await sizeOf(entry, [withoutStyles]), await sizeOf(entry, [])];
  console.info(`${entry}: ${code} bytes, with styles ${all}`);
  expect(code).toBeGreaterThan(1_000);
  expect(code).toBeLessThan(most.code);
  expect(all).toBeLessThan(most.all);
});

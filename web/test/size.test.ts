import { gzipSync } from 'node:zlib';
import { build, type Rollup } from 'vite';
import { expect, it } from 'vitest';

/** The most that our own code may have, minified and compressed, in bytes. */
const MOST = { client: 12_000, index: 20_000 };

it.each(Object.entries(MOST))('%s is small', async (entry, most) => {
  const outputs = (await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      lib: { entry: `src/${entry}.ts`, formats: ['es'], fileName: entry },
      rolldownOptions: { external: ['pusher-js'], output: { minify: true } },
    },
  })) as Rollup.RollupOutput[];
  const code = outputs.flatMap(({ output }) => output).map((chunk) => ('code' in chunk ? chunk.code : ''));
  const size = gzipSync(code.join('')).length;
  console.info(`${entry}: ${size} bytes`);
  expect(size).toBeGreaterThan(1_000);
  expect(size).toBeLessThan(most);
});

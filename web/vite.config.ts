import { defineConfig } from 'vitest/config';

/** The library: two entries, `pusher-js` left to the one who bundles it. */
export default defineConfig({
  build: {
    target: 'es2022',
    minify: true,
    lib: {
      entry: { index: 'src/index.ts', client: 'src/client.ts' },
      formats: ['es'],
    },
    // Styles are in the scripts; `light-dark()` stays what it is.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // A library's white space is left alone otherwise.
    rolldownOptions: { external: ['pusher-js'], output: { minify: true } },
  },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
  },
});

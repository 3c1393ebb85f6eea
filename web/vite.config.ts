import { defineConfig } from 'vitest/config';

/** The library, with two entries. `pusher-js` stays external, for the app to bundle. */
export default defineConfig({
  build: {
    target: 'es2022',
    minify: true,
    lib: {
      entry: { index: 'src/index.ts', client: 'src/client.ts' },
      formats: ['es'],
    },
    // Keeps `light-dark()` in the styles, which are part of the scripts.
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    // Vite does not remove the white space of a library otherwise.
    rolldownOptions: { external: ['pusher-js'], output: { minify: true } },
  },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
  },
});

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
    rolldownOptions: { external: ['pusher-js'] },
  },
  test: {
    include: ['test/**/*.test.ts'],
    environment: 'node',
  },
});

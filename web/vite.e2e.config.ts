import { defineConfig } from 'vite';

/** The pages of the browser tests: the elements alone, on a source in memory. */
export default defineConfig({
  root: 'e2e/pages',
  base: './',
  build: { outDir: '../../dist-e2e', emptyOutDir: true, modulePreload: { polyfill: false }, rolldownOptions: { input: 'e2e/pages/elements.html' } },
});

import { defineConfig } from 'vite';

/** The server's page, where the server's crate embeds it from: one document, one script with pusher-js in it, one style sheet, no inline anything. */
export default defineConfig({
  root: 'page',
  base: './',
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    outDir: '../../crates/notifications/server/page/dist',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
  },
});

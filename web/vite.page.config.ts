import { defineConfig } from 'vite';

/**
 * The server's page, in the folder that the server's crate embeds: one document, one script
 * including pusher-js, one style sheet, and nothing inline.
 */
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

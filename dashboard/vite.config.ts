import { defineConfig } from 'vite';

// Built into artifacts/, from where src/Cli embeds it; base './' so that a coordinator may serve it below any path.
export default defineConfig({
  base: './',
  build: {
    outDir: '../artifacts/dashboard',
    emptyOutDir: true,
    target: 'es2022',
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: true,
  },
  server: { proxy: { '/v1': 'http://127.0.0.1:5080', '/hubs': { target: 'ws://127.0.0.1:5080', ws: true } } },
});

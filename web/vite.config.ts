import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The studio compares Origin with Host: the browser's Host must reach it.
const studio = { target: process.env['TWOTRACK_URL'] ?? 'http://127.0.0.1:8321', changeOrigin: false };

export default defineConfig({
  plugins: [react()],
  build: {
    outDir: '../src/twotrack/static',
    emptyOutDir: true,
    // The content security policy allows no data: scripts, and small assets are as well fetched.
    assetsInlineLimit: 0,
  },
  // The samples lie beside web/.
  server: { fs: { allow: ['..'] }, proxy: { '/api': studio, '/v1': studio } },
  preview: { proxy: { '/api': studio, '/v1': studio } },
  test: { environment: 'jsdom' },
});

// A portal of its own on a fresh database with demo data; Debian's Chromium, never a downloaded one.
import { defineConfig } from '@playwright/test';
import { resolve } from 'node:path';

const data = resolve(__dirname, '../target/end2end-data');
const portal = resolve(__dirname, '../target/debug/portal');
const port = Number(process.env.END2END_PORT ?? 3999);

export default defineConfig({
  testDir: '.',
  outputDir: 'artifacts/results',
  timeout: 60_000,
  workers: 1,
  maxFailures: process.env.CI ? 0 : 3,
  retries: 0,
  reporter: [['list']],
  globalTeardown: './teardown.ts',
  use: {
    baseURL: `http://127.0.0.1:${port}`,
    locale: 'en-US',
    actionTimeout: 15_000,
    timezoneId: 'America/New_York',
    launchOptions: {
      executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-quic', '--no-first-run',
        '--disable-component-update', '--disable-sync'],
    },
  },
  webServer: {
    command: `${process.env.END2END_KEEP ? 'true' : `sh -c '${portal} db stop; rm -rf ${data}'`}; exec ${portal} serve --demo --listen 127.0.0.1:${port}`,
    env: { PORTAL_DATA_DIR: data, RUST_LOG: 'warn' },
    url: `http://127.0.0.1:${port}/readyz`,
    timeout: 180_000,
    reuseExistingServer: false,
    stdout: 'ignore',
    stderr: 'pipe',
    gracefulShutdown: { signal: 'SIGTERM', timeout: 10_000 },
  },
});

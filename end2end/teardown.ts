// The private PostgreSQL of the browser tests stops with them.
import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';

export default function teardown(): void {
  if (process.env.END2END_KEEP) return;
  const env = { ...process.env, PORTAL_DATA_DIR: resolve(__dirname, '../target/end2end-data') };
  execFileSync(resolve(__dirname, '../target/debug/portal'), ['db', 'stop'], { env, stdio: 'ignore' });
}

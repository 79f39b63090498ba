// What every browser test needs: the demo's logins, signing in, looking at a page.
import AxeBuilder from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';

export interface Login {
  role: 'eis_staff' | 'energy_admin' | 'client_admin' | 'customer_user';
  organization: string | null;
  client: string | null;
  email: string;
  password: string;
  home: string;
  invoice: string | null;
}

const root = resolve(__dirname, '../..');
let logins: Login[] | undefined;

/** The demo's logins, as `portal demo --json` prints them. */
export function demo(): Login[] {
  if (!logins) {
    const env = { ...process.env, PORTAL_DATA_DIR: resolve(root, 'target/end2end-data') };
    logins = JSON.parse(execFileSync(resolve(root, 'target/debug/portal'), ['demo', '--json'], { env, encoding: 'utf8' }));
  }
  return logins as Login[];
}

/** The first login of a role, at a client if one is named. */
export function loginOf(role: Login['role'], client?: string): Login {
  const found = demo().find((l) => l.role === role && l.home !== '/switch' && (!client || l.client === client));
  if (!found) throw new Error(`the demo has no ${role}${client ? ` of ${client}` : ''}`);
  return found;
}

export async function signIn(page: Page, login: Login): Promise<void> {
  await page.goto('/login');
  await page.getByLabel('E-mail address').fill(login.email);
  await page.getByLabel('Password').fill(login.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page).not.toHaveURL(/\/login/);
}

const COLOUR_RULES = ['color-contrast', 'link-in-text-block'];

/** Zero axe violations (WCAG 2.2 AA and best practices), light and dark; a screenshot, of both with SHOTS=all. */
export async function look(page: Page, name: string): Promise<void> {
  const shots = resolve(root, 'end2end/artifacts/screenshots');
  mkdirSync(shots, { recursive: true });
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    // Every rule in light; in dark again those that look at colours. Legacy: no page of its own, as there are no frames.
    const axe = new AxeBuilder({ page }).setLegacyMode(true);
    const { violations } = await (scheme === 'light' ? axe : axe.withRules(COLOUR_RULES)).analyze();
    const told = violations.map((v) => `${v.id}: ${v.help} — ${v.nodes.slice(0, 3).map((n) => n.html).join(' | ')}`);
    expect(told, `${name} (${scheme}) ${page.url()}`).toEqual([]);
    if (scheme === 'light' || process.env.SHOTS === 'all') await page.screenshot({ path: resolve(shots, `${name}-${scheme}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

export const test = base;
export { expect };

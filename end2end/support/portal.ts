// What every browser test needs: the demo's logins, signing in, looking at a page.
import { source as SOURCE, type Result } from 'axe-core';
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

/** Everything that is folded away in a page's content is looked at, too; `undo` folds it again. */
async function unfold(page: Page, undo = false): Promise<void> {
  await page.evaluate((fold) => {
    // The header that stays in view would lie over what is scrolled beneath it.
    window.scrollTo(0, 0);
    document.querySelectorAll<HTMLDetailsElement>('main details').forEach((one) => {
      if (fold && one.dataset.opened) { one.open = false; delete one.dataset.opened; }
      else if (!fold && !one.open) { one.open = true; one.dataset.opened = 'look'; }
    });
    // The shades at a table's edges are a background image, before which axe gives up on contrast.
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(fold ? '' : '.table-scroll { background: none !important; }');
    document.adoptedStyleSheets = fold ? [] : [sheet];
  }, undo);
}

/** What axe's rules find wrong: all that are on by default, and the size of targets, which WCAG 2.2 asks for. */
async function faults(page: Page): Promise<Result[]> {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(SOURCE);
  return page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run: (options: object) => Promise<{ violations: Result[] }> } };
    const rules = { 'target-size': { enabled: true } };
    return (await axe.run({ resultTypes: ['violations'], preload: false, rules })).violations;
  });
}

/** Zero axe violations of any rule, in light and in dark, with everything unfolded; a screenshot, with SHOTS=all of both, wide and narrow. */
export async function look(page: Page, name: string): Promise<void> {
  // What a page may not show stands as this sign; none of the demo's texts has it.
  expect(await page.locator('body').innerText(), `${name}: a sign that is not shown`).not.toContain('\uFFFD');
  const shots = resolve(root, 'end2end/artifacts/screenshots');
  mkdirSync(shots, { recursive: true });
  for (const scheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme: scheme });
    const all = process.env.SHOTS === 'all';
    if (scheme === 'light' || all) await page.screenshot({ path: resolve(shots, `${name}-${scheme}.png`), fullPage: true });
    if (all) {
      const wide = page.viewportSize();
      await page.setViewportSize({ width: 390, height: 844 });
      await page.screenshot({ path: resolve(shots, `${name}-${scheme}-narrow.png`), fullPage: true });
      if (wide) await page.setViewportSize(wide);
    }
    await unfold(page);
    const violations = await faults(page);
    await unfold(page, true);
    const told = violations.map((v) => `${v.id}: ${v.help} — ${v.nodes.slice(0, 3).map((n) => n.html).join(' | ')}`);
    expect(told, `${name} (${scheme}) ${page.url()}`).toEqual([]);
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

export const test = base;
export { expect };

// Every role: its home, every page that it can reach by links, no axe violation in either theme, no dead link.
import { demo, expect, loginOf, look, signIn, test, type Login } from './support/portal';
import type { Page } from '@playwright/test';

const ROLES: Login['role'][] = ['client_admin', 'energy_admin', 'customer_user', 'eis_staff'];
const LIMIT = 45;

/** A page's kind: its path with ids left out and, of its query, the step of usage alone; one of each kind is looked at. */
function kind(address: string): string {
  const { pathname, searchParams } = new URL(address, 'http://portal');
  const by = searchParams.get('by');
  return pathname.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, '*') + (by ? `-by-${by}` : '');
}

const isFile = (path: string): boolean => kind(path).includes('.csv');

async function links(page: Page): Promise<string[]> {
  const hrefs = await page.locator('a[href^="/"]').evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? ''));
  return [...new Set(hrefs)].filter((href) => !href.startsWith('/assets'));
}

for (const role of ROLES) {
  test(`${role} reaches every page of the role and each is accessible`, async ({ page }) => {
    test.setTimeout(300_000);
    const login = loginOf(role);
    await signIn(page, login);
    if (role === 'eis_staff') {
      await expect(page).toHaveURL(/\/staff\/organizations/);
      await look(page, 'eis_staff-organizations');
      await page.getByRole('button', { name: /Open/ }).first().click();
    }
    const seen = new Set<string>();
    const queue = ['/', login.home, ...(login.invoice ? [login.invoice] : [])];
    while (queue.length > 0 && seen.size < LIMIT) {
      const path = queue.shift() as string;
      if (seen.has(kind(path))) continue;
      seen.add(kind(path));
      if (isFile(path)) {
        expect((await page.request.get(path)).status(), path).toBe(200);
        continue;
      }
      const answer = await page.goto(path);
      expect(answer?.status(), path).toBe(200);
      const landed = kind(page.url());
      if (landed !== kind(path) && seen.has(landed)) continue;
      seen.add(landed);
      await expect(page.locator('h1')).toHaveCount(1);
      await look(page, `${role}${landed.replace(/[/*]+/g, '-')}`);
      await page.setViewportSize({ width: 320, height: 800 });
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      expect(wide, `${path} at 320 px`).toBeLessThanOrEqual(320);
      await page.setViewportSize({ width: 1280, height: 720 });
      queue.push(...(await links(page)));
    }
    expect(seen.size).toBeGreaterThan(3);
  });
}

test('signed out, every start leads to sign-in, and sign-in is accessible', async ({ page }) => {
  for (const login of demo().slice(0, 4)) {
    await page.goto(login.home);
    await expect(page).toHaveURL(/\/login/);
  }
  await look(page, 'login');
});

test('a wrong password keeps the address typed and says so', async ({ page }) => {
  await page.goto('/login');
  await page.getByLabel('E-mail address').fill('nobody@example.com');
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('alert')).toContainText('wrong');
  await expect(page.getByLabel('E-mail address')).toHaveValue('nobody@example.com');
  await look(page, 'login-wrong');
});

test('403 and 404 help', async ({ page }) => {
  await signIn(page, loginOf('customer_user'));
  for (const [path, status] of [['/organization', 403], ['/nothing/here', 404]] as const) {
    const answer = await page.goto(path);
    expect(answer?.status()).toBe(status);
    await expect(page.getByRole('link', { name: /start page/ })).toBeVisible();
    await look(page, `status-${status}`);
  }
});

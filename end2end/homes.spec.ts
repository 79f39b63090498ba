// Every role: every page that the router has for it, no axe violation in either theme, no dead link, nothing wider than 320 px.
import { demo, expect, loginOf, look, signIn, test, type Login } from './support/portal';
import { ROUTES, routed, routeOf } from './support/routes';
import { totp } from './support/totp';
import type { Page } from '@playwright/test';

const ROLES: Login['role'][] = ['client_admin', 'energy_admin', 'customer_user', 'eis_staff'];
/** Files and answers for machines: fetched, not looked at. */
const isFile = (path: string): boolean => /\.\w+$/.test(path) || path.endsWith('z');
/** Pages that look different by a choice in the address. */
const VARIANTS: Record<string, string[]> = {
  '/clients/{client}/tariffs/new': ['?kind=flat', '?kind=tiered', '?kind=time_of_use'],
  '/account/usage': ['?by=day', '?by=hour'],
};

async function links(page: Page): Promise<string[]> {
  const hrefs = await page.locator('a[href^="/"]').evaluateAll((all) => all.map((a) => a.getAttribute('href') ?? ''));
  return [...new Set(hrefs)].filter((href) => !href.startsWith('/assets'));
}

async function visit(page: Page, address: string, name: string): Promise<string[]> {
  const answer = await page.goto(address);
  expect(answer?.status(), address).toBe(200);
  await expect(page.locator('h1')).toHaveCount(1);
  const found = await links(page);
  await look(page, name);
  await page.setViewportSize({ width: 320, height: 800 });
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide, `${address} at 320 px`).toBeLessThanOrEqual(320);
  await page.setViewportSize({ width: 1280, height: 720 });
  return found;
}

test('the list of pages is the router\'s', () => {
  const known = ROUTES.map((route) => route.path);
  expect(routed().filter((path) => !known.includes(path))).toEqual([]);
  expect(routed().length).toBeGreaterThan(40);
});

for (const role of ROLES) {
  test(`${role} opens every page of the role and each is accessible`, async ({ page }) => {
    test.setTimeout(300_000);
    const login = loginOf(role);
    await signIn(page, login);
    if (role === 'eis_staff') await page.getByRole('button', { name: /Open/ }).first().click();
    const missing = new Map(ROUTES.filter((r) => !r.public && r.roles.includes(role)).map((r) => [r.path, r]));
    // One address of each route is looked at; the others are read for links only if a route was not met.
    const queue = ['/', '/profile', '/switch', login.home, ...(login.invoice ? [login.invoice] : [])];
    const spare: string[] = [];
    const known = new Set<string>();
    const client = (): string => [...known, ...queue].join().match(/\/clients\/([0-9a-f-]{36})/)?.[1] ?? '';
    const add = (hrefs: string[]): void => hrefs.forEach((href) => known.has(href) || (known.add(href), queue.push(href)));
    for (;;) {
      const address = queue.shift();
      if (address === undefined) {
        // Not linked, and its address needs a client alone: staff and energy admins have such pages in the organization's log and list.
        const at = client();
        const next = [...missing.keys()].map((path) => path.replace('{client}', at)).find((path) => at && !path.includes('{') && !known.has(path));
        if (next) add([next]);
        else if (missing.size > 0 && spare.length > 0) add(await read(page, spare.shift() as string));
        else break;
        continue;
      }
      const route = routeOf(address);
      expect(route, `${address} is linked, and no route answers it`).toBeDefined();
      const path = route?.path as string;
      if (!missing.delete(path)) {
        if (!isFile(path)) spare.push(address);
        continue;
      }
      if (path === '/') continue;
      if (isFile(path)) {
        expect((await page.request.get(address)).status(), address).toBe(200);
        continue;
      }
      const name = `${role}${path.replace(/[/{}]+/g, '-').replace(/-$/, '')}`;
      add(await visit(page, address, name));
      for (const variant of VARIANTS[path] ?? []) await visit(page, `${address.split('?')[0]}${variant}`, `${name}${variant.replace(/[?=]/g, '-')}`);
    }
    expect([...missing.keys()], `pages of ${role} that were not met`).toEqual([]);
  });
}

/** The links of a page that is not looked at. */
async function read(page: Page, address: string): Promise<string[]> {
  const text = await (await page.request.get(address)).text();
  return [...text.matchAll(/href="(\/[^"]*)"/g)].map((m) => (m[1] as string).replaceAll('&amp;', '&')).filter((href) => !href.startsWith('/assets'));
}

test('pages for everybody: sign-in, a code, an invitation, what machines ask for', async ({ page, browser }) => {
  test.setTimeout(120_000);
  const missing = new Set(ROUTES.filter((route) => route.public).map((route) => route.path));
  for (const path of [...missing].filter(isFile)) {
    expect((await page.request.get(path)).status(), path).toBe(200);
    missing.delete(path);
  }
  await page.goto('/login');
  await look(page, 'login');
  missing.delete('/login');
  await page.goto(`/reset/${'ab'.repeat(32)}`);
  await look(page, 'reset-over');
  missing.delete('/reset/{token}');

  await signIn(page, loginOf('client_admin'));
  await page.goto(`${loginOf('client_admin').home}/users/invite`);
  await page.getByRole('button', { name: 'Make the link' }).click();
  await look(page, 'invite-wrong');
  await page.getByLabel('Name').fill('Somebody Invited');
  await page.getByLabel('E-mail address').fill('somebody.invited@mail.example');
  await page.getByLabel('Account number').fill('HL-100254');
  await page.getByRole('button', { name: 'Make the link' }).click();
  await look(page, 'invited');
  const link = (await page.locator('main').innerText()).match(/\/invitation\/\w+/)?.[0] ?? '';
  const guest = await (await browser.newContext()).newPage();
  await guest.goto(link);
  await expect(guest.getByRole('heading', { level: 1 })).toContainText('See your account');
  await look(guest, 'invitation');
  missing.delete('/invitation/{token}');
  await guest.context().close();

  // The code after the password: set up, signed in with, turned off with a code on paper.
  const careful = demo().filter((l) => l.role === 'energy_admin').at(-1) as Login;
  const own = await (await browser.newContext()).newPage();
  await signIn(own, careful);
  await own.goto('/profile/second-factor');
  await own.getByLabel('Password').fill(careful.password);
  await own.getByRole('button', { name: 'Set up' }).click();
  await look(own, 'second-factor-begun');
  const key = await own.locator('main code').first().innerText();
  const first = totp(key);
  await own.getByRole('textbox', { name: 'Code' }).fill(first);
  await own.getByLabel('Password').fill(careful.password);
  await own.getByRole('button', { name: 'Turn on' }).click();
  await look(own, 'second-factor-on');
  const paper = await own.locator('.codes code').first().innerText();
  const again = await (await browser.newContext()).newPage();
  await again.goto('/login');
  await again.getByLabel('E-mail address').fill(careful.email);
  await again.getByLabel('Password').fill(careful.password);
  await again.getByRole('button', { name: 'Sign in' }).click();
  await expect(again).toHaveURL(/\/login\/code/);
  await look(again, 'login-code');
  missing.delete('/login/code');
  // The same one again, whatever the clock says by now.
  await again.getByRole('textbox', { name: 'Code' }).fill(first);
  await again.getByRole('button', { name: 'Sign in' }).click();
  await expect(again.getByRole('alert')).toContainText('used already');
  await look(again, 'login-code-wrong');
  await again.getByRole('textbox', { name: 'Code' }).fill(totp(key, 1));
  await again.getByRole('button', { name: 'Sign in' }).click();
  await expect(again).not.toHaveURL(/\/login/);
  const off = own.locator('form[action="/api/end_second_factor"]');
  await off.getByLabel('Password').fill(careful.password);
  await off.getByRole('textbox', { name: 'Code' }).fill(paper);
  await off.getByRole('button', { name: 'Turn off' }).click();
  await expect(own.locator('main')).toContainText('The second factor is off.');
  await own.context().close();
  await again.context().close();
  expect([...missing]).toEqual([]);
});

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

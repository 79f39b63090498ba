// EIS staff switch organisations; a form of another tab never writes into the one opened meanwhile.
import { demo, expect, loginOf, signIn, test } from '../support/portal';

test('staff open one organisation after another, and the header says which', async ({ page }) => {
  await signIn(page, loginOf('eis_staff'));
  const names = [...new Set(demo().map((l) => l.organization).filter((n): n is string => n !== null))];
  for (const name of names) {
    await page.goto('/staff/organizations');
    await page.getByRole('row', { name: new RegExp(name) }).getByRole('button', { name: /Open/ }).click();
    await expect(page.locator('header.bar')).toContainText(name);
    await expect(page.getByRole('region', { name: 'EIS staff' })).toContainText(name);
  }
});

test('a form opened under one organisation is refused once another is open, and what was typed is kept', async ({ context, page }) => {
  const login = demo().find((l) => l.home === '/switch');
  if (!login) throw new Error('the demo has nobody with several roles');
  await signIn(page, login);
  const choose = async (p: typeof page, nth: number): Promise<void> => {
    await p.goto('/switch');
    await p.locator('.switcher button[type=submit]').filter({ hasText: 'Client admin' }).nth(nth).click();
    await expect(p.locator('header.bar')).not.toContainText('No organisation');
  };
  await choose(page, 0);
  await page.getByRole('link', { name: 'Customers' }).click();
  await page.getByRole('link', { name: 'New customer' }).first().click();
  await page.getByLabel('Account number').fill('TAB-1');
  await page.getByLabel('Name', { exact: true }).fill('Typed In The First Tab');
  await page.getByLabel('Service address').fill('1 Tab Street');
  const second = await context.newPage();
  await choose(second, 1);
  const answer = page.waitForResponse((r) => r.url().includes('/api/create_customer'));
  await page.getByRole('button', { name: 'Create customer' }).click();
  expect((await answer).status()).toBe(409);
  await expect(page.getByRole('heading', { level: 1 })).toContainText('Another organisation is open');
  await expect(page.locator('main')).toContainText('Typed In The First Tab');
  await second.goto('/');
  await second.getByRole('link', { name: 'Customers' }).click();
  await second.getByLabel('Name, account or address').fill('Typed In The First Tab');
  await second.getByRole('button', { name: 'Search' }).click();
  await expect(second.locator('main')).toContainText('No customer matches');
});

test('somebody with several roles and none chosen is led to choosing one', async ({ page }) => {
  const login = demo().find((l) => l.home === '/switch');
  if (!login) throw new Error('the demo has nobody with several roles');
  await signIn(page, login);
  for (const path of ['/organization', loginOf('client_admin').home, '/account']) {
    await page.goto(path);
    await expect(page).toHaveURL(/\/switch$/);
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Choose what to open');
  }
});

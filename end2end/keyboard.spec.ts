// By keyboard alone: the way past the header, a form in the order it is read, switching, the panels; focus is always seen.
import { expect, loginOf, look, signIn, test } from './support/portal';
import type { Page } from '@playwright/test';

/** What has the focus: its name, or its label's text; fails when its outline cannot be seen. */
async function tab(page: Page): Promise<string> {
  await page.keyboard.press('Tab');
  const { name, seen } = await page.evaluate(() => {
    const one = document.activeElement as HTMLElement;
    const label = (one as HTMLInputElement).labels?.[0]?.innerText ?? one.innerText ?? '';
    const style = getComputedStyle(one);
    const date = (one as HTMLInputElement).type === 'date';
    return { name: label.split('\n')[0]?.trim() ?? '', seen: date || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2) };
  });
  expect(seen, `the focus on “${name}” is seen`).toBe(true);
  return name;
}

test('the first stop leads past the header to the content', async ({ page }) => {
  await signIn(page, loginOf('client_admin'));
  expect(await tab(page)).toBe('Skip to content');
  await page.keyboard.press('Enter');
  await expect(page.locator('main')).toBeFocused();
});

test('a form is filled in and its errors are reached without a mouse', async ({ page }) => {
  const admin = loginOf('client_admin');
  await signIn(page, admin);
  await page.goto(`${admin.home}/customers/new`);
  await page.locator('main').focus();
  const stops = new Set<string>();
  for (let i = 0; i < 20 && !stops.has('Create customer'); i += 1) stops.add(await tab(page));
  expect([...stops].map((stop) => stop.replace(' (optional)', ''))).toEqual(['Customers', 'Account number', 'Kind', 'Name', 'E-mail address', 'Phone',
    'Tax number', 'Service point that is there', 'Or a new service address', 'Billing address', 'First day supplied', 'First day no longer supplied', 'Create customer']);
  await page.getByLabel('E-mail address').fill('not an address');
  await page.locator('main form').evaluate((form: HTMLFormElement) => { form.noValidate = true; });
  await page.getByRole('button', { name: 'Create customer' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toBeFocused();
  await expect(page.getByLabel('E-mail address')).toHaveValue('not an address');
  await look(page, 'form-wrong');
  await tab(page);
  await page.keyboard.press('Enter');
  await expect(page.getByLabel('Account number')).toBeFocused();
});

test('staff without an organisation are led to the list, and switch by two keys', async ({ page }) => {
  await signIn(page, loginOf('eis_staff'));
  for (const path of ['/organization', '/organization/audit', loginOf('client_admin').home]) {
    await page.goto(path);
    await expect(page).toHaveURL(/\/staff\/organizations$/);
  }
  await page.getByRole('row', { name: /Northwind/ }).getByRole('button', { name: /Open/ }).press('Enter');
  await expect(page).toHaveURL(/\/organization$/);
  await page.keyboard.press('o');
  await expect(page.getByRole('dialog')).toBeVisible();
  await expect(page.getByPlaceholder('Switch to…')).toBeFocused();
  await look(page, 'switch-dialog');
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await page.locator('.account summary').press('Enter');
  await expect(page.getByRole('link', { name: 'Profile and security' })).toBeVisible();
  await look(page, 'account-menu');
});

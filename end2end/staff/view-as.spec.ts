// Staff see what a customer sees, reading only, under a bar that says so on every page; it is on record.
import { expect, loginOf, look, signIn, test } from '../support/portal';

test('staff see as a customer and stop; the organisation reads it', async ({ page }) => {
  await signIn(page, loginOf('eis_staff'));
  await page.goto('/staff/organizations');
  const admin = loginOf('energy_admin');
  await page.getByRole('row', { name: new RegExp(admin.organization ?? '') }).getByRole('button', { name: /Open/ }).click();
  await page.locator('main table tbody a').first().click();
  await page.getByRole('link', { name: 'Customers', exact: true }).click();
  await page.locator('tbody th a').first().click();
  const name = await page.getByRole('heading', { level: 1 }).innerText();
  const customer = page.url();
  await page.getByRole('button', { name: 'See as this customer' }).click();
  await expect(page).toHaveURL(/\/account$/);
  const bar = page.getByRole('region', { name: 'Seeing as a customer' });
  for (const path of ['/account', '/account/invoices', '/account/usage']) {
    await page.goto(path);
    await expect(bar).toContainText(`You see what ${name} sees, reading only.`);
    await look(page, `view-as${path.replaceAll('/', '-')}`);
  }
  expect((await page.goto('/organization'))?.status()).toBe(403);
  await page.goto('/account');
  await page.setViewportSize({ width: 320, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  await bar.getByRole('button', { name: 'Stop' }).click();
  await expect(page).toHaveURL(customer);
  await expect(bar).toHaveCount(0);
  await page.setViewportSize({ width: 1280, height: 720 });
  await page.goto('/organization/audit?action=view_as');
  await expect(page.locator('tbody tr').first()).toContainText(`Sees the portal as ${name}`);
});

// EIS staff read; to change something they say why and for how long, and the organisation reads it.
import { expect, loginOf, signIn, test } from '../support/portal';

test('staff step up with a reason, see that they may write, and stop; the organisation reads it', async ({ page, browser }) => {
  await signIn(page, loginOf('eis_staff'));
  await page.goto('/staff/organizations');
  const admin = loginOf('energy_admin');
  await page.getByRole('row', { name: new RegExp(admin.organization ?? '') }).getByRole('button', { name: /Open/ }).click();
  const banner = page.getByRole('region', { name: 'EIS staff' });
  await expect(banner).toContainText('Reading only');
  await banner.getByRole('link', { name: 'Make changes…' }).click();
  await page.getByLabel('Why').fill('short');
  await page.getByRole('button', { name: 'Allow changes' }).click();
  await expect(page.getByRole('alert')).toContainText('10 letters');
  await expect(page.getByLabel('Why')).toHaveValue('short');
  await page.getByLabel('Why').fill('Ticket 4711: the tax number was mistyped');
  await page.getByRole('button', { name: 'Allow changes' }).click();
  await expect(banner).toContainText('Changes allowed');
  await page.goto('/organization/clients/new');
  await expect(page.getByRole('heading', { level: 1 })).toBeVisible();
  await banner.getByRole('link', { name: 'Stop…' }).click();
  await page.getByRole('button', { name: 'Read only again' }).click();
  await expect(banner).toContainText('Reading only');
  expect((await page.goto('/organization/clients/new'))?.status()).toBe(403);
  const theirs = await (await browser.newContext()).newPage();
  await signIn(theirs, admin);
  await theirs.goto('/organization/audit');
  await expect(theirs.locator('main')).toContainText('Ticket 4711: the tax number was mistyped');
});

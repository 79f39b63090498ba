// A customer without a tariff and a meter is counted on the overview, found from there, and gone once it has a meter.
import { expect, loginOf, signIn, test } from '../support/portal';

test('a new customer is found among those without a tariff and those without a meter', async ({ page }) => {
  const admin = loginOf('client_admin');
  await signIn(page, admin);
  await page.goto(`${admin.home}/customers/new`);
  await page.getByLabel('Account number').fill('LACKS-1');
  await page.getByLabel('Name', { exact: true }).fill('Nothing Yet');
  await page.getByLabel('Service address').fill('1 Bare Street');
  await page.getByRole('button', { name: 'Create customer' }).click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Nothing Yet');

  for (const [key, choice] of [['Without a tariff', 'tariff'], ['Without a meter', 'meter']] as const) {
    await page.goto(admin.home);
    await page.locator('.summary > div', { hasText: key }).getByRole('link').click();
    await expect(page.getByLabel('Without')).toHaveValue(choice);
    await expect(page.getByRole('row', { name: /LACKS-1/ })).toBeVisible();
    await expect(page.getByRole('table', { name: 'Customers' }).getByRole('row')).toHaveCount(2);
  }
  await page.getByRole('link', { name: 'LACKS-1' }).click();
  await page.getByRole('link', { name: 'Add meter' }).first().click();
  await page.getByLabel(/Serial/).fill('LACKS-METER');
  await page.getByRole('button', { name: /meter/i }).click();
  // The page that follows, before the next is asked for: that would take the form's post back.
  await expect(page.getByText('Meter LACKS-METER added.')).toBeVisible();
  await page.goto(`${admin.home}/customers?lacks=meter`);
  await expect(page.getByRole('row', { name: /LACKS-1/ })).toHaveCount(0);
});

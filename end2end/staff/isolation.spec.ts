// The isolation report: run from the page, and what it found.
import { expect, loginOf, look, signIn, test } from '../support/portal';

test('an admin runs the test of isolation and reads that it holds', async ({ page }) => {
  await signIn(page, loginOf('energy_admin'));
  await page.goto('/organization/isolation');
  await page.getByRole('button', { name: 'Run the test now' }).click();
  await expect(page.getByText('Isolation holds.')).toBeVisible();
  await expect(page.locator('main')).toContainText('public.invoices');
  await look(page, 'isolation-report');
  await page.getByRole('button', { name: 'Run the test now' }).click();
  await expect(page.getByRole('alert')).toContainText('ran just now');
});

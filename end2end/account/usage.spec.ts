// Usage is stacked by time-of-use period as the bills divided it, and every bar is in the table beneath.
import { demo, expect, look, signIn, test } from '../support/portal';

test('a customer on a time-of-use tariff sees usage by period', async ({ page }) => {
  const elena = demo().find((login) => login.email.startsWith('elena.washington'));
  if (!elena) throw new Error('the demo has no customer on a time-of-use tariff');
  await signIn(page, elena);
  await page.goto('/account/usage');
  for (const period of ['On-peak', 'Mid-peak', 'Off-peak']) await expect(page.locator('.legend')).toContainText(period);
  await page.getByText('Show as a table').click();
  const figures = await page.getByRole('table', { name: 'Usage by month' }).locator('tbody tr').first().locator('td').allInnerTexts();
  const values = figures.map((text) => Number(text.replaceAll(',', '')));
  const total = values.pop() as number;
  expect(values.filter((value) => value > 0).length).toBeGreaterThan(2);
  expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(total, 3);
  await look(page, 'usage-by-period');
  await page.getByRole('link', { name: 'By day' }).click();
  await expect(page.getByRole('figure').first()).toBeVisible();
});

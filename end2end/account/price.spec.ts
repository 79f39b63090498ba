// How a customer's price works, in words and a picture; and the own past year under the tariffs on offer.
import { demo, expect, look, signIn, test, type Login } from '../support/portal';
import type { Page } from '@playwright/test';

function person(email: string): Login {
  const found = demo().find((login) => login.email.startsWith(email));
  if (!found) throw new Error(`the demo has no ${email}`);
  return found;
}

test('a time-of-use tariff is told in words and shown as a week for each season', async ({ page }) => {
  await signIn(page, person('elena.washington'));
  await page.getByRole('link', { name: 'Your price' }).click();
  await expect(page.getByRole('heading', { name: 'How your price works' })).toBeVisible();
  await expect(page.getByText(/^Now: (On|Mid|Off)-peak until/)).toBeVisible();
  await expect(page.getByRole('img', { name: /^Summer/ })).toBeVisible();
  await expect(page.getByRole('img', { name: /^Winter/ })).toBeVisible();
  await expect(page.getByText('Holidays count like Saturday and Sunday.')).toBeVisible();
  // The drawing, its table and the words say the same hours.
  const summer = page.locator('figure', { hasText: 'Summer,' });
  await summer.getByText('Show as a table').click();
  const monday = summer.getByRole('row', { name: /^Monday/ });
  await expect(monday).toContainText('14:00–19:00');
  await expect(page.locator('.told .summary > div', { hasText: 'Summer, On-peak' })).toContainText('Monday to Friday 14:00–19:00');
  await look(page, 'price-time-of-use');
  // Her client lets nobody compare: no way there, and the address is absent.
  await expect(page.getByRole('link', { name: 'Compare tariffs' })).toHaveCount(0);
  expect((await page.goto('/account/price/compare'))?.status()).toBe(404);
  await page.goto('/account/price');
  await page.getByRole('link', { name: /^Invoice / }).click();
  await expect(page).toHaveURL(/\/account\/invoices\//);
});

/** The figures of a row: `1.474,98` of Germany as cents. */
async function cents(page: Page, row: string): Promise<number[]> {
  const cells = await page.getByRole('row', { name: row }).locator('td').allInnerTexts();
  return cells.slice(1).map((text) => Number(text.replace(/[^0-9]/g, '')));
}

test('the own past year is compared with what is on offer, and with nothing else', async ({ page, browser }) => {
  const heike = person('heike.hartmann');
  await signIn(page, heike);
  await page.goto('/account/price');
  await page.getByRole('link', { name: 'Compare tariffs' }).click();
  const table = page.getByRole('table', { name: 'Cost by month and tariff' });
  await expect(table.locator('tbody tr')).toHaveCount(12);
  const sums = await cents(page, 'Sum');
  const months = await table.locator('tbody tr th').allInnerTexts();
  const added = sums.map(() => 0);
  for (const month of months) (await cents(page, month)).forEach((value, at) => { added[at] = (added[at] as number) + value; });
  expect(added).toEqual(sums);
  const names = (await table.locator('thead th').allInnerTexts()).slice(2).map((text) => text.replace(/ EUR$/, ''));
  expect(names[0]).toBe('Strom nach Zeit (HT/NT)');
  const cheapest = names[sums.indexOf(Math.min(...sums))] as string;
  await expect(page.getByRole('row', { name: cheapest }).first()).toContainText('the cheapest');
  await look(page, 'price-compare');

  // The client takes one off offer: it is gone here, and comes back.
  const office = await (await browser.newContext()).newPage();
  await signIn(office, person('wiebke.hansen'));
  await office.getByRole('link', { name: 'Tariffs', exact: true }).click();
  await office.getByRole('row', { name: /Strom Basis Offered/ }).getByRole('link').click();
  await office.getByRole('button', { name: 'Take off offer' }).click();
  await expect(office.getByRole('heading', { name: 'Not on offer to customers' })).toBeVisible();
  await page.reload();
  await expect(table.locator('thead')).not.toContainText('Strom Basis');
  await office.getByRole('button', { name: 'Offer to customers' }).click();
  await expect(office.getByRole('heading', { name: 'On offer to customers', exact: true })).toBeVisible();
  await page.reload();
  await expect(table.locator('thead')).toContainText('Strom Basis');
});

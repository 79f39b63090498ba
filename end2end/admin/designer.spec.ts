// The tariff designer: with scripts the page follows what is typed and painted; without, its buttons do the same.
import { expect, loginOf, look, signIn, test } from '../support/portal';
import type { Page } from '@playwright/test';

const toPay = (page: Page) => page.getByRole('row', { name: /^To pay/ }).getByRole('cell');

test('a time-of-use tariff is painted, priced, shown as a bill, saved and compared with the next version', async ({ page }) => {
  const admin = loginOf('client_admin');
  await signIn(page, admin);
  await page.goto(`${admin.home}/tariffs/new`);
  await page.getByLabel(/Time of use/).check();
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByLabel('Code').fill('EVENING');
  await page.getByLabel('Name', { exact: true }).fill('Evening saver');
  await page.getByLabel('Price, Off-peak').fill('0.10');
  await page.getByLabel('Price, On-peak').fill('0.30');
  await page.locator('[id="fixed.0.price"]').fill('5');
  await expect(toPay(page)).toHaveText(/\d/);

  // From 16:00–21:00 to 12:00–21:00 on Monday to Thursday, by dragging over the cells.
  const before = await toPay(page).textContent();
  await page.getByRole('button', { name: 'Paint' }).nth(1).click();
  const cell = async (day: number, hour: number) => {
    const box = await page.locator('.week-grid tbody tr').nth(day).locator('td').nth(hour).boundingBox();
    if (!box) throw new Error('the week is not shown');
    return [box.x + box.width / 2, box.y + box.height / 2] as const;
  };
  await page.mouse.move(...(await cell(0, 12)));
  await page.mouse.down();
  await page.mouse.move(...(await cell(3, 15)), { steps: 5 });
  await page.mouse.up();
  await expect(toPay(page)).not.toHaveText(before ?? '');
  await page.getByText('Hours in words').click();
  await expect(page.getByLabel('Hours of Thursday, All year')).toHaveValue('On-peak 12:00–21:00');
  await expect(page.getByLabel('Hours of Friday, All year')).toHaveValue('On-peak 16:00–21:00');

  // Typed hours paint the week; the focus stays where it was.
  await page.getByLabel('Hours of Friday, All year').fill('On-peak 12-21');
  await expect(page.locator('.week-grid tbody tr').nth(4).locator('td').nth(12)).toHaveAttribute('data-p', '1');
  await expect(page.getByLabel('Hours of Friday, All year')).toBeFocused();
  await look(page, 'tariff-designer');

  await page.getByRole('button', { name: 'Create draft' }).first().click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Design EVENING version 1');
  await page.getByRole('link', { name: 'Cancel' }).click();
  await page.getByText('Activate…').click();
  await page.getByRole('button', { name: 'Activate version 1' }).click();
  await page.getByRole('link', { name: 'New version' }).click();
  await page.getByLabel('Price, On-peak').fill('0.35');
  await page.getByRole('button', { name: 'Create draft' }).first().click();
  await page.getByRole('link', { name: 'Cancel' }).click();
  const change = page.getByRole('table', { name: 'What changed' }).getByRole('row', { name: /On-peak/ });
  await expect(change.getByRole('cell').nth(0)).toHaveText('0.3');
  await expect(change.getByRole('cell').nth(1)).toHaveText('0.35');
});

test.describe('without scripts', () => {
  test.use({ javaScriptEnabled: false });

  test('steps are added, a bill is shown and a fault is told at its field', async ({ page }) => {
    const admin = loginOf('client_admin');
    await signIn(page, admin);
    await page.goto(`${admin.home}/tariffs/new?kind=flat`);
    await page.getByLabel('Code').fill('PLAIN');
    await page.getByLabel('Name', { exact: true }).fill('Plain steps');
    await page.getByLabel('Price, At all times').fill('0.20');
    await page.getByRole('button', { name: /^Add a step/ }).click();
    await page.getByLabel('Limit of step 1 in kWh, At all times').fill('100');
    await page.getByLabel('Price of step 2, At all times').fill('dear');
    await page.locator('[id="fixed.0.price"]').fill('5');
    await page.getByRole('button', { name: 'Create draft' }).first().click();
    await expect(page.getByRole('alert')).toContainText('Enter the price of step 2');
    await expect(page.getByLabel('Price of step 2, At all times')).toHaveValue('dear');
    await page.getByLabel('Price of step 2, At all times').fill('0.25');
    await page.getByRole('button', { name: 'Show the bill' }).click();
    await expect(toPay(page)).toHaveText(/\d/);
    await page.getByRole('button', { name: 'Create draft' }).first().click();
    await expect(page.getByRole('heading', { level: 1 })).toHaveText('Design PLAIN version 1');
  });
});

// A draft is tried on past usage from its own page: asked for, watched, read, carried off as a file, deleted.
import { expect, loginOf, look, signIn, test } from '../support/portal';

test('a draft is tried on the past year, and who pays more is told', async ({ page }) => {
  test.setTimeout(120_000);
  const admin = loginOf('client_admin');
  await signIn(page, admin);
  await page.goto(`${admin.home}/tariffs?status=draft`);
  await page.getByRole('table', { name: 'Tariffs' }).getByRole('link').first().click();
  await page.getByRole('link', { name: 'Try on past usage…' }).click();
  await expect(page.getByLabel('Tariff to try')).toHaveValue(/^[0-9a-f-]{36}$/);

  // What is wrong is said beside its field, and the choice made is still there.
  await page.getByLabel('These accounts').check();
  await page.getByLabel('Account numbers').fill('NOBODY-1');
  await page.getByRole('button', { name: 'Run what-if' }).click();
  await expect(page.getByRole('alert')).toContainText('There is no account NOBODY-1.');
  await expect(page.getByLabel('Account numbers')).toHaveValue('NOBODY-1');
  await look(page, 'what-if-wrong');

  await page.getByLabel('All who were supplied in these months').check();
  await page.getByRole('button', { name: 'Run what-if' }).click();
  await expect(page).toHaveURL(/\/what-ifs\/[0-9a-f-]{36}$/);
  // The page asks again by itself until it is done.
  await expect(page.locator('.page-header .tag')).toHaveText('Done', { timeout: 60_000 });
  const figures = page.locator('.stats');
  await expect(figures).toContainText('Customers compared');
  await expect(figures).toContainText('Effect on revenue');
  await page.getByText('Show as a table').click();
  const bands = page.getByRole('table', { name: /^Customers by change/ });
  await expect(bands.getByRole('row', { name: /No change/ })).toBeVisible();

  await page.getByLabel('Customers', { exact: true }).selectOption('more');
  await expect(page).toHaveURL(/show=more/);
  for (const cell of await page.getByRole('table', { name: /^Customers under/ }).locator('tbody tr td:nth-child(7)').allInnerTexts()) {
    expect(cell).toMatch(/^\+/);
  }
  const href = await page.getByRole('link', { name: 'CSV' }).getAttribute('href');
  const file = await page.request.get(href as string);
  expect(file.headers()['content-disposition']).toMatch(/what-if.*\.csv"$/);
  expect((await file.text()).split('\n').length).toBeGreaterThan(50);

  await page.getByText('Delete…').click();
  await page.getByRole('button', { name: 'Delete what-if' }).click();
  await expect(page.locator('main')).toContainText('What-if deleted.');
});

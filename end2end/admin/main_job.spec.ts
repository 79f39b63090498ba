// The main job: a Green Button file becomes an invoice that the customer can open; once with scripts, once without.
import { demo, expect, loginOf, look, signIn, test } from '../support/portal';
import { resolve } from 'node:path';

const file = resolve(__dirname, '../reference/greenbutton/test_usage_data.xml');
const CLIENT = 'Harbor Light & Power';

for (const scripts of [true, false]) {
  test.describe(scripts ? 'with scripts' : 'with scripts off', () => {
    test.use({ javaScriptEnabled: scripts });

    test('a Green Button file is imported, rated, approved and issued, and the customer sees the invoice', async ({ browser, page }) => {
      test.slow();
      const admin = loginOf('client_admin', CLIENT);
      await signIn(page, admin);

      // The first round imports; the second finds everything there and changes nothing.
      await page.getByRole('link', { name: 'Usage imports' }).click();
      await page.getByRole('link', { name: 'Import usage' }).first().click();
      await page.getByLabel(/Meter serial/).fill('5446AF3F');
      await page.getByLabel('File', { exact: true }).setInputFiles(file);
      await page.getByRole('button', { name: 'Import usage' }).click();
      await expect(page.locator('main')).toContainText(scripts ? '1,340' : /1,340|nothing changed/i);
      if (scripts) await look(page, 'import');

      // With scripts: the first days that her contract has to bill, which are the file's. Without: one day more is, to have
      // something new to rate.
      if (!scripts) await cycleFrom(page, '2012-03-15');
      await page.getByRole('link', { name: 'Billing runs' }).first().click();
      await page.getByRole('link', { name: 'New billing run' }).first().click();
      // What the reference file holds for these days.
      const [kwh, intervals] = scripts ? ['1,298.640', '1,244'] : ['93.026', '96'];
      await page.getByLabel('Bill what is due by').fill(scripts ? '2012-03-14' : '2012-03-15');
      await page.getByRole('button', { name: /Create/ }).click();
      await expect(page.locator('main')).toContainText('1 contract');

      await confirm(page, /^Rate/);
      await expect(page.locator('main')).toContainText(kwh);
      if (scripts) await look(page, 'billing-run');
      await confirm(page, /^Approve/);
      await confirm(page, /^Issue/);
      await page.getByRole('table', { name: 'Invoices' }).getByRole('link', { name: 'HL-100233' }).click();
      await expect(page.getByRole('heading', { level: 1 })).toContainText('HL-');
      await expect(page.locator('main')).toContainText(`${kwh} kWh from ${intervals} intervals`);
      if (scripts) await look(page, 'invoice');
      const number = ((await page.getByRole('heading', { level: 1 }).textContent()) ?? '').match(/HL-\d{4}-\d{6}/)?.[0] ?? '';
      expect(number).not.toBe('');

      const grace = demo().find((l) => l.email.startsWith('grace.')) ?? loginOf('customer_user', CLIENT);
      const other = await browser.newContext({ javaScriptEnabled: scripts });
      const hers = await other.newPage();
      await signIn(hers, grace);
      await expect(hers.locator('main')).toContainText(/owe/i);
      await hers.getByRole('link', { name: 'Invoices' }).first().click();
      await hers.getByRole('link', { name: number }).click();
      await expect(hers.getByRole('heading', { level: 1 })).toContainText(number);
      await expect(hers.locator('main')).toContainText(`${kwh} kWh from ${intervals} intervals`);
      await hers.getByRole('link', { name: 'Usage' }).first().click();
      await expect(hers.locator('main')).toContainText('kWh');
      await other.close();
    });
  });
}

/** Her contract's bills end on another day. */
async function cycleFrom(page: import('@playwright/test').Page, day: string): Promise<void> {
  await page.getByRole('link', { name: 'Customers' }).first().click();
  await page.getByLabel('Name, account or address').fill('HL-100233');
  await page.getByRole('button', { name: 'Search' }).click();
  await page.getByRole('link', { name: 'HL-100233' }).click();
  await page.getByRole('table', { name: 'Contracts' }).getByRole('link').click();
  await page.getByLabel(/Cycle counted from/).fill(day);
  await page.getByRole('button', { name: 'Save changes' }).click();
  await expect(page.locator('[data-flash]')).toBeVisible();
}

/** Opens a step's panel, which says in numbers what it will do, and does it. */
async function confirm(page: import('@playwright/test').Page, step: RegExp): Promise<void> {
  const panel = page.locator('details.confirm').filter({ has: page.locator('summary', { hasText: step }) });
  if ((await panel.count()) > 0) {
    if ((await panel.getAttribute('open')) === null) await panel.locator('summary').click();
    await panel.getByRole('button', { name: step }).click();
  } else {
    await page.getByRole('button', { name: step }).click();
  }
  await expect(page.locator('[data-flash]')).toBeVisible();
}

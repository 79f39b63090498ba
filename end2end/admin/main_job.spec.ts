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

      // With scripts: the whole period that the file bills. Without: its last day alone, to rate something new.
      const [from, to] = scripts ? ['2012-03-01', '2012-03-13'] : ['2012-03-14', '2012-03-14'];
      await page.getByRole('link', { name: 'Billing periods' }).first().click();
      await page.getByRole('link', { name: 'New billing period' }).first().click();
      // What the reference file holds for these days.
      const [kwh, intervals] = scripts ? ['1,298.640', '1,244'] : ['93.026', '96'];
      await page.getByLabel(/First day/).fill(from);
      await page.getByLabel(/Last day/).fill(to);
      await page.getByRole('button', { name: /Create/ }).click();

      await confirm(page, /^Rate/);
      await expect(page.locator('main')).toContainText(kwh);
      if (scripts) await look(page, 'billing-period');
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

// A month as a company lives it, all of it through pages: customers billed every month, quarter and year, a move in
// mid-month, and a landlord with one bill for two flats.
import { expect, loginOf, look, signIn, test } from '../support/portal';
import type { Locator, Page } from '@playwright/test';

const CLIENT = 'Cedar Valley Electric';
const MONTH_ENDS = '2026-11-01';
// A database that is kept has the customers of the time before.
const tag = Date.now().toString(36).slice(-5);

/** Fills a form's fields by their names and sends it. */
async function send(page: Page, form: Locator, fields: Record<string, string | boolean>): Promise<void> {
  for (const [name, value] of Object.entries(fields)) {
    const field = form.locator(`[name="${name}"]`);
    if (typeof value === 'boolean') await field.setChecked(value);
    else if ((await field.evaluate((one) => one.tagName)) === 'SELECT') await field.selectOption(value);
    else await field.fill(value);
  }
  await form.locator('button.button, button[type=submit], button').last().click();
  await expect(page.locator('[data-flash]')).toBeVisible();
}

const formOf = (page: Page, action: string): Locator => page.locator(`form[action="/api/${action}"]`);

interface Place { name: string; number: string; address: string; serial: string; from: string }

test('a month with every cycle, a move and a landlord is billed through pages', async ({ page }) => {
  test.setTimeout(240_000);
  const admin = loginOf('client_admin', CLIENT);
  await signIn(page, admin);
  const home = admin.home;

  /** A new customer with a meter, on the plain tariff; the address of the customer's page. */
  const customer = async (at: Place): Promise<string> => {
    await page.goto(`${home}/customers/new`);
    await send(page, formOf(page, 'create_customer'), {
      account_number: at.number, name: at.name, service_address: at.address, moved_in_on: at.from,
    });
    const own = page.url().split('?')[0] ?? '';
    await tariff(own, at.from);
    await meter(own, at.serial, at.from);
    return own;
  };
  const tariff = async (own: string, from: string, contract?: string): Promise<void> => {
    await page.goto(own);
    const fields: Record<string, string> = { tariff_code: 'RS-1', tariff_from: from };
    if (contract) fields.contract = await option(formOf(page, 'put_on_tariff').locator('[name=contract]'), contract);
    await send(page, formOf(page, 'put_on_tariff'), fields);
  };
  const meter = async (own: string, serial: string, from: string, contract?: string): Promise<void> => {
    await page.goto(own);
    await page.getByRole('link', { name: 'Add meter' }).first().click();
    const fields: Record<string, string> = { serial, measure: 'register', valid_from: from };
    if (contract) fields.contract = await option(formOf(page, 'create_meter').locator('[name=contract]'), contract);
    await send(page, formOf(page, 'create_meter'), fields);
  };
  /** The value of the choice that says so. */
  const option = async (select: Locator, text: string): Promise<string> =>
    (await select.locator('option', { hasText: text }).first().getAttribute('value')) ?? '';
  /** Figures of a meter, each at the beginning of a day. */
  const read = async (own: string, serial: string, figures: [string, string][]): Promise<void> => {
    await page.goto(own);
    await page.getByRole('link', { name: `Enter a reading for meter ${serial}` }).click();
    for (const [on, figure] of figures) await send(page, formOf(page, 'record_reading'), { read_on: on, figure });
  };
  const contract = async (own: string, name: RegExp, fields: Record<string, string>): Promise<void> => {
    await page.goto(own);
    await page.getByRole('table', { name: 'Contracts' }).getByRole('row', { name }).getByRole('link').first().click();
    await send(page, formOf(page, 'update_contract'), fields);
  };

  const monthly = await customer({ name: 'Mona Monthly', number: `CY-1-${tag}`, address: `1 Cycle Road, ${tag}`, serial: `CY-M1-${tag}`, from: '2026-10-01' });
  await read(monthly, `CY-M1-${tag}`, [['2026-10-01', '1000'], [MONTH_ENDS, '1310']]);

  const quarterly = await customer({ name: 'Quentin Quarterly', number: `CY-3-${tag}`, address: `3 Cycle Road, ${tag}`, serial: `CY-M3-${tag}`, from: '2026-08-01' });
  await contract(quarterly, /3 Cycle Road/, { billing_cycle: '3', billing_anchor: '2026-08-01' });
  await read(quarterly, `CY-M3-${tag}`, [['2026-08-01', '500'], [MONTH_ENDS, '1420']]);

  const yearly = await customer({ name: 'Yara Yearly', number: `CY-12-${tag}`, address: `12 Cycle Road, ${tag}`, serial: `CY-M12-${tag}`, from: '2025-11-01' });
  await contract(yearly, /12 Cycle Road/, { billing_cycle: '12', billing_anchor: '2025-11-01' });
  await read(yearly, `CY-M12-${tag}`, [['2025-11-01', '10000'], [MONTH_ENDS, '13650']]);

  // One moves out in mid-month, another moves in on the same day: the meter stays, and one figure ends and begins.
  const goes = await customer({ name: 'Gus Goes', number: `MV-1-${tag}`, address: `5 Moving Lane, ${tag}`, serial: `MV-M1-${tag}`, from: '2026-10-01' });
  await contract(goes, /5 Moving Lane/, { to_on: '2026-10-16' });
  await page.goto(`${home}/customers/new`);
  await send(page, formOf(page, 'create_customer'), {
    account_number: `MV-2-${tag}`, name: 'Cora Comes', place: `5 Moving Lane, ${tag}`, moved_in_on: '2026-10-16',
  });
  const comes = page.url().split('?')[0] ?? '';
  await tariff(comes, '2026-10-16');
  // Its page at the service point takes figures, too, whoever lives there.
  await page.goto(`${home}/service-points?q=${encodeURIComponent(`5 Moving Lane, ${tag}`)}`);
  await page.getByRole('table', { name: 'Service points' }).getByRole('link', { name: '5 Moving Lane' }).click();
  await page.getByRole('link', { name: `Readings of meter MV-M1-${tag}` }).click();
  for (const [on, figure] of [['2026-10-01', '200'], ['2026-10-16', '350'], [MONTH_ENDS, '480']])
    await send(page, formOf(page, 'record_reading'), { read_on: on ?? '', figure: figure ?? '' });
  await expect(page).toHaveURL(/service-points/);

  const landlord = await customer({ name: 'Lena Landlord', number: `LL-1-${tag}`, address: `7 Long Street, Flat 1, ${tag}`, serial: `LL-M1-${tag}`, from: '2026-10-01' });
  await page.getByRole('link', { name: `LL-1-${tag}` }).first().click();
  await send(page, formOf(page, 'update_account'), { collective: true });
  await page.goto(landlord);
  await page.getByRole('link', { name: /contract/i }).and(page.locator('[href$="/contracts/new"]')).first().click();
  await send(page, formOf(page, 'create_contract'), { address: `7 Long Street, Flat 2, ${tag}`, from_on: '2026-10-01' });
  await tariff(landlord, '2026-10-01', 'Flat 2');
  await meter(landlord, `LL-M2-${tag}`, '2026-10-01', 'Flat 2');
  await read(landlord, `LL-M1-${tag}`, [['2026-10-01', '0'], [MONTH_ENDS, '100']]);
  await read(landlord, `LL-M2-${tag}`, [['2026-10-01', '0'], [MONTH_ENDS, '140']]);

  await page.goto(`${home}/billing-runs/new`);
  await send(page, formOf(page, 'create_billing_run'), { due_on: MONTH_ENDS, cycle: '' });
  for (const step of [/^Rate/, /^Approve/, /^Issue/]) {
    const panel = page.locator('details.confirm').filter({ has: page.locator('summary', { hasText: step }) });
    if ((await panel.count()) > 0 && (await panel.getAttribute('open')) === null) await panel.locator('summary').click();
    await page.getByRole('button', { name: step }).last().click();
    await expect(page.locator('[data-flash]')).toBeVisible();
  }
  await look(page, 'month');

  const invoices = page.getByRole('table', { name: 'Invoices' });
  const bill = (number: string): Locator => invoices.getByRole('row', { name: new RegExp(`${number}-${tag}`) });
  for (const [number, kwh] of [['CY-1', '310.000'], ['CY-3', '920.000'], ['CY-12', '3,650.000'], ['MV-1', '150.000'], ['MV-2', '130.000'], ['LL-1', '240.000']]) {
    await expect(bill(number ?? '')).toHaveCount(1);
    await expect(bill(number ?? '')).toContainText(kwh ?? '');
  }
  await bill('LL-1').getByRole('link').first().click();
  await expect(page.locator('main')).toContainText('7 Long Street, Flat 1');
  await expect(page.locator('main')).toContainText('7 Long Street, Flat 2');
  await look(page, 'collective');
});

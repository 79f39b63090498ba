//! Attack 79: what was issued, paid, counted or rated, changed with raw SQL in a client admin's own context. Each refusal
//! stands beside what the rightful command does with the same tables.

use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Who, client, organization};

pub const ME: Who = Who::Client(1, 1);
/// SQLSTATE: a check refused it.
const CHECK: &str = "23514";
pub const ISSUED: &str = "number = 1";
pub const DRAFT: &str = "status = 'draft' AND account_number = 'A-1'";

/// A line added to an invoice.
fn line(invoice: &str, issued: bool) -> String {
    format!(
        "INSERT INTO invoice_lines (organization_id, client_id, invoice_id, position, customer_id, issued, kind, description, quantity, unit, price, amount)
         SELECT organization_id, client_id, id, 9, customer_id, {issued}, 'fixed', 'Extra', 1, 'each', 1, 1 FROM invoices WHERE {invoice}"
    )
}

/// An invoice made of the first customer's of September, with more columns and their values.
pub fn invoice(columns: &str, values: &str) -> String {
    format!(
        "INSERT INTO invoices (organization_id, client_id, id, customer_id, account_id, customer_name, account_number, period_from, period_to, currency,
             kwh, net, tax, total{columns})
         SELECT organization_id, client_id, '00000000-0000-7000-8000-000000000009', customer_id, account_id, customer_name, account_number, period_from,
             period_to, currency, -kwh, -net, -tax, -total{values} FROM invoices WHERE {ISSUED}"
    )
}

/// The draft of October issued with these values.
pub fn issue(status: &str, series: &str, number: i64) -> String {
    format!(
        "UPDATE invoices SET status = '{status}', paid = CASE '{status}' WHEN 'issued' THEN 0 ELSE total END, series = '{series}',
             number = {number}, issued_on = '2026-11-02', due_on = '2026-11-16' WHERE {DRAFT}"
    )
}

/// A payment of the first customer, and what it pays of an invoice.
pub fn paying(amount: &str, currency: &str, method: &str, of: &str, share: &str) -> String {
    let id = "'00000000-0000-7000-8000-000000000001'";
    format!(
        "INSERT INTO payments (organization_id, client_id, id, customer_id, account_id, received_on, amount, currency, method)
         SELECT organization_id, client_id, {id}, customer_id, account_id, '2026-11-01', {amount}, '{currency}', '{method}' FROM invoices WHERE {ISSUED};
         INSERT INTO allocations (organization_id, client_id, payment_id, invoice_id, customer_id, account_id, amount)
         SELECT organization_id, client_id, {id}, id, customer_id, account_id, {share} FROM invoices WHERE {of}"
    )
}

/// Credit of a bill that is said to pay the first customer's invoice.
fn crediting(source: &str, share: &str) -> String {
    format!(
        "INSERT INTO allocations (organization_id, client_id, credit_id, invoice_id, customer_id, account_id, amount)
         SELECT organization_id, client_id, {source}, id, customer_id, account_id, {share} FROM invoices WHERE {ISSUED}"
    )
}

fn block(version: &str) -> String {
    format!(
        "INSERT INTO tariff_blocks (organization_id, client_id, tariff_rate_id, position, price)
         SELECT organization_id, client_id, id, 9, 1 FROM tariff_rates WHERE {version}"
    )
}

pub fn counter(series: &str, last: i64) -> String {
    let (organization, client) = (organization(1), client(1, 1));
    format!(
        "INSERT INTO invoice_counters (organization_id, client_id, series, last_number) VALUES ('{organization}', '{client}', '{series}', {last})"
    )
}

/// Each is refused by a check, and done by nobody else's rule.
async fn all_refused(app: &Sql, attacks: &[(&str, String)]) {
    for (what, sql) in attacks {
        for who in [ME, Who::Admin(1)] {
            let refused = app.as_who(who, sql).await;
            assert_eq!(refused.map_err(|refusal| refusal.code), Err(CHECK.to_owned()), "{what} as {who:?}");
        }
    }
}

/// What a statement reads after others, all taken back.
pub async fn after(app: &Sql, sql: &str, read: &str) -> String {
    app.enter(ME).await;
    app.must(sql).await;
    let read = app.value(read).await;
    app.leave().await;
    read
}

#[tokio::test]
async fn attack_79_an_issued_invoice_and_its_lines_changed_in_one_s_own_client() {
    let case = Case::world().await;
    let app = case.app().await;
    let taken = "UPDATE invoices SET status = 'draft', number = NULL, issued_on = NULL, due_on = NULL, paid = 0 WHERE number = 1";
    all_refused(
        &app,
        &[
            ("a new line", line(ISSUED, false)),
            ("a new line that says it is issued", line(ISSUED, true)),
            ("a line of a draft that says it is issued", line(DRAFT, true)),
            ("a draft's line moved to it", format!("UPDATE invoice_lines SET issued = true, position = 9, invoice_id = (SELECT id FROM invoices WHERE {ISSUED} LIMIT 1) WHERE NOT issued")),
            ("a line changed", "UPDATE invoice_lines SET amount = 0 WHERE issued".into()),
            ("a line gone", "DELETE FROM invoice_lines WHERE issued".into()),
            ("its carry-over", format!("UPDATE invoices SET carried_credit = 10 WHERE {ISSUED}")),
            ("its metadata", format!("UPDATE invoices SET metadata = '{{\"a\": 1}}' WHERE {ISSUED}")),
            ("its total", format!("UPDATE invoices SET net = 1, tax = 0, total = 1 WHERE {ISSUED}")),
            ("a draft again", taken.into()),
            ("gone", format!("DELETE FROM invoices WHERE {ISSUED}")),
        ],
    )
    .await;
    // The positive control: a draft takes the same.
    let draft = format!(
        "{}; UPDATE invoices SET carried_credit = 10, metadata = '{{\"a\": 1}}' WHERE {DRAFT}",
        line(DRAFT, false)
    );
    let read = format!(
        "SELECT carried_credit || ' ' || (SELECT count(*) FROM invoice_lines l WHERE l.invoice_id = i.id) FROM invoices i WHERE {DRAFT}"
    );
    assert_eq!(after(&app, &draft, &read).await, "10.00 2");
}

#[tokio::test]
async fn attack_79_an_issued_billing_period_changed_or_made_in_one_s_own_client() {
    let case = Case::world().await;
    let app = case.app().await;
    let (issued, rated) = ("status = 'issued'", "status = 'rated'");
    let approved = format!("UPDATE billing_periods SET status = 'approved' WHERE {rated}");
    // An invoice that was numbered by hand, and its period not yet.
    let (billed, of_billed) =
        (issue("issued", "INV", 3), format!("{rated} AND invoice_id IN (SELECT id FROM invoices WHERE number = 3)"));
    // Of days that nobody billed, named as billed.
    let made = |status: &str, invoice: &str| {
        format!(
            "INSERT INTO billing_periods (organization_id, client_id, customer_id, id, contract_id, account_id, billing_run_id, invoice_id, from_on, to_on, status)
             SELECT organization_id, client_id, customer_id, gen_random_uuid(), contract_id, account_id, billing_run_id, {invoice}, '2026-08-01', '2026-09-01', '{status}'
             FROM billing_periods WHERE {issued}"
        )
    };
    all_refused(
        &app,
        &[
            ("its days", format!("UPDATE billing_periods SET to_on = '2026-09-15' WHERE {issued}")),
            ("its energy", format!("UPDATE billing_periods SET kwh = 0 WHERE {issued}")),
            ("its amounts", format!("UPDATE billing_periods SET net = 0, tax = 0, total = 0 WHERE {issued}")),
            ("what it leaves", format!("UPDATE billing_periods SET carried_credit = 10 WHERE {issued}")),
            ("what it was rated from", format!("UPDATE billing_periods SET inputs = '{{}}' WHERE {issued}")),
            ("its reasons", format!("UPDATE billing_periods SET explained = '[]', usage_source = '{{}}' WHERE {issued}")),
            ("its run", format!("UPDATE billing_periods SET billing_run_id = (SELECT id FROM billing_runs WHERE {rated} LIMIT 1) WHERE {issued}")),
            ("due again", format!("UPDATE billing_periods SET status = 'due', invoice_id = NULL WHERE {issued}")),
            ("approved again", format!("UPDATE billing_periods SET status = 'approved' WHERE {issued}")),
            ("credited without a note", format!("UPDATE billing_periods SET status = 'credited' WHERE {issued}")),
            ("gone", format!("DELETE FROM billing_periods WHERE {issued}")),
            ("a rated one issued", format!("UPDATE billing_periods SET status = 'issued' WHERE {rated}")),
            ("an approved one issued before its invoice", format!("{approved}; UPDATE billing_periods SET status = 'issued' WHERE status = 'approved'")),
            ("a rated one credited", format!("UPDATE billing_periods SET status = 'credited' WHERE {rated}")),
            ("taken from its issued invoice", format!("{billed}; UPDATE billing_periods SET status = 'due', invoice_id = NULL WHERE {of_billed}")),
            ("left behind by its issued invoice", format!("{billed}; UPDATE billing_periods SET status = 'approved' WHERE {of_billed}")),
            ("deleted from its issued invoice", format!("{billed}; DELETE FROM billing_periods WHERE {of_billed}")),
            ("other days for its issued invoice", format!("{billed}; UPDATE billing_periods SET to_on = '2026-10-15' WHERE {of_billed}")),
            ("issued with other amounts", format!("{billed}; UPDATE billing_periods SET status = 'issued', net = 0, tax = 0, total = 0 WHERE {of_billed}")),
            ("inserted as issued", made("issued", "invoice_id")),
            ("inserted as credited", made("credited", "invoice_id")),
            (
                "inserted as approved",
                format!("DELETE FROM invoice_lines WHERE NOT issued; DELETE FROM billing_periods WHERE {rated}; {}", made("approved", "invoice_id")),
            ),
        ],
    )
    .await;
    // One's days are billed once, and a contract has one period on its way.
    for (sql, code) in [
        (made("due", "NULL"), "23505"),
        (made("due", "NULL").replace("'2026-08-01', '2026-09-01'", "'2026-09-11', '2026-09-12'"), "23P01"),
    ] {
        assert_eq!(app.as_who(ME, &sql).await.unwrap_err().code, code, "{sql}");
    }
    // The positive control: with its invoice, by the counter, and with its credit note.
    let by_counter = format!(
        "{approved}; {}; UPDATE billing_periods SET status = 'issued' WHERE status = 'approved' AND invoice_id = (SELECT id FROM invoices WHERE number = 3)",
        issue("issued", "INV", 3)
    );
    let states = "SELECT string_agg(status, ' ' ORDER BY from_on, customer_id) FROM billing_periods";
    assert_eq!(after(&app, &by_counter, states).await, "issued issued issued approved");
    let note = invoice(", kind, corrects_id", ", 'credit_note', id");
    let credited = format!(
        "{note}; {}; UPDATE invoices SET status = 'paid', paid = total, series = 'CN', number = 1, issued_on = '2026-11-02',
             due_on = '2026-11-02' WHERE kind = 'credit_note'; UPDATE invoices SET status = 'credited' WHERE {ISSUED} AND series = 'INV'",
        counter("CN", 0)
    );
    assert_eq!(after(&app, &credited, states).await, "credited issued rated rated");
    let back = format!("{credited}; UPDATE billing_periods SET status = 'issued' WHERE status = 'credited'");
    assert_eq!(app.as_who(ME, &back).await.unwrap_err().code, CHECK, "credited stays credited");
    let changed = format!("{credited}; UPDATE billing_periods SET kwh = 0 WHERE status = 'credited'");
    assert_eq!(app.as_who(ME, &changed).await.unwrap_err().code, CHECK, "and as it was");
}

#[tokio::test]
async fn attack_79_an_invoice_issued_otherwise_than_by_its_counter() {
    let case = Case::world().await;
    let app = case.app().await;
    let issued = invoice(
        ", kind, status, series, number, issued_on, due_on, paid",
        ", 'invoice', 'paid', 'INV', 3, '2026-11-02', '2026-11-16', -total",
    );
    all_refused(
        &app,
        &[
            ("inserted as issued", issued),
            ("a number left out", issue("issued", "INV", 4)),
            ("a number given already", issue("issued", "INV", 2)),
            ("a series of one's own", format!("{}; {}", counter("OWN", 0), issue("issued", "OWN", 1))),
            ("a counter that is not there", issue("issued", "NONE", 1)),
            ("issued as paid", issue("paid", "INV", 3)),
            ("issued as credited", issue("credited", "INV", 3)),
            ("a counter moved on", "UPDATE invoice_counters SET last_number = last_number + 1".into()),
            ("a counter moved back", "UPDATE invoice_counters SET last_number = last_number - 1".into()),
            ("a counter that begins later", counter("LATE", 5)),
        ],
    )
    .await;
    // The positive control: the next number, and with it the counter, the printed number and the lines.
    let read = "SELECT concat_ws(' ', label, status, (SELECT last_number FROM invoice_counters),
        (SELECT bool_and(l.issued) FROM invoice_lines l WHERE l.invoice_id = i.id)) FROM invoices i WHERE number = 3";
    assert_eq!(after(&app, &issue("issued", "INV", 3), read).await, "INV-2026-000003 issued 3 t");
}

#[tokio::test]
async fn attack_79_what_was_paid_said_without_money() {
    let case = Case::world().await;
    let app = case.app().await;
    all_refused(
        &app,
        &[
            ("paid beyond the total", format!("UPDATE invoices SET paid = 1000 WHERE {ISSUED}")),
            ("paid without an allocation", format!("UPDATE invoices SET paid = total, status = 'paid' WHERE {ISSUED}")),
            ("unpaid", format!("UPDATE invoices SET paid = 0, status = 'issued' WHERE {ISSUED}")),
            ("credited without a note", format!("UPDATE invoices SET status = 'credited' WHERE {ISSUED}")),
            ("more than the payment", paying("5", "EUR", "cash", ISSUED, "6")),
            ("more than the invoice", paying("50", "EUR", "cash", ISSUED, "14")),
            ("another currency", paying("5", "USD", "cash", ISSUED, "5")),
            ("a draft paid", paying("5", "EUR", "cash", DRAFT, "5")),
            ("credit from nowhere", paying("5", "EUR", "credit", ISSUED, "5")),
            ("a bill that pays itself", crediting("id", "5")),
            (
                "credit of a draft",
                crediting(
                    "(SELECT d.id FROM invoices d WHERE d.status = 'draft' AND d.customer_id = invoices.customer_id)",
                    "5",
                ),
            ),
        ],
    )
    .await;
    // The positive controls: a payment pays, and an issued credit note of the whole amount credits.
    let read = format!("SELECT status || ' ' || paid FROM invoices WHERE {ISSUED} AND series = 'INV'");
    assert_eq!(after(&app, &paying("50", "EUR", "cash", ISSUED, "13.99"), &read).await, "paid 23.99");
    let note = invoice(", kind, corrects_id", ", 'credit_note', id");
    let credited = format!(
        "{note}; {}; UPDATE invoices SET status = 'paid', paid = total, series = 'CN', number = 1, issued_on = '2026-11-02',
             due_on = '2026-11-02' WHERE kind = 'credit_note';
         UPDATE invoices SET status = 'credited' WHERE {ISSUED} AND series = 'INV'",
        counter("CN", 0)
    );
    // The note pays what was left of it; the 10.00 paid before stay the customer's credit.
    assert_eq!(after(&app, &credited, &read).await, "credited 23.99");
    let unused = "SELECT sum(amount) FROM allocations WHERE credit_id IS NOT NULL";
    assert_eq!(after(&app, &credited, unused).await, "13.99");
}

#[tokio::test]
async fn attack_79_a_tariff_version_that_rated_changed_in_one_s_own_client() {
    let case = Case::world().await;
    let app = case.app().await;
    let (rated, active) = ("code = 'HOME' AND version = 1", "code = 'SAVER' AND version = 1");
    let (organization, client) = (organization(1), client(1, 1));
    let inserted = format!(
        "INSERT INTO tariff_rates (organization_id, client_id, id, code, version, name, kind, currency, document, effective_from, status)
         VALUES ('{organization}', '{client}', gen_random_uuid(), 'NEW', 1, 'New', 'flat', 'EUR', '{{}}', '2026-01-01', 'active')"
    );
    all_refused(
        &app,
        &[
            ("a block added", block(rated)),
            ("a block added to an active one", block(active)),
            ("a block gone", "DELETE FROM tariff_blocks WHERE position = 1".into()),
            ("its document", format!("UPDATE tariff_rates SET document = '{{}}' WHERE {active}")),
            ("its first day", format!("UPDATE tariff_rates SET effective_from = '2023-01-01' WHERE {rated}")),
            ("a draft again", format!("UPDATE tariff_rates SET status = 'draft' WHERE {rated}")),
            ("not rated", format!("UPDATE tariff_rates SET rated = false WHERE {rated}")),
            ("inserted as active", inserted),
        ],
    )
    .await;
    // The positive control: a draft takes blocks and a document, and is activated after the one before has ended.
    let draft = "code = 'HOME' AND version = 2";
    let changed = format!(
        "{}; DELETE FROM tariff_blocks WHERE position = 9; UPDATE tariff_rates SET name = 'New' WHERE {draft};
         UPDATE tariff_rates SET status = 'retired', effective_to = '2026-01-01' WHERE {rated};
         UPDATE tariff_rates SET status = 'active' WHERE {draft}",
        block(draft)
    );
    assert_eq!(
        after(&app, &changed, &format!("SELECT status || ' ' || name FROM tariff_rates WHERE {draft}")).await,
        "active New"
    );
}

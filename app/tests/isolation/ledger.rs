//! The books, attacked with raw SQL: entries that are written, changed, left out, made twice or do not balance. Beside
//! each stands what follows from a bill or a payment by itself.

use eis::operate::migrate;

use crate::DENIED;
use crate::issued::{DRAFT, ISSUED, ME, after, counter, invoice, issue, paying};
use crate::support::database::{Case, apart};
use crate::support::sql::Sql;
use crate::support::world::Who;

/// SQLSTATE: a check refused it; it is there already.
const CHECK: &str = "23514";
const TWICE: &str = "23505";
const NEW: &str = "00000000-0000-7000-8000-00000000000e";

/// The functions that book; nobody calls them but their triggers.
const BOOKING: [&str; 5] = [
    "ledger_books_allocations",
    "ledger_books_invoices",
    "ledger_books_payments",
    "ledger_entry_balances",
    "ledger_lines_come_together",
];

/// The lines of the entries that meet a condition.
fn lines(of: &str) -> String {
    format!(
        "SELECT string_agg(concat_ws(' ', l.ledger_account, l.amount), ', ' ORDER BY l.ledger_account, l.amount)
         FROM ledger_entries e JOIN ledger_lines l ON l.entry_id = e.id AND l.customer_id = e.customer_id WHERE {of}"
    )
}

/// What follows from statements in the own client, looked at as it would be when they are committed.
async fn booked(app: &Sql, sql: &str, of: &str) -> String {
    after(app, &format!("{sql}; SET CONSTRAINTS ALL IMMEDIATE"), &lines(of)).await
}

#[tokio::test]
async fn no_login_writes_an_entry_nor_calls_what_books() {
    let case = Case::world().await;
    let app = case.app().await;
    let mut attacks = vec![
        "INSERT INTO ledger_entries SELECT * FROM ledger_entries".to_owned(),
        "INSERT INTO ledger_lines SELECT * FROM ledger_lines".to_owned(),
        "UPDATE ledger_entries SET booked_on = '2020-01-01'".to_owned(),
        "UPDATE ledger_lines SET amount = 1".to_owned(),
        "DELETE FROM ledger_lines".to_owned(),
        "DELETE FROM ledger_entries".to_owned(),
        "TRUNCATE ledger_lines".to_owned(),
    ];
    attacks.extend(BOOKING.map(|name| format!("SELECT {name}()")));
    for sql in attacks {
        for who in [ME, Who::Admin(1), Who::Customer(1, 1, 1)] {
            let refused = app.as_who(who, &sql).await;
            assert_eq!(refused.map_err(|refusal| refusal.code), Err(DENIED.to_owned()), "{sql} as {who:?}");
        }
    }
    // The positive control: what is paid with the same login is in the books at once.
    let of = "cause IN ('payment', 'allocation') AND cause_id = '00000000-0000-7000-8000-000000000001'";
    let told = booked(&app, &paying("20", "EUR", "cash", ISSUED, "13.99"), of).await;
    assert_eq!(told, "bank 20.00, receivable -13.99, unapplied -20.00, unapplied 13.99");
}

#[tokio::test]
async fn a_bill_books_itself_and_what_its_tariff_keeps_for_the_next() {
    let case = Case::world().await;
    let app = case.app().await;
    let kept = format!("UPDATE invoices SET carried_credit = 10 WHERE {DRAFT}; {}", issue("issued", "INV", 3));
    let third = "cause = 'invoice' AND cause_id = (SELECT id FROM invoices WHERE number = 3)";
    assert_eq!(
        booked(&app, &kept, third).await,
        "carry_over -10.00, receivable 24.66, revenue -10.72, tax -3.94",
        "what is kept was earned by the customer"
    );
    // The next bill uses 6.00 of it.
    let used = format!(
        "{kept}; INSERT INTO invoices (organization_id, client_id, id, customer_id, account_id, customer_name, account_number, period_from, period_to,
             currency, kwh, net, tax, total, carried_before, carried_credit)
         SELECT organization_id, client_id, '{NEW}', customer_id, account_id, customer_name, account_number, '2026-11-01', '2026-12-01', currency,
             1, 10, 1, 11, 10, 4 FROM invoices WHERE number = 3;
         UPDATE invoices SET status = 'issued', series = 'INV', number = 4, issued_on = '2026-12-02', due_on = '2026-12-16' WHERE id = '{NEW}'"
    );
    let fourth = format!("cause_id = '{NEW}'");
    assert_eq!(booked(&app, &used, &fourth).await, "carry_over 6.00, receivable 11.00, revenue -16.00, tax -1.00");
    let left = "SELECT sum(amount) FROM ledger_lines WHERE ledger_account = 'carry_over'";
    assert_eq!(after(&app, &used, left).await, "-4.00");
    // A bill of less than nothing is credit at once.
    let less =
        format!("UPDATE invoices SET net = -20, tax = -4, total = -24 WHERE {DRAFT}; {}", issue("paid", "INV", 3));
    assert_eq!(booked(&app, &less, third).await, "revenue 20.00, tax 4.00, unapplied -24.00");
}

/// A credit note of the whole first bill, issued.
fn credited() -> String {
    let note = invoice(", kind, corrects_id", ", 'credit_note', id");
    format!(
        "{note}; {}; UPDATE invoices SET status = 'paid', paid = total, series = 'CN', number = 1, issued_on = '2026-11-02',
             due_on = '2026-11-02' WHERE kind = 'credit_note';
         UPDATE invoices SET status = 'credited' WHERE {ISSUED} AND series = 'INV'",
        counter("CN", 0)
    )
}

#[tokio::test]
async fn a_credit_note_reverses_its_bill_once_and_leaves_what_was_paid_as_credit() {
    let case = Case::world().await;
    let app = case.app().await;
    assert_eq!(booked(&app, &credited(), "reverses IS NOT NULL").await, "revenue 20.16, tax 3.83, unapplied -23.99");
    let mine = "e.customer_id = (SELECT customer_id FROM invoices WHERE number = 1 LIMIT 1)";
    let balance = "SELECT string_agg(concat_ws(' ', ledger_account, amount), ', ' ORDER BY ledger_account) FROM (
        SELECT l.ledger_account, sum(l.amount) AS amount FROM ledger_entries e JOIN ledger_lines l ON l.entry_id = e.id WHERE "
        .to_owned()
        + mine
        + " GROUP BY 1) sums";
    assert_eq!(
        after(&app, &credited(), &balance).await,
        "bank 10.00, receivable 0.00, revenue 0.00, tax 0.00, unapplied -10.00"
    );
    // Half of it back is no reversal, and pays half of what is left.
    let half = credited()
        .replace("-net, -tax, -total", "-10, 0, -10")
        .replace("UPDATE invoices SET status = 'credited'", "SELECT 1 FROM invoices");
    assert_eq!(after(&app, &half, "SELECT count(*) FROM ledger_entries WHERE reverses IS NOT NULL").await, "0");
    assert_eq!(
        after(&app, &half, &format!("SELECT paid FROM invoices WHERE {ISSUED} AND series = 'INV'")).await,
        "20.00"
    );
    // The same bill is not taken back twice.
    let again = format!(
        "{}; UPDATE invoices SET status = 'paid', paid = total, series = 'CN', number = 2, issued_on = '2026-11-03', due_on = '2026-11-03'
             WHERE id = '{NEW}'",
        invoice(", kind, corrects_id", ", 'credit_note', id")
            .replace("00000000-0000-7000-8000-000000000009", NEW)
            .replace("WHERE number = 1", "WHERE number = 1 AND series = 'INV'")
    );
    let refused = app.as_who(ME, &format!("{}; {again}", credited())).await;
    assert_eq!(refused.map_err(|refusal| refusal.code), Err(TWICE.to_owned()));
}

/// An entry beside the world's first one of a bill, with these lines; as the tables' owner would slip it in.
fn entry(reverses: &str, lines: &str) -> String {
    let lines = if lines.is_empty() {
        String::new()
    } else {
        format!(
            "INSERT INTO ledger_lines SELECT e.organization_id, e.client_id, e.customer_id, e.id, v.ledger_account, v.amount
             FROM ledger_entries e, (VALUES {lines}) v (ledger_account, amount) WHERE e.id = '{NEW}';"
        )
    };
    format!(
        "INSERT INTO ledger_entries (organization_id, client_id, customer_id, id, booked_on, value_on, cause, cause_id, currency, reverses)
         SELECT organization_id, client_id, customer_id, '{NEW}', booked_on, value_on, 'payment', gen_random_uuid(), currency, {reverses}
         FROM ledger_entries WHERE cause = 'invoice' ORDER BY client_id, customer_id LIMIT 1; {lines}"
    )
}

#[tokio::test]
async fn an_entry_balances_at_commit_and_never_changes_whoever_writes() {
    let case = Case::world().await;
    let owner = case.superuser().await;
    let balanced = "('bank', 5.00), ('unapplied', -5.00)";
    let more = format!(
        "INSERT INTO ledger_lines SELECT organization_id, client_id, customer_id, id, 'losses', 1 FROM ledger_entries WHERE id = '{NEW}'"
    );
    let attacks = [
        ("no lines", entry("NULL", ""), CHECK),
        ("one line", entry("NULL", "('bank', 5.00)"), CHECK),
        ("lines that do not sum to zero", entry("NULL", "('bank', 5.00), ('unapplied', -4.99)"), CHECK),
        ("a line of nothing", entry("NULL", "('bank', 5.00), ('unapplied', -5.00), ('fees', 0.00)"), CHECK),
        ("an account that is none", entry("NULL", "('bank', 5.00), ('elsewhere', -5.00)"), CHECK),
        ("lines that come later", format!("{} SET CONSTRAINTS ALL IMMEDIATE; {more}", entry("NULL", balanced)), CHECK),
        ("another amount taken back", entry("id", "('receivable', -1.00), ('revenue', 1.00)"), CHECK),
        (
            "taken back twice",
            entry("id", "('receivable', -23.99), ('revenue', 20.16), ('tax', 3.83)")
                + &entry("id", "('receivable', -23.99), ('revenue', 20.16), ('tax', 3.83)").replace(NEW, ISSUED_TWIN),
            TWICE,
        ),
        ("the same payment twice", "INSERT INTO ledger_entries (organization_id, client_id, customer_id, id, booked_on, value_on, cause, cause_id, currency)
            SELECT organization_id, client_id, customer_id, gen_random_uuid(), booked_on, value_on, cause, cause_id, currency FROM ledger_entries".into(), TWICE),
        ("an entry changed", "UPDATE ledger_entries SET booked_on = '2020-01-01'".into(), DENIED),
        ("a line changed", "UPDATE ledger_lines SET amount = -amount".into(), DENIED),
        ("lines gone", "DELETE FROM ledger_lines".into(), DENIED),
        ("entries gone", "DELETE FROM ledger_entries".into(), DENIED),
    ];
    let before = owner.count("SELECT count(*) FROM ledger_entries").await;
    for (what, sql, code) in attacks {
        let refused = owner.run(&format!("BEGIN; {sql}; COMMIT")).await;
        let _ = owner.run("ROLLBACK").await;
        assert_eq!(refused.map_err(|refusal| refusal.code), Err(code.to_owned()), "{what}");
    }
    assert_eq!(owner.count("SELECT count(*) FROM ledger_entries").await, before);
    // The positive controls: one that balances, and one that takes the first back as it stands.
    owner.must(&format!("BEGIN; {}; COMMIT", entry("NULL", balanced))).await;
    let back = entry("id", "('unapplied', -23.99), ('revenue', 20.16), ('tax', 3.83)").replace(NEW, ISSUED_TWIN);
    owner.must(&format!("BEGIN; {back}; COMMIT")).await;
    assert_eq!(owner.count("SELECT count(*) FROM ledger_entries").await, before + 2);
}

const ISSUED_TWIN: &str = "00000000-0000-7000-8000-00000000000f";

#[tokio::test]
async fn going_back_and_up_again_books_what_is_there() {
    let case = Case::world().await;
    let sql = case.superuser().await;
    let books = "SELECT md5(string_agg(concat_ws(' ', e.client_id, e.customer_id, e.booked_on, e.value_on, e.cause, e.cause_id, e.settles_id,
            l.ledger_account, l.amount), '|' ORDER BY e.cause_id, e.cause, e.settles_id, l.ledger_account)) || ' ' || count(*)
        FROM ledger_entries e JOIN ledger_lines l ON l.entry_id = e.id AND l.customer_id = e.customer_id";
    let before = sql.value(books).await;
    assert!(before.ends_with(" 56"), "eight bills of three lines, eight payments and allocations of two: {before}");
    let url = case.connected.admin_url().to_owned();
    let names = migrate::names().unwrap();
    let ours = names.iter().rposition(|(_, name)| name.ends_with("_ledger")).unwrap();
    apart(async { migrate::down(&url, names.len() - ours).await }).unwrap();
    apart(async { migrate::up(&url).await }).unwrap();
    assert_eq!(sql.value(books).await, before);
}

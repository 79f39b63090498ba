//! The ledger through the portal: what is billed and paid stands in it, is shown by it, and `portal check` holds it
//! against everything that it follows from.

use std::collections::BTreeMap;

use eis::operate::check::Finding;
use eis::receivables::ledger::control;
use rust_decimal::Decimal;

use super::support::database::{Case, apart};
use super::support::world::{Who, client, customer};
use super::{CLEO, beneath, bill, create, faults_in_the_books, pay, the_missing_day, usage};

#[cfg(test)]
fn checked(case: &Case) -> Vec<Finding> {
    let url = case.connected.admin_url().to_owned();
    apart(async { control::check(&url).await }).unwrap()
}

#[tokio::test]
async fn what_is_billed_and_paid_is_in_the_ledger_and_told_from_it() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    pay(&browser, &looker, "50", &uuid::Uuid::now_v7().to_string()).await;
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    assert_eq!(faults_in_the_books(&case), Vec::<String>::new());

    let base = format!("/clients/{}", client(1, 1));
    let page = browser.get(&format!("{base}/ledger")).await.body;
    for words in ["Invoice INV-2026-000003", "Payment, cash", "Payment of INV-2026-000003", "Bank", "Revenue", "79.97"]
    {
        assert!(page.contains(words), "{words}: {page}");
    }
    let others = browser.get(&format!("{base}/ledger?q=a-2")).await.body;
    assert!(others.contains("Customer 112") && !others.contains("Customer 111"), "{others}");
    assert!(browser.get(&format!("{base}/ledger?from=2031-01-01")).await.body.contains("No entry matches"));
    let early = browser.get(&format!("{base}/ledger?to=2026-10-02")).await.body;
    assert!(early.contains("INV-2026-1") && !early.contains("INV-2026-000003"), "{early}");

    // The file: every entry sums to zero.
    let file = browser.get(&format!("{base}/ledger.csv")).await.body;
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for line in file.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        *sums.entry(cells[0]).or_default() += cells[10].parse::<Decimal>().unwrap();
    }
    assert!(sums.len() > 8 && sums.values().all(Decimal::is_zero), "{file}");

    // 23.99 and 79.97 billed, 10 and 50 paid.
    let home = portal.browser_of(Who::Customer(1, 1, 1));
    let statement = home.get("/account/statement").await.body;
    let own = browser.get(&format!("{base}/customers/{}/statement", customer(1, 1, 1))).await.body;
    for page in [&statement, &own] {
        for words in ["43.96", "Invoice INV-2026-000003", "Payment, cash", "79.97", "50.00"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("Payment of"), "credit that pays a bill changes nothing of what is owed: {page}");
    }
    assert!(home.get("/account").await.body.contains("/account/statement"));
}

#[tokio::test]
async fn a_statement_and_the_ledger_go_on_from_page_to_page() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    looker
        .must(&format!(
            "INSERT INTO payments (organization_id, client_id, id, customer_id, account_id, received_on, amount, currency, method)
             SELECT organization_id, client_id, gen_random_uuid(), customer_id, id, '2026-11-20', n, 'EUR', 'cash'
             FROM accounts, generate_series(1, 60) n WHERE client_id = '{}' AND account_number = 'A-1'",
            client(1, 1)
        ))
        .await;
    let browser = portal.browser_of(CLEO);
    let base = format!("/clients/{}", client(1, 1));
    let paths = [format!("{base}/ledger"), format!("{base}/customers/{}/statement", customer(1, 1, 1))];
    // The ledger: 60 payments, and two bills, payments and allocations of the world. The statement: its own bill and payment.
    for (path, entries) in paths.into_iter().zip([66, 62]) {
        let (mut seen, mut next, mut pages) = (0, Some(path.clone()), 0);
        while let Some(path) = next {
            let page = browser.get(&path).await.body;
            seen += page.matches("<th scope=\"row\"").count();
            pages += 1;
            next = page.split("href=\"").skip(1).find_map(|rest| {
                let (href, after) = rest.split_once('"')?;
                after.starts_with(" rel=\"next\"").then(|| href.replace("&amp;", "&"))
            });
        }
        assert_eq!(seen, entries, "{path}");
        assert!(pages > 1, "{path}");
    }
}

/// What breaks the books beneath the triggers, and what the check says of it. `{bill}`, `{payment}`: of the first customer.
const FAULTS: &[(&str, &[&str])] = &[
    (
        "UPDATE ledger_lines SET amount = amount - 1 WHERE entry_id = {bill} AND ledger_account = 'revenue'",
        &["does not balance: its 3 lines sum to -1.00"],
    ),
    (
        "UPDATE ledger_lines SET amount = amount + CASE ledger_account WHEN 'tax' THEN 1 ELSE -1 END WHERE entry_id = {bill} AND ledger_account <> 'receivable'",
        &["INV-2026-1 comes to 23.99 (net 20.16, tax 3.83", "tax -2.83"],
    ),
    (
        "UPDATE invoices SET paid = 11 WHERE id = (SELECT cause_id FROM ledger_entries WHERE id = {bill})",
        &["INV-2026-1 has 11.00 paid and the status part_paid, but its allocations come to 10.00 of 23.99"],
    ),
    (
        "UPDATE invoices SET status = 'issued', paid = 0 WHERE id = (SELECT cause_id FROM ledger_entries WHERE id = {bill})",
        &["INV-2026-1 has 0.00 paid and the status issued, but its allocations come to 10.00 of 23.99"],
    ),
    (
        "DELETE FROM ledger_lines WHERE entry_id = {payment}; DELETE FROM ledger_entries WHERE id = {payment}",
        &["the payment", "comes to 10.00; its entry has bank 0, unapplied 0"],
    ),
    (
        "DELETE FROM ledger_lines WHERE entry_id = {allocation}; DELETE FROM ledger_entries WHERE id = {allocation}",
        &["the allocation of", "comes to 10.00; its entry has unapplied 0, receivable 0"],
    ),
    ("UPDATE ledger_entries SET cause_id = gen_random_uuid() WHERE id = {payment}", &["follows from no payment"]),
    (
        "UPDATE ledger_lines SET customer_id = '{other}' WHERE entry_id = {bill}; UPDATE ledger_entries SET customer_id = '{other}' WHERE id = {bill}",
        &[
            "account A-1 has 13.99 open on its bills and 0.00 in credit; the ledger has receivable -10.00 and unapplied 0.00",
        ],
    ),
    (
        "UPDATE ledger_lines SET ledger_account = 'fees' WHERE entry_id = {payment} AND ledger_account = 'bank'",
        &["the control total bank = payments: the ledger has 10.00, what it follows from comes to 20.00"],
    ),
    (
        "UPDATE ledger_lines SET ledger_account = 'losses' WHERE entry_id = {bill} AND ledger_account = 'receivable'",
        &["the control total receivable = open invoices: the ledger has 3.99, what it follows from comes to 27.98"],
    ),
    (
        "UPDATE ledger_lines SET ledger_account = 'deposits' WHERE entry_id = {payment} AND ledger_account = 'unapplied'",
        &["the control total unapplied = payments and credit less allocations: the ledger has -10.00"],
    ),
    (
        "UPDATE ledger_lines SET ledger_account = 'losses' WHERE entry_id = {bill} AND ledger_account = 'tax'",
        &[
            "the control total revenue, tax and rounding = issued less credited: the ledger has 44.15, what it follows from comes to 47.98",
        ],
    ),
    (
        "UPDATE ledger_lines SET ledger_account = 'carry_over' WHERE entry_id = {bill} AND ledger_account = 'tax'",
        &["account A-1 keeps 0.00 for later bills; the ledger has 3.83"],
    ),
    (
        "UPDATE invoice_counts SET open_amount = open_amount + 1 WHERE status = 'part_paid' AND client_id = '{client}'",
        &[
            "the control total open amounts of the list of invoices: the ledger has 28.98, what it follows from comes to 27.98",
        ],
    ),
];

#[tokio::test]
async fn the_check_names_each_way_in_which_the_books_may_be_wrong() {
    let case = Case::world().await;
    let sql = case.superuser().await;
    let fine = checked(&case);
    assert!(fine.len() == 1 && fine[0].ok && fine[0].message.starts_with("24 entries"), "{fine:?}");
    let tables = ["ledger_entries", "ledger_lines", "invoices", "invoice_counts"];
    for table in tables {
        sql.must(&format!("CREATE TEMPORARY TABLE kept_{table} AS TABLE {table}")).await;
    }
    let of = |cause: &str| {
        format!(
            "(SELECT id FROM kept_ledger_entries WHERE cause = '{cause}' AND customer_id = '{}')",
            customer(1, 1, 1)
        )
    };
    for (fault, words) in FAULTS {
        let fault = fault
            .replace("{bill}", &of("invoice"))
            .replace("{payment}", &of("payment"))
            .replace("{allocation}", &of("allocation"))
            .replace("{other}", &customer(1, 1, 2).to_string())
            .replace("{client}", &client(1, 1).to_string());
        sql.must(&beneath(&fault)).await;
        let found = faults_in_the_books(&case);
        assert!(found.iter().any(|told| words.iter().all(|word| told.contains(word))), "{fault}: {found:#?}");
        assert!(found.iter().all(|told| told.starts_with("Client client-1 of org-1: ")), "{found:#?}");
        let mend = tables.map(|table| format!("DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept_{table}"));
        sql.must(&beneath(&mend.join("; "))).await;
        assert_eq!(faults_in_the_books(&case), Vec::<String>::new(), "mended");
    }
}

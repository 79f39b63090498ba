//! A credit note gives the days of its invoice back: they are due again, as a correction that names the first bill.

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{client, customer};
use super::{
    CLEO, another_place, bill, contract_at, create, days_of, faults_in_the_books, run_of, step, taken_on,
    the_missing_day, usage,
};

/// Credits an issued invoice of the client as a whole, by a note of the series CN.
async fn credit(owner: &Sql, condition: &str) {
    let note = uuid::Uuid::now_v7();
    let client = client(1, 1);
    let sql = format!(
        "BEGIN; INSERT INTO invoice_counters (organization_id, client_id, series) SELECT organization_id, id, 'CN' FROM clients WHERE id = '{client}'
             ON CONFLICT DO NOTHING;
         INSERT INTO invoices (organization_id, client_id, id, customer_id, account_id, kind, corrects_id, customer_name, account_number, period_from, period_to,
             currency, kwh, net, tax, payable_rounding, total)
         SELECT organization_id, client_id, '{note}', customer_id, account_id, 'credit_note', id, customer_name, account_number, period_from, period_to,
             currency, -kwh, -net, -tax, -payable_rounding, -total FROM invoices WHERE client_id = '{client}' AND kind = 'invoice' AND {condition};
         UPDATE invoices n SET status = 'paid', paid = total, series = 'CN', issued_on = '2026-11-20', due_on = '2026-11-20',
             number = (SELECT last_number + 1 FROM invoice_counters c WHERE c.client_id = n.client_id AND c.series = 'CN') WHERE id = '{note}';
         UPDATE invoices SET status = 'credited' WHERE id = (SELECT corrects_id FROM invoices WHERE id = '{note}'); COMMIT"
    );
    owner.must(&sql).await;
}

#[tokio::test]
async fn the_days_of_a_credited_bill_are_due_again_as_a_correction_of_it() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    assert_eq!(run_of(&browser, "2026-11-11", "").await, "new", "nothing is due");
    // A day was less than was billed.
    looker
        .must(
            "UPDATE interval_days SET wh = array_fill(500, ARRAY[24]), total_wh = 12000 WHERE day = '2026-11-03'
             AND meter_id IN (SELECT id FROM meters WHERE serial = 'M-1')",
        )
        .await;
    let (home, told) = (format!("/clients/{}", client(1, 1)), "Usage of 1 invoice changed after issue");
    assert!(browser.get(&home).await.body.contains(told));
    credit(&looker, "number = 3 AND series = 'INV'").await;
    assert!(!browser.get(&home).await.body.contains(told), "nothing is left to do about it");
    let states = format!(
        "SELECT string_agg(concat_ws(' ', i.account_number, p.status, i.status), ', ' ORDER BY i.number) FROM billing_periods p
         JOIN invoices i ON i.id = p.invoice_id WHERE p.billing_run_id = '{run}'"
    );
    assert_eq!(looker.value(&states).await, "A-1 credited credited, A-2 issued issued");

    let again = run_of(&browser, "2026-11-11", "").await;
    assert_eq!(taken_on(&looker, &again).await, "A-1 2026-11-01 2026-11-11 correction");
    let first = format!("SELECT id FROM billing_periods WHERE billing_run_id = '{run}' AND status = 'credited'");
    let corrects = format!("SELECT corrects_id FROM billing_periods WHERE billing_run_id = '{again}'");
    assert_eq!(looker.value(&corrects).await, looker.value(&first).await);
    bill(&browser, &again).await;
    let corrected =
        format!("SELECT concat_ws(' ', number, kwh, total, status) FROM invoices WHERE billing_run_id = '{again}'");
    // 228 kWh at 0.28 and 19 % tax.
    assert_eq!(looker.value(&corrected).await, "5 228.000 75.97 issued");
    assert_eq!(faults_in_the_books(&case), Vec::<String>::new());
    assert_eq!(run_of(&browser, "2026-11-11", "").await, "new", "they are billed again");

    // Credited once more: the correction is what is corrected next.
    credit(&looker, "number = 5 AND series = 'INV'").await;
    let third = run_of(&browser, "2026-11-11", "").await;
    let corrects = format!(
        "SELECT p.billing_run_id FROM billing_periods c JOIN billing_periods p ON p.id = c.corrects_id WHERE c.billing_run_id = '{third}'"
    );
    assert_eq!(looker.value(&corrects).await, again);
}

#[tokio::test]
async fn what_is_credited_comes_before_later_days_and_follows_the_contract_as_it_is_now() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    credit(&looker, "number = 3 AND series = 'INV'").await;
    looker
        .must(&format!("UPDATE contracts SET to_on = '2026-11-06' WHERE customer_id = '{}'", customer(1, 1, 1)))
        .await;
    let again = run_of(&browser, "2026-11-11", "").await;
    assert_eq!(taken_on(&looker, &again).await, "A-1 2026-11-01 2026-11-06 correction");
    bill(&browser, &again).await;
    let billed =
        format!("SELECT concat_ws(' ', kwh, period_to, status) FROM invoices WHERE billing_run_id = '{again}'");
    assert_eq!(looker.value(&billed).await, "120.000 2026-11-06 issued");

    // September's bill of the other, which was begun here and is due before everything later.
    looker
        .must(&format!("UPDATE contracts SET billing_from = '2026-09-01' WHERE customer_id = '{}'", customer(1, 1, 2)))
        .await;
    credit(&looker, "number = 2 AND series = 'INV'").await;
    let third = run_of(&browser, "2026-12-11", "").await;
    assert_eq!(taken_on(&looker, &third).await, "A-2 2026-09-01 2026-09-11 correction");
}

#[tokio::test]
async fn a_collective_bill_that_is_credited_gives_the_days_of_all_its_contracts_back() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let house = another_place(&looker, 12).await;
    contract_at(&looker, &house, (1, 2), "2026-11-01", None).await;
    looker.must(&format!("UPDATE accounts SET collective = true WHERE customer_id = '{}'", customer(1, 1, 1))).await;
    days_of(&looker, "2026-11-01", "2026-11-10", "true").await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    credit(&looker, "number = 3 AND series = 'INV'").await;
    let again = run_of(&browser, "2026-11-11", "").await;
    let both = "A-1 2026-11-01 2026-11-11 correction, A-1 2026-11-01 2026-11-11 correction";
    assert_eq!(taken_on(&looker, &again).await, both);
    step(&browser, &again, "rate_billing_run").await;
    let drafts = format!("SELECT concat_ws(' ', count(*), min(total)) FROM invoices WHERE billing_run_id = '{again}'");
    // 480 kWh at 0.28 are 134.40, and 19 % of it 25.54.
    assert_eq!(looker.value(&drafts).await, "1 159.94");
}

#[tokio::test]
async fn days_of_a_bill_that_was_not_credited_are_never_due_again() {
    let case = Case::world().await;
    let (portal, looker, app) = (case.portal().await, case.superuser().await, case.app().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    for sql in [
        format!("UPDATE billing_periods SET status = 'credited' WHERE billing_run_id = '{run}'"),
        format!("UPDATE billing_periods SET status = 'due', invoice_id = NULL WHERE billing_run_id = '{run}'"),
        format!("DELETE FROM billing_periods WHERE billing_run_id = '{run}'"),
    ] {
        assert_eq!(app.as_who(CLEO, &sql).await.unwrap_err().code, "23514", "{sql}");
    }
    assert_eq!(run_of(&browser, "2026-11-11", "").await, "new");
}

//! Bills of a contract come in the order of its days: what one leaves is granted once. Contracts go their own ways.

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{client, customer};
use super::{CLEO, beneath, bill, create_of, days_of, due, found_in, run_of, step, taken_on, without_october};

fn leaves_credit(table: &str) -> String {
    let issued = if table == "invoices" { "number IS NOT NULL" } else { "status = 'issued'" };
    format!("UPDATE {table} SET carried_credit = 10 WHERE customer_id = '{}' AND {issued}", customer(1, 1, 1))
}

/// September's bill of the first customer leaves 10.00 of credit, and every day of October and November has usage.
async fn credit_and_usage(owner: &Sql) {
    owner.must(&beneath(&leaves_credit("billing_periods"))).await;
    days_of(owner, "2026-10-01", "2026-11-30", "true").await;
}

/// Credit granted to the first customer, bill by bill.
async fn granted(owner: &Sql) -> String {
    let lines = format!(
        "SELECT coalesce(string_agg(concat_ws(' ', i.period_from, l.amount), ', ' ORDER BY i.period_from), 'none')
         FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id
         WHERE i.client_id = '{}' AND i.account_number = 'A-1' AND l.kind = 'credit'",
        client(1, 1)
    );
    owner.value(&lines).await
}

#[tokio::test]
async fn what_an_issued_bill_leaves_to_later_bills_is_refused_any_change() {
    let case = Case::world().await;
    let looker = case.superuser().await;
    for table in ["invoices", "billing_periods"] {
        let refused = looker.run(&leaves_credit(table)).await.unwrap_err();
        assert_eq!(refused.code, "23514", "{table}");
    }
    assert_eq!(granted(&looker).await, "none");
}

#[tokio::test]
async fn a_run_takes_the_earliest_days_of_each_contract_and_credit_is_granted_once() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    without_october(&looker).await;
    credit_and_usage(&looker).await;
    // October and November are over; a run takes one period of each contract, the first.
    let october = run_of(&browser, "2026-12-01", "").await;
    assert_eq!(taken_on(&looker, &october).await, "A-1 2026-10-01 2026-11-01 cycle, A-2 2026-10-01 2026-11-01 cycle");
    step(&browser, &october, "rate_billing_run").await;
    assert_eq!(granted(&looker).await, "2026-10-01 -10.00");
    assert_eq!(run_of(&browser, "2026-12-01", "").await, "new", "November waits for October");

    for function in ["approve_billing_run", "issue_billing_run"] {
        step(&browser, &october, function).await;
    }
    let november = run_of(&browser, "2026-12-01", "").await;
    assert_eq!(taken_on(&looker, &november).await, "A-1 2026-11-01 2026-12-01 cycle, A-2 2026-11-01 2026-12-01 cycle");
    step(&browser, &november, "rate_billing_run").await;
    assert_eq!(granted(&looker).await, "2026-10-01 -10.00");
    let drafts = format!("SELECT count(*) FROM invoices WHERE billing_run_id = '{november}'");
    assert_eq!(looker.count(&drafts).await, 2);
}

#[tokio::test]
async fn days_billed_after_later_ones_do_not_grant_their_credit_again() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    credit_and_usage(&looker).await;
    let november = create_of(&browser, &looker, "2026-11-01", "2026-11-10").await;
    bill(&browser, &november).await;
    assert_eq!(granted(&looker).await, "2026-11-01 -10.00");

    // October was billed elsewhere, it was thought.
    let october = create_of(&browser, &looker, "2026-10-01", "2026-10-31").await;
    assert_eq!(taken_on(&looker, &october).await, "A-1 2026-10-01 2026-11-01 cycle, A-2 2026-10-01 2026-11-01 cycle");
    step(&browser, &october, "rate_billing_run").await;
    assert_eq!(granted(&looker).await, "2026-11-01 -10.00");
    let found = format!(
        "SELECT concat_ws(' ', kind, message) FROM billing_exceptions WHERE {} AND severity = 'blocks'",
        found_in(&october)
    );
    let found = looker.value(&found).await;
    assert!(found.starts_with("carried_over Invoice INV-") && found.contains("Credit INV-"), "{found}");
    let billed = format!("SELECT string_agg(account_number, ' ') FROM invoices WHERE billing_run_id = '{october}'");
    assert_eq!(looker.value(&billed).await, "A-2", "who has no credit is billed");
}

#[tokio::test]
async fn two_runs_of_a_client_go_side_by_side_and_number_their_bills_without_a_gap() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (one, two) = (portal.browser_of(CLEO), portal.browser_of(CLEO));
    without_october(&looker).await;
    days_of(&looker, "2026-11-01", "2026-11-10", "true").await;
    due(&looker, "2026-11-01", "2026-11-10").await;
    looker.must(&format!("UPDATE contracts SET billing_cycle = 3 WHERE customer_id = '{}'", customer(1, 1, 2))).await;
    let (monthly, quarterly) = tokio::join!(run_of(&one, "2026-11-11", "1"), run_of(&two, "2026-11-11", "3"));
    assert_eq!(taken_on(&looker, &monthly).await, "A-1 2026-11-01 2026-11-11 cycle");
    assert_eq!(taken_on(&looker, &quarterly).await, "A-2 2026-11-01 2026-11-11 cycle");
    for function in super::BILL {
        tokio::join!(step(&one, &monthly, function), step(&two, &quarterly, function));
    }
    let numbers = format!(
        "SELECT string_agg(concat_ws(' ', i.number, r.status), ', ' ORDER BY i.number) FROM invoices i
         JOIN billing_runs r ON r.id = i.billing_run_id WHERE r.id IN ('{monthly}', '{quarterly}')"
    );
    assert_eq!(looker.value(&numbers).await, "3 issued, 4 issued");
}

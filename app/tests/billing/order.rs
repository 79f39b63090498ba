//! Bills are issued in the order of their days: what one leaves is granted once.

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{Kind, client, id};
use super::{CLEO, beneath, bill, create, step, without_october};

fn leaves_credit() -> String {
    format!("UPDATE invoices SET carried_credit = 10 WHERE client_id = '{}' AND number = 1", client(1, 1))
}

/// September's invoice of the first customer leaves 10.00 of credit, and every day up to 10 November has usage.
async fn credit_and_usage(owner: &Sql) {
    owner
        .must(&format!(
            "{1};
             INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT m.organization_id, m.client_id, m.customer_id, m.meter_id, d::date, 60, array_fill(1000, ARRAY[24]), 24000
             FROM contract_meters m, generate_series('2026-10-01'::timestamp, '2026-11-10', '1 day') d WHERE m.client_id = '{0}'
             ON CONFLICT (organization_id, client_id, meter_id, day) DO UPDATE SET wh = excluded.wh, total_wh = excluded.total_wh",
            client(1, 1),
            beneath(&leaves_credit())
        ))
        .await;
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
async fn what_an_issued_invoice_leaves_to_later_bills_is_refused_any_change() {
    let case = Case::world().await;
    let looker = case.superuser().await;
    let refused = looker.run(&leaves_credit()).await.unwrap_err();
    assert_eq!(refused.code, "23514");
    assert_eq!(granted(&looker).await, "none");
}

#[tokio::test]
async fn credit_is_granted_once_and_the_earlier_period_is_named_that_comes_first() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    credit_and_usage(&looker).await;
    let october = id(Kind::Period, 1, 1, 0, 2).to_string();
    let november = create(&browser).await;
    step(&browser, &october, "rate_billing_period").await;
    assert_eq!(granted(&looker).await, "2026-10-01 -10.00");

    let refused = step(&browser, &november, "rate_billing_period").await;
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("Issue the billing period 1 Oct 2026 to 31 Oct 2026 first"), "{said}");
    assert_eq!(granted(&looker).await, "2026-10-01 -10.00");

    for function in ["approve_billing_period", "issue_billing_period"] {
        step(&browser, &october, function).await;
    }
    step(&browser, &november, "rate_billing_period").await;
    assert_eq!(granted(&looker).await, "2026-10-01 -10.00");
    let drafts = format!("SELECT count(*) FROM invoices WHERE billing_period_id = '{november}'");
    assert_eq!(looker.count(&drafts).await, 2);
}

#[tokio::test]
async fn a_period_billed_after_later_days_does_not_grant_their_credit_again() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    without_october(&looker).await;
    credit_and_usage(&looker).await;
    let october = id(Kind::Period, 1, 1, 0, 2).to_string();
    let november = create(&browser).await;
    bill(&browser, &november).await;
    assert_eq!(granted(&looker).await, "2026-11-01 -10.00");

    step(&browser, &october, "rate_billing_period").await;
    assert_eq!(granted(&looker).await, "2026-11-01 -10.00");
    let found = format!(
        "SELECT concat_ws(' ', kind, message) FROM billing_exceptions WHERE billing_period_id = '{october}' AND severity = 'blocks'"
    );
    let found = looker.value(&found).await;
    assert!(found.starts_with("carried_over Invoice INV-") && found.contains("Credit INV-"), "{found}");
    let billed = format!("SELECT string_agg(account_number, ' ') FROM invoices WHERE billing_period_id = '{october}'");
    assert_eq!(looker.value(&billed).await, "A-2", "who has no credit is billed");
}

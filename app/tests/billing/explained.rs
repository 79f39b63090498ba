//! A bill says why it differs from the one before: the reasons with their shares, kept with the draft.

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{Who, client, customer};
use super::{CLEO, bill, create, create_of, step, the_missing_day, usage};

/// From 11 to 24 November half as much again an hour.
async fn the_fortnight(owner: &Sql) {
    owner
        .must(&format!(
            "INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT m.organization_id, m.client_id, m.customer_id, m.meter_id, d::date, 60, array_fill(1500, ARRAY[24]), 36000
             FROM contract_meters m, generate_series('2026-11-11'::timestamp, '2026-11-24', '1 day') d WHERE m.client_id = '{}'",
            client(1, 1)
        ))
        .await;
}

#[tokio::test]
async fn a_bill_shows_usage_and_days_with_their_shares_of_the_difference() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    the_fortnight(&looker).await;
    let first = create(&browser, &looker).await;
    bill(&browser, &first).await;
    let second = create_of(&browser, &looker, "2026-11-11", "2026-11-24").await;
    step(&browser, &second, "rate_billing_run").await;

    // 240 kWh at 0.28 and tax before, 504 kWh now. Usage adds 12 kWh a day on 12 days, the mean of 10 and 14; four days more
    // have 30 kWh, the mean of 24 and 36.
    let of =
        format!("FROM billing_periods WHERE billing_run_id = '{second}' AND customer_id = '{}'", customer(1, 1, 1));
    let share = |factor: &str| {
        format!(
            "SELECT s ->> 'amount' FROM (SELECT explained {of}) i, jsonb_array_elements(explained #> '{{0,shares}}') s
             WHERE s ->> 'factor' = '{factor}'"
        )
    };
    let difference = looker.value(&format!("SELECT explained #>> '{{0,difference}}' {of}")).await;
    assert_eq!(difference, "87.96");
    assert_eq!(looker.value(&share("usage")).await, "47.98");
    assert_eq!(looker.value(&share("days")).await, "39.98");
    assert_eq!(looker.value(&share("price")).await, "0.00");

    let id = looker.value(&format!("SELECT invoice_id {of}")).await;
    let shown = browser.get(&format!("/clients/{}/invoices/{id}", client(1, 1))).await.body;
    for text in ["Why it differs", "Usage", "+€47.98", "4 days more", "+€39.98", "Together", "+€87.96"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    for function in ["approve_billing_run", "issue_billing_run"] {
        step(&browser, &second, function).await;
    }
    let kim = portal.browser_of(Who::Customer(1, 1, 1));
    let bill = kim.get(&format!("/account/invoices/{id}")).await.body;
    assert!(bill.contains("Why it differs") && bill.contains("+€47.98"), "{bill}");
}

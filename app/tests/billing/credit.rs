//! Credit: what a payment has left over, and what a bill leaves in the customer's favour, pays the next bills.

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{Who, client, customer};
use super::{CLEO, bill, create, pay, the_missing_day, usage};

/// From November on every kWh earns the customer 0.10.
async fn paid_for_using(owner: &Sql) {
    owner
        .must(&format!(
            "UPDATE tariff_rates SET effective_to = '2026-11-01' WHERE client_id = '{0}' AND code = 'HOME' AND version = 1;
             UPDATE tariff_rates SET status = 'active', effective_from = '2026-11-01',
                 document = jsonb_set(document, '{{energy,0,prices,0,blocks,0,price}}', '\"-0.10\"')
             WHERE client_id = '{0}' AND code = 'HOME' AND version = 2",
            client(1, 1)
        ))
        .await;
}

#[tokio::test]
async fn what_is_paid_too_much_is_shown_as_credit_and_pays_the_next_bill_when_it_is_issued() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let kim = portal.browser_of(Who::Customer(1, 1, 1));
    let first = customer(1, 1, 1);
    // 23.99, of which 10.00 was paid before: 36.01 of 50.00 is left over.
    pay(&browser, &looker, "50", &uuid::Uuid::now_v7().to_string()).await;
    let account = format!("/clients/{}/customers/{first}", client(1, 1));
    assert!(browser.get(&account).await.body.contains("€36.01 of credit, which pays the next bill"));
    let home = kim.get("/account").await.body;
    assert!(home.contains("You are in credit by") && home.contains("€36.01"), "{home}");

    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    // 240 kWh at 0.28 and 19 % tax.
    let bill = format!("FROM invoices WHERE billing_run_id = '{run}' AND customer_id = '{first}'");
    assert_eq!(
        looker.value(&format!("SELECT concat_ws(' ', total, paid, status) {bill}")).await,
        "79.97 36.01 part_paid"
    );
    let shares = format!("SELECT string_agg(amount::text, ' ') FROM allocations WHERE invoice_id = (SELECT id {bill})");
    assert_eq!(looker.value(&shares).await, "36.01", "the allocation is on record");
    let other = format!(
        "SELECT concat_ws(' ', paid, status) FROM invoices WHERE billing_run_id = '{run}' AND customer_id = '{}'",
        customer(1, 1, 2)
    );
    assert_eq!(looker.value(&other).await, "0.00 issued", "who has no credit pays it all");
    let home = kim.get("/account").await.body;
    assert!(home.contains("You owe") && home.contains("€43.96"), "{home}");
    assert!(browser.get(&account).await.body.contains("€43.96 owed"));
}

#[tokio::test]
async fn a_bill_of_less_than_nothing_is_settled_and_its_credit_pays_what_is_open() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    paid_for_using(&looker).await;
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    // 240 kWh at -0.10 and 19 % tax: 28.56 in the customer's favour, of which 13.99 pays September's bill.
    let of = |what: &str| {
        format!(
            "SELECT concat_ws(' ', total, paid, status) FROM invoices WHERE customer_id = '{}' AND {what}",
            customer(1, 1, 1)
        )
    };
    assert_eq!(looker.value(&of(&format!("billing_run_id = '{run}'"))).await, "-28.56 -28.56 paid");
    assert_eq!(looker.value(&of("number = 1")).await, "23.99 23.99 paid");
    let overdue = browser.get(&format!("/clients/{}/invoices?status=overdue", client(1, 1))).await.body;
    assert!(!overdue.contains("A-1"), "{overdue}");
    let home = portal.browser_of(Who::Customer(1, 1, 1)).get("/account").await.body;
    assert!(home.contains("You are in credit by") && home.contains("€14.57"), "{home}");
    // The credit is no money that came.
    let overview = browser.get(&format!("/clients/{}", client(1, 1))).await.body;
    let received = overview.split("Received this month").nth(1).unwrap_or_default();
    assert!(received.split("Open").next().unwrap_or_default().contains("€0.00"), "{overview}");
    let open = format!(
        "SELECT sum(open_amount) FROM invoice_counts WHERE client_id = '{}' AND status IN ('issued', 'part_paid')",
        client(1, 1)
    );
    assert_eq!(looker.maybe(&open).await.unwrap_or_default(), "0.00");
}

//! A tariff may round the amount to pay; the rounding is an amount of its own.

use super::support::database::Case;
use super::support::world::{Who, client, customer};
use super::{CLEO, bill, create, the_missing_day, usage};

#[tokio::test]
async fn the_amount_to_pay_is_rounded_as_the_tariff_says_and_the_rounding_is_shown() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    looker
        .must(&format!(
            "UPDATE tariff_rates SET effective_to = '2026-11-01' WHERE client_id = '{0}' AND code = 'HOME' AND version = 1;
             UPDATE tariff_rates SET status = 'active', effective_from = '2026-11-01',
                 document = document || '{{\"rounding\": {{\"payable_step\": \"1\"}}}}' WHERE client_id = '{0}' AND code = 'HOME' AND version = 2",
            client(1, 1)
        ))
        .await;
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    // 240 kWh at 0.28 are 67.20, 19 % of it 12.77: 79.97, to pay 80.00.
    let bill = format!("FROM invoices WHERE billing_run_id = '{run}' AND customer_id = '{}'", customer(1, 1, 1));
    assert_eq!(looker.value(&format!("SELECT concat_ws(' ', net, tax, total) {bill}")).await, "67.20 12.77 80.00");
    let sums = format!("SELECT concat_ws(' ', net, tax, total) FROM billing_runs WHERE id = '{run}'");
    assert_eq!(looker.value(&sums).await, "134.40 25.54 160.00");
    let id = looker.value(&format!("SELECT id {bill}")).await;
    let kim = portal.browser_of(Who::Customer(1, 1, 1));
    for page in [
        browser.get(&format!("/clients/{}/invoices/{id}", client(1, 1))).await.body,
        kim.get(&format!("/account/invoices/{id}")).await.body,
    ] {
        let rounding = page.split("Rounding").nth(1).unwrap_or_default();
        assert!(rounding.split("Total").next().unwrap_or_default().contains("0.03"), "{page}");
        assert!(rounding.contains("80.00"), "{page}");
    }
    let preview = browser.get(&format!("/clients/{}/billing-runs/{run}", client(1, 1))).await.body;
    assert!(preview.contains("€25.54 tax, €0.06 rounding"), "{preview}");
    // Neither its rounding nor its sum can be talked away.
    let refused =
        looker.run(&format!("UPDATE invoices SET payable_rounding = 0, total = net + tax WHERE id = '{id}'")).await;
    assert_eq!(refused.unwrap_err().code, "23514");
}

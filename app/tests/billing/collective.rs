//! One bill for all contracts of an account: each line names its period, tax is taken once over all, and it all adds up.

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{Who, client, customer};
use super::{
    CLEO, another_place, bill, contract_at, create, days_of, due, faults_in_the_books, page_of, run_of, step,
    the_missing_day, usage, without_october,
};

/// The first customer is a landlord with a house of their own besides, where half a kWh a day is used, and wants one bill.
async fn a_landlord(owner: &Sql) -> String {
    let house = another_place(owner, 12).await;
    let contract = contract_at(owner, &house, (1, 2), "2026-11-01", None).await;
    usage(owner).await;
    the_missing_day(owner).await;
    owner
        .must(&format!(
            "UPDATE accounts SET collective = true WHERE customer_id = '{}';
             UPDATE interval_days SET wh = array_prepend(500, array_fill(0, ARRAY[23])), total_wh = 500
             WHERE meter_id IN (SELECT id FROM meters WHERE serial = 'H-12')",
            customer(1, 1, 1)
        ))
        .await;
    contract
}

#[tokio::test]
async fn a_landlord_gets_one_bill_with_a_period_for_each_place_and_tax_once_over_all() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    a_landlord(&looker).await;
    let run = create(&browser, &looker).await;
    step(&browser, &run, "rate_billing_run").await;
    // 240 kWh and 5 kWh at 0.28. Tax of each is 12.77 and 0.27; of both together 13.034, which is 13.03 (BR-CO-17).
    let drafts = format!(
        "SELECT string_agg(concat_ws(' ', account_number, kwh, net, tax, total, (SELECT count(*) FROM billing_periods p WHERE p.invoice_id = i.id)), ', '
            ORDER BY account_number) FROM invoices i WHERE billing_run_id = '{run}'"
    );
    assert_eq!(looker.value(&drafts).await, "A-1 245.000 68.60 13.03 81.63 2, A-2 240.000 67.20 12.77 79.97 1");
    let alone = format!(
        "SELECT string_agg(concat_ws(' ', address, net, tax, total), ', ' ORDER BY address) FROM billing_periods
         WHERE billing_run_id = '{run}' AND customer_id = '{}'",
        customer(1, 1, 1)
    );
    assert_eq!(looker.value(&alone).await, "1 Mill Lane 67.20 12.77 79.97, 12 House Lane 1.40 0.27 1.67");
    let lines = format!(
        "SELECT string_agg(concat_ws(' ', l.position, l.kind, coalesce(p.address, 'all'), l.quantity, l.amount), ', ' ORDER BY l.position)
         FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id LEFT JOIN billing_periods p ON p.id = l.billing_period_id
         WHERE i.billing_run_id = '{run}' AND i.account_number = 'A-1'"
    );
    let lines = looker.value(&lines).await;
    assert!(lines.ends_with("3 tax all 68.6000 13.03"), "{lines}");
    for line in ["energy 1 Mill Lane 240.0000 67.20", "energy 12 House Lane 5.0000 1.40"] {
        assert!(lines.contains(line), "{lines}");
    }
    let sums = format!(
        "SELECT concat_ws(' ', contracts, invoices, exceptions, net, tax, total) FROM billing_runs WHERE id = '{run}'"
    );
    assert_eq!(looker.value(&sums).await, "3 2 0 135.80 25.80 161.60");

    for function in ["approve_billing_run", "issue_billing_run"] {
        step(&browser, &run, function).await;
    }
    let adds_up = format!(
        "SELECT string_agg(concat_ws(' ', i.number, i.total = (SELECT sum(l.amount) FROM invoice_lines l WHERE l.invoice_id = i.id),
            i.net = (SELECT sum(p.net) FROM billing_periods p WHERE p.invoice_id = i.id),
            i.tax = (SELECT sum(l.amount) FROM invoice_lines l WHERE l.invoice_id = i.id AND l.kind = 'tax')), ', ' ORDER BY i.number)
         FROM invoices i WHERE billing_run_id = '{run}'"
    );
    assert_eq!(looker.value(&adds_up).await, "3 t t t, 4 t t t");
    assert_eq!(faults_in_the_books(&case), Vec::<String>::new());
    let invoice = looker.value(&format!("SELECT id FROM invoices WHERE billing_run_id = '{run}' AND number = 3")).await;
    let kim = portal.browser_of(Who::Customer(1, 1, 1));
    for page in [
        browser.get(&format!("/clients/{}/invoices/{invoice}", client(1, 1))).await.body,
        kim.get(&format!("/account/invoices/{invoice}")).await.body,
    ] {
        for words in ["1 Mill Lane", "12 House Lane", "67.20", "1.40", "13.03", "81.63"] {
            assert!(page.contains(words), "{words}: {page}");
        }
        assert!(!page.contains("12.77") && !page.contains("0.27"), "tax is told once: {page}");
    }
    let other = portal.browser_of(Who::Customer(1, 1, 2)).get(&format!("/account/invoices/{invoice}")).await;
    assert_eq!(other.status, 404);
}

#[tokio::test]
async fn a_place_that_is_held_does_not_hold_the_landlord_s_others() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let contract = a_landlord(&looker).await;
    let house = "meter_id IN (SELECT id FROM meters WHERE serial = 'H-12')";
    looker.must(&format!("DELETE FROM interval_days WHERE {house} AND day = '2026-11-04'")).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    let billed = |run: &str| {
        format!(
            "SELECT string_agg(concat_ws(' ', account_number, total, status), ', ' ORDER BY account_number) FROM invoices WHERE billing_run_id = '{run}'"
        )
    };
    assert_eq!(looker.value(&billed(&run)).await, "A-1 79.97 issued, A-2 79.97 issued");
    let held = format!("SELECT contract_id FROM billing_periods WHERE billing_run_id = '{run}' AND status = 'held'");
    assert_eq!(looker.value(&held).await, contract);
    days_of(&looker, "2026-11-04", "2026-11-04", "m.serial = 'H-12'").await;
    let next = run_of(&browser, "2026-11-11", "").await;
    bill(&browser, &next).await;
    // 4.5 kWh and the day of 24 kWh: 7.98 and tax.
    assert_eq!(looker.value(&billed(&next)).await, "A-1 9.50 issued");
}

#[tokio::test]
async fn a_change_at_one_place_makes_the_whole_bill_stale_once() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    a_landlord(&looker).await;
    let run = create(&browser, &looker).await;
    step(&browser, &run, "rate_billing_run").await;
    looker
        .must(
            "UPDATE interval_days SET wh[1] = 700, total_wh = 700 WHERE day = '2026-11-03'
             AND meter_id IN (SELECT id FROM meters WHERE serial = 'H-12')",
        )
        .await;
    let refused = step(&browser, &run, "approve_billing_run").await;
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("A draft is no longer up to date") && said.contains("A-1 (usage). Rate again"), "{said}");
    step(&browser, &run, "rate_billing_run").await;
    step(&browser, &run, "approve_billing_run").await;
    assert!(browser.get(&page_of(&run)).await.body.contains("/api/issue_billing_run"));
}

#[tokio::test]
async fn contracts_of_one_account_with_other_cycles_are_on_one_bill_when_they_are_due_together() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let contract = a_landlord(&looker).await;
    without_october(&looker).await;
    due(&looker, "2026-11-01", "2026-11-10").await;
    looker
        .must(&format!("UPDATE contracts SET billing_from = '2026-11-06', billing_cycle = 3 WHERE id = '{contract}'"))
        .await;
    let run = run_of(&browser, "2026-11-11", "").await;
    bill(&browser, &run).await;
    // Its days are those of all: five of the house.
    let bill = format!(
        "SELECT concat_ws(' ', i.period_from, i.period_to, i.kwh, i.status) FROM invoices i WHERE billing_run_id = '{run}' AND account_number = 'A-1'"
    );
    assert_eq!(looker.value(&bill).await, "2026-11-01 2026-11-11 242.500 issued");
    let periods = format!(
        "SELECT string_agg(concat_ws(' ', p.from_on, p.to_on), ', ' ORDER BY p.from_on) FROM billing_periods p
         WHERE p.billing_run_id = '{run}' AND p.customer_id = '{}'",
        customer(1, 1, 1)
    );
    assert_eq!(looker.value(&periods).await, "2026-11-01 2026-11-11, 2026-11-06 2026-11-11");
}

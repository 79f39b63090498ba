//! What is due follows from a contract's cycle, its days, and the first day that is billed here.

use super::support::database::Case;
use super::support::world::{client, customer};
use super::{CLEO, another_place, bill, contract_at, days_of, new_page, post, run_of, step, taken_on, without_october};

#[tokio::test]
async fn each_contract_is_due_when_its_own_cycle_is_over() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    without_october(&looker).await;
    // Beside the first customer's monthly contract: the second's quarters, and a year from October on.
    let house = another_place(&looker, 7).await;
    let yearly = contract_at(&looker, &house, (1, 7), "2025-10-01", None).await;
    looker
        .must(&format!(
            "UPDATE contracts SET billing_cycle = 12, billing_anchor = '2025-10-01' WHERE id = '{yearly}';
             UPDATE contracts SET billing_cycle = 3, billing_anchor = '2026-07-01' WHERE customer_id = '{}'",
            customer(1, 1, 2)
        ))
        .await;
    for (due_on, cycle, taken) in [
        ("2026-09-30", "", None),
        ("2026-10-01", "1", None),
        ("2026-10-01", "3", None),
        ("2026-10-01", "", Some("A-1 2025-10-01 2026-10-01 cycle")),
        ("2026-10-31", "", None),
        ("2027-01-01", "12", None),
        ("2026-11-01", "", Some("A-1 2026-10-01 2026-11-01 cycle")),
        ("2026-12-31", "", None),
        ("2027-01-01", "1", None),
        ("2027-01-01", "3", Some("A-2 2026-10-01 2027-01-01 cycle")),
        ("2027-01-01", "", None),
    ] {
        let run = run_of(&browser, due_on, cycle).await;
        match taken {
            None => assert_eq!(run, "new", "{due_on} {cycle}"),
            Some(taken) => assert_eq!(taken_on(&looker, &run).await, taken, "{due_on} {cycle}"),
        }
    }
    let runs = format!(
        "SELECT string_agg(concat_ws(' ', due_on, coalesce(cycle, 0), contracts), ', ' ORDER BY due_on) FROM billing_runs WHERE client_id = '{}' AND status = 'open'",
        client(1, 1)
    );
    assert_eq!(looker.value(&runs).await, "2026-10-01 0 1, 2026-11-01 0 1, 2027-01-01 3 1");
}

#[tokio::test]
async fn a_year_is_billed_as_one() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let house = another_place(&looker, 7).await;
    let yearly = contract_at(&looker, &house, (1, 7), "2025-10-01", None).await;
    looker
        .must(&format!("UPDATE contracts SET billing_cycle = 12, billing_anchor = '2025-10-01' WHERE id = '{yearly}'"))
        .await;
    days_of(&looker, "2025-10-01", "2026-09-30", "m.serial = 'H-7'").await;
    let run = run_of(&browser, "2026-10-01", "12").await;
    bill(&browser, &run).await;
    // 365 days of 24 kWh at 0.28.
    let billed = format!(
        "SELECT concat_ws(' ', p.from_on, p.to_on, p.kwh, i.period_from, i.period_to, i.net, i.status)
         FROM billing_periods p JOIN invoices i ON i.id = p.invoice_id WHERE p.billing_run_id = '{run}'"
    );
    assert_eq!(looker.value(&billed).await, "2025-10-01 2026-10-01 8760.000 2025-10-01 2026-10-01 2452.80 issued");
    assert_eq!(run_of(&browser, "2027-09-30", "12").await, "new", "the next year is not over");
    let next = run_of(&browser, "2027-10-01", "12").await;
    assert_eq!(taken_on(&looker, &next).await, "A-1 2026-10-01 2027-10-01 cycle");
}

#[tokio::test]
async fn days_before_the_first_that_is_billed_here_are_nobody_s_to_bill() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    without_october(&looker).await;
    let house = another_place(&looker, 7).await;
    let contract = contract_at(&looker, &house, (2, 7), "2026-08-10", None).await;
    let from = |day: &str| format!("UPDATE contracts SET billing_from = {day} WHERE id = '{contract}'");
    looker.must(&from("'2026-10-15'")).await;
    let of_house = format!(
        "SELECT concat_ws(' ', from_on, to_on) FROM billing_periods WHERE contract_id = '{contract}' AND status = 'due'"
    );
    let run = run_of(&browser, "2026-11-01", "").await;
    assert_eq!(looker.value(&of_house).await, "2026-10-15 2026-11-01");
    // Rated again, it follows what the contract says by then.
    let rated = async |day: &str| {
        looker.must(&from(day)).await;
        step(&browser, &run, "rate_billing_run").await;
        step(&browser, &run, "reopen_billing_run").await;
        looker.value(&of_house).await
    };
    assert_eq!(rated("'2026-10-16'").await, "2026-10-16 2026-11-01");
    assert_eq!(rated("NULL").await, "2026-08-10 2026-09-01", "the contract's first days");
    assert_eq!(rated("'2026-08-20'").await, "2026-08-20 2026-09-01");
}

#[tokio::test]
async fn a_run_is_made_of_a_cycle_that_there_is() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser_of(CLEO);
    for cycle in ["0", "4", "-1", "monthly", "13", "99999"] {
        let form = [("page", new_page()), ("due_on", "2026-12-01".to_owned()), ("cycle", cycle.to_owned())];
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let refused = post(&browser, CLEO, "create_billing_run", &form).await;
        let said = browser.get(refused.location()).await.body;
        assert!(said.contains("Choose one of the cycles"), "{cycle}: {said}");
    }
}

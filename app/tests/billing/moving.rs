//! Moving out and in: each is billed for their own days, and days that nobody has are billed to nobody.

use super::support::database::Case;
use super::support::world::{Kind, Who, client, customer, id};
use super::{
    CLEO, bill, contract_at, create, days_of, run_of, step, taken_on, the_missing_day, usage, without_october,
};

fn first_place() -> String {
    id(Kind::Place, 1, 1, 1, 1).to_string()
}

/// The first customer moves out.
fn moves_out(day: &str) -> String {
    format!("UPDATE contracts SET to_on = '{day}' WHERE id = '{}'", id(Kind::Contract, 1, 1, 1, 1))
}

/// What a run billed of the first place, by days: account, days, why, kWh.
fn of_the_place(run: &str) -> String {
    format!(
        "SELECT string_agg(concat_ws(' ', i.account_number, p.from_on, p.to_on, p.reason, p.kwh, p.status), ', ' ORDER BY p.from_on)
         FROM billing_periods p JOIN invoices i ON i.id = p.invoice_id WHERE p.billing_run_id = '{run}' AND p.address = '1 Mill Lane'"
    )
}

#[tokio::test]
async fn a_mover_in_mid_month_gets_a_final_bill_and_who_moves_in_a_first_one() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    without_october(&looker).await;
    looker.must("UPDATE contracts SET billing_from = '2026-11-01'").await;
    looker.must(&moves_out("2026-11-16")).await;
    contract_at(&looker, &first_place(), (2, 2), "2026-11-16", None).await;
    days_of(&looker, "2026-11-01", "2026-11-30", "true").await;
    // A final bill is due when the contract is over, before the month is.
    let early = run_of(&browser, "2026-11-16", "").await;
    assert_eq!(taken_on(&looker, &early).await, "A-1 2026-11-01 2026-11-16 final");
    step(&browser, &early, "delete_billing_run").await;
    let run = run_of(&browser, "2026-12-01", "").await;
    assert_eq!(
        taken_on(&looker, &run).await,
        "A-1 2026-11-01 2026-11-16 final, A-2 2026-11-01 2026-12-01 cycle, A-2 2026-11-16 2026-12-01 cycle"
    );
    bill(&browser, &run).await;
    assert_eq!(
        looker.value(&of_the_place(&run)).await,
        "A-1 2026-11-01 2026-11-16 final 360.000 issued, A-2 2026-11-16 2026-12-01 cycle 360.000 issued"
    );
    // Who moved out has nothing due any more, however long one waits.
    let later = run_of(&browser, "2027-03-01", "").await;
    let taken = taken_on(&looker, &later).await;
    assert!(!taken.contains("A-1") && taken.contains("A-2 2026-12-01 2027-01-01 cycle"), "{taken}");
}

#[tokio::test]
async fn vacant_days_are_billed_to_nobody() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    without_october(&looker).await;
    looker.must("UPDATE contracts SET billing_from = '2026-11-01'").await;
    days_of(&looker, "2026-11-01", "2026-11-30", "true").await;
    looker.must(&moves_out("2026-11-11")).await;
    contract_at(&looker, &first_place(), (2, 2), "2026-11-21", None).await;
    let vacant = format!(
        "SELECT string_agg(DISTINCT coalesce(customer_id::text, 'nobody'), ' ') FROM interval_days
         WHERE meter_id = '{}' AND day >= '2026-11-11' AND day < '2026-11-21'",
        id(Kind::Meter, 1, 1, 1, 1)
    );
    assert_eq!(looker.value(&vacant).await, "nobody");
    let run = run_of(&browser, "2026-12-01", "").await;
    bill(&browser, &run).await;
    assert_eq!(
        looker.value(&of_the_place(&run)).await,
        "A-1 2026-11-01 2026-11-11 final 240.000 issued, A-2 2026-11-21 2026-12-01 cycle 240.000 issued"
    );
    assert_eq!(run_of(&browser, "2026-12-01", "").await, "new", "nothing is left to bill");
}

#[tokio::test]
async fn days_that_change_hands_after_issue_flag_the_bills_that_they_touch_and_no_other() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    the_missing_day(&looker).await;
    let run = create(&browser, &looker).await;
    bill(&browser, &run).await;
    let bills = "SELECT md5(string_agg(p::text || i::text, '' ORDER BY p.id)) FROM billing_periods p JOIN invoices i ON i.id = p.invoice_id WHERE p.status = 'issued'";
    let before = looker.value(bills).await;
    let told = format!(
        "SELECT coalesce(string_agg(concat_ws(' ', a.account_number, p.from_on, e.message), '; ' ORDER BY a.account_number, p.from_on), 'nothing')
         FROM billing_exceptions e JOIN billing_periods p ON p.id = e.billing_period_id JOIN accounts a ON a.id = p.account_id
         WHERE e.client_id = '{}' AND e.kind = 'usage_changed'",
        client(1, 1)
    );
    for (change, expected) in [
        (moves_out("2027-01-01"), "nothing"),
        (moves_out("2026-11-11"), "nothing"),
        (
            moves_out("2026-11-06"),
            "A-1 2026-11-01 Usage changed after invoice INV-2026-000003: values of 2026-11-06 have changed hands.",
        ),
    ] {
        looker.must(&change).await;
        assert_eq!(looker.value(&told).await, expected, "{change}");
    }
    // Whose the days are now has them flagged no second time; their own bill is made of them.
    let next = contract_at(&looker, &first_place(), (2, 2), "2026-11-06", None).await;
    assert!(looker.value(&told).await.starts_with("A-1 2026-11-01 Usage changed"));
    assert_eq!(looker.value(bills).await, before, "what is issued stays as it is");
    looker.must(&format!("UPDATE contracts SET billing_anchor = '2026-11-11' WHERE id = '{next}'")).await;
    let second = run_of(&browser, "2026-11-11", "").await;
    assert_eq!(taken_on(&looker, &second).await, "A-2 2026-11-06 2026-11-11 cycle");
    let overview = browser.get(&format!("/clients/{}", client(1, 1))).await.body;
    assert!(overview.contains("Usage of 1 invoice changed after issue"), "{overview}");
    let hers = portal.browser_of(Who::Customer(1, 1, 1)).get("/account").await.body;
    assert!(!hers.contains("changed after"), "{hers}");
    // The other end: days of September are nobody's.
    looker
        .must(&format!(
            "DELETE FROM billing_exceptions WHERE kind = 'usage_changed'; UPDATE contracts SET from_on = '2026-09-11' WHERE customer_id = '{}' AND from_on = '2024-01-01'",
            customer(1, 1, 2)
        ))
        .await;
    let first = looker.value(&told).await;
    assert!(first.starts_with("A-2 2026-09-01 Usage changed after invoice INV-2026-2: "), "{first}");
    assert!(first.ends_with("changed hands.") && !first.contains("; "), "{first}");
}

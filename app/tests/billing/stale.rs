//! A draft is approved and issued only as long as everything it was rated from is as it was.

use super::support::database::Case;
use super::support::http::{Browser, Portal};
use super::support::sql::Sql;
use super::support::world::client;
use super::{CLEO, beneath, create, step, the_missing_day, usage};

/// Rates 1 to 10 November for both customers.
async fn rated(portal: &Portal, looker: &Sql) -> (Browser, String) {
    let browser = portal.browser_of(CLEO);
    usage(looker).await;
    the_missing_day(looker).await;
    let run = create(&browser, looker).await;
    step(&browser, &run, "rate_billing_run").await;
    (browser, run)
}

/// What may change after rating, for the first customer where it is about one: what is told, and the change.
fn changes() -> Vec<(&'static str, &'static str, String)> {
    let client = client(1, 1);
    let of = |sql: &str| format!("{sql} AND client_id = '{client}'");
    let first = format!("(SELECT customer_id FROM accounts WHERE client_id = '{client}' AND account_number = 'A-1')");
    let values = "UPDATE interval_days SET wh[1] = 2000, total_wh = 25000 WHERE day = '2026-11-03' AND meter_id IN (SELECT id FROM meters WHERE serial = 'M-1')";
    let read = format!(
        "INSERT INTO meter_readings (organization_id, client_id, id, customer_id, meter_id, register_id, read_on, figure, quality)
         SELECT k.organization_id, k.client_id, gen_random_uuid(), k.customer_id, k.meter_id, r.id, v.read_on, v.figure, 'actual'
         FROM contract_meters k JOIN registers r ON r.meter_id = k.meter_id, (VALUES ('2026-11-01'::date, 1100), ('2026-11-11', 1101)) v (read_on, figure)
         WHERE k.client_id = '{client}' AND k.serial = 'M-1'"
    );
    let agreement = format!("UPDATE tariff_agreements SET tariff_code = 'OTHER' WHERE customer_id = {first}");
    let version = format!(
        "UPDATE tariff_rates SET effective_to = '2026-11-05' WHERE client_id = '{client}' AND code = 'HOME' AND version = 1;
         UPDATE tariff_rates SET status = 'active', effective_from = '2026-11-05' WHERE code = 'HOME' AND version = 2"
    );
    vec![
        ("interval values", "A-1 (usage)", of(values)),
        ("a register read", "A-1 (usage)", read),
        ("an agreement", "A-1 (tariff)", agreement),
        ("a tariff version", "A-1 (tariff), A-2 (tariff)", of(&version)),
        (
            "the client's tax",
            "A-1 (tariff), A-2 (tariff)",
            format!("UPDATE clients SET tax_rate = 0.07 WHERE id = '{client}'"),
        ),
        // Days that a meter or a contract no longer has are read by nobody.
        ("a meter", "A-1 (usage, meters)", of("UPDATE meters SET valid_to = '2026-11-09' WHERE serial = 'M-1'")),
        (
            "a contract's last day",
            "A-1 (usage, meters, customer)",
            format!("UPDATE contracts SET to_on = '2026-11-09' WHERE customer_id = {first}"),
        ),
        (
            "an earlier bill",
            "A-1 (earlier bills)",
            beneath(&of("UPDATE billing_periods SET carried_credit = 5 WHERE status = 'issued'"))
                .replace("WHERE status", &format!("WHERE customer_id = {first} AND status")),
        ),
    ]
}

#[tokio::test]
async fn approving_is_refused_when_anything_behind_a_draft_has_changed() {
    for (what, told, change) in changes() {
        let case = Case::world().await;
        let (portal, looker) = (case.portal().await, case.superuser().await);
        let (browser, run) = rated(&portal, &looker).await;
        looker.must(&change).await;

        let refused = step(&browser, &run, "approve_billing_run").await;
        let page = browser.get(refused.location()).await.body;
        assert!(page.contains(told) && page.contains("Rate again"), "{what}: {page}");
        assert!(page.contains("no longer up to date") && !page.contains("/api/approve_billing_run"), "{what}");
        let status = format!("SELECT status FROM billing_runs WHERE id = '{run}'");
        assert_eq!(looker.value(&status).await, "rated", "{what}");

        step(&browser, &run, "rate_billing_run").await;
        let page = browser.get(refused.location()).await.body;
        assert!(!page.contains("no longer up to date"), "{what}: rated again, it is up to date");
    }
}

#[tokio::test]
async fn what_rating_does_not_read_makes_no_draft_stale() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, run) = rated(&portal, &looker).await;
    looker
        .must(&format!(
            "UPDATE customers SET email = 'new@eis.example' WHERE client_id = '{0}';
             UPDATE interval_days SET wh[1] = 5 WHERE client_id = '{0}' AND day = '2026-10-11';
             UPDATE tariff_rates SET name = 'Other' WHERE client_id = '{0}' AND version = 2",
            client(1, 1)
        ))
        .await;
    step(&browser, &run, "approve_billing_run").await;
    step(&browser, &run, "issue_billing_run").await;
    let status = format!("SELECT status FROM billing_runs WHERE id = '{run}'");
    assert_eq!(looker.value(&status).await, "issued");
}

#[tokio::test]
async fn issuing_is_refused_when_usage_changed_after_approval() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let (browser, run) = rated(&portal, &looker).await;
    step(&browser, &run, "approve_billing_run").await;
    let (_, _, change) = changes().swap_remove(0);
    looker.must(&change).await;
    let refused = step(&browser, &run, "issue_billing_run").await;
    let page = browser.get(refused.location()).await.body;
    assert!(page.contains("A-1 (usage). Reopen the run and rate it again."), "{page}");
    assert!(!page.contains("/api/issue_billing_run"), "the page offers to reopen, not to issue");
    let issued = format!("SELECT count(*) FROM invoices WHERE billing_run_id = '{run}' AND status <> 'draft'");
    assert_eq!(looker.count(&issued).await, 0);
}

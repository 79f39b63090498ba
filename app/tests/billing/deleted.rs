//! A run of which nothing was issued can be deleted, with everything that rating made of it; no other.

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{Kind, client, id};
use super::{CLEO, create, page_of, run_of, step, usage, without_october};

/// Rows of a run: itself, periods, drafts, lines, exceptions.
async fn rows(looker: &Sql, run: &str) -> String {
    let all = format!(
        "SELECT concat_ws(' ', (SELECT count(*) FROM billing_runs WHERE id = '{run}'),
            (SELECT count(*) FROM billing_periods WHERE billing_run_id = '{run}'),
            (SELECT count(*) FROM invoices WHERE billing_run_id = '{run}'),
            (SELECT count(*) FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id WHERE i.billing_run_id = '{run}'),
            (SELECT count(*) FROM billing_exceptions e JOIN billing_periods p ON p.id = e.billing_period_id WHERE p.billing_run_id = '{run}'))"
    );
    looker.value(&all).await
}

#[tokio::test]
async fn a_run_goes_with_what_was_rated_in_it_and_its_days_are_due_again() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    without_october(&looker).await;
    let others = format!(
        "SELECT md5(string_agg(t::text || p::text, '' ORDER BY t.id, p.id)) FROM billing_runs t JOIN billing_periods p ON p.billing_run_id = t.id
         WHERE t.client_id = '{}'",
        client(1, 1)
    );
    let before = looker.value(&others).await;
    let run = create(&browser, &looker).await;
    step(&browser, &run, "rate_billing_run").await;
    assert_eq!(rows(&looker, &run).await, "1 2 1 2 2");
    let page = browser.get(&page_of(&run)).await.body;
    let told = "1 draft invoice with all lines and 2 exceptions go with it.";
    assert!(page.contains(told) && page.contains("What it has of 2 contracts is due again"), "{page}");
    assert!(page.contains("/api/delete_billing_run"), "{page}");

    let done = step(&browser, &run, "delete_billing_run").await;
    assert_eq!(done.location(), format!("/clients/{}/billing-runs", client(1, 1)));
    assert!(browser.get(done.location()).await.body.contains("deleted; 2 contracts are due again."));
    assert_eq!(rows(&looker, &run).await, "0 0 0 0 0");
    assert_eq!(looker.value(&others).await, before, "the other runs stay");
    let record = format!(
        "SELECT concat_ws(' ', summary, details -> 'before' ->> 'status', details -> 'before' ->> 'invoices',
            details -> 'before' ->> 'exceptions', details -> 'before' ->> 'contracts')
         FROM audit_log WHERE entity = 'billing_run' AND entity_id = '{run}' AND action = 'delete'"
    );
    assert_eq!(looker.value(&record).await, "Deleted the billing run due by 2026-11-11 rated 1 2 2");
    assert_eq!(step(&browser, &run, "delete_billing_run").await.status, 404, "it is gone");
    assert_ne!(create(&browser, &looker).await, "new", "the same days can be billed again");
}

#[tokio::test]
async fn a_stray_run_no_longer_keeps_its_contracts_once_it_is_deleted() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    let stray = create(&browser, &looker).await;
    assert_eq!(run_of(&browser, "2026-11-11", "1").await, "new", "all contracts are in the other run");
    step(&browser, &stray, "delete_billing_run").await;
    let run = run_of(&browser, "2026-11-11", "1").await;
    step(&browser, &run, "rate_billing_run").await;
    assert!(rows(&looker, &run).await.starts_with("1 2 1 "));
}

#[tokio::test]
async fn a_run_with_issued_invoices_stays() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let september = id(Kind::Run, 1, 1, 0, 1).to_string();
    let before = rows(&looker, &september).await;
    let page = browser.get(&page_of(&september)).await.body;
    assert!(!page.contains("/api/delete_billing_run"), "{page}");
    let refused = step(&browser, &september, "delete_billing_run").await;
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("Invoices of this run are issued, so it stays"), "{said}");
    assert_eq!(rows(&looker, &september).await, before);
    // Whatever the portal thinks: the database keeps a run that an issued invoice names.
    let app = case.app().await;
    let sql = format!("DELETE FROM billing_runs WHERE id = '{september}'");
    assert_eq!(app.as_who(CLEO, &sql).await.unwrap_err().code, "23503");
}

#[tokio::test]
async fn a_run_is_not_deleted_while_somebody_works_on_it() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let october = id(Kind::Run, 1, 1, 0, 2).to_string();
    let before = rows(&looker, &october).await;
    looker.must(&format!("BEGIN; SELECT 1 FROM billing_runs WHERE id = '{october}' FOR UPDATE")).await;
    let refused = step(&browser, &october, "delete_billing_run").await;
    looker.must("COMMIT").await;
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("Somebody works on this run just now"), "{said}");
    assert_eq!(rows(&looker, &october).await, before);
    step(&browser, &october, "delete_billing_run").await;
    assert_eq!(rows(&looker, &october).await, "0 0 0 0 0", "once it is done, it goes");
}

#[tokio::test]
async fn a_rated_run_of_which_nothing_is_due_any_more_asks_for_nothing() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let october = id(Kind::Run, 1, 1, 0, 2).to_string();
    let (home, organization) = (format!("/clients/{}", client(1, 1)), "/organization");
    let admin = portal.browser_of(super::Who::Admin(1));
    assert!(browser.get(&home).await.body.contains("To approve"), "the positive control");
    assert!(admin.get(organization).await.body.contains(&page_of(&october)), "the positive control");

    looker.must(&format!("UPDATE contracts SET from_on = '2026-11-01' WHERE client_id = '{}'", client(1, 1))).await;
    let said = step(&browser, &october, "rate_billing_run").await;
    let page = browser.get(said.location()).await.body;
    assert!(
        page.contains("Rated: nothing of this run is due any more.") && page.contains("nothing to approve"),
        "{page}"
    );
    assert!(!page.contains("/api/approve_billing_run"));
    assert!(!browser.get(&home).await.body.contains("To approve"), "nor is it asked for on the overview");
    assert!(!admin.get(organization).await.body.contains(&page_of(&october)), "nor on the organization's");
    assert!(browser.get(&format!("{home}/billing-runs")).await.body.contains("Nothing to bill"));
    step(&browser, &october, "delete_billing_run").await;
    assert_eq!(rows(&looker, &october).await, "0 0 0 0 0");
}

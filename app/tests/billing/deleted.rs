//! A period in which nothing was issued can be deleted, with everything that rating made in it; no other.

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{Kind, client, id};
use super::{CLEO, create, post, step, usage, without_october};

/// Rows of a period: itself, drafts, lines, exceptions, runs.
async fn rows(looker: &Sql, period: &str) -> String {
    let all = format!(
        "SELECT concat_ws(' ', (SELECT count(*) FROM billing_periods WHERE id = '{period}'),
            (SELECT count(*) FROM invoices WHERE billing_period_id = '{period}'),
            (SELECT count(*) FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id WHERE i.billing_period_id = '{period}'),
            (SELECT count(*) FROM billing_exceptions WHERE billing_period_id = '{period}'),
            (SELECT count(*) FROM billing_runs WHERE billing_period_id = '{period}'))"
    );
    looker.value(&all).await
}

#[tokio::test]
async fn a_period_goes_with_what_was_rated_in_it_and_its_days_are_free_again() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    let others = format!(
        "SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM billing_periods t WHERE client_id = '{}'",
        client(1, 1)
    );
    let before = looker.value(&others).await;
    let period = create(&browser).await;
    step(&browser, &period, "rate_billing_period").await;
    assert_eq!(rows(&looker, &period).await, "1 1 2 2 1");
    let page = browser.get(&format!("/clients/{}/billing-periods/{period}", client(1, 1))).await.body;
    let told = "1 draft invoice with all lines, 2 exceptions and the record of its ratings go with it.";
    assert!(page.contains(told) && page.contains("/api/delete_billing_period"), "{page}");

    let done = step(&browser, &period, "delete_billing_period").await;
    assert_eq!(done.location(), format!("/clients/{}/billing-periods", client(1, 1)));
    assert!(browser.get(done.location()).await.body.contains("deleted"));
    assert_eq!(rows(&looker, &period).await, "0 0 0 0 0");
    assert_eq!(looker.value(&others).await, before, "the other periods stay");
    let record = format!(
        "SELECT concat_ws(' ', summary, details -> 'before' ->> 'status', details -> 'before' ->> 'invoices',
            details -> 'before' ->> 'exceptions', details -> 'before' ->> 'runs')
         FROM audit_log WHERE entity = 'billing_period' AND entity_id = '{period}' AND action = 'delete'"
    );
    assert_eq!(looker.value(&record).await, "Deleted billing period 2026-11-01 to 2026-11-10 rated 1 2 1");
    assert_eq!(step(&browser, &period, "delete_billing_period").await.status, 404, "it is gone");
    assert_ne!(create(&browser).await, "new", "the same days can be billed again");
}

#[tokio::test]
async fn a_stray_period_no_longer_holds_up_the_others_once_it_is_deleted() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    usage(&looker).await;
    let page = format!("/clients/{}/billing-periods/new", client(1, 1));
    let form = [("page", page.as_str()), ("from", "2016-11-01"), ("to", "2016-11-30")];
    let stray = post(&browser, CLEO, "create_billing_period", &form).await.location().to_owned();
    let stray = stray.rsplit('/').next().unwrap_or_default();
    let november = create(&browser).await;
    let refused = step(&browser, &november, "rate_billing_period").await;
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("1 Nov 2016 to 30 Nov 2016 first") && said.contains("delete it on its page"), "{said}");
    step(&browser, stray, "delete_billing_period").await;
    step(&browser, &november, "rate_billing_period").await;
    assert!(rows(&looker, &november).await.starts_with("1 1 "));
}

#[tokio::test]
async fn a_period_with_issued_invoices_stays() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let september = id(Kind::Period, 1, 1, 0, 1).to_string();
    let before = rows(&looker, &september).await;
    let page = browser.get(&format!("/clients/{}/billing-periods/{september}", client(1, 1))).await.body;
    assert!(!page.contains("/api/delete_billing_period"), "{page}");
    let refused = step(&browser, &september, "delete_billing_period").await;
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("The invoices of this period are issued, so it stays"), "{said}");
    assert_eq!(rows(&looker, &september).await, before);
    // Whatever the portal thinks: the database keeps a period that an issued invoice names.
    let app = case.app().await;
    let sql = format!("DELETE FROM billing_periods WHERE id = '{september}'");
    assert_eq!(app.as_who(CLEO, &sql).await.unwrap_err().code, "23503");
}

#[tokio::test]
async fn a_period_is_not_deleted_while_somebody_bills_the_client() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    let october = id(Kind::Period, 1, 1, 0, 2).to_string();
    let before = rows(&looker, &october).await;
    let lock = format!(
        "SELECT pg_advisory_xact_lock(hashtextextended(format('billing %s %s', organization_id, id), 0)) FROM clients WHERE id = '{}'",
        client(1, 1)
    );
    looker.must(&format!("BEGIN; {lock}")).await;
    let refused = step(&browser, &october, "delete_billing_period").await;
    looker.must("COMMIT").await;
    let said = browser.get(refused.location()).await.body;
    assert!(said.contains("Billing is under way"), "{said}");
    assert_eq!(rows(&looker, &october).await, before);
    step(&browser, &october, "delete_billing_period").await;
    assert_eq!(rows(&looker, &october).await, "0 0 0 0 0", "once it is done, it goes");
}

#[tokio::test]
async fn a_rated_period_without_anybody_to_bill_asks_for_nothing() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    without_october(&looker).await;
    looker.must(&format!("DELETE FROM billing_exceptions WHERE client_id = '{}'", client(1, 1))).await;
    let october = id(Kind::Period, 1, 1, 0, 2).to_string();
    let (home, organization) = (format!("/clients/{}", client(1, 1)), "/organization");
    let admin = portal.browser_of(super::Who::Admin(1));
    looker.must(&format!("UPDATE billing_periods SET invoices = 1 WHERE id = '{october}'")).await;
    assert!(browser.get(&home).await.body.contains("To approve"), "the positive control");
    let waits = format!("/clients/{}/billing-periods/{october}", client(1, 1));
    assert!(admin.get(organization).await.body.contains(&waits), "the positive control");

    looker.must(&format!("UPDATE contracts SET from_on = '2026-11-01' WHERE client_id = '{}'", client(1, 1))).await;
    let said = step(&browser, &october, "rate_billing_period").await;
    let page = browser.get(said.location()).await.body;
    assert!(page.contains("Rated: there is nobody to bill") && page.contains("nothing to approve"), "{page}");
    assert!(!page.contains("/api/approve_billing_period"));
    assert!(!browser.get(&home).await.body.contains("To approve"), "nor is it asked for on the overview");
    assert!(!admin.get(organization).await.body.contains(&waits), "nor on the organization's");
    assert!(browser.get(&format!("{home}/billing-periods")).await.body.contains("Nothing to bill"));
}

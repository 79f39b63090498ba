//! The same engine as billing: a what-if's sums are the bills of the same months, as agreed and under the candidate.

use crate::support::database::Case;
use crate::support::http::Browser;
use crate::support::sql::Sql;
use crate::support::world::client;
use crate::{CLEO, ask, dearer_draft, post, usage, work, worker};

/// Bills months one after the other; account, sum, energy and number of bills.
async fn bills(browser: &Browser, owner: &Sql, months: &[(&str, &str)]) -> String {
    for (from, to) in months {
        let answer = post(browser, "create_billing_period", &[("from", from), ("to", to)]).await;
        let period = answer.location().rsplit('/').next().unwrap_or_default().to_owned();
        for step in ["rate_billing_period", "approve_billing_period", "issue_billing_period"] {
            post(browser, step, &[("period", &period)]).await;
        }
    }
    owner
        .value(&format!(
            "SELECT string_agg(account_number || ' ' || total || ' ' || kwh || ' ' || bills, ', ' ORDER BY account_number) FROM (
                 SELECT account_number, sum(total) AS total, sum(kwh) AS kwh, count(*) AS bills FROM invoices
                 WHERE client_id = '{}' AND status = 'issued' AND period_from >= '2027-01-01' GROUP BY account_number) i",
            client(1, 1)
        ))
        .await
}

const MONTHS: [(&str, &str); 3] =
    [("2027-01-01", "2027-01-31"), ("2027-02-01", "2027-02-28"), ("2027-03-01", "2027-03-31")];

#[tokio::test]
async fn a_what_if_s_sums_are_the_bills_of_the_same_months() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    owner.must(&format!("DELETE FROM invoices WHERE client_id = '{}' AND status = 'draft'", client(1, 1))).await;
    let draft = dearer_draft(&owner).await;
    // March has a day of 23 hours; one customer moves in on a day within.
    usage(&owner, "2027-01-01", "2027-04-01").await;
    owner
        .must(&format!(
            "UPDATE contracts SET from_on = '2027-02-11' WHERE client_id = '{}' AND address = '2 Mill Lane'",
            client(1, 1)
        ))
        .await;
    ask(&browser, &[&draft], "2027-01", "2027-03").await;
    work(&worker(&case)).await.expect("a job");
    let result = |column: &str| {
        format!(
            "SELECT string_agg(account_number || ' ' || {column} || ' ' || kwh[1] || ' ' || months[1], ', ' ORDER BY account_number)
             FROM what_if_results WHERE what_if_id = (SELECT id FROM what_ifs ORDER BY created_at DESC, id DESC LIMIT 1)"
        )
    };
    let (now, then) = (owner.value(&result("now[1]")).await, owner.value(&result("costs[1]")).await);
    assert_ne!(now, then);
    assert!(now.starts_with("A-1 719.38 2159.000 3, A-2 "), "{now}");
    assert_eq!(bills(&browser, &owner, &MONTHS).await, now);

    // The same months billed with the candidate in force, in another world.
    let other = Case::world().await;
    let (portal, owner) = (other.portal().await, other.superuser().await);
    owner.must(&format!("DELETE FROM invoices WHERE client_id = '{}' AND status = 'draft'", client(1, 1))).await;
    dearer_draft(&owner).await;
    usage(&owner, "2027-01-01", "2027-04-01").await;
    owner
        .must(&format!(
            "UPDATE contracts SET from_on = '2027-02-11' WHERE client_id = '{0}' AND address = '2 Mill Lane';
             UPDATE tariff_rates SET effective_to = '2026-01-01' WHERE client_id = '{0}' AND code = 'HOME' AND version = 1;
             UPDATE tariff_rates SET status = 'active' WHERE client_id = '{0}' AND code = 'HOME' AND version = 2",
            client(1, 1)
        ))
        .await;
    assert_eq!(bills(&portal.browser_of(CLEO), &owner, &MONTHS).await, then);
}

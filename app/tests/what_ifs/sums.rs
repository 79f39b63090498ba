//! The same engine as billing: a what-if's sums are the bills of the same months, as agreed and under the candidate.

use crate::support::database::Case;
use crate::support::http::Browser;
use crate::support::sql::Sql;
use crate::support::world::{client, without_october};
use crate::{CLEO, ask, dearer_draft, post, usage, work, worker};

/// The world's October is put aside, and what is billed here begins with the year.
async fn from_new_year_on(owner: &Sql) {
    let begin = format!("UPDATE contracts SET billing_from = '2027-01-01' WHERE client_id = '{}'", client(1, 1));
    owner.must(&format!("{}; {begin}", without_october(1, 1))).await;
}

/// Bills what is due by days one after the other; account, sum, energy and number of bills.
async fn bills(browser: &Browser, owner: &Sql, days: &[&str]) -> String {
    for due_on in days {
        let answer = post(browser, "create_billing_run", &[("due_on", due_on)]).await;
        let run = answer.location().rsplit('/').next().unwrap_or_default().to_owned();
        for step in ["rate_billing_run", "approve_billing_run", "issue_billing_run"] {
            post(browser, step, &[("run", &run)]).await;
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

/// Three months are over, one after the other.
const OVER: [&str; 3] = ["2027-02-01", "2027-03-01", "2027-04-01"];

#[tokio::test]
async fn a_what_if_s_sums_are_the_bills_of_the_same_months() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    from_new_year_on(&owner).await;
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
    assert_eq!(bills(&browser, &owner, &OVER).await, now);

    // The same months billed with the candidate in force, in another world.
    let other = Case::world().await;
    let (portal, owner) = (other.portal().await, other.superuser().await);
    from_new_year_on(&owner).await;
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
    assert_eq!(bills(&portal.browser_of(CLEO), &owner, &OVER).await, then);
}

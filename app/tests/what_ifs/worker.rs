//! The work survives its workers: killed, stopped, several at once, deleted under their hands.

use std::time::Duration;

use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::client;
use crate::{CLEO, ask, dearer_draft, post, work, worker};
use portal::server::background::{self, Background};

/// Customers without usage: quick to go through, and many batches.
async fn crowd(owner: &Sql, customers: u32) {
    owner
        .must(&format!(
            "INSERT INTO customers (organization_id, client_id, id, name)
             SELECT organization_id, id, gen_random_uuid(), 'Crowd ' || lpad(n::text, 6, '0')
             FROM clients, generate_series(1, {customers}) n WHERE id = '{}';
             INSERT INTO accounts (organization_id, client_id, customer_id, id, account_number, is_main)
             SELECT organization_id, client_id, id, id, 'C-' || right(name, 6), true FROM customers WHERE name LIKE 'Crowd %';
             INSERT INTO service_points (organization_id, client_id, id, address, time_zone)
             SELECT organization_id, client_id, id, name || ' Long Street', 'Europe/Berlin' FROM customers WHERE name LIKE 'Crowd %';
             INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, billing_anchor)
             SELECT organization_id, client_id, id, id, id, id, '2024-01-01', '2024-01-01' FROM customers WHERE name LIKE 'Crowd %'",
            client(1, 1)
        ))
        .await;
}

const RESULTS: &str = "SELECT count(*) FROM what_if_results WHERE account_number LIKE 'C-%'";
const JOB: &str = "SELECT status || ' ' || progress || ' of ' || coalesce(total, 0) || ' ' || problem FROM jobs WHERE kind = 'what_if'";

async fn until(owner: &Sql, sql: &str, least: i64) -> i64 {
    for _ in 0..20_000 {
        let found = owner.count(sql).await;
        if found >= least {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{sql} never reached {least}");
}

#[tokio::test]
async fn a_worker_killed_in_the_middle_is_followed_by_another_and_no_customer_is_done_twice() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    crowd(&owner, 1_500).await;
    let draft = dearer_draft(&owner).await;
    ask(&portal.browser_of(CLEO), &[&draft], "2026-09", "2026-10").await;
    let first = worker(&case);
    let killed = tokio::spawn(async move { work(&first).await });
    let before = until(&owner, RESULTS, 100).await;
    killed.abort();
    let _ = killed.await;
    assert!((100..1_500).contains(&before), "{before} when it was killed");
    let written = owner.value("SELECT md5(string_agg(customer_id || xmin::text, ' ' ORDER BY customer_id)) FROM what_if_results WHERE created_at <= now() AND account_number LIKE 'C-%'").await;
    let there = owner.count(RESULTS).await;
    assert!(there < 1_500, "{there}");
    // Its lease holds for a while: nobody takes the job from one that may be alive.
    let second = worker(&case);
    assert_eq!(work(&second).await, None);
    owner.must("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'running'").await;
    assert!(work(&second).await.is_some());
    assert_eq!(owner.value(JOB).await, "done 1502 of 1502 ");
    assert_eq!(owner.count(RESULTS).await, 1_500);
    let kept = format!(
        "SELECT md5(string_agg(customer_id || xmin::text, ' ' ORDER BY customer_id)) FROM (SELECT customer_id, xmin FROM what_if_results WHERE account_number LIKE 'C-%' ORDER BY account_number LIMIT {there}) r"
    );
    assert_eq!(owner.value(&kept).await, written, "what the first one wrote was not written again");
    assert_eq!(
        owner.value("SELECT totals ->> 'customers' FROM what_ifs ORDER BY created_at DESC, id DESC LIMIT 1").await,
        "1502"
    );
}

#[tokio::test]
async fn a_server_that_stops_puts_its_work_down_and_two_that_start_do_it_once() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    crowd(&owner, 1_500).await;
    let draft = dearer_draft(&owner).await;
    let url = case.connected.url(eis::operate::connect::Login::Worker);
    let server = Background::start(&url, 1).unwrap();
    ask(&portal.browser_of(CLEO), &[&draft], "2026-09", "2026-10").await;
    until(&owner, RESULTS, 100).await;
    server.stop().await;
    let there = owner.count(RESULTS).await;
    assert!((100..1_500).contains(&there), "{there}");
    // The world's two customers come before the crowd.
    assert_eq!(owner.value(JOB).await, format!("queued {} of 1502 ", there + 2));
    let servers = [Background::start(&url, 2).unwrap(), Background::start(&url, 2).unwrap()];
    until(&owner, "SELECT count(*) FROM jobs WHERE kind = 'what_if' AND status = 'done'", 1).await;
    for server in servers {
        server.stop().await;
    }
    assert_eq!((owner.value(JOB).await.as_str(), owner.count(RESULTS).await), ("done 1502 of 1502 ", 1_500));
    assert_eq!(owner.count("SELECT attempts FROM jobs WHERE kind = 'what_if'").await, 1);
    assert_eq!(background::KINDS, ["what_if"]);
}

#[tokio::test]
async fn a_what_if_deleted_while_it_runs_leaves_nothing_behind() {
    let case = Case::world().await;
    let (portal, owner) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    crowd(&owner, 1_500).await;
    let draft = dearer_draft(&owner).await;
    let page = ask(&browser, &[&draft], "2026-09", "2026-10").await;
    let busy = worker(&case);
    let running = tokio::spawn(async move { work(&busy).await });
    until(&owner, RESULTS, 100).await;
    let id = page.rsplit('/').next().unwrap_or_default().to_owned();
    let deleted = post(&browser, "delete_what_if", &[("what_if", &id)]).await;
    assert!(deleted.location().ends_with("/what-ifs"), "{deleted:?}");
    running.await.unwrap();
    assert_eq!(owner.count(RESULTS).await, 0);
    assert_eq!(owner.count(&format!("SELECT count(*) FROM what_ifs WHERE id = '{id}'")).await, 0);
    assert!(owner.value(JOB).await.ends_with("The what-if was deleted."), "{}", owner.value(JOB).await);
    let records = "SELECT string_agg(action, ' ' ORDER BY at) FROM audit_log WHERE entity = 'what_if'";
    assert_eq!(owner.value(records).await, "create delete");
    assert_eq!(browser.get(&page).await.status, 404);
}

//! A run of more bills than are issued at once goes out batch by batch, and numbers have no gap whatever happens between.

use eis::billing::{self, AT_ONCE};
use eis::db::{Access, Db, Tenant};
use eis::values::ids::BillingRunId;

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{client, organization};
use super::{BILL, CLEO, faults_in_the_books, page_of, run_of, step, taken_on, without_october};

/// So many customers of the client who were supplied on the tenth of November alone: cheap bills, all final. Every other one
/// is billed by the quarter.
async fn crowd(owner: &Sql, many: i64) {
    without_october(owner).await;
    let (org, cli) = (organization(1), client(1, 1));
    owner
        .must(&format!(
            "UPDATE contracts SET billing_from = '2027-06-01' WHERE client_id = '{cli}';
             CREATE TABLE crowd AS SELECT n, gen_random_uuid() AS customer, gen_random_uuid() AS account, gen_random_uuid() AS place, gen_random_uuid() AS contract,
                 gen_random_uuid() AS meter FROM generate_series(1, {many}) n;
             INSERT INTO customers (organization_id, client_id, id, name) SELECT '{org}', '{cli}', customer, 'Crowd ' || n FROM crowd;
             INSERT INTO accounts (organization_id, client_id, customer_id, id, account_number, is_main)
             SELECT '{org}', '{cli}', customer, account, 'C-' || lpad(n::text, 4, '0'), true FROM crowd;
             INSERT INTO service_points (organization_id, client_id, id, address, time_zone) SELECT '{org}', '{cli}', place, n || ' Crowd Lane', 'Europe/Berlin' FROM crowd;
             INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, to_on, billing_anchor, billing_cycle)
             SELECT '{org}', '{cli}', customer, contract, account, place, '2026-11-10', '2026-11-11', '2026-01-01', CASE n % 2 WHEN 0 THEN 3 ELSE 1 END FROM crowd;
             INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, kind, interval_minutes, time_zone, valid_from)
             SELECT '{org}', '{cli}', meter, place, 'C-' || n, 'interval', 60, 'Europe/Berlin', '2026-01-01' FROM crowd;
             INSERT INTO tariff_agreements (organization_id, client_id, id, customer_id, contract_id, tariff_code, valid_from)
             SELECT '{org}', '{cli}', gen_random_uuid(), customer, contract, 'HOME', '2026-01-01' FROM crowd;
             INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT '{org}', '{cli}', customer, meter, '2026-11-10', 60, array_fill(1000, ARRAY[24]), 24000 FROM crowd"
        ))
        .await;
}

async fn write(db: &Db) -> Tenant {
    db.as_tenant(&CLEO.actor(), Access::Write).await.unwrap_or_else(|error| panic!("{error}"))
}

/// The first and the last number, how many there are, how many of them differ, and the counter.
async fn numbers(owner: &Sql) -> String {
    let sql = format!(
        "SELECT concat_ws(' ', min(number), max(number), count(number), count(DISTINCT number),
             (SELECT last_number FROM invoice_counters WHERE client_id = '{0}')) FROM invoices WHERE client_id = '{0}' AND series = 'INV'",
        client(1, 1)
    );
    owner.value(&sql).await
}

#[tokio::test]
async fn a_run_of_many_is_issued_in_batches_and_goes_on_where_it_was_killed() {
    let case = Case::world().await;
    let (portal, looker, db) = (case.portal().await, case.superuser().await, case.db(2));
    let browser = portal.browser_of(CLEO);
    let all = AT_ONCE + 6;
    crowd(&looker, all).await;
    let run = run_of(&browser, "2026-11-11", "").await;
    for function in &BILL[..2] {
        step(&browser, &run, function).await;
    }
    let id: BillingRunId = run.parse().unwrap();
    let page = browser.get(&page_of(&run)).await.body;
    assert!(page.contains("They are issued 500 at a time") && page.contains("/api/reopen_billing_run"), "{page}");

    // Killed within a batch: nothing of it is there.
    let mut tx = write(&db).await;
    assert_eq!(billing::issue(&mut tx, id).await.unwrap().left, 6);
    drop(tx);
    assert_eq!(numbers(&looker).await, "1 2 2 2 2");

    // Killed between two: the first is there as a whole.
    let mut tx = write(&db).await;
    let issued = billing::issue(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!((issued.invoices, issued.left), (AT_ONCE, 6));
    assert_eq!(numbers(&looker).await, "1 502 502 502 502");
    let page = browser.get(&page_of(&run)).await.body;
    assert!(page.contains("500 of 506 invoices are issued.") && page.contains("6 drafts"), "{page}");
    assert!(!page.contains("/api/reopen_billing_run") && !page.contains("/api/delete_billing_run"), "{page}");
    for (function, said) in [("reopen_billing_run", "cannot be reopened"), ("delete_billing_run", "so it stays")] {
        let refused = step(&browser, &run, function).await;
        assert!(browser.get(refused.location()).await.body.contains(said), "{function}");
    }
    let state = format!("SELECT status FROM billing_runs WHERE id = '{run}'");
    assert_eq!(looker.value(&state).await, "approved");

    // What has changed meanwhile of those left is held by itself, and the others go out.
    looker
        .must(
            "UPDATE interval_days SET wh = array_fill(500, ARRAY[24]), total_wh = 12000
             WHERE meter_id = (SELECT meter FROM crowd ORDER BY n DESC LIMIT 1)",
        )
        .await;
    let done = step(&browser, &run, "issue_billing_run").await;
    let said = browser.get(done.location()).await.body;
    assert!(said.contains("Issued 5 invoices") && said.contains("1 contract is held for the next run"), "{said}");
    assert_eq!(numbers(&looker).await, "1 507 507 507 507");
    assert_eq!(looker.value(&state).await, "issued");
    let once = format!(
        "SELECT concat_ws(' ', count(*), count(DISTINCT p.contract_id), bool_and(p.status = 'issued' AND i.status = 'issued')) FROM invoices i
         JOIN billing_periods p ON p.invoice_id = i.id WHERE i.billing_run_id = '{run}'"
    );
    assert_eq!(looker.value(&once).await, "505 505 t");
    let sums = format!(
        "SELECT concat_ws(' ', r.contracts, r.exceptions, r.invoices = count(i.id), r.net = sum(i.net), r.tax = sum(i.tax), r.total = sum(i.total), r.kwh = sum(i.kwh))
         FROM billing_runs r JOIN invoices i ON i.billing_run_id = r.id WHERE r.id = '{run}' GROUP BY r.organization_id, r.client_id, r.id"
    );
    assert_eq!(looker.value(&sums).await, "506 1 t t t t t", "the run says what was issued");
    let in_order = format!(
        "SELECT count(*) FROM (SELECT number, lag(number) OVER (ORDER BY account_number) AS before FROM invoices WHERE billing_run_id = '{run}') n
         WHERE number <> before + 1"
    );
    assert_eq!(looker.count(&in_order).await, 0, "in the order of account numbers");
    let records = format!(
        "SELECT string_agg(concat_ws(' ', details ->> 'invoices', details #>> '{{after,status}}'), ', ' ORDER BY at) FROM audit_log WHERE entity_id = '{run}' AND action = 'issue'"
    );
    assert_eq!(looker.value(&records).await, "500 approved, 5 issued", "each batch is on record");

    let next = run_of(&browser, "2026-11-11", "").await;
    assert_eq!(taken_on(&looker, &next).await, "C-0506 2026-11-10 2026-11-11 final");
    for function in BILL {
        step(&browser, &next, function).await;
    }
    let last = format!("SELECT concat_ws(' ', number, kwh, status) FROM invoices WHERE billing_run_id = '{next}'");
    assert_eq!(looker.value(&last).await, "508 12.000 issued");
    assert_eq!(numbers(&looker).await, "1 508 508 508 508");
    assert_eq!(faults_in_the_books(&case), Vec::<String>::new());
}

#[tokio::test]
async fn a_page_issues_all_batches_of_a_run() {
    let case = Case::world().await;
    let (portal, looker) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(CLEO);
    crowd(&looker, AT_ONCE + 1).await;
    let run = run_of(&browser, "2026-11-11", "").await;
    for function in &BILL[..2] {
        step(&browser, &run, function).await;
    }
    let done = step(&browser, &run, "issue_billing_run").await;
    let said = browser.get(done.location()).await.body;
    assert!(said.contains("Issued 501 invoices") && said.contains("INV-2026-000003 to INV-2026-000503"), "{said}");
    let again = step(&browser, &run, "issue_billing_run").await;
    let said = browser.get(again.location()).await.body;
    assert!(said.contains("These invoices were issued before; nothing was done again."), "{said}");
    assert_eq!(numbers(&looker).await, "1 503 503 503 503");
}

#[tokio::test]
async fn of_two_runs_that_issue_at_once_numbers_have_no_gap() {
    let case = Case::world().await;
    let (portal, looker, db) = (case.portal().await, case.superuser().await, case.db(4));
    let (one, two) = (portal.browser_of(CLEO), portal.browser_of(CLEO));
    crowd(&looker, 40).await;
    let (monthly, quarterly) = (run_of(&one, "2026-11-11", "1").await, run_of(&one, "2026-11-11", "3").await);
    for run in [&monthly, &quarterly] {
        for function in &BILL[..2] {
            step(&one, run, function).await;
        }
    }
    // The one that has the counter is taken back; the other, which waits, gets its numbers.
    let issue = async |run: &str, keep: bool| {
        let mut tx = write(&db).await;
        let issued = billing::issue(&mut tx, run.parse().unwrap()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        if keep {
            tx.commit().await.unwrap();
        }
        issued.invoices
    };
    assert_eq!(tokio::join!(issue(&monthly, false), issue(&quarterly, true)), (20, 20));
    assert_eq!(numbers(&looker).await, "1 22 22 22 22");
    tokio::join!(step(&one, &monthly, "issue_billing_run"), step(&two, &quarterly, "issue_billing_run"));
    assert_eq!(numbers(&looker).await, "1 42 42 42 42");
    let twice = "SELECT count(*) FROM billing_periods GROUP BY contract_id, from_on HAVING count(*) > 1";
    assert_eq!(looker.rows(twice).await.unwrap().len(), 0);
    assert_eq!(faults_in_the_books(&case), Vec::<String>::new());
}

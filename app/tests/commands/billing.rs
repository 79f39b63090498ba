//! Billing: where each step starts, and what stands in its way.

use std::time::Duration;

use eis::billing::{self, BillingError, Step};
use eis::values::days::Unlikely;
use eis::values::ids::BillingRunId;

use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Kind, client, id, without_october};
use crate::{CLEO, day, on_record, write};

/// The world's run: September's is issued, October's is rated.
fn run(n: u8) -> BillingRunId {
    BillingRunId(id(Kind::Run, 1, 1, 0, n))
}

/// October is put aside; every day of November's first ten has usage, and they are due on the eleventh.
async fn usage(truth: &Sql) {
    truth
        .must(&format!(
            "{1};
             UPDATE contracts SET billing_from = '2026-11-01', billing_anchor = '2026-11-11' WHERE client_id = '{0}';
             INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT m.organization_id, m.client_id, m.customer_id, m.meter_id, d::date, 60, array_fill(1000, ARRAY[24]), 24000
             FROM contract_meters m, generate_series('2026-11-01'::timestamp, '2026-11-10', '1 day') d WHERE m.client_id = '{0}'",
            client(1, 1),
            without_october(1, 1)
        ))
        .await;
}

fn not_here<T: std::fmt::Debug>(refused: Result<T, BillingError>) -> (Step, String) {
    match refused {
        Err(BillingError::NotHere { step, status }) => (step, status),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_run_goes_its_way_and_each_step_is_on_record_once() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    usage(&truth).await;
    let mut tx = write(&db, CLEO).await;
    let id = billing::create(&mut tx, day("2026-11-11"), None).await.unwrap();
    assert_eq!(billing::rate(&mut tx, id).await.unwrap().invoices, 2);
    billing::approve(&mut tx, id).await.unwrap();
    billing::reopen(&mut tx, id).await.unwrap();
    billing::rate(&mut tx, id).await.unwrap();
    billing::approve(&mut tx, id).await.unwrap();
    let issued = billing::issue(&mut tx, id).await.unwrap();
    assert_eq!((issued.invoices, issued.left), (2, 0));
    assert_eq!(billing::issue(&mut tx, id).await.unwrap().labels, None, "issued before");
    let other = billing::create(&mut tx, day("2026-12-11"), Some(1)).await.unwrap();
    assert_eq!(billing::delete(&mut tx, other).await.unwrap().periods, 2);
    tx.commit().await.unwrap();
    let told = on_record(&truth, "billing_run").await;
    let first =
        |line: &String| line.trim_start_matches("Cleo Client 11 ").split(' ').next().unwrap_or_default().to_owned();
    let actions: Vec<String> = told.iter().map(first).collect();
    let expected = ["create", "rate", "approve", "reopen", "rate", "approve", "issue", "create", "delete"];
    assert_eq!(actions, expected, "{told:?}");
    assert!(told[0].ends_with("Created a billing run of 2 contracts due by 2026-11-11"), "{told:?}");
    // As the client writes figures.
    assert!(told[1].ends_with("Rated: 2 draft invoices over €159.94; 0 contracts held."), "{told:?}");
    assert!(told[2].ends_with("Approved 2 invoices of the billing run due by 2026-11-11"), "{told:?}");
    assert!(told[3].ends_with("Reopened the billing run due by 2026-11-11"), "{told:?}");
    assert!(told[6].contains("Issued 2 invoices totalling €159.94: INV-"), "{told:?}");
    assert!(told[8].ends_with("Deleted the billing run due by 2026-12-11"), "{told:?}");
}

#[tokio::test]
async fn a_run_of_nothing_of_no_cycle_or_of_another_age_is_refused() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let runs = "SELECT count(*) FROM billing_runs";
    let before = truth.count(runs).await;
    for (due_on, cycle) in [("2026-11-01", None), ("2026-12-01", None), ("2026-12-01", Some(12)), ("2020-01-01", None)]
    {
        // October's run has the contracts; and no run is of days before anything is due.
        let mut tx = write(&db, CLEO).await;
        let refused = billing::create(&mut tx, day(due_on), cycle).await;
        assert!(matches!(refused, Err(BillingError::NothingDue)), "{due_on} {cycle:?}: {refused:?}");
    }
    let mut tx = write(&db, CLEO).await;
    for months in [0, 4, -1, 13] {
        let refused = billing::create(&mut tx, day("2026-11-01"), Some(months)).await;
        assert!(matches!(refused, Err(BillingError::Cycle(found)) if found == months), "{refused:?}");
    }
    let refused = billing::create(&mut tx, day("2199-01-01"), None).await;
    assert!(matches!(refused, Err(BillingError::Unlikely(Unlikely::After(_)))), "{refused:?}");
    drop(tx);
    assert_eq!(truth.count(runs).await, before, "nothing is left of any");
}

#[tokio::test]
async fn a_step_starts_where_it_may_and_nowhere_else() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    usage(&truth).await;
    let mut tx = write(&db, CLEO).await;
    let id = billing::create(&mut tx, day("2026-11-11"), None).await.unwrap();
    let here = |step, status: &str| (step, status.to_owned());
    assert_eq!(not_here(billing::approve(&mut tx, id).await), here(Step::Approve, "open"));
    assert_eq!(not_here(billing::reopen(&mut tx, id).await), here(Step::Reopen, "open"));
    assert_eq!(not_here(billing::issue(&mut tx, id).await), here(Step::Issue, "open"));
    billing::rate(&mut tx, id).await.unwrap();
    assert_eq!(not_here(billing::issue(&mut tx, id).await), here(Step::Issue, "rated"));
    billing::approve(&mut tx, id).await.unwrap();
    assert_eq!(not_here(billing::rate(&mut tx, id).await), here(Step::Rate, "approved"));
    assert_eq!(not_here(billing::approve(&mut tx, id).await), here(Step::Approve, "approved"));
    billing::issue(&mut tx, id).await.unwrap();
    assert_eq!(not_here(billing::rate(&mut tx, id).await), here(Step::Rate, "issued"));
    assert_eq!(not_here(billing::approve(&mut tx, id).await), here(Step::Approve, "issued"));
    assert_eq!(not_here(billing::reopen(&mut tx, id).await), here(Step::Reopen, "issued"));
    assert_eq!(not_here(billing::delete(&mut tx, id).await), here(Step::Delete, "issued"));
    for foreign in [BillingRunId::fresh(), BillingRunId(crate::support::world::id(Kind::Run, 1, 2, 0, 2))] {
        assert!(matches!(billing::rate(&mut tx, foreign).await, Err(BillingError::NotFound)));
        assert!(matches!(billing::approve(&mut tx, foreign).await, Err(BillingError::NotFound)));
        assert!(matches!(billing::reopen(&mut tx, foreign).await, Err(BillingError::NotFound)));
        assert!(matches!(billing::issue(&mut tx, foreign).await, Err(BillingError::NotFound)));
        assert!(matches!(billing::delete(&mut tx, foreign).await, Err(BillingError::NotFound)));
        assert!(billing::find(&tx, foreign).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn nothing_is_approved_that_is_nothing_or_stale() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    usage(&truth).await;
    let mut tx = write(&db, CLEO).await;
    let id = billing::create(&mut tx, day("2026-11-11"), None).await.unwrap();
    billing::rate(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    truth.must(&format!("UPDATE clients SET tax_rate = 0.07 WHERE id = '{}'", client(1, 1))).await;
    let mut tx = write(&db, CLEO).await;
    match billing::approve(&mut tx, id).await {
        Err(BillingError::Stale { step: Step::Approve, drafts }) => {
            let told: Vec<_> = drafts.iter().map(|draft| (draft.account_number.as_str(), draft.why.clone())).collect();
            assert_eq!(told, [("A-1", vec!["tariff"]), ("A-2", vec!["tariff"])]);
        }
        other => panic!("{other:?}"),
    }
    drop(tx);
    truth
        .must(&format!("DELETE FROM interval_days WHERE day >= '2026-11-01' AND client_id = '{}'", client(1, 1)))
        .await;
    let mut tx = write(&db, CLEO).await;
    let rated = billing::rate(&mut tx, id).await.unwrap();
    assert_eq!((rated.contracts, rated.invoices, rated.blocked), (2, 0, 2));
    assert!(matches!(billing::approve(&mut tx, id).await, Err(BillingError::NothingToApprove)));
}

#[tokio::test]
async fn nothing_is_issued_that_is_stale_or_has_no_day_to_pay_by() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    usage(&truth).await;
    let mut tx = write(&db, CLEO).await;
    let id = billing::create(&mut tx, day("2026-11-11"), None).await.unwrap();
    billing::rate(&mut tx, id).await.unwrap();
    billing::approve(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    // What the table does not take, and the command does not trust.
    let terms = |days: i16| {
        format!(
            "ALTER TABLE clients DROP CONSTRAINT IF EXISTS clients_payment_terms_days_check; UPDATE clients SET payment_terms_days = {days}"
        )
    };
    truth.must(&terms(-1)).await;
    let mut tx = write(&db, CLEO).await;
    assert!(matches!(billing::issue(&mut tx, id).await, Err(BillingError::NoDueDay)));
    drop(tx);
    truth.must(&terms(14)).await;
    truth.must("UPDATE interval_days SET wh[1] = 2000, total_wh = 25000 WHERE day = '2026-11-03'").await;
    let mut tx = write(&db, CLEO).await;
    let refused = billing::issue(&mut tx, id).await;
    assert!(
        matches!(&refused, Err(BillingError::Stale { step: Step::Issue, drafts }) if drafts.len() == 2),
        "{refused:?}"
    );
}

#[tokio::test]
async fn what_an_issued_run_held_is_taken_over_and_only_of_the_cycle_that_is_asked_for() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    usage(&truth).await;
    truth.must("DELETE FROM interval_days WHERE day = '2026-11-07' AND meter_id IN (SELECT id FROM meters WHERE serial = 'M-2')").await;
    let mut tx = write(&db, CLEO).await;
    let first = billing::create(&mut tx, day("2026-11-11"), None).await.unwrap();
    assert_eq!(billing::rate(&mut tx, first).await.unwrap().blocked, 1);
    assert!(matches!(billing::create(&mut tx, day("2026-11-11"), None).await, Err(BillingError::NothingDue)));
    drop(tx);
    let mut tx = write(&db, CLEO).await;
    let first = billing::create(&mut tx, day("2026-11-11"), None).await.unwrap();
    billing::rate(&mut tx, first).await.unwrap();
    billing::approve(&mut tx, first).await.unwrap();
    tx.commit().await.unwrap();
    // Approved, it goes on without what it holds.
    let mut tx = write(&db, CLEO).await;
    let over = billing::create(&mut tx, day("2026-11-11"), None).await.unwrap();
    assert_eq!(billing::find(&tx, over).await.unwrap().map(|run| run.contracts), Some(1));
    drop(tx);
    let mut tx = write(&db, CLEO).await;
    assert_eq!(billing::issue(&mut tx, first).await.unwrap().invoices, 1);
    tx.commit().await.unwrap();
    // Not over before, not of another cycle, and where nothing is made the first keeps what it held.
    for (due_on, cycle) in [("2026-11-10", None), ("2026-11-11", Some(3))] {
        let mut tx = write(&db, CLEO).await;
        let refused = billing::create(&mut tx, day(due_on), cycle).await;
        assert!(matches!(refused, Err(BillingError::NothingDue)), "{due_on}: {refused:?}");
    }
    let held = format!("SELECT count(*) FROM billing_periods WHERE billing_run_id = '{first}' AND status = 'held'");
    assert_eq!(truth.count(&held).await, 1);
    let mut tx = write(&db, CLEO).await;
    let second = billing::create(&mut tx, day("2026-11-11"), Some(1)).await.unwrap();
    assert_eq!(billing::due_by(&tx, day("2026-11-11")).await.unwrap().map(|run| run.id), Some(second));
    assert_eq!(billing::rate(&mut tx, second).await.unwrap().blocked, 1, "the day is still missing");
    tx.commit().await.unwrap();
    assert_eq!(truth.count(&held).await, 0);
    // Nor does a run keep what it holds of which nothing else is left.
    let mut tx = write(&db, CLEO).await;
    let third = billing::create(&mut tx, day("2026-11-11"), None).await.unwrap();
    assert_eq!(billing::rate(&mut tx, third).await.unwrap().contracts, 1);
}

#[tokio::test]
async fn of_two_at_once_one_has_the_contracts_and_one_issues() {
    let case = Case::world().await;
    let (db, truth) = (case.db(4), case.superuser().await);
    usage(&truth).await;
    let make = async || {
        let mut tx = write(&db, CLEO).await;
        let id = billing::create(&mut tx, day("2026-11-11"), None).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        tx.commit().await?;
        Ok::<_, BillingError>(id)
    };
    let (one, two) = tokio::join!(make(), make());
    let lost = [&one, &two].into_iter().filter(|made| matches!(made, Err(BillingError::NothingDue))).count();
    assert_eq!(lost, 1, "{one:?} {two:?}");
    let id = one.or(two).unwrap();
    let mut tx = write(&db, CLEO).await;
    billing::rate(&mut tx, id).await.unwrap();
    billing::approve(&mut tx, id).await.unwrap();
    tx.commit().await.unwrap();
    let issue = async || {
        let mut tx = write(&db, CLEO).await;
        let issued = billing::issue(&mut tx, id).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        tx.commit().await?;
        Ok::<_, BillingError>(issued.invoices)
    };
    let (one, two) = tokio::join!(issue(), issue());
    assert_eq!(one.unwrap() + two.unwrap(), 2, "the numbers are given once");
    let told = on_record(&truth, "billing_run").await;
    assert_eq!(told.iter().filter(|line| line.contains(" issue ")).count(), 1, "{told:?}");
}

#[tokio::test]
async fn a_run_that_somebody_works_on_is_not_deleted_and_another_run_is() {
    let case = Case::world().await;
    let (db, truth) = (case.db(4), case.superuser().await);
    let mut working = write(&db, CLEO).await;
    billing::reopen(&mut working, run(2)).await.unwrap();
    let mut tx = write(&db, CLEO).await;
    assert!(matches!(billing::delete(&mut tx, run(2)).await, Err(BillingError::UnderWay)));
    drop((tx, working));
    usage(&truth).await;
    // Work on one run holds up no other.
    let mut tx = write(&db, CLEO).await;
    let first = billing::create(&mut tx, day("2026-11-11"), None).await.unwrap();
    billing::rate(&mut tx, first).await.unwrap();
    tx.commit().await.unwrap();
    truth
        .must(&format!(
            "INSERT INTO billing_runs (organization_id, client_id, id, due_on) SELECT organization_id, client_id, '{}', '2026-12-01'
             FROM billing_runs WHERE id = '{first}'",
            run(2)
        ))
        .await;
    let mut working = write(&db, CLEO).await;
    billing::rate(&mut working, first).await.unwrap();
    let mut tx = write(&db, CLEO).await;
    assert_eq!(billing::delete(&mut tx, run(2)).await.unwrap().periods, 0);
    tx.commit().await.unwrap();
    working.commit().await.unwrap();
}

//! Billing: where each step starts, and what stands in its way.

use std::time::Duration;

use eis::billing::{self, BillingError, Step};
use eis::days::Unlikely;
use eis::ids::BillingPeriodId;
use eis::period::Period;

use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Kind, client, id};
use crate::{CLEO, day, on_record, write};

/// The world's period: September is issued, October is rated.
fn period(n: u8) -> BillingPeriodId {
    BillingPeriodId(id(Kind::Period, 1, 1, 0, n))
}

fn days(from: &str, to: &str) -> Period {
    Period::new(day(from), day(to)).unwrap()
}

/// October has no drafts, and every day of November's first ten has usage.
async fn usage(truth: &Sql) {
    truth
        .must(&format!(
            "DELETE FROM invoices WHERE client_id = '{0}' AND status = 'draft';
             INSERT INTO interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT m.organization_id, m.client_id, m.customer_id, m.meter_id, d::date, 60, array_fill(1000, ARRAY[24]), 24000
             FROM contract_meters m, generate_series('2026-11-01'::timestamp, '2026-11-10', '1 day') d WHERE m.client_id = '{0}'",
            client(1, 1)
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
async fn a_period_goes_its_way_and_each_step_is_on_record_once() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    usage(&truth).await;
    let mut tx = write(&db, CLEO).await;
    let id = billing::create(&mut tx, days("2026-11-01", "2026-11-11")).await.unwrap();
    assert_eq!(billing::rate(&mut tx, id).await.unwrap().invoices, 2);
    billing::approve(&mut tx, id).await.unwrap();
    billing::reopen(&mut tx, id).await.unwrap();
    billing::rate(&mut tx, id).await.unwrap();
    billing::approve(&mut tx, id).await.unwrap();
    assert_eq!(billing::issue(&mut tx, id).await.unwrap().invoices, 2);
    assert_eq!(billing::issue(&mut tx, id).await.unwrap().labels, None, "issued before");
    let other = billing::create(&mut tx, days("2026-11-11", "2026-12-01")).await.unwrap();
    billing::delete(&mut tx, other).await.unwrap();
    tx.commit().await.unwrap();
    let told = on_record(&truth, "billing_period").await;
    let first =
        |line: &String| line.trim_start_matches("Cleo Client 11 ").split(' ').next().unwrap_or_default().to_owned();
    let actions: Vec<String> = told.iter().map(first).collect();
    let expected = ["create", "rate", "approve", "reopen", "rate", "approve", "issue", "create", "delete"];
    assert_eq!(actions, expected, "{told:?}");
    // As the client writes figures.
    assert!(told[1].ends_with("Rated: 2 draft invoices over €159.94; 0 customers without a bill."), "{told:?}");
    assert!(
        told[2].ends_with("Approved 2 invoices of billing period 2026-11-01 to 2026-11-10")
            || told[2].contains("2 invoices"),
        "{told:?}"
    );
    assert!(told[6].contains("Issued 2 invoices totalling €159.94: INV-"), "{told:?}");
}

#[tokio::test]
async fn days_that_are_taken_too_many_or_of_another_age_are_refused() {
    let case = Case::world().await;
    let db = case.db(2);
    let mut tx = write(&db, CLEO).await;
    let mut make = async |from, to| billing::create(&mut tx, days(from, to)).await.unwrap_err();
    assert!(matches!(make("2026-10-01", "2026-11-01").await, BillingError::SameDays));
    match make("2026-10-15", "2026-11-15").await {
        BillingError::Overlaps(other) => assert_eq!(other, Period::month(2026, 10).unwrap()),
        other => panic!("{other:?}"),
    }
    assert!(matches!(make("2024-01-01", "2025-01-02").await, BillingError::TooLong));
    assert!(matches!(make("2198-12-31", "2199-01-01").await, BillingError::Unlikely(Unlikely::After(_))));
    billing::create(&mut tx, days("2024-01-01", "2025-01-01")).await.unwrap();
}

#[tokio::test]
async fn a_step_starts_where_it_may_and_nowhere_else() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    usage(&truth).await;
    let mut tx = write(&db, CLEO).await;
    let id = billing::create(&mut tx, days("2026-11-01", "2026-11-11")).await.unwrap();
    let here = |step, status: &str| (step, status.to_owned());
    assert_eq!(not_here(billing::approve(&mut tx, id).await), here(Step::Approve, "open"));
    assert_eq!(not_here(billing::reopen(&mut tx, id).await), here(Step::Reopen, "open"));
    assert_eq!(not_here(billing::issue(&mut tx, id).await), here(Step::Issue, "open"));
    assert_eq!(not_here(billing::bill_left_out(&mut tx, id).await), here(Step::BillLeftOut, "open"));
    billing::rate(&mut tx, id).await.unwrap();
    assert_eq!(not_here(billing::issue(&mut tx, id).await), here(Step::Issue, "rated"));
    billing::approve(&mut tx, id).await.unwrap();
    assert_eq!(not_here(billing::rate(&mut tx, id).await), here(Step::Rate, "approved"));
    assert_eq!(not_here(billing::approve(&mut tx, id).await), here(Step::Approve, "approved"));
    billing::issue(&mut tx, id).await.unwrap();
    assert_eq!(not_here(billing::rate(&mut tx, id).await), here(Step::Rate, "invoiced"));
    assert_eq!(not_here(billing::approve(&mut tx, id).await), here(Step::Approve, "invoiced"));
    assert_eq!(not_here(billing::reopen(&mut tx, id).await), here(Step::Reopen, "invoiced"));
    assert_eq!(not_here(billing::delete(&mut tx, id).await), here(Step::Delete, "invoiced"));
    assert!(matches!(billing::bill_left_out(&mut tx, id).await, Err(BillingError::EverybodyBilled)));
    for foreign in [BillingPeriodId::fresh(), BillingPeriodId(crate::support::world::id(Kind::Period, 1, 2, 0, 2))] {
        assert!(matches!(billing::rate(&mut tx, foreign).await, Err(BillingError::NotFound)));
        assert!(matches!(billing::delete(&mut tx, foreign).await, Err(BillingError::NotFound)));
    }
}

#[tokio::test]
async fn an_earlier_period_comes_first_and_nothing_is_approved_that_is_nothing_or_stale() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, CLEO).await;
    let id = billing::create(&mut tx, days("2026-11-01", "2026-11-11")).await.unwrap();
    match billing::rate(&mut tx, id).await {
        Err(BillingError::EarlierFirst(days)) => assert_eq!(days, Period::month(2026, 10).unwrap()),
        other => panic!("{other:?}"),
    }
    tx.commit().await.unwrap();
    usage(&truth).await;
    let mut tx = write(&db, CLEO).await;
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
    assert_eq!(billing::rate(&mut tx, id).await.unwrap().blocked, 2);
    assert!(matches!(billing::approve(&mut tx, id).await, Err(BillingError::NothingToApprove)));
}

#[tokio::test]
async fn nothing_is_issued_that_is_stale_or_has_no_day_to_pay_by() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    usage(&truth).await;
    let mut tx = write(&db, CLEO).await;
    let id = billing::create(&mut tx, days("2026-11-01", "2026-11-11")).await.unwrap();
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
async fn those_left_out_have_one_further_part() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    truth.must(&format!("UPDATE billing_periods SET exceptions = 1 WHERE id = '{}'", period(1))).await;
    let mut tx = write(&db, CLEO).await;
    let (made, _) = billing::bill_left_out(&mut tx, period(1)).await.unwrap();
    assert_eq!((made.part, made.days()), (2, Period::month(2026, 9).unwrap()));
    assert!(matches!(billing::bill_left_out(&mut tx, period(1)).await, Err(BillingError::FurtherPart)));
    tx.commit().await.unwrap();
    let told = on_record(&truth, "billing_period").await;
    assert!(told[0].contains("create Created and rated billing period") && told.len() == 1, "{told:?}");
}

#[tokio::test]
async fn of_two_at_once_one_makes_the_days_and_one_issues() {
    let case = Case::world().await;
    let (db, truth) = (case.db(4), case.superuser().await);
    usage(&truth).await;
    let make = async || {
        let mut tx = write(&db, CLEO).await;
        let id = billing::create(&mut tx, days("2026-11-01", "2026-11-11")).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        tx.commit().await?;
        Ok::<_, BillingError>(id)
    };
    let (one, two) = tokio::join!(make(), make());
    let lost = [&one, &two].into_iter().filter(|made| matches!(made, Err(BillingError::SameDays))).count();
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
    let told = on_record(&truth, "billing_period").await;
    assert_eq!(told.iter().filter(|line| line.contains(" issue ")).count(), 1, "{told:?}");
}

#[tokio::test]
async fn a_period_whose_client_is_being_billed_is_not_deleted_and_days_taken_meanwhile_are_told() {
    let case = Case::world().await;
    let (db, other) = (case.db(4), case.superuser().await);
    let mut billing_now = write(&db, CLEO).await;
    billing::reopen(&mut billing_now, period(2)).await.unwrap();
    let mut tx = write(&db, CLEO).await;
    assert!(matches!(billing::delete(&mut tx, period(2)).await, Err(BillingError::UnderWay)));
    drop((tx, billing_now));
    // Beside the lock of billing, by the constraint alone.
    other
        .must(&format!(
            "BEGIN; INSERT INTO billing_periods (organization_id, client_id, id, from_on, to_on)
             SELECT organization_id, id, gen_random_uuid(), '2026-11-01', '2026-12-01' FROM clients WHERE id = '{}'",
            client(1, 1)
        ))
        .await;
    let make = async {
        let mut tx = write(&db, CLEO).await;
        billing::create(&mut tx, days("2026-11-15", "2026-12-15")).await
    };
    let commit = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        other.must("COMMIT").await;
    };
    let (refused, ()) = tokio::join!(make, commit);
    assert!(matches!(refused, Err(BillingError::OverlapsMeanwhile)), "{refused:?}");
}

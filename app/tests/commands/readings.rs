//! Readings of register meters.

use std::collections::BTreeMap;

use eis::days::Unlikely;
use eis::ids::MeterId;
use eis::meter_readings::{self, NewReading, ReadingError, Violation};
use eis::period::Period;
use rust_decimal::Decimal;

use super::support::database::Case;
use super::support::world::{Kind, id};
use super::{cleo, day, today, violations, writing};

fn reading(from: &str, to: &str) -> NewReading {
    NewReading {
        from_on: day(from),
        to_on: day(to),
        kwh: Decimal::from(10),
        kwh_by_period: BTreeMap::new(),
        peak_kw: None,
        quality: "actual".to_owned(),
    }
}

fn meter() -> MeterId {
    MeterId(id(Kind::Meter, 1, 1, 1, 1))
}

#[tokio::test]
async fn what_a_reading_may_not_say_is_told_and_nothing_is_written() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    let made = meter_readings::create(&mut tx, &cleo(), meter(), &reading("2026-10-01", "2026-11-01")).await;
    assert_eq!(violations(made), [Violation::IntervalMeter]);
    drop(tx);
    looker
        .must("UPDATE meters SET kind = 'register', interval_minutes = NULL, valid_from = '2010-01-01', valid_to = '2026-11-15'")
        .await;
    let tomorrow = today() + chrono::Days::new(1);
    let least = today().checked_sub_months(chrono::Months::new(120)).unwrap();
    let by_period = BTreeMap::from([("day".to_owned(), Decimal::from(9))]);
    let september = Period::new(day("2026-09-01"), day("2026-10-01")).unwrap();
    for (reading, expected) in [
        (reading("2009-10-01", "2026-08-01"), vec![Violation::InServiceFrom(day("2010-01-01"))]),
        (reading("2026-10-01", "2026-10-01"), vec![Violation::EndsBeforeItBegins]),
        (reading("2026-10-01", "2026-11-16"), vec![Violation::Removed(day("2026-11-15"))]),
        (reading("2010-01-01", "2010-02-01"), vec![Violation::ReadOn(Unlikely::Before(least))]),
        (
            NewReading { to_on: tomorrow, ..reading("2026-10-01", "2026-11-01") },
            vec![Violation::ReadOn(Unlikely::Future), Violation::Removed(day("2026-11-15"))],
        ),
        (
            NewReading { kwh_by_period: by_period, ..reading("2026-10-01", "2026-11-01") },
            vec![Violation::PeriodsAddUp { sum: Decimal::from(9), total: Decimal::from(10) }],
        ),
        (reading("2026-09-15", "2026-11-01"), vec![Violation::Overlaps(september)]),
    ] {
        let mut tx = writing(&db).await;
        assert_eq!(violations(meter_readings::create(&mut tx, &cleo(), meter(), &reading).await), expected);
        tx.commit().await.unwrap();
    }
    assert_eq!(looker.count("SELECT count(*) FROM meter_readings WHERE source = 'typed'").await, 0);
    for foreign in [id(Kind::Meter, 1, 2, 1, 1), id(Kind::Meter, 2, 1, 1, 1)] {
        let mut tx = writing(&db).await;
        let reading = reading("2026-10-01", "2026-11-01");
        let refused = meter_readings::create(&mut tx, &cleo(), MeterId(foreign), &reading).await;
        assert!(matches!(refused, Err(ReadingError::NotFound)), "{refused:?}");
    }
}

#[tokio::test]
async fn of_two_readings_at_once_the_later_corrects_the_same_days_and_is_refused_of_others() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    looker.must("UPDATE meters SET kind = 'register', interval_minutes = NULL").await;
    let enter = async |from: &str, to: &str| {
        let mut tx = writing(&db).await;
        let made = meter_readings::create(&mut tx, &cleo(), meter(), &reading(from, to)).await;
        if made.is_ok() {
            tx.commit().await.unwrap();
        }
        made
    };
    let (one, two) = tokio::join!(enter("2026-10-01", "2026-11-01"), enter("2026-10-01", "2026-11-01"));
    let corrects = [one.unwrap().corrects, two.unwrap().corrects];
    assert!(corrects.contains(&true) && corrects.contains(&false), "{corrects:?}");
    let (one, two) = tokio::join!(enter("2026-11-01", "2026-11-11"), enter("2026-11-05", "2026-11-15"));
    let lost = if one.is_ok() { two } else { one };
    assert!(matches!(violations(lost)[..], [Violation::Overlaps(_)]));
    let told = "SELECT string_agg(DISTINCT action, ' ') FROM audit_log WHERE entity = 'meter_reading'";
    assert_eq!(looker.value(told).await, "record update");
    let said = "SELECT min(summary) FROM audit_log WHERE entity = 'meter_reading' AND action = 'update'";
    assert_eq!(looker.value(said).await, "Corrected the reading to 10 kWh of meter M-1 for 2026-10-01 to 2026-10-31");
}

//! Readings of register meters: figures on registers.

use std::collections::BTreeMap;

use eis::metering::meter_readings::{self, NewReading, ReadingError, Recorded, Violation, Which};
use eis::values::days::Unlikely;
use eis::values::ids::{MeterId, RegisterId};
use rust_decimal::Decimal;

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{Kind, account_of, client, contract_of, customer, id, organization};
use super::{day, today, violations, writing};

/// A figure of the first customer's meter, whose register shows six digits and three decimals.
fn reading(on: &str, figure: &str) -> NewReading {
    let figures = BTreeMap::from([(register(1), figure.parse().unwrap())]);
    NewReading { read_on: day(on), quality: "actual".to_owned(), figures }
}

fn meter() -> MeterId {
    MeterId(id(Kind::Meter, 1, 1, 1, 1))
}

fn register(n: u8) -> RegisterId {
    RegisterId(id(Kind::Register, 1, 1, 1, n))
}

fn only() -> Which {
    Which { measures: "energy".to_owned(), name: String::new() }
}

/// The meters of the world are read from now on.
async fn are_read(looker: &Sql) {
    looker.must("UPDATE meters SET kind = 'register', interval_minutes = NULL").await;
}

/// The figures of the first customer's meter that count, and whose they are: the last digit of the customer's name.
async fn there(looker: &Sql) -> String {
    let sql = format!(
        "SELECT string_agg(concat_ws(' ', to_char(r.read_on, 'MM-DD'), trim_scale(r.figure), r.why, coalesce(right(c.name, 1), 'nobody')), ', '
             ORDER BY r.read_on, r.why)
         FROM meter_readings r LEFT JOIN customers c ON c.id = r.customer_id WHERE r.meter_id = '{}' AND r.superseded_by IS NULL",
        meter()
    );
    looker.value(&sql).await
}

#[tokio::test]
async fn what_a_reading_may_not_say_is_told_and_nothing_is_written() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    let made = meter_readings::create(&mut tx, meter(), &reading("2026-11-01", "1100")).await;
    assert_eq!(violations(made), [Violation::IntervalMeter]);
    drop(tx);
    are_read(&looker).await;
    looker.must("UPDATE meters SET valid_from = '2010-01-01', valid_to = '2026-11-15'").await;
    let tomorrow = today() + chrono::Days::new(1);
    let least = today().checked_sub_months(chrono::Months::new(120)).unwrap();
    let (first, last) = (day("2026-09-01"), day("2026-10-01"));
    let nothing = NewReading { figures: BTreeMap::new(), ..reading("2026-11-01", "0") };
    for (reading, expected) in [
        (
            reading("2009-10-01", "900"),
            vec![Violation::ReadOn(Unlikely::Before(least)), Violation::InServiceFrom(day("2010-01-01"))],
        ),
        (reading("2026-11-16", "1100"), vec![Violation::Removed(day("2026-11-15"))]),
        (reading("2010-02-01", "900"), vec![Violation::ReadOn(Unlikely::Before(least))]),
        (
            NewReading { read_on: tomorrow, ..reading("2026-11-01", "1100") },
            vec![Violation::ReadOn(Unlikely::Future), Violation::Removed(day("2026-11-15"))],
        ),
        (nothing, vec![Violation::Missing(only())]),
        (reading("2026-11-01", "1000000"), vec![Violation::TooLong(only(), 6, 3)]),
        (reading("2026-11-01", "1100.0001"), vec![Violation::TooLong(only(), 6, 3)]),
        (reading("2026-11-01", "-1"), vec![Violation::TooLong(only(), 6, 3)]),
        (reading("2026-11-01", "1071.999"), vec![Violation::BelowLast(only(), last, Decimal::new(1_072_000, 3))]),
        (reading("2026-08-01", "1000.001"), vec![Violation::AboveNext(only(), first, Decimal::new(1_000_000, 3))]),
        // Both at once: between 1,000 and 1,072 lies neither.
        (reading("2026-09-15", "1080"), vec![Violation::AboveNext(only(), last, Decimal::new(1_072_000, 3))]),
        (reading("2026-09-15", "999"), vec![Violation::BelowLast(only(), first, Decimal::new(1_000_000, 3))]),
    ] {
        let mut tx = writing(&db).await;
        assert_eq!(violations(meter_readings::create(&mut tx, meter(), &reading).await), expected);
        tx.commit().await.unwrap();
    }
    assert_eq!(looker.count("SELECT count(*) FROM meter_readings WHERE source = 'typed'").await, 0);
    for foreign in [id(Kind::Meter, 1, 2, 1, 1), id(Kind::Meter, 2, 1, 1, 1)] {
        let mut tx = writing(&db).await;
        let reading = reading("2026-11-01", "1100");
        let refused = meter_readings::create(&mut tx, MeterId(foreign), &reading).await;
        assert!(matches!(refused, Err(ReadingError::NotFound)), "{refused:?}");
    }
    // A register of another meter, one of the own client's too.
    for foreign in [id(Kind::Register, 1, 1, 2, 1), id(Kind::Register, 1, 2, 1, 1)] {
        let mut tx = writing(&db).await;
        let mut reading = reading("2026-11-01", "1100");
        reading.figures.insert(RegisterId(foreign), Decimal::ONE);
        let refused = meter_readings::create(&mut tx, meter(), &reading).await;
        assert!(matches!(refused, Err(ReadingError::NotFound)), "{refused:?}");
    }
}

#[tokio::test]
async fn usage_goes_across_a_roll_over_and_a_figure_below_is_refused_beyond_half_of_the_register() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    are_read(&looker).await;
    // Behind transformers: five digits that stand for forty each.
    looker.must("UPDATE registers SET digits = 5, decimals = 0, multiplier = 40").await;
    let enter = async |on: &str, figure: &str| {
        let mut tx = writing(&db).await;
        let made = meter_readings::create(&mut tx, meter(), &reading(on, figure)).await;
        if made.is_ok() {
            tx.commit().await.unwrap();
        }
        made.map(|made| made.used.map(|used| used.kwh.normalize().to_string()))
    };
    assert_eq!(enter("2026-11-01", "99987").await.unwrap(), Some("3956600".to_owned()));
    assert_eq!(enter("2026-11-11", "12").await.unwrap(), Some("1000".to_owned()));
    let beyond = Violation::BelowLast(only(), day("2026-11-11"), Decimal::new(12_000, 3));
    assert_eq!(violations(enter("2026-11-12", "11").await), [beyond]);
    // The day between lies on either side of the roll-over.
    assert_eq!(enter("2026-11-05", "2").await.unwrap(), Some("600".to_owned()));
    assert_eq!(enter("2026-11-06", "10").await.unwrap(), Some("320".to_owned()));
}

#[tokio::test]
async fn of_two_readings_at_once_the_later_corrects_the_same_day() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    are_read(&looker).await;
    let enter = async |on: &str, figure: &str| {
        let mut tx = writing(&db).await;
        let made = meter_readings::create(&mut tx, meter(), &reading(on, figure)).await;
        if made.is_ok() {
            tx.commit().await.unwrap();
        }
        made
    };
    let (one, two) = tokio::join!(enter("2026-11-01", "1082"), enter("2026-11-01", "1083"));
    let corrects = [one.unwrap().corrects, two.unwrap().corrects];
    assert!(corrects.contains(&true) && corrects.contains(&false), "{corrects:?}");
    let one = |figure: &str| format!("09-01 1000 periodic 1, 10-01 1072 periodic 1, 11-01 {figure} periodic 1");
    let last = there(&looker).await;
    assert!(last == one("1082") || last == one("1083"), "{last}");
    enter("2026-11-01", "1081").await.unwrap();
    let kept = "SELECT count(*) FROM meter_readings WHERE source = 'typed'";
    assert_eq!((there(&looker).await, looker.count(kept).await), (one("1081"), 3));
    // The same once more, however it is written, changes nothing and leaves no record.
    assert!(!enter("2026-11-01", "1081.000").await.unwrap().corrects);
    assert_eq!(looker.count(kept).await, 3);
    assert_eq!(looker.count("SELECT count(*) FROM audit_log WHERE entity = 'meter_reading'").await, 3);
    let (one, two) = tokio::join!(enter("2026-11-11", "1090"), enter("2026-11-12", "1089"));
    let lost = if one.is_ok() { two } else { one };
    assert!(matches!(violations(lost)[..], [Violation::BelowLast(..) | Violation::AboveNext(..)]));
    let told = "SELECT string_agg(DISTINCT action, ' ') FROM audit_log WHERE entity = 'meter_reading'";
    assert_eq!(looker.value(told).await, "record update");
    let said =
        "SELECT summary FROM audit_log WHERE entity = 'meter_reading' ORDER BY at DESC, id DESC OFFSET 1 LIMIT 1";
    assert_eq!(looker.value(said).await, "Corrected the reading of meter M-1 on 2026-11-01: kWh 1,081");
}

#[tokio::test]
async fn registers_that_have_names_are_read_together() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    are_read(&looker).await;
    looker
        .must(&format!(
            "DELETE FROM meter_readings WHERE meter_id = '{0}'; DELETE FROM registers WHERE meter_id = '{0}';
             INSERT INTO registers (organization_id, client_id, id, meter_id, name, measures, decimals, multiplier)
             SELECT '{1}', '{2}', v.id::uuid, '{0}', v.name, v.measures, 2, v.multiplier
             FROM (VALUES ('{3}', 'HT', 'energy', 1), ('{4}', 'NT', 'energy', 1), ('{5}', '', 'demand', 40)) v (id, name, measures, multiplier)",
            meter(),
            organization(1),
            client(1, 1),
            register(1),
            register(2),
            register(3)
        ))
        .await;
    let enter = async |on: &str, figures: &[(u8, &str)]| {
        let figures = figures.iter().map(|(n, figure)| (register(*n), figure.parse().unwrap())).collect();
        let reading = NewReading { read_on: day(on), quality: "estimated".to_owned(), figures };
        let mut tx = writing(&db).await;
        let made = meter_readings::create(&mut tx, meter(), &reading).await;
        if made.is_ok() {
            tx.commit().await.unwrap();
        }
        made
    };
    let low = || Which { measures: "energy".to_owned(), name: "NT".to_owned() };
    let demand = Which { measures: "demand".to_owned(), name: String::new() };
    let missing = vec![Violation::Missing(low()), Violation::Missing(demand)];
    assert_eq!(violations(enter("2026-10-01", &[(1, "100")]).await), missing);
    let made = enter("2026-10-01", &[(1, "100"), (2, "50.5"), (3, "1.5")]).await.unwrap();
    assert_eq!((made.used, made.corrects), (None, false), "from here on usage is counted");
    // A demand is not above or below another.
    let made = enter("2026-11-01", &[(1, "180"), (2, "70.75"), (3, "1.25")]).await.unwrap();
    let Recorded { used: Some(used), .. } = made else { panic!("{made:?}") };
    let periods: Vec<String> = used.kwh_by_period.iter().map(|(name, kwh)| format!("{name} {kwh}")).collect();
    assert_eq!((used.kwh.to_string().as_str(), periods), ("100.250", vec!["HT 80".to_owned(), "NT 20.25".to_owned()]));
    assert_eq!((used.peak_kw, used.quality.as_str()), (Some(Decimal::from(50)), "estimated"));
    let said = "SELECT summary FROM audit_log WHERE entity = 'meter_reading' ORDER BY at DESC LIMIT 1";
    let told = "Recorded the reading of meter M-1 on 2026-11-01: HT 180, NT 70.75, kW 1.25";
    assert_eq!(looker.value(said).await, told);
}

#[tokio::test]
async fn the_day_of_a_move_is_two_figures_whichever_is_told_first() {
    let moved = format!(
        "UPDATE contracts SET to_on = '2026-11-01' WHERE id = '{}';
         INSERT INTO contracts (organization_id, client_id, customer_id, id, account_id, service_point_id, from_on, billing_anchor)
         VALUES ('{}', '{}', '{}', '{}', '{}', '{}', '2026-11-01', '2026-11-01')",
        contract_of(customer(1, 1, 1)),
        organization(1),
        client(1, 1),
        customer(1, 1, 2),
        id(Kind::Contract, 1, 1, 2, 9),
        account_of(customer(1, 1, 2)),
        id(Kind::Place, 1, 1, 1, 1)
    );
    let both = "09-01 1000 periodic 1, 10-01 1072 periodic 1, 11-01 1100 final 1, 11-01 1100 opening 2";
    for first in [true, false] {
        let case = Case::world().await;
        let (db, looker) = (case.db(2), case.superuser().await);
        are_read(&looker).await;
        let enter = async |on: &str, figure: &str| {
            let mut tx = writing(&db).await;
            let made = meter_readings::create(&mut tx, meter(), &reading(on, figure)).await.unwrap();
            tx.commit().await.unwrap();
            made
        };
        if first {
            looker.must(&moved).await;
        }
        enter("2026-11-01", "1100").await;
        if !first {
            looker.must(&moved).await;
        }
        assert_eq!(there(&looker).await, both);
        // A correction takes the place of both.
        let made = enter("2026-11-01", "1101").await;
        assert_eq!(made.used.map(|used| used.kwh.to_string()).as_deref(), Some("29.000"));
        assert_eq!(there(&looker).await, both.replace("1100", "1101"));
        // The other one did not come: the days after are nobody's. Nor did anybody go: it is one figure again.
        looker.must("UPDATE contracts SET status = 'withdrawn' WHERE from_on = '2026-11-01'").await;
        assert_eq!(there(&looker).await, both.replace("1100", "1101").replace("opening 2", "opening nobody"));
        looker.must("UPDATE contracts SET to_on = NULL WHERE to_on = '2026-11-01'").await;
        let one = "09-01 1000 periodic 1, 10-01 1072 periodic 1, 11-01 1101 periodic 1";
        assert_eq!(there(&looker).await, one);
        // The meter goes that day: its last figure begins nothing.
        looker.must("UPDATE meters SET valid_to = '2026-11-01' WHERE serial = 'M-1'").await;
        assert_eq!(there(&looker).await, one.replace("1101 periodic", "1101 removed"));
    }
}

//! Meters: installed and changed.

use eis::days::Unlikely;
use eis::ids::{MeterId, ServicePointId};
use eis::meters::{self, Fixed, MeterError, MeterFields, NamesFault, Violation};

use super::support::database::Case;
use super::support::world::{Kind, customer, id};
use super::{cleo, day, today, too_late, violations, writing};

fn fields(serial: &str) -> MeterFields {
    MeterFields {
        serial: serial.to_owned(),
        direction: "import".to_owned(),
        kind: "interval".to_owned(),
        interval_minutes: Some(60),
        registers: vec![],
        time_zone: "Europe/Berlin".to_owned(),
        valid_from: day("2024-01-01"),
        valid_to: None,
    }
}

fn place(o: u8, c: u8, k: u8) -> ServicePointId {
    ServicePointId(id(Kind::Place, o, c, k, 1))
}

fn wrong(serial: &str, change: impl Fn(&mut MeterFields)) -> MeterFields {
    let mut fields = fields(serial);
    change(&mut fields);
    fields
}

#[tokio::test]
async fn what_a_meter_may_not_be_is_told_and_nothing_is_written() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let late = too_late();
    let unlikely = Unlikely::After(today().checked_add_months(chrono::Months::new(24)).unwrap());
    let names = |text: &str| meters::register_names(text);
    for (fields, expected) in [
        (wrong("N-1", |f| f.time_zone = "Mars/Base".into()), Violation::TimeZone("Mars/Base".into())),
        (wrong("N-1", |f| f.registers = names("E1, e1")), Violation::Registers(NamesFault::Twice("e1".into()))),
        (wrong("N-1", |f| f.valid_from = late), Violation::FirstDay(unlikely)),
        (wrong("N-1", |f| f.valid_to = Some(late)), Violation::LastDay(unlikely)),
        (wrong("N-1", |f| f.valid_to = Some(f.valid_from)), Violation::EndsBeforeItBegins),
    ] {
        let mut tx = writing(&db).await;
        let made = meters::install(&mut tx, &cleo(), place(1, 1, 1), &fields).await;
        assert_eq!(violations(made), [expected]);
        tx.commit().await.unwrap();
    }
    assert_eq!(looker.count("SELECT count(*) FROM meters WHERE serial = 'N-1'").await, 0);
    assert_eq!(looker.count("SELECT count(*) FROM audit_log WHERE entity = 'meter'").await, 0);
}

#[tokio::test]
async fn usage_that_is_there_fixes_what_it_was_measured_with() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let meter = MeterId(id(Kind::Meter, 1, 1, 1, 1));
    let (first, last) = (day("2026-09-01"), day("2026-10-31"));
    for (fields, expected) in [
        (wrong("M-1", |f| f.direction = "export".into()), Violation::Measured(Fixed::Direction)),
        (wrong("M-1", |f| f.interval_minutes = Some(15)), Violation::Measured(Fixed::Interval)),
        (wrong("M-1", |f| f.time_zone = "Europe/Paris".into()), Violation::Measured(Fixed::TimeZone)),
        (wrong("M-1", |f| f.valid_from = day("2026-09-02")), Violation::UsageFrom(first)),
        (wrong("M-1", |f| f.valid_to = Some(last)), Violation::UsageUntil(last)),
    ] {
        let mut tx = writing(&db).await;
        assert_eq!(violations(meters::update(&mut tx, &cleo(), meter, &fields).await), [expected]);
    }
    let mut tx = writing(&db).await;
    let removed = wrong("M-1", |f| f.valid_to = Some(day("2026-11-01")));
    meters::update(&mut tx, &cleo(), meter, &removed).await.unwrap();
    tx.commit().await.unwrap();
    let about = "SELECT string_agg(customer_id::text, ' ') FROM audit_log WHERE entity = 'meter'";
    assert_eq!(looker.value(about).await, customer(1, 1, 1).to_string(), "who is there");
}

#[tokio::test]
async fn a_serial_is_in_service_at_one_place_a_day() {
    let case = Case::world().await;
    let db = case.db(2);
    let mut tx = writing(&db).await;
    let made = meters::install(&mut tx, &cleo(), place(1, 1, 2), &fields("m-1")).await;
    assert_eq!(violations(made), [Violation::Overlaps(day("2024-01-01"), None)]);
    let other = MeterId(id(Kind::Meter, 1, 1, 2, 1));
    let changed = meters::update(&mut tx, &cleo(), other, &fields("M-1")).await;
    assert_eq!(violations(changed), [Violation::Overlaps(day("2024-01-01"), None)]);
    for (o, c) in [(1, 2), (2, 1)] {
        let made = meters::install(&mut tx, &cleo(), place(o, c, 1), &fields("N-1")).await;
        assert_eq!(violations(made), [Violation::NoPlace]);
        let theirs = MeterId(id(Kind::Meter, o, c, 1, 1));
        let refused = meters::update(&mut tx, &cleo(), theirs, &fields("N-1")).await;
        assert!(matches!(refused, Err(MeterError::NotFound)), "{refused:?}");
    }
}

#[tokio::test]
async fn of_two_meters_installed_at_once_under_one_serial_one_is() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let install = async |k: u8, serial: &str| {
        let mut tx = writing(&db).await;
        let made = meters::install(&mut tx, &cleo(), place(1, 1, k), &fields(serial)).await;
        if made.is_ok() {
            tx.commit().await.unwrap();
        }
        made
    };
    let (one, two) = tokio::join!(install(1, "TWIN"), install(2, "twin"));
    let lost = if one.is_ok() { two } else { one };
    assert_eq!(violations(lost), [Violation::Overlaps(day("2024-01-01"), None)]);
    assert_eq!(looker.count("SELECT count(*) FROM meters WHERE lower(serial) = 'twin'").await, 1);
}

//! Meters: installed and changed.

use eis::metering::meters::{self, Fixed, MeterError, MeterFields, NamesFault, Violation};
use eis::metering::registers::{self, DEMAND, RegisterError, RegisterFields};
use eis::values::days::Unlikely;
use eis::values::ids::{MeterId, ServicePointId};
use rust_decimal::Decimal;

use super::support::database::Case;
use super::support::world::{Kind, customer, id};
use super::{day, today, too_late, violations, writing};

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
        let made = meters::install(&mut tx, place(1, 1, 1), &fields, &[]).await;
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
        assert_eq!(violations(meters::update(&mut tx, meter, &fields).await), [expected]);
    }
    let mut tx = writing(&db).await;
    let removed = wrong("M-1", |f| f.valid_to = Some(day("2026-11-01")));
    meters::update(&mut tx, meter, &removed).await.unwrap();
    tx.commit().await.unwrap();
    let about = "SELECT string_agg(customer_id::text, ' ') FROM audit_log WHERE entity = 'meter'";
    assert_eq!(looker.value(about).await, customer(1, 1, 1).to_string(), "who is there");
}

#[tokio::test]
async fn a_serial_is_in_service_at_one_place_a_day() {
    let case = Case::world().await;
    let db = case.db(2);
    let mut tx = writing(&db).await;
    let made = meters::install(&mut tx, place(1, 1, 2), &fields("m-1"), &[]).await;
    assert_eq!(violations(made), [Violation::Overlaps(day("2024-01-01"), None)]);
    let other = MeterId(id(Kind::Meter, 1, 1, 2, 1));
    let changed = meters::update(&mut tx, other, &fields("M-1")).await;
    assert_eq!(violations(changed), [Violation::Overlaps(day("2024-01-01"), None)]);
    for (o, c) in [(1, 2), (2, 1)] {
        let made = meters::install(&mut tx, place(o, c, 1), &fields("N-1"), &[]).await;
        assert_eq!(violations(made), [Violation::NoPlace]);
        let theirs = MeterId(id(Kind::Meter, o, c, 1, 1));
        let refused = meters::update(&mut tx, theirs, &fields("N-1")).await;
        assert!(matches!(refused, Err(MeterError::NotFound)), "{refused:?}");
    }
}

#[tokio::test]
async fn of_two_meters_installed_at_once_under_one_serial_one_is() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let install = async |k: u8, serial: &str| {
        let mut tx = writing(&db).await;
        let made = meters::install(&mut tx, place(1, 1, k), &fields(serial), &[]).await;
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

fn read_meter(serial: &str) -> MeterFields {
    wrong(serial, |f| (f.kind, f.interval_minutes) = ("register".into(), None))
}

fn named(name: &str) -> RegisterFields {
    RegisterFields { name: name.to_owned(), ..RegisterFields::default() }
}

/// The registers of a meter, as the database has them.
async fn counted(looker: &super::support::sql::Sql, serial: &str) -> String {
    let sql = format!(
        "SELECT coalesce(string_agg(concat_ws(' ', nullif(r.name, ''), r.measures, r.digits, r.decimals, trim_scale(r.multiplier)), ', '
             ORDER BY r.measures DESC, r.name), 'none')
         FROM registers r JOIN meters m ON m.id = r.meter_id WHERE m.serial = '{serial}' AND m.client_id = '{}'",
        super::support::world::client(1, 1)
    );
    looker.value(&sql).await
}

#[tokio::test]
async fn what_registers_may_not_be_is_told_and_nothing_is_written() {
    use registers::Violation as Wrong;
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let demand = RegisterFields { measures: DEMAND.to_owned(), ..named("") };
    let with = |digits, decimals, multiplier| RegisterFields { digits, decimals, multiplier, ..named("") };
    let many: Vec<RegisterFields> = (1..=9).map(|at| named(&format!("T{at}"))).collect();
    let refusals = [
        (vec![demand], Wrong::NoEnergy),
        (many, Wrong::TooMany),
        (vec![named("H\u{7}")], Wrong::NoName("H\u{7}".to_owned())),
        (vec![named("HT"), named("ht")], Wrong::Twice("ht".to_owned())),
        (vec![named("HT"), named("")], Wrong::Unnamed),
        (vec![with(10, 0, Decimal::ONE)], Wrong::Digits(10, 0)),
        (vec![with(6, 0, Decimal::ZERO)], Wrong::Multiplier(Decimal::ZERO)),
    ];
    let mut tx = writing(&db).await;
    let meter = meters::install(&mut tx, place(1, 1, 1), &read_meter("R-1"), &[]).await.unwrap();
    tx.commit().await.unwrap();
    for (registers, expected) in &refusals {
        let mut tx = writing(&db).await;
        let made = meters::install(&mut tx, place(1, 1, 1), &read_meter("R-2"), registers).await;
        assert_eq!(violations(made), [Violation::Read(expected.clone())]);
        assert_eq!(
            violations(meters::change_registers(&mut tx, meter, registers).await),
            std::slice::from_ref(expected)
        );
        tx.commit().await.unwrap();
    }
    let mut tx = writing(&db).await;
    let made = meters::install(&mut tx, place(1, 1, 1), &fields("R-2"), &[named("")]).await;
    assert_eq!(violations(made), [Violation::Read(Wrong::OfIntervals)]);
    // The world's meter measures in intervals, and its register was read.
    let own = MeterId(id(Kind::Meter, 1, 1, 1, 1));
    let changed = meters::change_registers(&mut tx, own, &[named("HT")]).await;
    assert_eq!(violations(changed), [Wrong::OfIntervals, Wrong::Read]);
    drop(tx);
    assert_eq!(counted(&looker, "R-1").await, "energy 6 0 1");
    assert_eq!(counted(&looker, "R-2").await, "none");
    for (o, c) in [(1, 2), (2, 1)] {
        let mut tx = writing(&db).await;
        let theirs = MeterId(id(Kind::Meter, o, c, 1, 1));
        let refused = meters::change_registers(&mut tx, theirs, &[named("")]).await;
        assert!(matches!(refused, Err(RegisterError::NotFound)), "{refused:?}");
    }
}

#[tokio::test]
async fn registers_change_until_somebody_reads_them_and_contracts_know_them() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let demand = RegisterFields { measures: DEMAND.to_owned(), digits: 3, decimals: 2, ..named("") };
    let mut tx = writing(&db).await;
    let two = [RegisterFields { multiplier: Decimal::from(40), ..named("NT") }, named("HT"), demand];
    let meter = meters::install(&mut tx, place(1, 1, 1), &read_meter("R-1"), &two).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(counted(&looker, "R-1").await, "HT energy 6 0 1, NT energy 6 0 40, demand 3 2 1");
    let known = "SELECT string_agg(concat_ws(' ', c.name, c.multiplier), ', ' ORDER BY c.measures DESC, c.name) FROM contract_meters k,
        jsonb_to_recordset(k.counts) AS c (name text, measures text, multiplier numeric) WHERE k.serial = 'R-1'";
    assert_eq!(looker.value(known).await, "HT 1.000000, NT 40.000000,  1.000000");
    let change = async |fields: &[RegisterFields]| {
        let mut tx = writing(&db).await;
        let changed = meters::change_registers(&mut tx, meter, fields).await;
        if changed.is_ok() {
            tx.commit().await.unwrap();
        }
        changed
    };
    let records = "SELECT count(*) FROM audit_log WHERE entity = 'meter' AND action = 'update'";
    let [low, high, demand] = two.clone();
    change(&[high, demand, low]).await.unwrap();
    assert_eq!(looker.count(records).await, 0, "the same ones in another order are the same");
    change(&[named("")]).await.unwrap();
    assert_eq!((counted(&looker, "R-1").await.as_str(), looker.count(records).await), ("energy 6 0 1", 1));
    assert_eq!(looker.value(known).await, " 1.000000");
    looker
        .must(
            "INSERT INTO meter_readings (organization_id, client_id, id, meter_id, register_id, read_on, figure, quality)
             SELECT organization_id, client_id, gen_random_uuid(), meter_id, id, '2026-10-01', 1, 'actual' FROM registers
             WHERE meter_id = (SELECT id FROM meters WHERE serial = 'R-1')",
        )
        .await;
    assert_eq!(violations(change(&two).await), [registers::Violation::Read]);
    change(&[named("")]).await.unwrap();
    assert_eq!(counted(&looker, "R-1").await, "energy 6 0 1");
}

#[tokio::test]
async fn a_meter_that_is_read_from_now_on_gets_a_register() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    let meter = meters::install(&mut tx, place(1, 1, 1), &fields("R-1"), &[]).await.unwrap();
    assert_eq!(counted(&looker, "R-1").await, "none");
    meters::update(&mut tx, meter, &read_meter("R-1")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(counted(&looker, "R-1").await, "energy 6 0 1");
}

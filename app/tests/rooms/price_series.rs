//! Series of market prices and what is loaded into them.

use chrono::{DateTime, Utc};
use eis::tariffs::price_series::points::{self, Loaded, Point};
use eis::tariffs::price_series::{self, Fields, NewSeries, Resolution, Status, Unit, Violation};
use eis::values::ids::PriceSeriesId;
use eis::values::texts::TextFault;

use crate::support::database::Case;
use crate::support::world::{Kind, Who, id};
use crate::{CLEO, at, at_once, because, done, here, records, tx};

fn series(code: &str) -> NewSeries {
    NewSeries {
        code: code.to_owned(),
        name: "Day ahead".to_owned(),
        source: "Exchange".to_owned(),
        unit: Unit::Mwh,
        currency: "EUR".to_owned(),
        resolution: Resolution::QuarterHour,
        zone: chrono_tz::Tz::Europe__Berlin,
    }
}

/// The world's: the hours of 1 October 2026.
fn spot() -> PriceSeriesId {
    PriceSeriesId(id(Kind::PriceSeries, 1, 1, 0, 1))
}

fn moment(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn point(at: &str, price: &str) -> Point {
    Point { starts_at: moment(at), price: price.parse().unwrap() }
}

#[tokio::test]
async fn what_is_loaded_later_is_another_revision_and_what_a_bill_read_is_kept() {
    let case = Case::world().await;
    let (db, truth, cleo) = (case.db(2), case.superuser().await, CLEO.actor());
    let made = done!(db, cleo, |tx| price_series::create(&mut tx, &cleo, &series("QH"))).unwrap();
    let first = [
        point("2026-10-01T00:00:00Z", "80.5"),
        point("2026-10-01T00:15:00Z", "-3"),
        point("2026-10-01T00:30:00Z", "0"),
    ];
    let load = async |points: &[Point]| done!(db, cleo, |tx| points::load(&mut tx, &cleo, made, points)).unwrap();
    assert_eq!(load(&first).await, Loaded { revision: 1, new: 3, unchanged: 0 });
    assert_eq!(load(&first).await, Loaded { revision: 1, new: 0, unchanged: 3 }, "the same again does nothing");
    let second = [
        point("2026-10-01T00:15:00Z", "4"),
        point("2026-10-01T00:30:00Z", "0.000"),
        point("2026-10-01T00:45:00Z", "7"),
    ];
    assert_eq!(load(&second).await, Loaded { revision: 2, new: 2, unchanged: 1 });
    // Back to what it was is new as well.
    assert_eq!(load(&first[1..2]).await, Loaded { revision: 3, new: 1, unchanged: 0 });
    let reading = tx(&db, &cleo).await;
    let within = async |from: &str, to: &str, revision| {
        let span = (moment(from), moment(to));
        let points = points::within(&reading, &here(&cleo), made, span, revision).await.unwrap();
        points.iter().map(|point| point.price.normalize().to_string()).collect::<Vec<_>>().join(" ")
    };
    let hour = ("2026-10-01T00:00:00Z", "2026-10-01T01:00:00Z");
    assert_eq!(within(hour.0, hour.1, None).await, "80.5 -3 0 7");
    assert_eq!(within(hour.0, hour.1, Some(2)).await, "80.5 4 0 7");
    assert_eq!(within(hour.0, hour.1, Some(1)).await, "80.5 -3 0");
    assert_eq!(within("2026-10-01T00:15:00Z", "2026-10-01T00:45:00Z", None).await, "-3 0", "the end is not in it");
    let row = price_series::find_by_code(&reading, &here(&cleo), " qh ").await.unwrap().unwrap();
    assert_eq!((row.id, row.revision, row.zone.0), (made, 3, chrono_tz::Tz::Europe__Berlin));
    assert_eq!(price_series::list(&reading, &here(&cleo)).await.unwrap().len(), 2);
    drop(reading);
    let retired = Fields { name: "Old".to_owned(), source: "Exchange".to_owned(), status: Status::Retired };
    done!(db, cleo, |tx| price_series::update(&mut tx, &cleo, made, &retired)).unwrap();
    assert_eq!(records(&truth, "price_series").await, "create load load load update");
}

#[tokio::test]
async fn every_rule_of_a_series_is_told() {
    let case = Case::world().await;
    let (db, cleo, sam) = (case.db(4), CLEO.actor(), at(Who::Staff(1), 1));
    let bad = NewSeries { name: " ".to_owned(), source: "x".repeat(201), currency: "eur".to_owned(), ..series("-a") };
    let all = [
        Violation::Code,
        Violation::Name(TextFault::Missing),
        Violation::Source(TextFault::TooLong(200)),
        Violation::Currency,
    ];
    assert_eq!(because(done!(db, cleo, |tx| price_series::create(&mut tx, &cleo, &bad))), all);
    for code in ["", "a b", "é", &*"a".repeat(41)] {
        let create = done!(db, cleo, |tx| price_series::create(&mut tx, &cleo, &series(code)));
        assert_eq!(because(create), [Violation::Code], "{code}");
    }
    assert_eq!(
        because(done!(db, cleo, |tx| price_series::create(&mut tx, &cleo, &series("spot")))),
        [Violation::CodeTaken]
    );
    assert_eq!(
        because(done!(db, sam, |tx| price_series::create(&mut tx, &sam, &series("X")))),
        [Violation::MayNotWrite]
    );
    let none = Fields { name: String::new(), source: String::new(), status: Status::Active };
    let both = [Violation::Name(TextFault::Missing), Violation::Source(TextFault::Missing)];
    assert_eq!(because(done!(db, cleo, |tx| price_series::update(&mut tx, &cleo, spot(), &none))), both);
    let good = Fields { name: "x".to_owned(), source: "x".to_owned(), status: Status::Active };
    for there in [PriceSeriesId(id(Kind::PriceSeries, 1, 2, 0, 1)), PriceSeriesId::fresh()] {
        assert_eq!(
            because(done!(db, cleo, |tx| price_series::update(&mut tx, &cleo, there, &good))),
            [Violation::NotThere]
        );
        let load = done!(db, cleo, |tx| points::load(&mut tx, &cleo, there, &[point("2026-10-01T00:00:00Z", "1")]));
        assert_eq!(because(load), [points::Violation::NotThere]);
    }
    let (a, b) = (series("TWIN"), series("twin"));
    let (one, two) =
        at_once!(db, cleo, |tx| price_series::create(&mut tx, &cleo, &a), price_series::create(&mut tx, &cleo, &b));
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    assert_eq!(if one.is_ok() { because(two) } else { because(one) }, [Violation::CodeTaken]);
}

#[tokio::test]
async fn every_rule_of_a_load_is_told_with_its_moment_and_nothing_of_it_is_kept() {
    use points::Violation::*;
    let case = Case::world().await;
    let (db, truth, cleo) = (case.db(4), case.superuser().await, CLEO.actor());
    let before = truth.count("SELECT count(*) FROM price_points").await;
    let (odd, fine) = ("2026-10-02T00:15:00Z", "2026-10-02T00:00:00Z");
    for (points, violations) in [
        (vec![], vec![NoPoints]),
        (vec![point(odd, "1"), point(fine, "1")], vec![OffGrid(moment(odd))]),
        (vec![point(fine, "1"), point(fine, "2")], vec![Twice(moment(fine))]),
        (vec![point(fine, "0.1234567")], vec![Decimals(moment(fine), 6)]),
        (vec![point(fine, "-1000000")], vec![TooLarge(moment(fine))]),
    ] {
        let load = done!(db, cleo, |tx| points::load(&mut tx, &cleo, spot(), &points));
        assert_eq!(because(load), violations);
    }
    let many = vec![point(fine, "1"); points::MOST + 1];
    assert_eq!(because(done!(db, cleo, |tx| points::load(&mut tx, &cleo, spot(), &many))), [TooMany(points::MOST)]);
    truth.must("UPDATE price_series SET status = 'retired'").await;
    assert_eq!(because(done!(db, cleo, |tx| points::load(&mut tx, &cleo, spot(), &[point(fine, "1")]))), [Retired]);
    truth.must("UPDATE price_series SET status = 'active'").await;
    assert_eq!(truth.count("SELECT count(*) FROM price_points").await, before);
    // Two at once: the second sees what the first brought.
    let (a, b) = ([point(fine, "1")], [point(fine, "1"), point("2026-10-02T01:00:00Z", "2")]);
    let (one, two) =
        at_once!(db, cleo, |tx| points::load(&mut tx, &cleo, spot(), &a), points::load(&mut tx, &cleo, spot(), &b));
    let (one, two) = (one.unwrap(), two.unwrap());
    assert_eq!(one.new + two.new, 2, "{one:?} {two:?}");
    assert_eq!(truth.count("SELECT count(*) FROM price_points").await, before + 2);
    // Nothing that was loaded is changed or removed, whoever writes.
    let app = case.app().await;
    for sql in ["UPDATE price_points SET price = 0", "DELETE FROM price_points"] {
        assert_eq!(app.as_who(CLEO, sql).await.unwrap_err().code, crate::DENIED, "{sql}");
    }
}

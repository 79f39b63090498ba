//! Days are filled right and faults are found.

use chrono::DateTime;
use chrono_tz::{America, UTC};

use super::*;
use crate::usage::{Direction, Energy, Item, Quality, green_button};
use crate::values::period::Period;

fn reading(start: &str, wh: i32) -> Reading {
    let start = DateTime::parse_from_rfc3339(start).unwrap().to_utc();
    let energy = Energy::whole(wh);
    Reading { series: Arc::default(), start, seconds: 3600, energy, quality: Quality::Actual, version: 0, line: 1 }
}

fn collect(readings: &[Reading]) -> Collected {
    let mut collector = Collector::new(UTC);
    readings.iter().for_each(|reading| collector.push(reading));
    collector.finish()
}

/// Rows of a file that does not say how long its intervals are.
fn rows(day: &str, minutes: u32) -> Vec<Reading> {
    let start = DateTime::parse_from_rfc3339(&format!("{day}T00:00:00Z")).unwrap().to_utc();
    (0..1440 / minutes)
        .map(|slot| Reading {
            start: start + chrono::Duration::minutes(i64::from(slot * minutes)),
            seconds: 0,
            ..reading("2026-01-01T00:00:00Z", 1)
        })
        .collect()
}

fn lengths(collected: &Collected) -> Vec<u16> {
    collected.series[0].days.iter().map(|day| day.minutes).collect()
}

#[test]
fn the_billing_period_of_the_reference_file_is_1244_intervals_and_1298640_watt_hours() {
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/end2end/reference/greenbutton/test_usage_data.xml"))
        .unwrap();
    let mut collector = Collector::new(America::New_York);
    green_button::read(file.as_slice(), &mut |item| match item {
        Item::Reading(reading) => collector.push(&reading),
        other => assert_eq!(other, Item::Zone(America::New_York)),
    })
    .unwrap();
    let collected = collector.finish();
    assert_eq!(collected.findings, []);
    let profile = &collected.series[0].profile().unwrap();
    assert_eq!((profile.minutes, profile.direction, profile.days.len()), (15, Direction::Import, 14));
    let period = Period::new("2012-03-01".parse().unwrap(), "2012-03-14".parse().unwrap()).unwrap();
    let days: Vec<_> = profile.days.iter().filter(|day| period.contains(day.date)).collect();
    assert_eq!(days.iter().map(|day| day.values.len()).sum::<usize>(), 1244);
    assert_eq!(days.iter().map(|day| day.wh()).sum::<i64>(), 1_298_640);
    assert_eq!(days[10].values.len(), 92, "11 March");
}

#[test]
fn duplicates_conflicts_and_overlaps_are_found_and_the_first_value_stays() {
    let collected = collect(&[
        reading("2026-01-01T00:00:00Z", 1),
        reading("2026-01-01T00:00:00Z", 1),
        reading("2026-01-01T00:00:00Z", 2),
        reading("2026-01-01T01:30:00Z", 2),
        Reading { seconds: 900, ..reading("2026-01-01T03:00:00Z", 2) },
        Reading { seconds: 86_400, ..reading("2026-01-01T04:00:00Z", 2) },
    ]);
    let kinds: Vec<_> = collected.findings.iter().map(|finding| finding.kind.clone()).collect();
    assert_eq!(
        kinds,
        [
            FindingKind::IncompleteDay { have: 1, want: 24 },
            FindingKind::Duplicate,
            FindingKind::Conflict { kept: Energy::whole(1), other: Energy::whole(2) },
            FindingKind::Overlap { minutes: 60 },
            FindingKind::WrongLength { minutes: 60 },
            FindingKind::UnknownLength { seconds: 86_400 },
        ]
    );
    assert_eq!(collected.series[0].days[0].usage.values[0], 1);
}

#[test]
fn of_two_versions_the_later_counts_whichever_stands_first() {
    let version = |version: i64, wh: i32| Reading { version, ..reading("2026-01-01T00:00:00Z", wh) };
    for order in [
        [version(20260110120000, 5), version(20260201090000, 7)],
        [version(20260201090000, 7), version(20260110120000, 5)],
    ] {
        let collected = collect(&order);
        assert_eq!(collected.series[0].days[0].usage.values[0], 7);
        assert!(collected.findings.iter().any(|finding| finding.kind == FindingKind::Replaced));
        assert!(!collected.findings.iter().any(|finding| finding.kind.is_fault()));
    }
    let collected = collect(&[version(20260110120000, 5), version(20260110120000, 7)]);
    assert!(collected.findings.iter().any(|finding| finding.kind.is_fault()), "the same version with two values");
}

#[test]
fn days_without_a_value_are_a_gap() {
    let collected = collect(&[reading("2026-01-01T00:00:00Z", 1), reading("2026-01-04T00:00:00Z", 1)]);
    let gap = collected.findings.iter().find(|finding| matches!(finding.kind, FindingKind::Gap { .. })).unwrap();
    assert_eq!(gap.to_string(), "the meter, import: no values from 2026-01-02 up to 2026-01-04");
}

#[test]
fn what_an_interval_has_below_a_watt_hour_is_carried_to_the_next() {
    let sixteenth = Energy::of_wh("62.5".parse().unwrap()).unwrap();
    let mut day = rows("2026-01-01", 15);
    day.iter_mut().for_each(|row| row.energy = sixteenth);
    day.reverse();
    let collected = collect(&day);
    assert_eq!(collected.series[0].days[0].usage.wh(), 6_000);
    assert_eq!(collected.series[0].days[0].usage.values[..3], [63, 62, 63]);
}

#[test]
fn a_length_that_the_file_does_not_say_is_told_by_each_day_and_its_neighbours() {
    for (days, expected) in [
        (vec![60, 60], vec![60, 60]),
        (vec![30, 30, 5, 5], vec![30, 30, 5, 5]),
        (vec![15, 15, 60, 60], vec![15, 15, 60, 60]),
        (vec![60], vec![60]),
        // A single day of hours among half-hours lacks every second value.
        (vec![30, 60, 30], vec![30, 30, 30]),
        (vec![30, 30, 60], vec![30, 30, 30]),
        (vec![60, 15, 15], vec![15, 15, 15]),
    ] {
        let mut all: Vec<Reading> =
            (1..).zip(&days).flat_map(|(day, minutes)| rows(&format!("2026-01-0{day}"), *minutes)).collect();
        for _ in 0..2 {
            let collected = collect(&all);
            assert_eq!(lengths(&collected), expected, "{days:?}");
            all.reverse();
        }
    }
    let short = collect(&[rows("2026-01-01", 30), rows("2026-01-02", 60), rows("2026-01-03", 30)].concat());
    assert!(
        short.findings.iter().any(|finding| finding.kind == FindingKind::IncompleteDay { have: 24, want: 48 }),
        "{:?}",
        short.findings
    );
}

#[test]
fn a_row_beside_the_grid_of_its_series_is_a_finding_and_the_day_stays_whole() {
    let stray = Reading { seconds: 0, ..reading("2026-01-02T00:10:00Z", 1) };
    let mut all = [rows("2026-01-01", 60), rows("2026-01-02", 60), rows("2026-01-03", 60)].concat();
    all.insert(30, stray);
    let collected = collect(&all);
    assert_eq!(lengths(&collected), [60, 60, 60]);
    let told: Vec<String> = collected.findings.iter().map(Finding::to_string).collect();
    assert_eq!(
        told,
        ["2026-01-02T00:10:00Z is not the start of an interval of 60 minutes, as the others of 2026-01-02 are"]
    );
}

#[test]
fn ten_minutes_are_told_as_ten_minutes() {
    let collected = collect(&[rows("2026-01-01", 10), rows("2026-01-02", 10)].concat());
    let told = collected.findings.iter().map(Finding::to_string).find(|told| told.contains("10 minutes"));
    assert!(told.is_some_and(|told| told.contains("5, 15, 30 or 60 minutes are read")), "{:?}", collected.findings);
}

#[test]
fn registers_are_joined_day_by_day_and_a_day_that_one_lacks_is_not_whole() {
    let of = |register: &str, reading: Reading| {
        let key = SeriesKey { register: Some(register.into()), ..SeriesKey::default() };
        Reading { series: Arc::new(key), ..reading }
    };
    let mut all: Vec<Reading> = [rows("2026-01-01", 60), rows("2026-01-02", 60)].concat();
    let second: Vec<Reading> = rows("2026-01-01", 30).into_iter().map(|row| of("E2", row)).collect();
    all = all.into_iter().map(|row| of("E1", row)).collect();
    let mut collected = collect(&[all, second].concat());
    collected.series.iter_mut().for_each(|one| one.days.retain(|day| day.usage.values.len() > 1));
    let (sum, findings) = join(Arc::default(), collected.series).unwrap();
    assert_eq!(sum.days.len(), 1);
    assert_eq!(
        (sum.days[0].minutes, sum.days[0].usage.values[0]),
        (60, 3),
        "a half-hour's two values and an hour's one"
    );
    assert_eq!(findings.len(), 1);
    assert_eq!(findings[0].kind, FindingKind::Lacking { values: 24 });
    assert!(findings[0].to_string().starts_with("the meter, register E2, import: no values on 2026-01-02"));
}

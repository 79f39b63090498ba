//! Days are filled right and faults are found.

use chrono::DateTime;
use chrono_tz::{America, UTC};

use super::*;
use crate::period::Period;
use crate::usage::{Direction, Item, green_button};

fn reading(start: &str, wh: i64) -> Reading {
    let start = DateTime::parse_from_rfc3339(start).unwrap().to_utc();
    Reading { series: Arc::default(), start, seconds: 3600, wh, quality: Quality::Actual, line: 1 }
}

fn collect(readings: &[Reading]) -> Collected {
    let mut collector = Collector::new(UTC);
    readings.iter().for_each(|reading| collector.push(reading));
    collector.finish()
}

#[test]
fn the_billing_period_of_the_reference_file_is_1244_intervals_and_1298640_watt_hours() {
    let file = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/end2end/reference/greenbutton/test_usage_data.xml"))
        .unwrap();
    let mut collector = Collector::new(America::New_York);
    green_button::read(file.as_slice(), &mut |item| match item {
        Item::Reading(reading) => collector.push(&reading),
        Item::Rejected(rejected) => panic!("{rejected}"),
    })
    .unwrap();
    let collected = collector.finish();
    assert_eq!(collected.findings, []);
    let profile = &collected.series[0].profile;
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
    ]);
    let kinds: Vec<_> = collected.findings.iter().map(|finding| finding.kind.clone()).collect();
    assert_eq!(
        kinds,
        [
            FindingKind::IncompleteDay { have: 1, want: 24 },
            FindingKind::Duplicate,
            FindingKind::Conflict { kept_wh: 1 },
            FindingKind::Overlap,
            FindingKind::WrongLength { minutes: 60 },
        ]
    );
    assert_eq!(collected.series[0].profile.days[0].values[0], 1);
}

#[test]
fn days_without_a_value_are_a_gap() {
    let collected = collect(&[reading("2026-01-01T00:00:00Z", 1), reading("2026-01-04T00:00:00Z", 1)]);
    let gap = collected.findings.iter().find(|finding| matches!(finding.kind, FindingKind::Gap { .. })).unwrap();
    assert_eq!(gap.to_string(), "no values from 2026-01-02 up to 2026-01-04");
}

#[test]
fn settled_days_leave_on_the_way_and_nothing_is_lost() {
    let mut collector = Collector::new(UTC);
    let (mut settled, mut pushed) = (vec![], 0);
    let first = DateTime::parse_from_rfc3339("2026-01-01T00:00:00Z").unwrap().to_utc();
    for hour in 0..240 {
        collector
            .push(&Reading { start: first + chrono::Duration::hours(hour), ..reading("2026-01-01T00:00:00Z", hour) });
        pushed += hour;
        settled.extend(collector.take_settled());
    }
    assert_eq!(settled.len(), 7);
    assert!(settled.iter().all(|day| day.usage.flags.is_none()));
    let rest = collector.finish();
    assert_eq!(settled.iter().map(|day| day.usage.wh()).sum::<i64>() + rest.series[0].profile.wh(), pushed);
    assert_eq!(rest.findings, []);
}

#[test]
fn what_lies_outside_the_file_is_absent_and_what_lies_inside_is_missing() {
    let mut collected = collect(&[
        reading("2026-01-01T20:00:00Z", 1),
        reading("2026-01-01T22:00:00Z", 1),
        reading("2026-01-02T01:00:00Z", 1),
    ]);
    let profile = &mut collected.series[0].profile;
    trim_edges(profile);
    assert_eq!(profile.days[0].count(Quality::Absent), 20);
    assert_eq!(profile.days[0].count(Quality::Missing), 2);
    assert_eq!(profile.days[1].count(Quality::Absent), 22);
    assert_eq!(profile.days[1].count(Quality::Missing), 1);
}

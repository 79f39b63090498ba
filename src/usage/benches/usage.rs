//! `cargo bench -p eis-power --bench usage`: a million values from a file to days, as an import and `portal rate` do it.

use std::fmt::Write;
use std::hint::black_box;
use std::time::Duration;

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use criterion::{Criterion, Throughput};
use eis::usage::collect::Collector;
use eis::usage::{self, Hints, Item};

/// Values of each file.
const VALUES: u32 = 1_000_000;

fn start(value: u32) -> DateTime<Utc> {
    DateTime::UNIX_EPOCH + chrono::Duration::minutes(i64::from(value) * 15)
}

/// Quarter-hours with their instants.
fn instants() -> String {
    let mut text = String::from("meter,interval_start,kwh\n");
    for value in 0..VALUES {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "M-1,{},0.{:03}", start(value).format("%Y-%m-%dT%H:%M:%SZ"), value % 1000);
    }
    text
}

/// Quarter-hours with local times, in a file of decimal commas.
fn local() -> String {
    let mut text = String::from("interval_start;kwh\n");
    for value in 0..VALUES {
        let _ = writeln!(text, "{};0,{:03}", start(value).format("%Y-%m-%d %H:%M"), value % 1000);
    }
    text
}

/// Five minutes in days of market time.
fn nem12() -> String {
    let mut text = String::from("100,NEM12,202601020900,MDP1,RETAIL1\n200,4001234567,E1,E1,E1,,M1,KWH,5,\n");
    for day in 0..VALUES / 288 {
        let date = (DateTime::UNIX_EPOCH + chrono::Duration::days(i64::from(day) + 1)).format("%Y%m%d");
        let _ = write!(text, "300,{date}");
        for value in 0..288 {
            let _ = write!(text, ",0.{:03}", (day + value) % 1000);
        }
        text.push_str(",A,,,20260102030405,\n");
    }
    text + "900\n"
}

/// Reads a file into days; what the values come to.
fn read(text: &str, zone: Tz) -> i64 {
    let mut collector = Collector::new(zone);
    let read = usage::read(text.as_bytes(), &Hints::of_zone(zone), &mut |item| {
        if let Item::Reading(reading) = item {
            collector.push(&reading);
        }
    });
    assert!(read.is_ok(), "{read:?}");
    collector.finish().series.iter().flat_map(|one| &one.days).map(|day| day.usage.wh()).sum()
}

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(6))
        .configure_from_args();
    let mut group = criterion.benchmark_group("a million values");
    group.throughput(Throughput::Elements(VALUES.into()));
    for (name, text, zone) in [
        ("CSV, instants", instants(), Tz::UTC),
        ("CSV, local times, decimal commas", local(), Tz::Etc__GMTMinus1),
        ("NEM12", nem12(), Tz::Australia__Brisbane),
    ] {
        group.bench_function(name, |bencher| bencher.iter(|| read(black_box(&text), zone)));
    }
    group.finish();
    criterion.final_summary();
}

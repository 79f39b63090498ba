//! Damaged tariffs and usage files: read or refused with their place, never a panic, and what is read holds together.
//!
//! Seeded and bounded as part of every test run. `make fuzz` goes on for minutes with other seeds (`EIS_FUZZ_SECONDS`) and
//! prints the seed of each round that fails; `EIS_FUZZ_SEED` runs one round again.

use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::Value;

use super::*;
use crate::tariff_document::TariffDocument;
use crate::usage;
use crate::values::money::Money;

/// Rounds of a usual test run.
const ROUNDS: u64 = 60;

fn text(name: &str) -> String {
    std::fs::read_to_string(format!("{}/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// What is damaged: tariffs of both forms, usage of all three formats.
struct Seeds {
    tariffs: Vec<String>,
    usage: Vec<String>,
}

impl Seeds {
    fn new() -> Self {
        let examples = std::fs::read_dir(format!("{}/docs/tariffs", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let mut names: Vec<_> = examples.map(|file| file.unwrap().path()).collect();
        names.sort();
        let mut tariffs: Vec<String> = names.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        for name in ["tiered_energy_and_demand", "tiered_tou_with_demand", "tou_with_flat_and_tou_demand"] {
            tariffs.push(text(&format!("end2end/reference/urdb/{name}.json")));
        }
        let head = |text: String, count: usize| text.chars().take(count).collect::<String>();
        let feed = head(text("end2end/reference/greenbutton/test_usage_data.xml"), 9_000);
        let usage = vec![
            head(text("end2end/reference/usage/residential_hourly_2018.csv"), 1_500),
            feed.clone() + "</IntervalBlock></content></entry></feed>",
            feed,
            text("end2end/reference/nem12/NEM12#05051100001000000#GLOBALM#NEMMCO"),
            text("end2end/reference/nem12/NEM12#000000000000001#CNRGYMDP#NEMMCO.csv"),
            usage::csv::TEMPLATE.to_owned(),
            "interval_start;kwh\n2026-03-29 01:00;0,5\n2026-03-29 03:00;0,5\n2026-03-29 04:00;1\n".to_owned(),
            whole_days(',', "0.25"),
            whole_days(';', "0,25"),
        ];
        Self { tariffs, usage }
    }
}

/// Two days of local hours: whole in every zone.
fn whole_days(separator: char, kwh: &str) -> String {
    let row = |day: u32, hour: u32| format!("2026-01-{day:02} {hour:02}:00{separator}{kwh}\n");
    let rows: String = (5..7).flat_map(|day| (0..24).map(move |hour| row(day, hour))).collect();
    format!("interval_start{separator}kwh\n{rows}")
}

/// Pieces that parsers stumble over.
const PIECES: [&[u8]; 16] = [
    b"-99999999999999999999e99",
    b"\"",
    b",",
    b"\0",
    b"\xFF\xFE",
    b"1e400",
    b"0.0000000001",
    b"{}",
    b"[[[[",
    b"</",
    b"&#x0;",
    b"\r",
    b"NaN",
    b"2038-01-19T03:14:08+14:00",
    b"-1",
    b"\xE2\x80\xAE",
];

/// Cuts, doubles, fills, swaps and puts in; sometimes nothing, for what is whole must be read.
fn damaged(text: &str, random: &mut StdRng) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    for _ in 0..random.random_range(0..6) {
        let at = random.random_range(0..=bytes.len());
        let to = (at + random.random_range(0..40)).min(bytes.len());
        match random.random_range(0..6) {
            0 => drop(bytes.drain(at..to)),
            1 => bytes.extend_from_within(at..to),
            2 => bytes[at..to].fill(random.random()),
            3 => bytes.truncate(to),
            4 if at < bytes.len() => bytes[at] = b"0123456789.-,:\"{}[]<>/ \n"[random.random_range(0..24)],
            _ => drop(bytes.splice(at..at, PIECES[random.random_range(0..PIECES.len())].iter().copied())),
        }
    }
    bytes
}

/// Changes one value of a document that stays JSON: further in than damaged bytes come.
fn changed(text: &str, random: &mut StdRng) -> String {
    let mut document: Value = serde_json::from_str(text).unwrap();
    let mut at = &mut document;
    for _ in 0..random.random_range(1..9) {
        let next = match at {
            Value::Object(map) if !map.is_empty() => {
                let name = map.keys().nth(random.random_range(0..map.len())).unwrap().clone();
                map.get_mut(&name)
            }
            Value::Array(list) if !list.is_empty() => {
                let place = random.random_range(0..list.len());
                list.get_mut(place)
            }
            _ => None,
        };
        // Where the way ends too soon nothing is changed: that must be read too.
        match next {
            Some(next) => at = next,
            None => return text.to_owned(),
        }
    }
    let values = [
        "null",
        "0",
        "-1",
        "1e30",
        "99999999",
        "\"\"",
        "\"0.000001\"",
        "\"999999.999999\"",
        "[]",
        "{}",
        "true",
        "\"on\"",
        "[[{}]]",
        "12",
        "\"12-31\"",
    ];
    *at = serde_json::from_str(values[random.random_range(0..values.len())]).unwrap();
    document.to_string()
}

fn check_tariff(text: &str) -> Option<TariffDocument> {
    match tariff_document::read(text, Tz::UTC) {
        Ok(tariff) => {
            assert_eq!(
                tariff_document::read(&tariff.to_json(), Tz::UTC),
                Ok(tariff.clone()),
                "what is written is read back"
            );
            Some(tariff)
        }
        Err(faults) => {
            assert!(!faults.is_empty());
            assert!(
                faults.iter().all(|fault| fault.line.is_some() && fault.column.is_some() && !fault.message.is_empty())
            );
            None
        }
    }
}

fn check_bills(tariff: &str, usage: &[u8], zone: Option<Tz>) -> bool {
    let files = RateFiles {
        tariff_name: "t",
        tariff,
        usage_name: "u",
        zone,
        from: None,
        to: None,
        mark: None,
        net: usage.len().is_multiple_of(5),
    };
    match rate_files(&files, usage) {
        Ok(Rated { bills, .. }) => {
            for bill in &bills {
                assert_eq!(bill.lines.iter().map(|line| line.amount).sum::<Money>(), bill.total);
                assert_eq!(bill.net + bill.tax, bill.total);
            }
            assert!(!bills.is_empty() && !json(&bills).is_empty() && !super::text(&bills).is_empty());
            true
        }
        Err(faults) => {
            assert!(!faults.is_empty() && faults.iter().all(|fault| fault.matches(':').count() >= 3), "{faults:?}");
            false
        }
    }
}

/// One round: every seed damaged once; how many were read all the same.
fn round(seeds: &Seeds, seed: u64) -> (usize, usize) {
    let mut random = StdRng::seed_from_u64(seed);
    let zones = [
        None,
        Some(Tz::UTC),
        Some(chrono_tz::Europe::Berlin),
        Some(chrono_tz::Australia::Lord_Howe),
        Some(chrono_tz::America::New_York),
    ];
    let (mut tariffs, mut bills) = (0, 0);
    for text in &seeds.tariffs {
        let text = if random.random() {
            changed(text, &mut random)
        } else {
            String::from_utf8_lossy(&damaged(text, &mut random)).into_owned()
        };
        if check_tariff(&text).is_some() {
            tariffs += 1;
            let usage = &seeds.usage[random.random_range(0..seeds.usage.len())];
            check_bills(&text, usage.as_bytes(), zones[random.random_range(0..zones.len())]);
        }
    }
    for usage in &seeds.usage {
        let tariff = &seeds.tariffs[random.random_range(0..seeds.tariffs.len())];
        let zone = zones[random.random_range(0..zones.len())];
        bills += usize::from(check_bills(tariff, &damaged(usage, &mut random), zone));
    }
    (tariffs, bills)
}

#[test]
fn fuzz_damaged_files_are_read_or_refused_and_never_panic() {
    let seeds = Seeds::new();
    let set = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    if let Some(seed) = set("EIS_FUZZ_SEED") {
        round(&seeds, seed);
        return;
    }
    let (mut tariffs, mut bills) = (0, 0);
    let mut go = |seed: u64| match std::panic::catch_unwind(|| round(&seeds, seed)) {
        Ok((read, rated)) => (tariffs, bills) = (tariffs + read, bills + rated),
        Err(_) => panic!("the round fails: run it again with EIS_FUZZ_SEED={seed}"),
    };
    match set("EIS_FUZZ_SECONDS") {
        None => (0..ROUNDS).for_each(&mut go),
        Some(seconds) => {
            let (start, mut seed) = (Instant::now(), rand::rng().random());
            while start.elapsed() < Duration::from_secs(seconds) {
                go(seed);
                seed = seed.wrapping_add(1);
            }
        }
    }
    assert!(tariffs > 50 && bills > 5, "hardly anything was read: {tariffs} tariffs, {bills} files");
}

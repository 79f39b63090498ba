//! The JSON schema accepts what the reader accepts, and refuses what the reader refuses, but for faults that need two
//! places to be looked at at once. Held against thousands of documents made by changing the examples.

use chrono_tz::UTC;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::examples;
use super::validator::fits;
use crate::tariff_document::{SCHEMA, read};

/// What a schema cannot say. Everything else that the reader refuses, the schema refuses too.
const BEYOND: [&str; 23] = [
    ": a gap",
    ": an overlap",
    "there is no calendar",
    "the calendar has no",
    "there is no charge",
    "there is no period",
    "without a calendar",
    "needs a calendar",
    "no pattern for them",
    "this charge has no periods",
    "is there twice",
    "at most one minimum per year",
    "not after it begins",
    "failed to parse timezone",
    "the last block must have no end",
    // Written as plain numbers; as strings the schema sees their decimals.
    "a price has at most 6 decimals",
    "a block limit has at most 3 decimals",
    "the step is at least 0.01",
    "input is out of range",
    "holidays of this year are listed",
    "another energy charge names its register",
    "what is netted over all registers",
    "within an hour, which is netted",
];

fn schema() -> Value {
    serde_json::from_str(SCHEMA).unwrap()
}

/// Every place of a document, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(map) => map.iter().for_each(|(name, value)| places(value, &format!("{at}/{name}"), found)),
        // Of the hours of a day a few are enough.
        Value::Array(list) => {
            list.iter().enumerate().take(4).for_each(|(index, value)| places(value, &format!("{at}/{index}"), found))
        }
        _ => {}
    }
}

fn other_value(random: &mut StdRng) -> Value {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(5),
        json!(13),
        json!(37),
        json!(0.125),
        json!(1e12),
        json!(""),
        json!(" "),
        json!("x"),
        json!("0"),
        json!("-2.5"),
        json!("0.1234567"),
        json!("1000000"),
        json!("12.5"),
        json!("100.5"),
        json!("period"),
        json!("day"),
        json!("energy"),
        json!("tax"),
        json!("minimum"),
        json!("monday"),
        json!("02-30"),
        json!("02-29"),
        json!("2026-02-01"),
        json!("2026-13-01"),
        json!("kwh"),
        json!("percent"),
        json!("net_billing"),
        json!("half_to_even"),
        json!({"normal_days": 0}),
        json!({"normal_days": 30}),
        json!([]),
        json!({}),
        json!(["x"]),
        json!("EUR"),
        json!("usd"),
        json!("Europe/Paris"),
        json!("standard"),
        json!(24),
        json!(15),
        json!("NaN"),
    ];
    values[random.random_range(0..values.len())].clone()
}

/// Changes one thing.
fn change(document: &mut Value, random: &mut StdRng) {
    let mut all = vec![];
    places(document, "", &mut all);
    let place = all[random.random_range(0..all.len())].clone();
    let what = random.random_range(0..5);
    let Some(found) = document.pointer_mut(&place) else { return };
    match (what, found) {
        (0, Value::Object(map)) if !map.is_empty() => {
            let name = map.keys().nth(random.random_range(0..map.len())).unwrap().clone();
            let _ = map.remove(&name);
        }
        (1, Value::Object(map)) if !map.is_empty() => {
            let name = map.keys().nth(random.random_range(0..map.len())).unwrap().clone();
            let value = map.remove(&name).unwrap();
            let _ = map.insert(format!("{name}s"), value);
        }
        (2, Value::Array(list)) if !list.is_empty() => drop(list.remove(random.random_range(0..list.len()))),
        (3, Value::Array(list)) if !list.is_empty() => list.push(list[random.random_range(0..list.len())].clone()),
        (_, found) => *found = other_value(random),
    }
}

#[test]
fn every_example_fits_the_schema_and_is_read() {
    for (name, text) in examples() {
        assert_eq!(fits(&schema(), &serde_json::from_str(&text).unwrap()), Ok(()), "{name}");
        read(&text, UTC).unwrap_or_else(|faults| panic!("{name}: {faults:?}"));
    }
}

#[test]
fn what_the_portal_writes_fits_the_schema() {
    for (name, text) in examples() {
        let written = read(&text, UTC).unwrap().to_json();
        assert_eq!(fits(&schema(), &serde_json::from_str(&written).unwrap()), Ok(()), "{name}");
    }
    for name in ["tiered_energy_and_demand", "tiered_tou_with_demand", "tou_with_flat_and_tou_demand"] {
        let path = format!("{}/end2end/reference/urdb/{name}.json", env!("CARGO_MANIFEST_DIR"));
        let written = read(&std::fs::read_to_string(path).unwrap(), UTC).unwrap().to_json();
        assert_eq!(fits(&schema(), &serde_json::from_str(&written).unwrap()), Ok(()), "{name}");
    }
}

#[test]
fn the_schema_and_the_reader_agree_on_changed_documents() {
    let schema = schema();
    let mut random = StdRng::seed_from_u64(7);
    let (mut accepted, mut refused_by_both, mut beyond) = (0, 0, 0);
    for round in 0..400 {
        for (name, text) in examples() {
            let mut document: Value = serde_json::from_str(&text).unwrap();
            for _ in 0..1 + round % 2 {
                change(&mut document, &mut random);
            }
            let by_schema = fits(&schema, &document);
            match read(&document.to_string(), UTC) {
                Ok(_) => {
                    assert_eq!(by_schema, Ok(()), "{name}: the reader takes what the schema refuses: {document}");
                    accepted += 1;
                }
                Err(faults) if by_schema.is_ok() => {
                    for fault in faults {
                        let known = BEYOND.iter().any(|known| fault.message.contains(known));
                        assert!(known, "{name}: the schema takes what the reader refuses: {fault}");
                    }
                    beyond += 1;
                }
                Err(_) => refused_by_both += 1,
            }
        }
    }
    assert!(accepted > 300 && refused_by_both > 1_000 && beyond > 100, "{accepted} {refused_by_both} {beyond}");
}

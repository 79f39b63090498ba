//! No float anywhere near money.

use std::path::{Path, PathBuf};

/// Where money, energy and prices are computed. Tests may compare what a schema says in floats.
const ROOMS: [&str; 12] = [
    "rating",
    "tariff_document",
    "usage",
    "billing",
    "invoices",
    "payments",
    "tariffs",
    "account",
    "money",
    "period",
    "interval_days",
    "usage_data",
];

fn sources(place: &Path, found: &mut Vec<PathBuf>) {
    if place.is_dir() {
        for entry in std::fs::read_dir(place).unwrap() {
            sources(&entry.unwrap().path(), found);
        }
    } else if place.extension().is_some_and(|end| end == "rs") {
        found.push(place.to_owned());
    }
}

#[test]
fn no_float_type_and_no_float_literal_occurs_where_money_is() {
    let src = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src"));
    let mut files = vec![];
    for room in ROOMS {
        sources(&src.join(room), &mut files);
        sources(&src.join(format!("{room}.rs")), &mut files);
    }
    files.retain(|file| !file.components().any(|part| part.as_os_str() == "tests"));
    assert!(files.len() > 80, "{}", files.len());
    let float =
        regex::Regex::new(r"\b(f32|f64|as_f64|to_f64|from_f64|try_from_f64)\b|[^\w.][0-9][0-9_]*\.[0-9]").unwrap();
    let mut told = vec![];
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // What stands below is test code, and words are words.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (at, line) in code.lines().enumerate() {
            let line = line.split("//").next().unwrap_or_default();
            let line = regex::Regex::new(r#""(\\.|[^"\\])*""#).unwrap().replace_all(line, "").into_owned();
            // The JSON reader's check for fields said twice passes numbers over without looking at them.
            if float.is_match(&line) && !line.contains("fn visit_f64<E>(self, _: f64)") {
                told.push(format!("{}:{}: {line}", file.display(), at + 1));
            }
        }
    }
    assert!(told.is_empty(), "{told:#?}");
}

//! No float anywhere near money.

use std::path::{Path, PathBuf};

/// Where money, energy and prices are computed. Tests may compare what a schema says in floats.
const ROOMS: [&str; 10] = [
    "rating",
    "tariff_document",
    "usage",
    "billing",
    "receivables",
    "tariffs",
    "values/money",
    "values/period",
    "metering/interval_days",
    "metering/usage_data",
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

/// Whether a line of code has a float's type, conversion or literal. Words in texts and comments do not count.
fn has_float(line: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default().replace("\\\"", "");
    let code: String = code.split('"').step_by(2).collect::<Vec<_>>().join(" ");
    let word = |sign: char| sign.is_alphanumeric() || sign == '_';
    let words = code.split(|sign| !word(sign)).any(|word| word.contains("f32") || word.contains("f64"));
    // 0.5, but neither a field of a tuple (a.0.1) nor a range (0..5).
    let literal = |token: &str| {
        let mut parts = token.split('.');
        let number = |part: Option<&str>| part.is_some_and(|part| part.starts_with(|sign: char| sign.is_ascii_digit()));
        number(parts.next()) && number(parts.next())
    };
    words || code.split(|sign| !word(sign) && sign != '.').any(literal)
}

#[test]
fn a_float_is_seen_where_there_is_one() {
    for line in ["let a: f64 = b;", "a.to_f64()", "x * 0.5", "1.0", "from_f64_retain(x)", "(1.5e3)"] {
        assert!(has_float(line), "{line}");
    }
    for line in ["a.0.1", "0..5", "// 0.5", "\"0.5 \\\" 0.7\"", "self.at / 7", "x_0.1", "1_000"] {
        assert!(!has_float(line), "{line}");
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
    let test =
        |file: &PathBuf| file.components().any(|part| matches!(part.as_os_str().to_str(), Some("tests" | "tests.rs")));
    files.retain(|file| !test(file));
    assert!(files.len() > 80, "{}", files.len());
    let mut told = vec![];
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // What stands below is test code.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        // The JSON reader's check for fields said twice passes numbers over without looking at them; a number without
        // quotes comes from the JSON parser as a float and is read by its shortest spelling; the CSV template is text.
        let known = [
            "fn visit_f64<E>(self, _: f64)",
            "fn visit_f64<E: Error>(self, number: f64) -> Result<Decimal, E>",
            "M-1001,import,",
        ];
        let lines = code.lines().filter(|line| !known.iter().any(|known| line.contains(known)));
        told.extend(lines.filter(|line| has_float(line)).map(|line| format!("{}: {line}", file.display())));
    }
    assert!(told.is_empty(), "{told:#?}");
}

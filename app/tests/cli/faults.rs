//! Bad input: exit code 2, a line a fault with file, line and column, and never a panic.

use super::runs::*;

const FLAT: &str = r#"{"format":"eis-tariff/1","name":"Flat","currency":"EUR","zone":"UTC",
"energy":[{"name":"Energy","prices":[{"blocks":[{"price":"0.1"}]}]}]}"#;

fn hours(zone: &str) -> String {
    let rows = (0..24).map(|hour| format!("2026-01-01T{hour:02}:00:00{zone},1\n"));
    format!("interval_start,kwh\n{}", rows.collect::<String>())
}

/// Runs a pair of contents and gives the faults back.
fn faults(scratch: &Scratch, tariff: impl AsRef<[u8]>, usage: impl AsRef<[u8]>) -> Vec<String> {
    let (tariff, usage) = (scratch.file("tariff.json", tariff), scratch.file("usage", usage));
    let output = run(&["rate", "--tariff", &tariff, "--usage", &usage]);
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(output.stdout.is_empty());
    let folder = format!("{}/", scratch.path().display());
    let lines: Vec<String> = told.lines().map(|line| line.replacen(&folder, "", 1)).collect();
    for line in &lines {
        let mut parts = line.splitn(4, ':');
        let mut next = || parts.next().unwrap_or_default();
        assert!(["tariff.json", "usage"].contains(&next()), "{line}");
        assert!(next().parse::<u64>().is_ok_and(|line| line > 0), "{line}");
        assert!(next().parse::<u64>().is_ok_and(|column| column > 0), "{line}");
        assert!(next().len() > 5 && line.chars().count() < 700 && !line.chars().any(char::is_control), "{line}");
    }
    assert!(!lines.is_empty() && lines.len() < 60);
    lines
}

#[test]
fn a_bad_tariff_is_refused_at_its_place() {
    let scratch = Scratch::new("tariff");
    let latin = FLAT
        .replace("Flat", "Fl\u{e4}t")
        .chars()
        .map(|sign| u8::try_from(u32::from(sign)).unwrap())
        .collect::<Vec<u8>>();
    let cases: [(Vec<u8>, &str); 24] = [
        (b"".to_vec(), "tariff.json:1:1: EOF"),
        (b"null".to_vec(), "tariff.json:1:1: this is no tariff"),
        (b"[1]".to_vec(), "tariff.json:1:1: this is no tariff"),
        (b"{\"a\": 1}".to_vec(), "tariff.json:1:1: this is no tariff"),
        ("[".repeat(200_000).into(), "tariff.json:1:128: recursion limit"),
        (b"\0\0\0".to_vec(), "tariff.json:1:1: expected value"),
        (latin, "tariff.json:1:36: this byte is not UTF-8"),
        (
            FLAT.replace("\"name\":\"Flat\"", "\"name\":\"Flat\",\"name\":\"Other\"").into(),
            "tariff.json:1:45: the field \"name\" is there twice",
        ),
        (FLAT.replace("0.1", &"9".repeat(40)).into(), "tariff.json:2:"),
        (FLAT.replace("\"0.1\"", "1e400").into(), "tariff.json:2:"),
        (FLAT.replace("\"0.1\"", "NaN").into(), "tariff.json:2:"),
        (
            FLAT.replace("0.1", "0.1234567").into(),
            "tariff.json:2:58: energy[0].prices[0].blocks[0].price: a price has at most 6 decimals",
        ),
        (FLAT.replace("UTC", "Mars/Olympus").into(), "tariff.json:1:"),
        (FLAT.replace("EUR", "euro").into(), "tariff.json:1:51: currency:"),
        (FLAT.replace("eis-tariff/1", "eis-tariff/9").into(), "tariff.json:1:11: format:"),
        (FLAT.replace("energy", "enrgy").into(), "tariff.json:2:7: unknown field `enrgy`"),
        (
            FLAT.replace("{\"price\"", "{\"from\":\"5\",\"price\"").into(),
            "tariff.json:2:57: energy[0].prices[0].blocks[0].from: nothing holds from 0 to 5: a gap",
        ),
        (br#"{"energyratestructure":[]}"#.to_vec(), "tariff.json:1:24: energyratestructure:"),
        (
            br#"{"energyratestructure":[[{"rate":0.1,"max":-5},{"rate":1}]]}"#.to_vec(),
            "tariff.json:1:44: energyratestructure[0][0].max:",
        ),
        (
            br#"{"energyratestructure":[[{"rate":0.1}],[{"rate":0.2}]]}"#.to_vec(),
            "tariff.json:1:1: energyweekdayschedule:",
        ),
        (
            br#"{"energyratestructure":[[{"rate":0.1}]],"coincidentratestructure":[[{"rate":5}]]}"#.to_vec(),
            "tariff.json:1:67: coincidentratestructure: this cannot be represented",
        ),
        (
            br#"{"energyratestructure":[[{"rate":0.1}]],"energyRateStructure":[[{"rate":0.2}]]}"#.to_vec(),
            "tariff.json:1:",
        ),
        (br#"{"items":[]}"#.to_vec(), "tariff.json:1:10: items:"),
        (hours("Z").into(), "tariff.json:1:1:"),
    ];
    let told = cases.map(|(tariff, wanted)| (faults(&scratch, &tariff, hours("Z")), wanted));
    let other: Vec<_> = told.iter().filter(|(found, wanted)| !found[0].starts_with(wanted)).collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[test]
fn a_bad_usage_file_is_refused_at_its_place() {
    let scratch = Scratch::new("usage");
    let hours = hours("Z");
    let first = |row: &str| hours.replacen("2026-01-01T00:00:00Z,1", row, 1);
    let cases: [(Vec<u8>, &str); 25] = [
        (b"".to_vec(), "usage:1:1: the file is empty"),
        (b"\n \n".to_vec(), "usage:1:1: the file is empty"),
        (b"interval_start,kwh\n".to_vec(), "usage:1:1: the file has a header and no rows"),
        (b"a,b\n1,2\n".to_vec(), "usage:1:1: the header has no column interval_start"),
        (hours.replacen("kwh", "kwh,kwh", 1).into(), "usage:1:1: the header has the column kwh twice"),
        (
            b"interval_start,kwh\n2026-01-01T00:00:00Z,1\n".to_vec(),
            "usage:1:1: the meter, import: no values from 2026-01-01 01:00 up to 2026-01-02 00:00",
        ),
        (first("2026-01-01T00:00:00Z,NaN").into(), "usage:2:22: \"NaN\" is not a number of kWh"),
        (first("2026-01-01T00:00:00Z,\u{1b}[31m").into(), "usage:2:22: \"\\u{1b}[31m\" is not a number of kWh"),
        (first("2026-01-01T00:00:00Z,").into(), "usage:2:22: kwh is missing"),
        (first("2026-01-01T00:00:00Z,1,5").into(), "usage:2:24: the row has 3 fields and the header 2"),
        (first("2026-01-01T00:00:00Z,9999999").into(), "usage:2:22: 9999999 kWh in one interval"),
        (first("yesterday,1").into(), "usage:2:1: \"yesterday\" is not a time"),
        (first("9999-01-01T00:00:00Z,1").into(), "usage:2:1: \"9999-01-01T00:00:00Z\" is not a time that a meter"),
        (
            hours.replace("2026-01-01T05:00:00Z,1\n", "").into(),
            "usage:1:1: the meter, import: 1 of 24 values are missing on 2026-01-01",
        ),
        (format!("{hours}2026-01-01T05:00:00Z,2\n").into(), "usage:26:1: 2026-01-01T05:00:00Z is there twice"),
        (format!("{hours}{}", "x".repeat(3_000_000)).into(), "usage:26:"),
        ((0..4000_u32).map(|at| u8::try_from(at * 7919 % 251).unwrap()).collect(), "usage:"),
        (b"<a><b></a>".to_vec(), "usage:1:7: this is not well-formed XML"),
        (b"<html></html>".to_vec(), "usage:1:1: this file is a web page (HTML)"),
        ("<a>".repeat(60).into(), "usage:1:181: the file ends inside <a>"),
        ("<a>".repeat(100_000).into(), "usage:1:193: elements lie more than 64 deep"),
        (b"200,NEM1201009\n".to_vec(), "usage:1:1: the file begins with a \"200\" record"),
        (b"100,NEM12,200506081149,UNITEDDP,NEMMCO\n".to_vec(), "usage:1:1: the file ends without a 900 record"),
        (std::fs::read(reference("nem12/invalid_incomplete_interval.csv")).unwrap(), "usage:"),
        (std::fs::read(reference("nem12/invalid_missing_fields.csv")).unwrap(), "usage:"),
    ];
    let told = cases.map(|(usage, wanted)| (faults(&scratch, FLAT, &usage), wanted));
    let other: Vec<_> =
        told.iter().filter(|(found, wanted)| !found.iter().any(|fault| fault.starts_with(wanted))).collect();
    assert!(other.is_empty(), "{other:#?}");
}

#[test]
fn a_local_time_that_clocks_skip_is_refused() {
    let scratch = Scratch::new("clock");
    let berlin = FLAT.replace("UTC", "Europe/Berlin");
    let found = faults(&scratch, berlin, hours("").replace("2026-01-01", "2026-03-29"));
    assert_eq!(found, ["usage:4:1: 2026-03-29 02:00:00 does not exist in Europe/Berlin: clocks skip it"]);
}

#[test]
fn files_that_cannot_be_read_are_told_like_faults_in_them() {
    let folder = env!("CARGO_MANIFEST_DIR");
    for (tariff, usage) in [("/nonexistent", "/nonexistent"), (folder, folder), (example("flat.json").as_str(), folder)]
    {
        let output = run(&["rate", "--tariff", tariff, "--usage", usage]);
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(":1:1: ") && told.lines().count() == 1, "{told}");
    }
}

#[test]
fn figures_beyond_a_bill_are_refused_and_never_overflow() {
    let scratch = Scratch::new("large");
    let usage = hours("Z").replace("Z,1\n", "Z,2147483\n");
    let found = faults(&scratch, FLAT.replace("0.1", "999999.999999"), &usage);
    assert_eq!(found, ["usage:1:1: Energy: the amount is too large"]);
    let rider = |at| format!(r#"{{"name":"R{at}","per":"percent","percent":"999999","of":["energy","adjustment"]}}"#);
    let riders = (0..40).map(rider).collect::<Vec<_>>().join(",");
    let found =
        faults(&scratch, FLAT.replace("\"energy\":[", &format!("\"adjustments\":[{riders}],\"energy\":[")), &usage);
    assert!(found[0].ends_with("the amount is too large"), "{found:?}");
    let taxes = (0..40).map(|at| format!(r#"{{"name":"T{at}","percent":"999999"}}"#)).collect::<Vec<_>>().join(",");
    let found = faults(&scratch, FLAT.replace("\"energy\":[", &format!("\"taxes\":[{taxes}],\"energy\":[")), &usage);
    assert!(found[0].ends_with("the amount is too large"), "{found:?}");
}

#[test]
fn options_that_make_no_sense_end_with_exit_code_2() {
    let (tariff, usage) = (example("flat.json"), reference("usage/residential_hourly_2018.csv"));
    for extra in [
        ["--zone", "Mars"],
        ["--from", "2018-13-01"],
        ["--format", "xml"],
        ["--to", "2017-01-01"],
        ["--from", "2018-12-32"],
    ] {
        let args = [&["rate", "--tariff", &tariff, "--usage", &usage][..], &extra].concat();
        let output = run(&args);
        assert_eq!(output.status.code(), Some(2), "{extra:?} {}", text(&output.stderr));
        assert!(!text(&output.stderr).contains("panicked"));
    }
}

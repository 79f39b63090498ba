//! Every example of `docs/tariffs.md` is written and read back unchanged, and bills what the document says.

use chrono_tz::UTC;

use super::examples;
use crate::rating::{CompiledTariff, History, Register, Supply, UsageInput, rate};
use crate::tariff_document::{TariffDocument, read};
use crate::usage::days::intervals;
use crate::usage::{DayUsage, Direction, Profile};
use crate::values::period::Period;

/// January 2026 in hours: 0.5 kWh, from 17:00 to 21:00 1 kWh; with a generator 0.8 kWh from 11:00 to 14:00. Then what of
/// it register E1 counts, and E2, which counts until 5:00.
fn january(tariff: &TariffDocument) -> (Profile, Option<Profile>, [Profile; 2]) {
    let profile = |direction, wh: fn(usize) -> i32| Profile {
        zone: tariff.zone,
        minutes: 60,
        direction,
        days: Period::month(2026, 1)
            .unwrap()
            .dates()
            .map(|date| DayUsage::actual(date, (0..intervals(tariff.zone, date, 60)).map(wh).collect()))
            .collect(),
    };
    let import = profile(Direction::Import, |hour| if (17..21).contains(&hour) { 1_000 } else { 500 });
    let export = profile(Direction::Export, |hour| if (11..14).contains(&hour) { 800 } else { 0 });
    let own = profile(Direction::Import, |hour| match hour {
        0..5 => 0,
        17..21 => 1_000,
        _ => 500,
    });
    let night = profile(Direction::Import, |hour| if hour < 5 { 500 } else { 0 });
    (import, tariff.export.is_some().then_some(export), [own, night])
}

fn total(tariff: &TariffDocument) -> String {
    let (import, export, apart) = january(tariff);
    let names = [vec!["E1".to_owned()], vec!["E2".to_owned()]];
    let registers = [0, 1].map(|at| Register {
        names: &names[at],
        meter: "",
        direction: Direction::Import,
        supply: Supply::Profile(&apart[at]),
    });
    let usage = UsageInput {
        import: Supply::Profile(&import),
        export: export.as_ref().map(Supply::Profile),
        registers: &registers,
    };
    let compiled = CompiledTariff::new(tariff).unwrap();
    let bill = rate(&compiled, &usage, Period::month(2026, 1).unwrap(), &History::default()).unwrap();
    format!("{} {}", bill.currency, bill.payable)
}

#[test]
fn every_example_bills_what_the_document_says() {
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/tariffs.md")).unwrap();
    let mut told = vec![];
    for (name, text) in examples() {
        let row = format!("](tariffs/{name}) |");
        let row =
            document.lines().find(|line| line.contains(&row)).unwrap_or_else(|| panic!("{name} is not in the table"));
        let said = row.trim_end_matches(['|', ' ']).rsplit('|').next().unwrap().trim();
        let total = total(&read(&text, UTC).unwrap());
        if said != total {
            told.push(format!("{name} comes to {total}, not {said}"));
        }
    }
    assert!(told.is_empty(), "{told:#?}");
}

#[test]
fn every_example_is_written_and_read_back_unchanged() {
    for (name, text) in examples() {
        let tariff = read(&text, UTC).unwrap();
        assert_eq!(read(&tariff.to_json(), UTC), Ok(tariff.clone()), "{name}");
        let value = serde_json::to_value(&tariff).unwrap();
        assert_eq!(serde_json::from_value::<TariffDocument>(value).unwrap(), tariff, "{name}: by way of the database");
    }
}

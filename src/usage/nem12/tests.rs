//! AEMO's example files are read, invalid ones refused with reasons.

use super::*;
use crate::usage::{Direction, Energy, Quality, Reading};

fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/end2end/reference/nem12/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn parse(text: &str) -> Result<(Vec<Reading>, Vec<String>), String> {
    let (mut readings, mut refused) = (vec![], vec![]);
    let end = read(text.as_bytes(), &mut |item| match item {
        Item::Reading(reading) => readings.push(reading),
        Item::Rejected(rejected) => refused.push(rejected.to_string()),
        Item::Zone(_) => panic!("NEM12 names no zone"),
    });
    end.map(|()| (readings, refused)).map_err(|fault| fault.to_string())
}

#[test]
fn two_registers_of_a_meter_are_two_series() {
    let (readings, refused) = parse(&file("NEM12#000000000000001#CNRGYMDP#NEMMCO.csv")).unwrap();
    assert_eq!((readings.len(), refused.len()), (8 * 48, 0));
    let first = &readings[0];
    assert_eq!(first.start.to_rfc3339(), "2005-03-14T14:00:00+00:00", "midnight of market time, UTC+10");
    assert_eq!((first.energy, first.seconds, first.quality), (Energy::whole(300_000), 1800, Quality::Actual));
    assert_eq!(
        (first.series.meter.as_deref(), first.series.register.as_deref(), first.series.direction),
        (Some("01002"), Some("E1"), Direction::Import)
    );
    assert_eq!(readings[48].series.register.as_deref(), Some("E2"));
}

#[test]
fn watt_hours_and_qualities_of_parts_of_a_day_are_understood() {
    let (readings, _) = parse(&file("NEM12#05050200001000000#GLOBALM#NEMMCO")).unwrap();
    assert!(readings.iter().all(|reading| reading.energy == Energy::whole(111) && reading.seconds == 900));
    let (readings, _) = parse(&file("NEM12#05051100001000000#GLOBALM#NEMMCO")).unwrap();
    assert_eq!(readings.len(), 192);
    let estimated = readings.iter().filter(|reading| reading.quality == Quality::Estimated).count();
    assert_eq!(estimated, 17, "intervals 80 to 96 are F14");
}

#[test]
fn incomplete_files_are_refused_with_reasons() {
    let fault = parse(&file("invalid_incomplete_interval.csv")).unwrap_err();
    assert_eq!(fault, "3:1: a 300 record of 30-minute intervals has 48 values and 55 fields; this one has 7 fields");
    let fault = parse(&file("invalid_missing_fields.csv")).unwrap_err();
    assert_eq!(fault, "2:1: the file begins with a \"200\" record; a 100 record is missing");
    let whole = file("NEM12#05051100001000000#GLOBALM#NEMMCO");
    assert!(parse(whole.split("\n900").next().unwrap()).unwrap_err().ends_with("the file ends without a 900 record"));
    assert!(
        parse(&whole.replace("400,1,79", "400,1,78"))
            .unwrap_err()
            .contains("quality V needs 400 records for all intervals")
    );
}

#[test]
fn a_value_that_is_no_number_is_refused_and_the_rest_goes_in() {
    let text = file("NEM12#05050200001000000#GLOBALM#NEMMCO").replacen("111,111", "111,1x1", 1);
    let (readings, refused) = parse(&text).unwrap();
    assert_eq!(readings.len() % 96, 95);
    assert_eq!(refused, ["3:18: value 2 of the day, \"1x1\", is not a number of WH that a meter measures"]);
}

#[test]
fn reactive_energy_is_left_out_and_said() {
    let text = file("NEM12#05051100001000000#GLOBALM#NEMMCO").replace("E1,N1,05085,WH", "Q1,N1,05085,KVARH");
    let (readings, refused) = parse(&text).unwrap();
    assert_eq!(
        (readings.len(), refused.as_slice()),
        (0, ["2:1: register Q1 in KVARH is not active energy: it is left out".to_owned()].as_slice())
    );
}

#[test]
fn what_the_customer_feeds_in_is_an_export() {
    let text = file("NEM12#05051100001000000#GLOBALM#NEMMCO").replace("E1,N1,05085", "B1,N1,05085");
    assert_eq!(parse(&text).unwrap().0[0].series.direction, Direction::Export);
}

#[test]
fn values_with_underscores_or_an_exponent_are_refused() {
    let values = |first: &str, second: &str| {
        let rest = ",1".repeat(46);
        format!(
            "100,NEM12,200506081149,UNITEDDP,NEMMCO\n200,NEM1201009,E1E2,1,E1,N1,01009,kWh,30,20050610\n\
             300,20050301,{first},{second}{rest},A,,,20050310121004,\n900\n"
        )
    };
    let (readings, refused) = parse(&values("1_0", "1e1")).unwrap();
    assert_eq!(readings.len(), 46);
    assert_eq!(
        refused,
        [
            "3:14: value 1 of the day, \"1_0\", is not a number of KWH that a meter measures",
            "3:18: value 2 of the day, \"1e1\", is not a number of KWH that a meter measures"
        ]
    );
}

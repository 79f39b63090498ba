//! Registers have names in a tariff.

use chrono_tz::UTC;
use rust_decimal::Decimal;

use super::super::{
    Bill, History, LineKind, RatingError, Register, Supply, UsageInput, interval_costs, rate, rate_versions,
};
use super::fixtures::*;
use crate::tariff_document::{
    Adjustment, AdjustmentKind, DemandCharge, EnergyCharge, ExportCredit, NetMetering, PriceCell, TariffDocument,
};
use crate::usage::{Direction, Profile, RegisterRead, merge};
use crate::values::period::Period;

fn days() -> Period {
    period("2026-03-01/2026-03-03")
}

/// 0.33 for E1, 0.19 for E2.
fn controlled_load() -> TariffDocument {
    let mut tariff = TariffDocument::flat("T", "AUD", UTC, decimal("0.33"));
    tariff.energy[0].register = Some("E1".to_owned());
    tariff.energy.push(EnergyCharge {
        name: "Controlled load".to_owned(),
        register: Some(" e2 ".to_owned()),
        prices: vec![PriceCell::flat(decimal("0.19"))],
        ..tariff.energy[0].clone()
    });
    tariff
}

/// Registers, each with its names and so many watt-hours every half-hour, and their sum.
struct Counted {
    sum: Profile,
    parts: Vec<(Vec<String>, Profile)>,
}

fn counted(of: &[(&[&str], i32)]) -> Counted {
    let mut parts = vec![];
    for (names, wh) in of {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        parts.push((names, profile_of(UTC, 30, days(), |_, _| *wh)));
    }
    let sum = merge(&parts.iter().map(|(_, profile)| profile).collect::<Vec<_>>()).unwrap();
    Counted { sum, parts }
}

fn registers(counted: &Counted) -> Vec<Register<'_>> {
    let mut registers = vec![];
    for (names, profile) in &counted.parts {
        let supply = Supply::Profile(profile);
        registers.push(Register { names, meter: "M7", direction: Direction::Import, supply });
    }
    registers
}

fn rated(tariff: &TariffDocument, counted: &Counted) -> Result<Bill, RatingError> {
    let registers = registers(counted);
    let usage = UsageInput { registers: &registers, ..UsageInput::profile(&counted.sum) };
    rate(&compile(tariff), &usage, days(), &History::default())
}

fn amounts(bill: &Bill) -> Vec<String> {
    bill.lines.iter().map(|line| format!("{} {} {}", line.item.name, line.quantity.normalize(), line.amount)).collect()
}

#[test]
fn a_price_of_a_register_bills_what_that_register_counted() {
    let usage = counted(&[(&["E1"], 500), (&["E2"], 300)]);
    let bill = rated(&controlled_load(), &usage).unwrap();
    assert_eq!(amounts(&bill), ["Energy 48 15.84", "Controlled load 28.8 5.47"]);
    assert_eq!((bill.kwh.normalize().to_string(), bill.added.len()), ("76.8".to_owned(), 0));
}

#[test]
fn a_register_without_a_price_and_a_price_without_its_register_are_refused_by_name() {
    let told = |of: &[(&[&str], i32)]| rated(&controlled_load(), &counted(of)).unwrap_err().to_string();
    assert_eq!(
        told(&[(&["E1"], 1), (&["E2"], 1), (&["E3"], 1)]),
        "usage.registers: the register E3 of meter M7 has no price: the tariff prices E1, e2"
    );
    assert_eq!(
        told(&[(&["E1"], 1), (&["E2"], 1), (&[], 1)]),
        "usage.registers: the register without a name of meter M7 has no price: the tariff prices E1, e2"
    );
    assert_eq!(
        told(&[(&["E1"], 1)]),
        "usage.registers: the tariff prices the register e2, and the usage does not have it: the register E1 of meter M7"
    );
    assert_eq!(
        told(&[(&["E1", "E2"], 1)]),
        "usage.registers: the tariff prices the register E1, and the usage does not have it: the registers E1 and E2 of \
         meter M7, which are added up,"
    );
    assert_eq!(told(&[(&["E1"], 1), (&["E2"], 1), (&["e1"], 1)]), "usage.registers: the register E1 is there twice");
    let usage = counted(&[(&["E1"], 1)]);
    let fault = rate(&compile(&controlled_load()), &UsageInput::profile(&usage.sum), days(), &History::default());
    assert_eq!(
        fault.unwrap_err().to_string(),
        "usage.registers: the tariff prices the register E1, and the usage does not have it: it has no names of registers"
    );
}

#[test]
fn registers_that_are_not_all_that_was_bought_are_refused() {
    let mut usage = counted(&[(&["E1"], 500), (&["E2"], 300)]);
    usage.sum.days[1].values[3] += 1;
    let fault = rated(&controlled_load(), &usage).unwrap_err().to_string();
    assert_eq!(fault, "usage.registers: they come to 76800 Wh, and all that was bought to 76801 Wh");
}

#[test]
fn where_no_price_names_a_register_the_bill_says_which_were_added_up() {
    let flat = TariffDocument::flat("T", "AUD", UTC, decimal("0.33"));
    let bill = rated(&flat, &counted(&[(&["E1"], 500), (&["E2"], 300)])).unwrap();
    assert_eq!(
        (amounts(&bill), bill.added),
        (vec!["Energy 76.8 25.34".to_owned()], vec!["E1".to_owned(), "E2".to_owned()])
    );
    let bill = rated(&flat, &counted(&[(&["E1", "E3"], 500)])).unwrap();
    assert_eq!(bill.added, ["E1", "E3"]);
    assert!(rated(&flat, &counted(&[(&["E1"], 500)])).unwrap().added.is_empty());
}

#[test]
fn steps_of_a_register_count_its_energy_alone() {
    let mut tariff = controlled_load();
    tariff.energy[1].prices = vec![PriceCell::tiered(&[(Some(decimal("20")), decimal("0.1")), (None, decimal("0.2"))])];
    let bill = rated(&tariff, &counted(&[(&["E1"], 500), (&["E2"], 300)])).unwrap();
    assert_eq!(amounts(&bill), ["Energy 48 15.84", "Controlled load 20 2.00", "Controlled load 8.8 1.76"]);
}

#[test]
fn a_rider_per_kwh_counts_all_registers_and_demand_may_count_one() {
    let mut tariff = controlled_load();
    let kind = AdjustmentKind::Kwh { price: decimal("0.1") };
    tariff.adjustments.push(Adjustment { name: "Levy".to_owned(), kind });
    tariff.demand.push(DemandCharge {
        name: "Demand".to_owned(),
        register: Some("E1".to_owned()),
        calendar: None,
        per_period: false,
        window_minutes: None,
        prices: vec![PriceCell::flat(decimal("10"))],
        ratchet: None,
    });
    let bill = rated(&tariff, &counted(&[(&["E1"], 500), (&["E2"], 300)])).unwrap();
    assert_eq!(amounts(&bill)[2..], ["Demand 1 10.00", "Levy 76.8 7.68"]);
    assert_eq!(bill.peak_kw.unwrap().normalize().to_string(), "1.6");
    let levy = bill.lines.last().unwrap();
    assert_eq!(levy.trace.iter().map(|day| day.quantity).sum::<Decimal>(), levy.quantity);
}

#[test]
fn costs_of_intervals_sum_to_the_lines_of_all_registers() {
    let usage = counted(&[(&["E1"], 501), (&["E2"], 299)]);
    let (tariff, registers) = (compile(&controlled_load()), registers(&usage));
    let input = UsageInput { registers: &registers, ..UsageInput::profile(&usage.sum) };
    let bill = rate(&tariff, &input, days(), &History::default()).unwrap();
    let costs = interval_costs(&[(days().from(), &tariff)], &input, days(), &History::default()).unwrap();
    let sum: Decimal = costs.iter().map(|interval| interval.cost).sum();
    assert_eq!((costs.len(), sum), (96, bill.sum(LineKind::Energy).amount()));
}

#[test]
fn register_reads_are_billed_by_name_on_both_sides_of_a_price_change() {
    let days = period("2026-03-01/2026-03-31");
    let read = |kwh: &str| [RegisterRead::total(days.from(), days.to(), decimal(kwh))];
    let (all, own, night) = (read("90"), read("60"), read("30"));
    let names = [vec!["E1".to_owned()], vec!["E2".to_owned()]];
    let register =
        |names, reads| Register { names, meter: "M7", direction: Direction::Import, supply: Supply::Reads(reads) };
    let registers = [register(&names[0], &own), register(&names[1], &night)];
    let usage = UsageInput { registers: &registers, ..UsageInput::reads(&all) };
    let mut dearer = controlled_load();
    dearer.energy[1].prices[0].blocks[0].price = decimal("0.29");
    let (before, after) = (compile(&controlled_load()), compile(&dearer));
    let versions = [(days.from(), &before), (date("2026-03-11"), &after)];
    let bill = rate_versions(&versions, &usage, days, &History::default()).unwrap();
    assert_eq!(
        amounts(&bill),
        ["Energy 20 6.60", "Controlled load 10 1.90", "Energy 40 13.20", "Controlled load 20 5.80"]
    );
}

#[test]
fn a_tariff_in_which_only_some_energy_has_a_register_is_no_tariff() {
    let faults = |tariff: &TariffDocument| tariff.validate().iter().map(ToString::to_string).collect::<Vec<_>>();
    let mut tariff = controlled_load();
    tariff.energy[1].register = None;
    let fault = "energy[1].register: another energy charge names its register: this one must name one too";
    assert_eq!(faults(&tariff), [fault]);
    tariff.energy[1].register = Some(" ".to_owned());
    assert_eq!(faults(&tariff), ["energy[1].register: a register has a name of 1 to 20 characters"]);
    let mut tariff = controlled_load();
    tariff.export = Some(ExportCredit::NetMetering(NetMetering::default()));
    assert!(faults(&tariff)[0].starts_with("export.form: what is netted over all registers has no price of one"));
}

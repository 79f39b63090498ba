//! Rule 6 and the charges around energy: rounding, tax, fixed, minimum, riders.

use chrono_tz::UTC;

use super::super::{Bill, History, LineKind, UsageInput, rate, rate_versions};
use super::fixtures::*;
use crate::tariff_document::{
    Adjustment, AdjustmentKind, FixedBasis, FixedCharge, Minimum, MinimumBasis, Proration, TariffDocument, Tax,
};
use crate::usage::RegisterRead;
use crate::values::money::{Money, Rounding};

fn of_kwh(tariff: &TariffDocument, days: &str, kwh: &str) -> Bill {
    let days = period(days);
    let read = [RegisterRead::total(days.from(), days.to(), decimal(kwh))];
    rate(&compile(tariff), &UsageInput::reads(&read), days, &History::default()).unwrap()
}

fn flat(price: &str) -> TariffDocument {
    TariffDocument::flat("T", "EUR", UTC, decimal(price))
}

fn fixed(price: &str, per: FixedBasis, proration: Proration) -> TariffDocument {
    let mut tariff = flat("0");
    tariff.fixed.push(FixedCharge { name: "Base".to_owned(), price: decimal(price), per, proration });
    tariff
}

const JANUARY: &str = "2026-01-01/2026-02-01";

#[test]
fn money_is_never_rounded_per_interval() {
    // 2,976 quarter-hours of 1 Wh at 0.004 are 0.0119 in all; rounded each they would be nothing.
    let days = period(JANUARY);
    let profile = profile_of(UTC, 15, days, |_, _| 1);
    assert_eq!(brief(&bill(&flat("4"), &profile, days), LineKind::Energy), lines(&["/0/2.976/11.90"]));
}

#[test]
fn a_line_is_rounded_half_away_from_zero_unless_the_tariff_says_otherwise() {
    assert_eq!(of_kwh(&flat("0.125"), JANUARY, "1").total.to_string(), "0.13");
    assert_eq!(of_kwh(&flat("0.125"), JANUARY, "-1").total.to_string(), "-0.13");
    let mut tariff = flat("0.125");
    tariff.rounding.money = Rounding::HalfToEven;
    assert_eq!(of_kwh(&tariff, JANUARY, "1").total.to_string(), "0.12");
}

#[test]
fn rounding_of_energy_is_tariff_data() {
    let mut tariff = flat("1");
    tariff.rounding.kwh_decimals = Some(0);
    let bill = of_kwh(&tariff, JANUARY, "12.5");
    assert_eq!(
        (bill.kwh, bill.lines[0].quantity, bill.total.to_string()),
        (decimal("12.500"), decimal("13"), "13.00".to_owned())
    );
}

#[test]
fn tax_is_worked_out_once_per_rate_on_the_summed_lines() {
    // Each line's 19 % would be 0.0095 and 0.0095, rounded 0.01 and 0.01; on the sum 0.019 is 0.02 all the same,
    // but on three lines of 0.02 it is 0.0114 = 0.01 and not 3 x 0.00.
    let mut tariff = fixed("0.02", FixedBasis::Month, Proration::None)
        .and_monthly("Meter", decimal("0.02"))
        .and_tax("VAT", decimal("19"));
    tariff.fixed.push(FixedCharge { name: "Reading".to_owned(), ..tariff.fixed[0].clone() });
    let bill = of_kwh(&tariff, JANUARY, "0");
    assert_eq!(
        (bill.net.to_string(), bill.tax.to_string(), bill.total.to_string()),
        ("0.06".to_owned(), "0.01".to_owned(), "0.07".to_owned())
    );
}

#[test]
fn rates_of_tax_may_differ_by_line() {
    let mut tariff = flat("0.1").and_monthly("Base", decimal("10")).and_monthly("Donation", decimal("5"));
    let tax = |name: &str, percent: &str, on: Vec<LineKind>, names: &[&str]| Tax {
        name: name.to_owned(),
        percent: decimal(percent),
        on,
        names: names.iter().map(|name| (*name).to_owned()).collect(),
    };
    tariff.taxes = vec![tax("VAT", "7", vec![LineKind::Energy], &[]), tax("VAT", "19", vec![], &["Base"])];
    let bill = of_kwh(&tariff, JANUARY, "1000");
    let taxes: Vec<_> = bill
        .lines
        .iter()
        .filter(|line| line.item.kind == LineKind::Tax)
        .map(|line| (line.item.description.as_str(), line.amount.to_string()))
        .collect();
    assert_eq!(taxes, [("VAT, 7 % of 100.00", "7.00".to_owned()), ("VAT, 19 % of 10.00", "1.90".to_owned())]);
    assert_eq!(
        bill.lines.iter().map(|line| line.item.tax_rate.map(|rate| rate.to_string())).collect::<Vec<_>>()[..3],
        [Some("7".to_owned()), Some("19".to_owned()), None]
    );
}

#[test]
fn an_electricity_invoice_of_the_european_norm_comes_out_to_the_cent() {
    // reference/einvoice: 1585 x 90/365 = 390.82; 1701 x 0.275 = 467.78; tax 1701 x 0.41375 = 703.79.
    let mut tariff = fixed("4.342466", FixedBasis::Day, Proration::None).and_tax("VAT", decimal("25"));
    tariff.energy[0].prices[0].blocks[0].price = decimal("0.275");
    tariff.adjustments.push(Adjustment {
        name: "Electricity tax".to_owned(),
        kind: AdjustmentKind::Kwh { price: decimal("0.41375") },
    });
    tariff.rounding.payable_step = Some(decimal("1"));
    let bill = of_kwh(&tariff, "2026-01-01/2026-04-01", "1701");
    let amounts: Vec<String> = bill.lines.iter().map(|line| line.amount.to_string()).collect();
    assert_eq!(amounts, ["467.78", "390.82", "703.79", "390.60"]);
    assert_eq!(
        [bill.net, bill.total, bill.payable_rounding, bill.payable].map(|amount| amount.to_string()),
        ["1562.39", "1952.99", "0.01", "1953.00"]
    );
}

#[test]
fn a_fixed_charge_is_per_day_or_per_month_with_the_proration_of_the_tariff() {
    let amount = |per, proration, days: &str| of_kwh(&fixed("12", per, proration), days, "0").total.to_string();
    let part = "2026-01-17/2026-02-08";
    assert_eq!(amount(FixedBasis::Day, Proration::None, part), "264.00");
    assert_eq!(amount(FixedBasis::Month, Proration::None, part), "12.00");
    assert_eq!(amount(FixedBasis::Month, Proration::CalendarDays, part), "8.81", "15/31 + 7/28");
    assert_eq!(amount(FixedBasis::Month, Proration::CalendarDays, "2026-01-01/2026-04-01"), "36.00");
    assert_eq!(amount(FixedBasis::Month, Proration::NormalDays(30), part), "8.80");
    assert_eq!(amount(FixedBasis::AverageMonthDay, Proration::None, "2026-02-01/2026-03-01"), "365.00");
    assert_eq!(amount(FixedBasis::AverageMonthDay, Proration::None, part), "264.00");
}

#[test]
fn a_minimum_is_a_line_of_its_own() {
    let mut tariff = flat("0.1");
    let minimum =
        |amount: &str, per| Minimum { name: "Minimum".to_owned(), amount: decimal(amount), per, counts: vec![] };
    tariff.minimums.push(minimum("15", MinimumBasis::Period));
    assert_eq!(brief(&of_kwh(&tariff, JANUARY, "100"), LineKind::Minimum), lines(&["/0/1/5.00"]));
    assert_eq!(brief(&of_kwh(&tariff, JANUARY, "150"), LineKind::Minimum), lines(&[]));
    tariff.minimums[0] = minimum("0.5", MinimumBasis::Day);
    assert_eq!(of_kwh(&tariff, JANUARY, "100").total.to_string(), "15.50");
}

#[test]
fn a_minimum_per_year_is_made_up_for_in_december() {
    let mut tariff = flat("0.1");
    tariff.minimums.push(Minimum {
        name: "Minimum".to_owned(),
        amount: decimal("100"),
        per: MinimumBasis::Year,
        counts: vec![],
    });
    let tariff = compile(&tariff);
    let mut history = History::default();
    let mut short = vec![];
    for month in crate::values::period::Period::new(date("2026-01-01"), date("2028-01-01")).unwrap().months() {
        let read = [RegisterRead::total(month.from(), month.to(), decimal("70"))];
        let bill = rate(&tariff, &UsageInput::reads(&read), month, &history).unwrap();
        short.push(bill.sum(LineKind::Minimum));
        history = history.after(&bill);
    }
    let wanted: Vec<Money> = (1..=24).map(|month| Money::from_cents(if month % 12 == 0 { 1600 } else { 0 })).collect();
    assert_eq!(short, wanted, "12 x 7.00 are 84.00");
}

#[test]
fn riders_and_percentages_are_worked_out_in_order_on_the_lines_they_name() {
    let mut tariff = flat("0.1").and_monthly("Base", decimal("10"));
    let rider = |name: &str, kind| Adjustment { name: name.to_owned(), kind };
    tariff.adjustments = vec![
        rider("Fuel", AdjustmentKind::Kwh { price: decimal("-0.01") }),
        rider(
            "City",
            AdjustmentKind::Percent { percent: decimal("2.5"), of: vec![LineKind::Energy, LineKind::Adjustment] },
        ),
        rider("All", AdjustmentKind::Percent { percent: decimal("10"), of: vec![] }),
        rider("Once", AdjustmentKind::Period { price: decimal("1.5") }),
    ];
    let bill = of_kwh(&tariff, JANUARY, "1000");
    assert_eq!(
        brief(&bill, LineKind::Adjustment),
        lines(&["/0/1000/-10.00", "/0/90/2.25", "/0/110/11.00", "/0/1/1.50"])
    );
    assert_eq!(bill.lines[2].trace.iter().map(|read| read.quantity).sum::<rust_decimal::Decimal>(), decimal("1000"));
}

#[test]
fn a_rider_per_kwh_counts_energy_once_where_two_charges_have_one_name() {
    let mut tariff = flat("0.1");
    tariff.energy.push(tariff.energy[0].clone());
    tariff
        .adjustments
        .push(Adjustment { name: "Rider".to_owned(), kind: AdjustmentKind::Kwh { price: decimal("0.01") } });
    let whole = of_kwh(&tariff, JANUARY, "310");
    assert_eq!(brief(&whole, LineKind::Adjustment), lines(&["/0/310/3.10"]));
    let (days, tariff) = (period(JANUARY), compile(&tariff));
    let read = [RegisterRead::total(days.from(), days.to(), decimal("310"))];
    let versions = [(days.from(), &tariff), (date("2026-01-11"), &tariff)];
    let split = rate_versions(&versions, &UsageInput::reads(&read), days, &History::default()).unwrap();
    assert_eq!(brief(&split, LineKind::Adjustment), lines(&["/0/100/1.00", "/0/210/2.10"]));
}

#[test]
fn an_amount_to_pay_beyond_what_is_stored_is_told_not_a_panic() {
    let mut tariff = flat("0.1");
    tariff.rounding.payable_step = Some(rust_decimal::Decimal::MAX);
    assert_eq!(of_kwh(&tariff, JANUARY, "100").payable, Money::ZERO);
    tariff.rounding.payable_step = Some(decimal("12000000000"));
    tariff.energy[0].prices[0].blocks[0].price = decimal("999999");
    let (days, read) = (period(JANUARY), RegisterRead::total(date("2026-01-01"), date("2026-02-01"), decimal("9000")));
    let usage = UsageInput::reads(std::slice::from_ref(&read));
    let fault = rate(&compile(&tariff), &usage, days, &History::default()).unwrap_err();
    assert_eq!(fault.to_string(), "payable: the amount is too large");
}

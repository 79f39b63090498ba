//! Export credit: three different things.

use chrono_tz::UTC;

use super::super::{Bill, History, LineKind, RatingError, Supply, UsageInput, rate};
use super::fixtures::*;
use crate::tariff_document::{ExportCredit, NetMetering, Netting, PriceCell, Settlement, TariffDocument};
use crate::usage::{Direction, Profile, Quality, RegisterRead};
use crate::values::period::Period;

/// A day on which 24 kWh are bought evenly and 6 kWh an hour are fed in from 10 to 14.
fn sunny(days: Period) -> (Profile, Profile) {
    let import = profile_of(UTC, 60, days, |_, _| 1_000);
    let export = Profile {
        direction: Direction::Export,
        ..profile_of(UTC, 60, days, |_, at| if (10..14).contains(&at) { 4_000 } else { 0 })
    };
    (import, export)
}

fn with(credit: ExportCredit) -> TariffDocument {
    TariffDocument { export: Some(credit), ..TariffDocument::flat("T", "EUR", UTC, decimal("0.3")) }
}

fn bill_of(tariff: &TariffDocument, days: Period, history: &History) -> Bill {
    let (import, export) = sunny(days);
    let usage = UsageInput { import: Supply::Profile(&import), export: Some(Supply::Profile(&export)), registers: &[] };
    rate(&compile(tariff), &usage, days, history).unwrap()
}

fn day() -> Period {
    period("2026-06-01/2026-06-02")
}

fn sell(price: &str) -> Vec<PriceCell> {
    vec![PriceCell::flat(decimal(price))]
}

#[test]
fn buy_all_sell_all_nets_nothing() {
    let bill = bill_of(
        &with(ExportCredit::BuyAllSellAll { calendar: None, prices: sell("0.1"), roll_over: false }),
        day(),
        &History::default(),
    );
    assert_eq!(brief(&bill, LineKind::Energy), lines(&["/0/24/7.20"]));
    assert_eq!(brief(&bill, LineKind::Credit), lines(&["/0/-16/-1.60"]));
    assert_eq!(
        (bill.kwh, bill.exported_kwh, bill.total.to_string()),
        (decimal("24.000"), decimal("16.000"), "5.60".to_owned())
    );
}

#[test]
fn net_billing_nets_within_the_interval_and_credits_the_rest_at_its_own_price() {
    let bill = bill_of(
        &with(ExportCredit::NetBilling {
            calendar: None,
            netting: Netting::Interval,
            prices: sell("0.1"),
            roll_over: false,
        }),
        day(),
        &History::default(),
    );
    assert_eq!(brief(&bill, LineKind::Energy), lines(&["/0/20/6.00"]));
    assert_eq!(brief(&bill, LineKind::Credit), lines(&["/0/-12/-1.20"]));
}

#[test]
fn net_metering_nets_over_the_billing_period() {
    let bill = bill_of(&with(ExportCredit::NetMetering(NetMetering::default())), day(), &History::default());
    assert_eq!(brief(&bill, LineKind::Energy), lines(&["/0/8/2.40"]));
    assert_eq!(brief(&bill, LineKind::Credit), lines(&[]));
}

#[test]
fn energy_left_over_is_kept_in_kwh_and_used_by_later_bills() {
    let tariff = with(ExportCredit::NetMetering(NetMetering { roll_over: true, settlement: None }));
    let (import, _) = sunny(day());
    let export = Profile {
        direction: Direction::Export,
        ..profile_of(UTC, 60, day(), |_, at| if at == 12 { 30_000 } else { 0 })
    };
    let usage = UsageInput { import: Supply::Profile(&import), export: Some(Supply::Profile(&export)), registers: &[] };
    let first = rate(&compile(&tariff), &usage, day(), &History::default()).unwrap();
    assert_eq!((first.total.to_string(), &first.carried.bank_kwh[""]), ("0.00".to_owned(), &decimal("6.000")));
    let history = History::default().after(&first);
    let second = bill_of(&tariff, day(), &history);
    assert_eq!(brief(&second, LineKind::Energy), lines(&["/0/2/0.60"]));
    assert!(second.carried.bank_kwh.is_empty());
    let alone = rate(&compile(&tariff), &UsageInput::profile(&import), day(), &history).unwrap();
    assert_eq!(brief(&alone, LineKind::Energy), lines(&["/0/18/5.40"]), "also where nothing is fed in");
}

#[test]
fn energy_left_over_is_paid_out_at_settlement() {
    let settlement = Some(Settlement { month: 6, price: decimal("0.05") });
    let tariff = with(ExportCredit::NetMetering(NetMetering { roll_over: true, settlement }));
    let history = |kwh: &str| {
        let mut history = History::default();
        history.carried.bank_kwh.insert(String::new(), decimal(kwh));
        history
    };
    let june = bill_of(&tariff, day(), &history("100"));
    assert_eq!(brief(&june, LineKind::Credit), lines(&["/0/-92/-4.60"]));
    assert!(june.carried.bank_kwh.is_empty());
    let july = bill_of(&tariff, period("2026-07-01/2026-07-02"), &history("100"));
    assert_eq!((brief(&july, LineKind::Credit).len(), &july.carried.bank_kwh[""]), (0, &decimal("92.000")));
}

#[test]
fn net_metering_keeps_time_of_use_periods_apart() {
    let tariff = TariffDocument {
        export: Some(ExportCredit::NetMetering(NetMetering { roll_over: true, settlement: None })),
        ..tou(UTC, "0.4", "0.2")
    };
    let days = period("2026-06-01/2026-06-02");
    let import = profile_of(UTC, 60, days, |_, _| 1_000);
    let export = Profile {
        direction: Direction::Export,
        ..profile_of(UTC, 60, days, |_, at| if at == 12 { 25_000 } else { 0 })
    };
    let usage = UsageInput { import: Supply::Profile(&import), export: Some(Supply::Profile(&export)), registers: &[] };
    let bill = rate(&compile(&tariff), &usage, days, &History::default()).unwrap();
    assert_eq!(brief(&bill, LineKind::Energy), lines(&["on-peak/0/5/2.00"]));
    assert_eq!(bill.carried.bank_kwh["off-peak"], decimal("6.000"));
}

#[test]
fn what_is_netted_over_the_period_is_spread_over_the_blocks_in_proportion() {
    let mut tariff = tou(UTC, "0.4", "0.2");
    let steps =
        |low: &str, high: &str| PriceCell::tiered(&[(Some(decimal("12")), decimal(low)), (None, decimal(high))]);
    tariff.energy[0].prices = vec![steps("0.2", "0.3").in_period("off-peak"), steps("0.4", "0.5").in_period("on-peak")];
    tariff.export = Some(ExportCredit::NetMetering(NetMetering::default()));
    let days = period("2026-06-01/2026-06-02");
    let import = profile_of(UTC, 60, days, |_, _| 1_000);
    // 19 - 4 = 15 off-peak and 5 on-peak: of 12 kWh in the first block, 9 and 3.
    let export =
        Profile { direction: Direction::Export, ..profile_of(UTC, 60, days, |_, at| if at == 12 { 4_000 } else { 0 }) };
    let usage = UsageInput { import: Supply::Profile(&import), export: Some(Supply::Profile(&export)), registers: &[] };
    let bill = rate(&compile(&tariff), &usage, days, &History::default()).unwrap();
    assert_eq!(
        brief(&bill, LineKind::Energy),
        lines(&["off-peak/1/9/1.80", "off-peak/2/6/1.80", "on-peak/1/3/1.20", "on-peak/2/2/1.00"])
    );
}

#[test]
fn credit_beyond_the_charges_is_kept_where_it_rolls_over_and_paid_where_not() {
    let form = |roll_over| {
        with(ExportCredit::NetBilling { calendar: None, netting: Netting::Interval, prices: sell("1"), roll_over })
    };
    assert_eq!(bill_of(&form(false), day(), &History::default()).total.to_string(), "-6.00");
    let first = bill_of(&form(true), day(), &History::default());
    assert_eq!((first.total.to_string(), first.carried.credit.to_string()), ("0.00".to_owned(), "6.00".to_owned()));
    let history = History::default().after(&first);
    let (import, _) = sunny(day());
    let later = rate(&compile(&form(true)), &UsageInput::profile(&import), day(), &history).unwrap();
    assert_eq!((later.total.to_string(), later.carried.credit.to_string()), ("1.20".to_owned(), "0.00".to_owned()));
}

#[test]
fn exports_without_a_rule_are_refused() {
    let (import, export) = sunny(day());
    let usage = UsageInput { import: Supply::Profile(&import), export: Some(Supply::Profile(&export)), registers: &[] };
    let fault = rate(&compile(&tiered(UTC)), &usage, day(), &History::default()).unwrap_err();
    assert_eq!(fault, RatingError::Export("the tariff has no rule for energy fed in".to_owned()));
}

/// Net billing by the hour or the interval: 0.30 bought, 0.10 sold.
fn billing(netting: Netting) -> TariffDocument {
    with(ExportCredit::NetBilling { calendar: None, netting, prices: sell("0.1"), roll_over: false })
}

/// In each hour one interval that buys and one that feeds in.
fn seesaw(zone: chrono_tz::Tz, minutes: u16, days: Period, bought: i32, sold: i32) -> (Profile, Profile) {
    let count = usize::from(60 / minutes);
    let import = profile_of(zone, minutes, days, |_, at| if at % count == 0 { bought } else { 0 });
    let export = profile_of(zone, minutes, days, |_, at| if at % count == 1 { sold } else { 0 });
    (import, Profile { direction: Direction::Export, ..export })
}

fn netted(tariff: &TariffDocument, (import, export): &(Profile, Profile), days: Period) -> Result<Bill, RatingError> {
    let usage = UsageInput { export: Some(Supply::Profile(export)), ..UsageInput::profile(import) };
    rate(&compile(tariff), &usage, days, &History::default())
}

#[test]
fn what_is_netted_by_the_hour_is_bought_or_sold_by_the_hour_whatever_the_interval() {
    for minutes in [5, 15, 30] {
        let usage = seesaw(UTC, minutes, day(), 1_000, 400);
        let by_hour = netted(&billing(Netting::Hour), &usage, day()).unwrap();
        assert_eq!(brief(&by_hour, LineKind::Energy), lines(&["/0/14.4/4.32"]), "{minutes}");
        assert_eq!(brief(&by_hour, LineKind::Credit), lines(&[]));
        let by_interval = netted(&billing(Netting::Interval), &usage, day()).unwrap();
        assert_eq!(brief(&by_interval, LineKind::Energy), lines(&["/0/24/7.20"]));
        assert_eq!(brief(&by_interval, LineKind::Credit), lines(&["/0/-9.6/-0.96"]));
        let sold = netted(&billing(Netting::Hour), &seesaw(UTC, minutes, day(), 400, 1_000), day()).unwrap();
        assert_eq!(brief(&sold, LineKind::Credit), lines(&["/0/-14.4/-1.44"]));
    }
}

#[test]
fn hours_are_those_of_the_clock_on_the_days_when_it_changes_too() {
    let zone = chrono_tz::Europe::Madrid;
    for (days, kwh) in [("2026-03-29/2026-03-30", "13.8"), ("2026-10-25/2026-10-26", "15")] {
        let usage = seesaw(zone, 15, period(days), 1_000, 400);
        let tariff = TariffDocument { zone, ..billing(Netting::Hour) };
        let bill = netted(&tariff, &usage, period(days)).unwrap();
        assert_eq!(bill.lines[0].quantity.normalize().to_string(), kwh);
        assert_eq!(bill.lines[0].trace[0].quantity, bill.lines[0].quantity);
    }
    // On Lord Howe Island the clock moves by half an hour.
    let (zone, days) = (chrono_tz::Australia::Lord_Howe, period("2026-04-05/2026-04-06"));
    let tariff = TariffDocument { zone, ..billing(Netting::Hour) };
    let fault = netted(&tariff, &seesaw(zone, 30, days, 1, 0), days).unwrap_err();
    assert_eq!(fault.to_string(), "usage.export: 2026-04-05 has no whole hours, over which they are netted");
}

#[test]
fn an_hour_is_estimated_where_any_of_its_intervals_is() {
    let (mut import, export) = seesaw(UTC, 15, day(), 1_000, 400);
    let mut flags = vec![0; 96];
    (flags[5], flags[6]) = (Quality::Estimated.code(), Quality::Customer.code());
    import.days[0].flags = Some(flags);
    assert!(netted(&billing(Netting::Hour), &(import, export), day()).unwrap().estimated);
}

#[test]
fn reads_and_calendars_that_do_not_tell_hours_are_refused_where_netting_is_by_the_hour() {
    let read = [RegisterRead::total(day().from(), day().to(), decimal("10"))];
    let usage = UsageInput { export: Some(Supply::Reads(&read)), ..UsageInput::reads(&read) };
    let rated = |netting| rate(&compile(&billing(netting)), &usage, day(), &History::default());
    let fault = rated(Netting::Hour).unwrap_err().to_string();
    assert!(fault.starts_with("usage.reads: net billing by the hour needs interval data"), "{fault}");
    assert!(rated(Netting::Interval).is_ok());
    let mut tariff = TariffDocument { export: billing(Netting::Hour).export, ..tou(UTC, "0.4", "0.2") };
    assert_eq!(tariff.validate(), []);
    let pattern = &mut tariff.calendars.get_mut("time of use").unwrap().seasons[0].days[0];
    pattern.hours = pattern.hours.iter().flat_map(|hour| [*hour, *hour]).collect();
    assert_eq!(tariff.validate(), [], "the same hours written in halves");
    tariff.calendars.get_mut("time of use").unwrap().seasons[0].days[0].hours[32] = 0;
    assert_eq!(
        tariff.validate()[0].to_string(),
        "export.netting: the calendar \"time of use\" changes its period within an hour, which is netted as a whole"
    );
}

#[test]
fn exports_read_for_some_of_the_days_only_are_refused() {
    let days = period("2026-06-01/2026-07-01");
    let read = |to: &str| [RegisterRead::total(days.from(), date(to), decimal("10"))];
    let (import, export) = (read("2026-07-01"), read("2026-06-15"));
    for credit in [
        ExportCredit::NetMetering(NetMetering::default()),
        ExportCredit::BuyAllSellAll { calendar: None, prices: sell("0.1"), roll_over: false },
    ] {
        let usage = UsageInput { export: Some(Supply::Reads(&export)), ..UsageInput::reads(&import) };
        let fault = rate(&compile(&with(credit)), &usage, days, &History::default()).unwrap_err();
        assert_eq!(fault, RatingError::ReadsDoNotTile(date("2026-06-15")));
    }
}

//! Rule 4: the highest average over the window, per period, and the ratchet.

use std::collections::BTreeMap;

use chrono_tz::UTC;
use rust_decimal::Decimal;

use super::super::{Bill, History, LineKind, PastPeak, UsageInput, rate, rate_versions};
use super::fixtures::*;
use crate::tariff_document::{DemandCharge, PriceCell, Ratchet, TariffDocument};
use crate::usage::RegisterRead;

fn demand(price: PriceCell, window: Option<u16>) -> TariffDocument {
    let mut tariff = TariffDocument::flat("T", "EUR", UTC, Decimal::ZERO);
    let charge = DemandCharge {
        name: "Demand".to_owned(),
        register: None,
        calendar: None,
        per_period: false,
        window_minutes: window,
        prices: vec![price],
        ratchet: None,
    };
    tariff.demand.push(charge);
    tariff
}

fn per_period() -> TariffDocument {
    let mut tariff = tou(UTC, "0", "0");
    let prices =
        vec![PriceCell::flat(decimal("2")).in_period("off-peak"), PriceCell::flat(decimal("10")).in_period("on-peak")];
    let calendar = Some("time of use".to_owned());
    tariff.demand.push(DemandCharge {
        name: "Demand".to_owned(),
        register: None,
        calendar,
        per_period: true,
        window_minutes: None,
        prices,
        ratchet: None,
    });
    tariff
}

#[test]
fn demand_is_the_highest_average_over_the_window() {
    let day = period("2026-01-05/2026-01-06");
    // A quarter of 2 kWh is 8 kW; its half-hour 4.5 kW; its hour 2.5 kW.
    let profile = profile_of(UTC, 15, day, |_, at| {
        if at == 40 {
            2_000
        } else if at == 41 {
            250
        } else {
            125
        }
    });
    for (window, kw, amount) in [(None, "8", "80.00"), (Some(30), "4.5", "45.00"), (Some(60), "2.5", "25.00")] {
        let bill = bill(&demand(PriceCell::flat(decimal("10")), window), &profile, day);
        assert_eq!(brief(&bill, LineKind::Demand), lines(&[&format!("/0/{kw}/{amount}")]));
        assert_eq!(bill.peak_kw, Some(decimal(kw)));
    }
    let hours = profile_of(UTC, 60, day, |_, _| 1_000);
    let fault = rate(
        &compile(&demand(PriceCell::flat(decimal("10")), Some(15))),
        &UsageInput::profile(&hours),
        day,
        &History::default(),
    );
    assert_eq!(
        fault.unwrap_err().to_string(),
        "usage.minutes: intervals of 60 minutes are too long for the demand window of Demand, which needs 15"
    );
}

#[test]
fn each_time_of_use_period_has_its_own_highest_demand() {
    let days = period("2026-01-05/2026-01-12");
    // 9 kW on Saturday at noon, 5 kW on Tuesday at 17:00.
    let profile = profile_of(UTC, 60, days, |day, at| match (day.to_string().as_str(), at) {
        ("2026-01-10", 12) => 9_000,
        ("2026-01-06", 17) => 5_000,
        _ => 1_000,
    });
    let bill = bill(&per_period(), &profile, days);
    assert_eq!(brief(&bill, LineKind::Demand), lines(&["off-peak/0/9/18.00", "on-peak/0/5/50.00"]));
    let line = bill
        .lines
        .iter()
        .find(|line| line.item.tou_period.as_deref() == Some("on-peak") && line.item.kind == LineKind::Demand)
        .unwrap();
    assert_eq!(line.trace[0].date, date("2026-01-06"));
    assert_eq!(bill.peaks["on-peak"], decimal("5"));
}

#[test]
fn tiers_of_demand_are_never_prorated() {
    let steps = PriceCell::tiered(&[(Some(decimal("5")), decimal("0")), (None, decimal("12"))]);
    for days in [period("2026-01-05/2026-01-06"), period("2026-01-05/2026-03-05")] {
        let profile = profile_of(UTC, 60, days, |_, _| 7_500);
        assert_eq!(
            brief(&bill(&demand(steps.clone(), None), &profile, days), LineKind::Demand),
            lines(&["/1/5/0.00", "/2/2.5/30.00"])
        );
    }
}

fn past(from: &str, kw: &str, on_peak: &str) -> PastPeak {
    PastPeak { from: date(from), kw: decimal(kw), tou: BTreeMap::from([("on-peak".into(), decimal(on_peak))]) }
}

#[test]
fn a_ratchet_bills_at_least_a_share_of_the_peak_of_the_months_before() {
    let mut tariff = demand(PriceCell::flat(decimal("10")), None);
    tariff.demand[0].ratchet = Some(Ratchet { percent: decimal("80"), months: 11, only: vec![] });
    let days = period("2026-01-01/2026-02-01");
    let profile = profile_of(UTC, 60, days, |_, _| 50_000);
    let history =
        History { peaks: vec![past("2025-07-01", "100", "9"), past("2025-01-01", "500", "9")], ..History::default() };
    let of = |tariff: &TariffDocument, history: &History| {
        rate(&compile(tariff), &UsageInput::profile(&profile), days, history).unwrap()
    };
    let bill = of(&tariff, &history);
    assert_eq!(brief(&bill, LineKind::Demand), lines(&["/0/80/800.00"]));
    let line = bill.lines.iter().find(|line| line.item.kind == LineKind::Demand).unwrap();
    assert_eq!(
        (line.item.description.as_str(), line.trace[0].date),
        ("Demand, 80 % of 100 kW of 2025-07", date("2025-07-01"))
    );
    tariff.demand[0].ratchet.as_mut().unwrap().only = vec![12, 1];
    assert_eq!(brief(&of(&tariff, &history), LineKind::Demand), lines(&["/0/50/500.00"]));
    tariff.demand[0].ratchet.as_mut().unwrap().months = 12;
    assert_eq!(brief(&of(&tariff, &history), LineKind::Demand), lines(&["/0/400/4000.00"]));
}

#[test]
fn a_ratchet_per_period_looks_at_the_peaks_of_that_period() {
    let mut tariff = per_period();
    tariff.demand[0].ratchet = Some(Ratchet { percent: decimal("50"), months: 12, only: vec![] });
    let days = period("2026-01-01/2026-02-01");
    let profile = profile_of(UTC, 60, days, |_, _| 10_000);
    let history = History { peaks: vec![past("2025-07-01", "100", "60")], ..History::default() };
    let bill = rate(&compile(&tariff), &UsageInput::profile(&profile), days, &history).unwrap();
    assert_eq!(brief(&bill, LineKind::Demand), lines(&["off-peak/0/10/20.00", "on-peak/0/30/300.00"]));
    let next = history.after(&bill);
    assert_eq!(
        (next.peaks[1].kw, next.peaks[1].tou["on-peak"]),
        (decimal("10"), decimal("10")),
        "what was measured, not what was billed"
    );
}

#[test]
fn a_price_that_changes_with_the_season_holds_for_its_share_of_the_days() {
    let mut tariff = per_period();
    let calendar = tariff.calendars.get_mut("time of use").unwrap();
    let mut summer = calendar.seasons[0].clone();
    (summer.name, summer.from, summer.to) = ("Summer".to_owned(), "06-01".parse().unwrap(), "09-30".parse().unwrap());
    let winter = &mut calendar.seasons[0];
    (winter.name, winter.from, winter.to) = ("Winter".to_owned(), "10-01".parse().unwrap(), "05-31".parse().unwrap());
    calendar.seasons.push(summer);
    tariff.demand[0].per_period = false;
    tariff.demand[0].prices =
        vec![PriceCell::flat(decimal("10")).in_season("Winter"), PriceCell::flat(decimal("20")).in_season("Summer")];
    let days = period("2026-05-17/2026-06-06");
    let profile = profile_of(UTC, 60, days, |_, _| 8_000);
    assert_eq!(brief(&bill(&tariff, &profile, days), LineKind::Demand), lines(&["/0/6/60.00", "/0/2/40.00"]));
}

#[test]
fn register_reads_must_tell_the_highest_demand() {
    let days = period("2026-01-01/2026-02-01");
    let mut read = RegisterRead::total(days.from(), days.to(), decimal("130.5"));
    let of = |tariff: &TariffDocument, read: &RegisterRead| {
        rate(&compile(tariff), &UsageInput::reads(std::slice::from_ref(read)), days, &History::default())
    };
    let tariff = demand(PriceCell::flat(decimal("10")), None);
    assert_eq!(
        of(&tariff, &read).unwrap_err().to_string(),
        "usage.reads[0].peak_kw: the highest demand is missing, which Demand needs"
    );
    read.peak_kw = Some(decimal("12.4"));
    assert_eq!(brief(&of(&tariff, &read).unwrap(), LineKind::Demand), lines(&["/0/12.4/124.00"]));
}

/// January with one quarter-hour of 20 kW on the 10th at 8:00 among quarter-hours of 0.4 kW, then February of these alone.
fn february_after_a_spike(tariff: &TariffDocument) -> [Bill; 2] {
    let (january, february) = (period("2026-01-01/2026-02-01"), period("2026-02-01/2026-03-01"));
    let spike = |day, at| if day == date("2026-01-10") && at == 32 { 5_000 } else { 100 };
    let (tariff, profile) = (compile(tariff), profile_of(UTC, 15, period("2026-01-01/2026-03-01"), spike));
    let usage = UsageInput::profile(&profile);
    let first = rate(&tariff, &usage, january, &History::default()).unwrap();
    let second = rate(&tariff, &usage, february, &History::default().after(&first)).unwrap();
    [first, second]
}

fn with_ratchet(name: &str, charge: DemandCharge, price: &str) -> DemandCharge {
    let ratchet = Some(Ratchet { percent: decimal("100"), months: 11, only: vec![] });
    let mut charge = DemandCharge { name: name.to_owned(), ratchet, ..charge };
    charge.prices.last_mut().unwrap().blocks[0].price = decimal(price);
    charge
}

#[test]
fn a_ratchet_looks_at_the_peaks_over_its_own_charges_window() {
    for name in ["B", "Demand"] {
        let mut tariff = demand(PriceCell::flat(decimal("1")), Some(15));
        let hourly = DemandCharge { window_minutes: Some(60), ..tariff.demand[0].clone() };
        tariff.demand.push(with_ratchet(name, hourly, "10"));
        let [january, february] = february_after_a_spike(&tariff);
        assert_eq!(brief(&january, LineKind::Demand), lines(&["/0/20/20.00", "/0/5.3/53.00"]));
        assert_eq!(brief(&february, LineKind::Demand), lines(&["/0/0.4/0.40", "/0/5.3/53.00"]), "{name}");
    }
}

#[test]
fn a_ratchet_per_period_looks_at_the_hours_of_its_own_charges_calendar() {
    let mut tariff = tou(UTC, "0", "0");
    let mut morning = tariff.calendars["time of use"].clone();
    for day in &mut morning.seasons[0].days {
        day.hours.fill(0);
        day.hours[..12].fill(1);
    }
    tariff.calendars.insert("morning".to_owned(), morning);
    let mut charge = per_period().demand.remove(0);
    charge.prices[0].blocks[0].price = decimal("0");
    let first = DemandCharge { calendar: Some("morning".to_owned()), ..charge.clone() };
    tariff.demand = vec![first, with_ratchet("B", charge, "10")];
    tariff.demand[0].prices[1].blocks[0].price = decimal("1");
    let [january, february] = february_after_a_spike(&tariff);
    assert_eq!(brief(&january, LineKind::Demand), lines(&["on-peak/0/20/20.00", "on-peak/0/0.4/4.00"]));
    assert_eq!(brief(&february, LineKind::Demand), lines(&["on-peak/0/0.4/0.40", "on-peak/0/0.4/4.00"]));
}

#[test]
fn a_ratchet_takes_the_peak_at_any_time_of_a_bill_that_knows_nothing_of_its_charge() {
    let mut tariff = demand(PriceCell::flat(decimal("10")), None);
    let [january, _] = february_after_a_spike(&tariff);
    tariff.demand = vec![with_ratchet("Renamed", tariff.demand[0].clone(), "10")];
    let days = period("2026-02-01/2026-03-01");
    let profile = profile_of(UTC, 15, days, |_, _| 100);
    let history = History::default().after(&january);
    let renamed = rate(&compile(&tariff), &UsageInput::profile(&profile), days, &history).unwrap();
    assert_eq!(brief(&renamed, LineKind::Demand), lines(&["/0/20/200.00"]));
}

#[test]
fn after_a_change_of_its_window_a_charge_keeps_the_peak_over_the_new_one() {
    let days = period("2026-01-01/2026-02-01");
    let of = |window| compile(&demand(PriceCell::flat(decimal("10")), Some(window)));
    let profile = profile_of(UTC, 15, days, |_, at| if at == 32 { 5_000 } else { 100 });
    let (old, new) = (of(15), of(60));
    let versions = [(days.from(), &old), (date("2026-01-16"), &new)];
    let bill = rate_versions(&versions, &UsageInput::profile(&profile), days, &History::default()).unwrap();
    assert_eq!(bill.peaks, BTreeMap::from([("Demand\u{1f}".into(), decimal("5.3"))]));
}

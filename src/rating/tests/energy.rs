//! Rules 2 and 3: blocks, the counter, the calendar, the clock.

use chrono_tz::{America, Australia, Europe, UTC};
use rust_decimal::Decimal;

use super::super::{History, LineKind, RatingError, UsageInput, rate};
use super::fixtures::*;
use crate::tariff_document::{BlockBasis, Clock, DayKind, DayPattern, PriceCell, TariffDocument};
use crate::usage::{DayUsage, Quality, RegisterRead};

#[test]
fn an_interval_that_crosses_a_limit_is_split() {
    let day = period("2026-01-05/2026-01-06");
    // 23 hours of 4 kWh are 92; the last hour of 20 kWh crosses 100 after 8.
    let profile = profile_of(UTC, 60, day, |_, at| if at == 23 { 20_000 } else { 4_000 });
    assert_eq!(brief(&bill(&tiered(UTC), &profile, day), LineKind::Energy), lines(&["/1/100/10.00", "/2/12/2.40"]));
}

#[test]
fn a_limit_hit_exactly_opens_no_new_block() {
    let day = period("2026-01-05/2026-01-07");
    let profile =
        profile_of(UTC, 60, day, |date, at| if date.to_string() == "2026-01-05" && at < 20 { 5_000 } else { 0 });
    assert_eq!(brief(&bill(&tiered(UTC), &profile, day), LineKind::Energy), lines(&["/1/100/10.00"]));
    let profile = profile_of(UTC, 60, day, |_, at| if at < 20 { 5_000 } else { 0 });
    assert_eq!(brief(&bill(&tiered(UTC), &profile, day), LineKind::Energy), lines(&["/1/100/10.00", "/2/100/20.00"]));
}

#[test]
fn limits_are_prorated_by_days_over_normal_days() {
    // The trade's example: 45/30 x 100 = 150 kWh.
    let mut tariff = tiered(UTC);
    tariff.energy[0].blocks_per = BlockBasis::NormalDays(30);
    let days = period("2026-01-01/2026-02-15");
    let profile = profile_of(UTC, 60, days, |_, at| if at == 12 { 4_000 } else { 0 });
    assert_eq!(brief(&bill(&tariff, &profile, days), LineKind::Energy), lines(&["/1/150/15.00", "/2/30/6.00"]));
    tariff.energy[0].blocks_per = BlockBasis::Period;
    assert_eq!(brief(&bill(&tariff, &profile, days), LineKind::Energy), lines(&["/1/100/10.00", "/2/80/16.00"]));
}

#[test]
fn limits_per_day_use_the_days_of_the_billing_period() {
    let mut tariff =
        TariffDocument::tiered("T", "EUR", UTC, &[(Some(decimal("8")), decimal("0.1")), (None, decimal("0.2"))]);
    tariff.energy[0].blocks_per = BlockBasis::Day;
    let days = period("2026-04-01/2026-05-01");
    // 10 days of 30 kWh and then nothing: 300 kWh, and the limit is 30 x 8 = 240, not 10 x 8.
    let profile =
        profile_of(
            UTC,
            60,
            days,
            |date, at| {
                if date < super::fixtures::date("2026-04-11") && at < 10 { 3_000 } else { 0 }
            },
        );
    assert_eq!(brief(&bill(&tariff, &profile, days), LineKind::Energy), lines(&["/1/240/24.00", "/2/60/12.00"]));
}

#[test]
fn one_counter_runs_across_the_time_of_use_periods_in_order_of_time() {
    let mut tariff = tou(UTC, "0.4", "0.2");
    let steps =
        |low: &str, high: &str| PriceCell::tiered(&[(Some(decimal("100")), decimal(low)), (None, decimal(high))]);
    tariff.energy[0].prices = vec![steps("0.2", "0.3").in_period("off-peak"), steps("0.4", "0.5").in_period("on-peak")];
    let day = period("2026-01-05/2026-01-06");
    // 16 x 5 = 80 off-peak, then 5 x 10 on-peak: 20 below the limit, 30 above; then 3 x 5 off-peak above.
    let profile = profile_of(UTC, 60, day, |_, at| if (16..21).contains(&at) { 10_000 } else { 5_000 });
    assert_eq!(
        brief(&bill(&tariff, &profile, day), LineKind::Energy),
        lines(&["off-peak/1/80/16.00", "off-peak/2/15/4.50", "on-peak/1/20/8.00", "on-peak/2/30/15.00"])
    );
}

#[test]
fn limits_may_differ_between_periods_and_still_one_counter_runs() {
    let mut tariff = tou(UTC, "0.4", "0.2");
    let steps = |limit: &str, low: &str, high: &str| {
        PriceCell::tiered(&[(Some(decimal(limit)), decimal(low)), (None, decimal(high))])
    };
    tariff.energy[0].prices =
        vec![steps("50", "0.2", "0.3").in_period("off-peak"), steps("100", "0.4", "0.5").in_period("on-peak")];
    let day = period("2026-01-05/2026-01-06");
    let profile = profile_of(UTC, 60, day, |_, at| if (16..21).contains(&at) { 10_000 } else { 5_000 });
    assert_eq!(
        brief(&bill(&tariff, &profile, day), LineKind::Energy),
        lines(&["off-peak/1/50/10.00", "off-peak/2/45/13.50", "on-peak/1/20/8.00", "on-peak/2/30/15.00"])
    );
}

#[test]
fn usage_may_be_zero_and_a_correction_negative() {
    let day = period("2026-01-05/2026-01-06");
    let none = profile_of(UTC, 60, day, |_, _| 0);
    assert_eq!(brief(&bill(&tiered(UTC), &none, day), LineKind::Energy), lines(&["/1/0/0.00"]));
    // Up to 120 and back to 90: what was taken from the second block goes back there first.
    let back = profile_of(UTC, 60, day, |_, at| if at < 12 { 10_000 } else { -2_500 });
    assert_eq!(brief(&bill(&tiered(UTC), &back, day), LineKind::Energy), lines(&["/1/90/9.00"]));
    let negative = profile_of(UTC, 60, day, |_, _| -10_000);
    assert_eq!(brief(&bill(&tiered(UTC), &negative, day), LineKind::Energy), lines(&["/1/-240/-24.00"]));
}

#[test]
fn weekends_and_holidays_have_patterns_of_their_own() {
    let mut tariff = tou(UTC, "0.4", "0.2");
    let calendar = tariff.calendars.get_mut("time of use").unwrap();
    calendar.holidays.push(date("2026-01-06"));
    calendar.seasons[0].days.push(DayPattern { on: vec![DayKind::Holiday], hours: vec![0; 24] });
    // Friday 2 January to Tuesday 6 January, Epiphany.
    let days = period("2026-01-02/2026-01-07");
    let profile = profile_of(UTC, 15, days, |_, _| 250);
    let bill = bill(&tariff, &profile, days);
    let on_peak = bill.lines.iter().find(|line| line.item.tou_period.as_deref() == Some("on-peak")).unwrap();
    let days: Vec<String> = on_peak.trace.iter().map(|day| day.date.to_string()).collect();
    assert_eq!(days, ["2026-01-02", "2026-01-05"]);
    assert_eq!(on_peak.quantity, decimal("10"));
}

#[test]
fn a_leap_day_shifts_no_weekday() {
    // 29 February 2028 is a Tuesday, 1 March a Wednesday; 4 and 5 March the weekend.
    let days = period("2028-02-28/2028-03-06");
    let profile = profile_of(UTC, 60, days, |_, _| 1_000);
    let bill = bill(&tou(UTC, "0.4", "0.2"), &profile, days);
    let on_peak = bill.lines.iter().find(|line| line.item.tou_period.as_deref() == Some("on-peak")).unwrap();
    assert_eq!(on_peak.trace.len(), 5);
    assert!(on_peak.trace.iter().any(|day| day.date == date("2028-02-29")));
}

#[test]
fn a_season_may_end_on_29_february() {
    let mut tariff = tou(UTC, "0.4", "0.2");
    let calendar = tariff.calendars.get_mut("time of use").unwrap();
    let mut summer = calendar.seasons[0].clone();
    (summer.name, summer.from, summer.to) = ("Summer".to_owned(), "03-01".parse().unwrap(), "10-31".parse().unwrap());
    let winter = &mut calendar.seasons[0];
    (winter.name, winter.from, winter.to) = ("Winter".to_owned(), "11-01".parse().unwrap(), "02-29".parse().unwrap());
    calendar.seasons.push(summer);
    tariff.energy[0].prices =
        vec![PriceCell::flat(decimal("0.3")).in_season("Winter"), PriceCell::flat(decimal("0.1")).in_season("Summer")];
    for (days, winter, summer) in
        [(period("2027-02-27/2027-03-03"), "48", "48"), (period("2028-02-27/2028-03-03"), "72", "48")]
    {
        let profile = profile_of(UTC, 60, days, |_, _| 1_000);
        let bill = bill(&tariff, &profile, days);
        let quantities: Vec<_> = bill
            .lines
            .iter()
            .map(|line| (line.item.season.as_deref().unwrap(), line.quantity.normalize().to_string()))
            .collect();
        assert_eq!(quantities, [("Winter", winter.to_owned()), ("Summer", summer.to_owned())]);
    }
}

#[test]
fn days_when_clocks_change_have_92_or_100_quarter_hours_in_both_hemispheres() {
    for (zone, day, quarters) in [
        (America::New_York, "2012-03-11", 92),
        (Europe::Berlin, "2026-10-25", 100),
        (Australia::Sydney, "2026-10-04", 92),
        (Australia::Sydney, "2026-04-05", 100),
    ] {
        let days = crate::values::period::Period::day(date(day));
        // All of them are Sundays; on-peak is made to hold then.
        let mut tariff = tou(zone, "0.4", "0.2");
        let days_of = &mut tariff.calendars.get_mut("time of use").unwrap().seasons[0].days;
        days_of[1].hours = days_of[0].hours.clone();
        let profile = profile_of(zone, 15, days, |_, at| i32::try_from(at).unwrap());
        let bill = bill(&tariff, &profile, days);
        assert_eq!(profile.days[0].values.len(), quarters, "{zone}");
        // On-peak is the wall's 16:00 to 21:00: quarters counted from the day's end.
        let first = quarters - 32;
        let wanted: usize = (first..first + 20).sum();
        let on_peak = bill.lines.iter().find(|line| line.item.tou_period.as_deref() == Some("on-peak")).unwrap();
        assert_eq!(on_peak.quantity.to_string(), format!("{}.{:03}", wanted / 1000, wanted % 1000), "{zone} {day}");
        assert_eq!(bill.lines.iter().map(|line| line.quantity).sum::<Decimal>(), bill.kwh);
    }
}

#[test]
fn a_calendar_on_standard_time_is_an_hour_later_on_the_wall_in_summer() {
    let mut tariff = tou(Europe::Berlin, "0.4", "0.2");
    tariff.clock = Clock::Standard;
    for (day, first) in [("2026-01-05", 16), ("2026-07-06", 17)] {
        let days = crate::values::period::Period::day(date(day));
        let profile =
            profile_of(Europe::Berlin, 60, days, |_, at| if (first..first + 5).contains(&at) { 1_000 } else { 0 });
        assert_eq!(brief(&bill(&tariff, &profile, days), LineKind::Energy), lines(&["on-peak/0/5/2.00"]), "{day}");
    }
}

#[test]
fn a_period_of_one_day_and_of_one_interval_is_rated() {
    let day = period("2026-01-05/2026-01-06");
    let absent = Quality::Absent.code();
    let mut profile = profile_of(UTC, 60, day, |_, at| if at == 7 { 1_500 } else { 0 });
    let mut flags = vec![absent; 24];
    flags[7] = 0;
    profile.days[0].flags = Some(flags);
    assert_eq!(brief(&bill(&tiered(UTC), &profile, day), LineKind::Energy), lines(&["/1/1.5/0.15"]));
}

#[test]
fn usage_that_is_not_whole_is_refused_with_the_day() {
    let days = period("2026-01-05/2026-01-08");
    let whole = profile_of(UTC, 60, days, |_, _| 1_000);
    let fault = |profile: &crate::usage::Profile| {
        rate(&compile(&tiered(UTC)), &UsageInput::profile(profile), days, &History::default()).unwrap_err()
    };
    let mut gap = whole.clone();
    gap.days.remove(1);
    assert_eq!(fault(&gap), RatingError::DayMissing(date("2026-01-06")));
    let mut ended = whole.clone();
    ended.days.pop();
    assert_eq!(fault(&ended), RatingError::DayMissing(date("2026-01-07")));
    let mut short = whole.clone();
    short.days[2] = DayUsage::actual(date("2026-01-07"), vec![1; 23]);
    assert_eq!(fault(&short), RatingError::DayLength { date: date("2026-01-07"), have: 23, want: 24 });
    let mut missing = whole.clone();
    missing.days[0].flags = Some([vec![0; 22], vec![255; 2]].concat());
    assert_eq!(fault(&missing), RatingError::ValuesMissing { date: date("2026-01-05"), missing: 2 });
    let elsewhere = crate::usage::Profile { zone: Europe::Berlin, ..whole };
    assert!(matches!(fault(&elsewhere), RatingError::Zone { .. }));
}

#[test]
fn hours_are_too_long_for_a_calendar_of_half_hours() {
    let mut tariff = tou(UTC, "0.4", "0.2");
    let mut halves = vec![0; 48];
    halves[33..41].fill(1);
    tariff.calendars.get_mut("time of use").unwrap().seasons[0].days[0].hours = halves;
    let day = period("2026-01-05/2026-01-06");
    let hours = profile_of(UTC, 60, day, |_, _| 1_000);
    let fault = rate(&compile(&tariff), &UsageInput::profile(&hours), day, &History::default()).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "usage.minutes: intervals of 60 minutes are too long for the calendar of Energy, which needs 30"
    );
    let halves = profile_of(UTC, 30, day, |_, _| 1_000);
    assert_eq!(
        brief(&bill(&tariff, &halves, day), LineKind::Energy),
        lines(&["off-peak/0/40/8.00", "on-peak/0/8/3.20"])
    );
}

#[test]
fn register_reads_rate_flat_and_tiered_by_the_total_and_time_of_use_by_register() {
    let days = period("2026-01-01/2026-02-01");
    let mut read = RegisterRead::total(days.from(), days.to(), decimal("130.5"));
    let of = |tariff: &TariffDocument, read: &RegisterRead| {
        rate(&compile(tariff), &UsageInput::reads(std::slice::from_ref(read)), days, &History::default())
    };
    let bill = of(&tiered(UTC), &read).unwrap();
    assert_eq!(brief(&bill, LineKind::Energy), lines(&["/1/100/10.00", "/2/30.5/6.10"]));
    assert_eq!((bill.lines[0].trace[0].date, bill.lines[0].trace[0].until), (days.from(), days.to()));
    let fault = of(&tou(UTC, "0.4", "0.2"), &read).unwrap_err();
    assert_eq!(fault.to_string(), "usage.reads[0].tou: the register \"off-peak\" is missing, which Energy needs");
    read.tou = [("off-peak".to_owned(), decimal("100")), ("on-peak".to_owned(), decimal("30.5"))].into();
    assert_eq!(
        brief(&of(&tou(UTC, "0.4", "0.2"), &read).unwrap(), LineKind::Energy),
        lines(&["off-peak/0/100/20.00", "on-peak/0/30.5/12.20"])
    );
    read.quality = Quality::Estimated;
    assert!(of(&tiered(UTC), &read).unwrap().lines[0].estimated);
}

#[test]
fn registers_of_periods_that_leave_energy_out_or_have_no_price_are_refused() {
    let days = period("2026-01-01/2026-02-01");
    let mut tariff = tou(UTC, "0.4", "0.2");
    let of = |tariff: &TariffDocument, registers: [(&str, &str); 2], total: &str| {
        let tou = registers.map(|(name, kwh)| (name.to_owned(), decimal(kwh))).into();
        let read = [RegisterRead { tou, ..RegisterRead::total(days.from(), days.to(), decimal(total)) }];
        rate(&compile(tariff), &UsageInput::reads(&read), days, &History::default())
    };
    assert!(of(&tariff, [("off-peak", "33"), ("on-peak", "66")], "100").is_ok(), "each shows whole kWh");
    let fault = of(&tariff, [("off-peak", "60"), ("on-peak", "30.5")], "130.5").unwrap_err();
    assert_eq!(
        fault.to_string(),
        "usage.reads[0].tou: the registers that Energy bills come to 90.5 kWh, the read to 130.5 kWh"
    );
    // No hour of the calendar is shoulder, and it has no price.
    tariff.calendars.get_mut("time of use").unwrap().periods.push("shoulder".to_owned());
    let fault = of(&tariff, [("off-peak", "60"), ("shoulder", "30")], "90").unwrap_err();
    assert!(fault.to_string().contains("\"on-peak\" is missing"), "{fault}");
    let mut all =
        [("off-peak", "60"), ("on-peak", "0"), ("shoulder", "30")].map(|(name, kwh)| (name.to_owned(), decimal(kwh)));
    let read = |all: &[(String, Decimal)]| {
        let tou = all.iter().cloned().collect();
        let read = [RegisterRead { tou, ..RegisterRead::total(days.from(), days.to(), decimal("90")) }];
        rate(&compile(&tariff), &UsageInput::reads(&read), days, &History::default())
    };
    assert_eq!(
        read(&all).unwrap_err().to_string(),
        "usage.reads[0].tou: the register \"shoulder\" counted, and Energy has no price for it in that season"
    );
    (all[0].1, all[2].1) = (decimal("90"), Decimal::ZERO);
    assert!(read(&all).is_ok());
    let fault = of(&tou(UTC, "0.4", "0.2"), [("off-peak", "10000000000"), ("on-peak", "1")], "1").unwrap_err();
    assert!(matches!(fault, RatingError::TooLarge(_)), "{fault}");
}

#[test]
fn tiers_within_time_of_use_need_intervals() {
    let days = period("2026-01-01/2026-02-01");
    let mut tariff = tou(UTC, "0.4", "0.2");
    let steps = PriceCell::tiered(&[(Some(decimal("100")), decimal("0.2")), (None, decimal("0.3"))]);
    tariff.energy[0].prices[0] = steps.in_period("off-peak");
    let read = [RegisterRead::total(days.from(), days.to(), decimal("1"))];
    let fault = rate(&compile(&tariff), &UsageInput::reads(&read), days, &History::default()).unwrap_err();
    assert!(fault.to_string().starts_with("usage.reads: Energy needs interval data"), "{fault}");
}

#[test]
fn a_meter_exchange_splits_by_meter_and_day_and_the_counter_runs_on() {
    let days = period("2026-01-01/2026-02-01");
    let reads = [
        RegisterRead::total(days.from(), date("2026-01-12"), decimal("80")),
        RegisterRead::total(date("2026-01-12"), days.to(), decimal("50")),
    ];
    let bill = rate(&compile(&tiered(UTC)), &UsageInput::reads(&reads), days, &History::default()).unwrap();
    assert_eq!(brief(&bill, LineKind::Energy), lines(&["/1/100/10.00", "/2/30/6.00"]));
    let quantities: Vec<String> =
        bill.lines[0].trace.iter().map(|read| read.quantity.normalize().to_string()).collect();
    assert_eq!(quantities, ["80", "20"]);
    let fault = rate(&compile(&tiered(UTC)), &UsageInput::reads(&reads[..1]), days, &History::default()).unwrap_err();
    assert_eq!(fault, RatingError::ReadsDoNotTile(date("2026-01-12")));
}

#[test]
fn every_line_can_be_followed_down_to_its_days() {
    let days = period("2026-01-01/2026-02-01");
    let profile = profile_of(UTC, 15, days, |date, at| {
        i32::try_from(at).unwrap() + 3 * i32::try_from(chrono::Datelike::day(&date)).unwrap()
    });
    for line in bill(&tiered(UTC), &profile, days).lines {
        assert_eq!(line.trace.iter().map(|day| day.quantity).sum::<Decimal>(), line.quantity);
        assert!(line.trace.is_sorted_by_key(|day| day.date));
    }
}

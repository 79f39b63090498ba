//! The rules of the trade, one worked example each, under the rule's own name. The neighbours test each at its edges.

use chrono_tz::{Australia, Europe, UTC};
use rust_decimal::Decimal;

use super::super::{History, LineKind, PastPeak, UsageInput, interval_costs, rate, rate_versions};
use super::fixtures::*;
use crate::tariff_document::{BlockBasis, DemandCharge, PriceCell, Ratchet, TariffDocument};
use crate::usage::{Quality, RegisterRead};
use crate::values::money::Money;

fn amounts(bill: &super::super::Bill) -> Vec<String> {
    bill.lines.iter().map(|line| format!("{} {}", line.item.kind.as_str(), line.amount)).collect()
}

#[test]
fn rule_1_a_tariff_is_data() {
    // Every kind in one document, from text: 434 kWh in January, tiers within time-of-use, demand, fixed, rider, minimum, tax.
    let text = r#"{"format": "eis-tariff/1", "name": "All", "currency": "EUR", "zone": "UTC",
        "calendars": {"h": {"periods": ["off", "on"], "seasons": [{"name": "Year", "from": "01-01", "to": "12-31", "days": [
            {"on": ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"],
             "hours": [0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,1,1,1,1,0,0,0]}]}]}},
        "energy": [{"name": "Energy", "calendar": "h", "prices": [
            {"period": "off", "blocks": [{"to": "200", "price": "0.20"}, {"from": "200", "price": "0.25"}]},
            {"period": "on", "blocks": [{"to": "200", "price": "0.30"}, {"from": "200", "price": "0.40"}]}]}],
        "demand": [{"name": "Demand", "prices": [{"blocks": [{"price": "5"}]}]}],
        "fixed": [{"name": "Base", "price": "10", "per": "month"}],
        "adjustments": [{"name": "Rider", "per": "kwh", "price": "-0.01"}],
        "minimums": [{"name": "Least", "amount": "150", "per": "period"}],
        "taxes": [{"name": "VAT", "percent": "19"}]}"#;
    let tariff = crate::tariff_document::read(text, UTC).unwrap();
    let days = period("2026-01-01/2026-02-01");
    let profile = profile_of(UTC, 60, days, |_, at| if (17..21).contains(&at) { 1_000 } else { 500 });
    let bill = bill(&tariff, &profile, days);
    // 14 kWh a day; 200 kWh are reached on the 15th day, after 4 kWh off-peak: 14 x 10 + 4 = 144 off-peak, 14 x 4 = 56 on-peak.
    assert_eq!(
        brief(&bill, LineKind::Energy),
        lines(&["off/1/144/28.80", "off/2/166/41.50", "on/1/56/16.80", "on/2/68/27.20"])
    );
    assert_eq!(amounts(&bill)[4..], ["demand 5.00", "fixed 10.00", "adjustment -4.34", "minimum 25.04", "tax 28.50"]);
    assert_eq!(bill.total.to_string(), "178.50");
}

#[test]
fn rule_2_tier_limits_are_half_open_prorated_and_one_counter_splits_intervals() {
    let mut tariff = tiered(UTC);
    tariff.energy[0].blocks_per = BlockBasis::NormalDays(30);
    let days = period("2026-01-01/2026-02-15");
    // 45/30 x 100 = 150 kWh. 152 kWh in 38 days of 4; the 38th crosses the limit within its one interval.
    let profile = profile_of(UTC, 60, days, |_, at| if at == 12 { 4_000 } else { 0 });
    assert_eq!(brief(&bill(&tariff, &profile, days), LineKind::Energy), lines(&["/1/150/15.00", "/2/30/6.00"]));
}

#[test]
fn rule_3_the_calendar_follows_clocks_seasons_and_holidays() {
    for (zone, day, quarters) in [
        (Europe::Berlin, "2026-03-29", 92),
        (Europe::Berlin, "2026-10-25", 100),
        (Australia::Sydney, "2026-10-04", 92),
        (Australia::Sydney, "2026-04-05", 100),
        (Europe::Berlin, "2028-02-29", 96),
    ] {
        let day = crate::values::period::Period::day(date(day));
        let mut tariff = tou(zone, "0.4", "0.2");
        let days = &mut tariff.calendars.get_mut("time of use").unwrap().seasons[0].days;
        days[1].hours = days[0].hours.clone();
        let profile = profile_of(zone, 15, day, |_, _| 250);
        assert_eq!(profile.days[0].values.len(), quarters);
        let off = Decimal::new(i64::try_from(quarters - 20).unwrap() * 250, 3).normalize().to_string();
        let cost = Money::new(decimal(&off) * decimal("0.2")).to_string();
        let wanted = [format!("off-peak/0/{off}/{cost}"), "on-peak/0/5/2.00".to_owned()];
        let wanted: Vec<&str> = wanted.iter().map(String::as_str).collect();
        assert_eq!(brief(&bill(&tariff, &profile, day), LineKind::Energy), lines(&wanted), "{zone} {day}");
    }
}

#[test]
fn rule_4_demand_is_the_highest_average_over_the_window_or_the_ratchet() {
    let mut tariff = TariffDocument::flat("T", "EUR", UTC, Decimal::ZERO);
    tariff.demand.push(DemandCharge {
        name: "Demand".to_owned(),
        register: None,
        calendar: None,
        per_period: false,
        window_minutes: Some(30),
        prices: vec![PriceCell::flat(decimal("10"))],
        ratchet: Some(Ratchet { percent: decimal("80"), months: 11, only: vec![] }),
    });
    let days = period("2026-01-05/2026-01-06");
    // 3 kWh and 1 kWh in the two quarters of one half-hour: 8 kW; a quarter of 3 kWh across the half-hour's edge counts there.
    let profile = profile_of(UTC, 15, days, |_, at| [3_000, 1_000][at % 2] * i32::from(at == 40 || at == 41));
    let of = |peak: &str| {
        let past = PastPeak { from: date("2025-07-01"), kw: decimal(peak), tou: std::collections::BTreeMap::new() };
        let history = History { peaks: vec![past], ..History::default() };
        let bill = rate(&compile(&tariff), &UsageInput::profile(&profile), days, &history).unwrap();
        brief(&bill, LineKind::Demand)
    };
    assert_eq!(of("9"), lines(&["/0/8/80.00"]));
    assert_eq!(of("20"), lines(&["/0/16/160.00"]), "80 % of 20 kW");
}

#[test]
fn rule_5_a_change_inside_a_period_splits_it_by_day() {
    let days = period("2026-01-01/2026-02-01");
    let (old, new) = (
        compile(&TariffDocument::flat("T", "EUR", UTC, decimal("0.1"))),
        compile(&TariffDocument::flat("T", "EUR", UTC, decimal("0.2"))),
    );
    let profile = profile_of(UTC, 60, days, |_, at| if at == 0 { 10_000 } else { 0 });
    let versions = [(days.from(), &old), (date("2026-01-11"), &new)];
    let bill = rate_versions(&versions, &UsageInput::profile(&profile), days, &History::default()).unwrap();
    assert_eq!(amounts(&bill), ["energy 10.00", "energy 42.00"]);
    // A meter exchange splits by meter and day: the counter of the blocks runs on.
    let reads = [
        RegisterRead::total(days.from(), date("2026-01-12"), decimal("80")),
        RegisterRead::total(date("2026-01-12"), days.to(), decimal("50")),
    ];
    let bill = rate(&compile(&tiered(UTC)), &UsageInput::reads(&reads), days, &History::default()).unwrap();
    assert_eq!(brief(&bill, LineKind::Energy), lines(&["/1/100/10.00", "/2/30/6.00"]));
    // Who moves in on the 22nd has the days from then on.
    let rest = period("2026-01-22/2026-02-01");
    assert_eq!(
        amounts(&super::fixtures::bill(&TariffDocument::flat("T", "EUR", UTC, decimal("0.1")), &profile, rest)),
        ["energy 10.00"]
    );
}

#[test]
fn rule_6_money_is_rounded_once_a_line_and_tax_once_a_rate() {
    let days = period("2026-01-05/2026-01-06");
    // 96 x 0.0049 is 0.47; rounded per interval it would be nothing.
    let profile = profile_of(UTC, 15, days, |_, _| 49);
    let tariff = TariffDocument::flat("T", "EUR", UTC, decimal("0.1"))
        .and_daily("A", decimal("0.03"))
        .and_daily("B", decimal("0.03"));
    let tariff = tariff.and_tax("VAT", decimal("25"));
    let mut stepped = tariff.clone();
    stepped.rounding.payable_step = Some(decimal("0.05"));
    let bill = bill(&stepped, &profile, days);
    // Tax of 0.53 is 0.1325; by line it would be 0.12 + 0.01 + 0.01.
    assert_eq!(amounts(&bill), ["energy 0.47", "fixed 0.03", "fixed 0.03", "tax 0.13"]);
    assert_eq!(
        (bill.total.to_string(), bill.payable_rounding.to_string(), bill.payable.to_string()),
        ("0.66".into(), "-0.01".into(), "0.65".into())
    );
}

#[test]
fn rule_7_estimates_are_marked_and_corrections_may_be_negative() {
    let days = period("2026-01-05/2026-01-07");
    let mut profile = profile_of(UTC, 60, days, |_, _| 1_000);
    profile.days[1].flags = Some(vec![Quality::Estimated.code(); 24]);
    let estimated = bill(&tiered(UTC), &profile, days);
    assert!(
        estimated.estimated
            && estimated.lines[0].estimated
            && !estimated.lines[0].trace[0].estimated
            && estimated.lines[0].trace[1].estimated
    );
    // The true-up: what was measured less what was billed.
    let correction = profile_of(UTC, 60, days, |_, _| -250);
    let bill = bill(&tiered(UTC), &correction, days);
    assert_eq!(
        (brief(&bill, LineKind::Energy), bill.total.to_string()),
        (lines(&["/1/-12/-1.20"]), "-1.20".to_owned())
    );
}

#[test]
fn rule_8_a_line_can_be_followed_down_to_day_and_interval() {
    let days = period("2026-01-05/2026-01-12");
    let profile = profile_of(UTC, 15, days, |_, at| i32::try_from(at).unwrap() * 11);
    let tariff = tou(UTC, "0.4123", "0.2077");
    let bill = bill(&tariff, &profile, days);
    for line in &bill.lines {
        assert_eq!(line.trace.iter().map(|day| day.quantity).sum::<Decimal>(), line.quantity);
        assert_eq!(line.amount, Money::new(line.quantity * line.item.price));
        assert!(line.item.tou_period.is_some() && !line.trace.is_empty());
    }
    let compiled = compile(&tariff);
    let costs =
        interval_costs(&[(days.from(), &compiled)], &UsageInput::profile(&profile), days, &History::default()).unwrap();
    assert_eq!(costs.len(), 7 * 96);
    assert_eq!(costs.iter().map(|interval| interval.cost).sum::<Decimal>(), bill.total.amount());
}

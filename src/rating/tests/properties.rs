//! Properties that hold for any usage, on seeded random ones.

use chrono_tz::UTC;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use rust_decimal::Decimal;

use super::super::energy::{Counter, Scale};
use super::super::measure::Measured;
use super::super::{Bill, History, LineKind, Supply, UsageInput, interval_costs, rate};
use super::fixtures::*;
use crate::tariff_document::{ExportCredit, NetMetering, PriceCell, TariffDocument};
use crate::usage::{Direction, Profile};
use crate::values::money::Money;
use crate::values::period::Period;

const ROUNDS: u64 = 60;

fn random_profile(random: &mut StdRng, days: Period) -> Profile {
    let minutes = [15, 30, 60][random.random_range(0..3)];
    let most = [10, 900, 40_000][random.random_range(0..3)];
    let values: Vec<i32> = (0..3_000).map(|_| random.random_range(0..most)).collect();
    profile_of(UTC, minutes, days, |day, at| {
        values[(usize::try_from(chrono::Datelike::day(&day)).unwrap() * 97 + at) % values.len()]
    })
}

fn random_price(random: &mut StdRng) -> Decimal {
    Decimal::new(random.random_range(0..900_000), 6)
}

/// Tiered time-of-use with up to four blocks.
fn random_tariff(random: &mut StdRng) -> TariffDocument {
    let mut tariff = tou(UTC, "0", "0");
    for cell in &mut tariff.energy[0].prices {
        let mut limit = Decimal::ZERO;
        let mut steps = vec![];
        for _ in 0..random.random_range(0..4) {
            limit += Decimal::new(random.random_range(1..400_000), 3);
            steps.push((Some(limit), random_price(random)));
        }
        steps.push((None, random_price(random)));
        cell.blocks = PriceCell::tiered(&steps).blocks;
    }
    tariff.and_monthly("Base", random_price(random)).and_tax("VAT", decimal("19"))
}

fn each_round(mut check: impl FnMut(&mut StdRng, Period)) {
    for seed in 0..ROUNDS {
        let mut random = StdRng::seed_from_u64(seed);
        let from = date("2026-01-01") + chrono::Duration::days(random.random_range(0..300));
        let days = Period::new(from, from + chrono::Duration::days(random.random_range(1..40))).unwrap();
        check(&mut random, days);
    }
}

fn rated(tariff: &TariffDocument, profile: &Profile, days: Period) -> Bill {
    bill(tariff, profile, days)
}

#[test]
fn lines_sum_to_totals_and_traces_to_lines_and_intervals_to_energy() {
    each_round(|random, days| {
        let (tariff, profile) = (random_tariff(random), random_profile(random, days));
        let bill = rated(&tariff, &profile, days);
        assert_eq!(bill.lines.iter().map(|line| line.amount).sum::<Money>(), bill.total);
        assert_eq!(bill.net + bill.tax, bill.total);
        let energy = bill.lines.iter().filter(|line| line.item.kind == LineKind::Energy);
        assert_eq!(energy.clone().map(|line| line.quantity).sum::<Decimal>(), bill.kwh, "no watt-hour is lost");
        for line in energy {
            assert_eq!(line.trace.iter().map(|day| day.quantity).sum::<Decimal>(), line.quantity);
            assert_eq!(Money::new(line.quantity * line.item.price), line.amount);
        }
        let compiled = compile(&tariff);
        let costs =
            interval_costs(&[(days.from(), &compiled)], &UsageInput::profile(&profile), days, &History::default())
                .unwrap();
        assert_eq!(costs.iter().map(|cost| cost.cost).sum::<Decimal>(), bill.sum(LineKind::Energy).amount());
        assert_eq!(costs.iter().map(|cost| cost.wh).sum::<i64>(), profile.wh());
    });
}

#[test]
fn splitting_a_period_and_adding_up_equals_the_whole_for_prices_without_blocks() {
    each_round(|random, days| {
        let on_peak = random_price(random).to_string();
        let (tariff, profile) = (tou(UTC, &on_peak, "0.123456"), random_profile(random, days));
        let at = days.from() + chrono::Duration::days(random.random_range(0..=days.days()));
        let Some((before, after)) = days.split(at) else {
            return;
        };
        let whole = rated(&tariff, &profile, days).net.amount();
        let parts = rated(&tariff, &profile, before).net.amount() + rated(&tariff, &profile, after).net.amount();
        assert!(
            (whole - parts).abs() <= decimal("0.02"),
            "{whole} and {parts}: only rounding of four lines lies between"
        );
    });
}

#[test]
fn raising_a_price_never_lowers_a_bill() {
    each_round(|random, days| {
        let (tariff, profile) = (random_tariff(random), random_profile(random, days));
        let mut dearer = tariff.clone();
        let cell = random.random_range(0..2);
        let blocks = &mut dearer.energy[0].prices[cell].blocks;
        let block = random.random_range(0..blocks.len());
        blocks[block].price += random_price(random);
        assert!(rated(&dearer, &profile, days).total >= rated(&tariff, &profile, days).total);
    });
}

#[test]
fn periods_of_equal_price_may_be_swapped() {
    each_round(|random, days| {
        let price = random_price(random).to_string();
        let (tariff, profile) = (tou(UTC, &price, &price), random_profile(random, days));
        let mut swapped = tariff.clone();
        swapped.calendars.get_mut("time of use").unwrap().periods.reverse();
        let (one, other) = (rated(&tariff, &profile, days), rated(&swapped, &profile, days));
        let off = |bill: &Bill| {
            brief(bill, LineKind::Energy).into_iter().map(|line| line.3).collect::<std::collections::BTreeSet<_>>()
        };
        assert_eq!((one.total, off(&one)), (other.total, off(&other)));
    });
}

#[test]
fn a_day_taken_at_once_falls_into_the_same_blocks_as_interval_by_interval() {
    each_round(|random, days| {
        let (tariff, profile) = (compile(&random_tariff(random)), random_profile(random, days));
        let (charge, scale) = (&tariff.energy[0], Scale { numerator: 1, denominator: 1 });
        let (mut fast, mut slow) = (Counter::new(charge, scale), Counter::new(charge, scale));
        let measured = Measured::of(&profile, days, &tariff.grid).unwrap();
        fast.walk(&measured, days);
        let mut scratch = vec![];
        for day in measured.days(days) {
            for (cell, values) in measured.runs(day, &mut scratch) {
                for wh in values {
                    slow.step(charge.price_at(cell), day.date(), i64::from(*wh), false, &mut |_, _| ());
                }
            }
        }
        let told = |counter: Counter<'_>| {
            counter
                .finish(scale)
                .into_iter()
                .map(|sum| (sum.price, sum.block, sum.bucket.wh, sum.bucket.days))
                .collect::<Vec<_>>()
        };
        assert_eq!(told(fast), told(slow));
    });
}

#[test]
fn net_metering_never_bills_more_than_it_would_without_exports() {
    each_round(|random, days| {
        let mut tariff = random_tariff(random);
        tariff.export = Some(ExportCredit::NetMetering(NetMetering { roll_over: true, settlement: None }));
        for cell in &mut tariff.energy[0].prices {
            cell.blocks.sort_by_key(|block| block.from);
            let price = cell.blocks[0].price;
            cell.blocks.iter_mut().for_each(|block| block.price = price);
        }
        let import = random_profile(random, days);
        let values: Vec<i32> = (0..100).map(|_| random.random_range(0..900)).collect();
        let export =
            Profile { direction: Direction::Export, ..profile_of(UTC, import.minutes, days, |_, at| values[at % 100]) };
        let usage =
            UsageInput { import: Supply::Profile(&import), export: Some(Supply::Profile(&export)), registers: &[] };
        let netted = rate(&compile(&tariff), &usage, days, &History::default()).unwrap();
        let banked: Decimal = netted.carried.bank_kwh.values().copied().sum();
        let billed: Decimal =
            netted.lines.iter().filter(|line| line.item.kind == LineKind::Energy).map(|line| line.quantity).sum();
        assert_eq!(billed - banked, netted.kwh - netted.exported_kwh, "what is netted is billed or kept");
        let gross = rated(&TariffDocument { export: None, ..tariff }, &import, days);
        assert!(netted.total <= gross.total + Money::from_cents(10));
    });
}

//! `portal bench rate`: bills a second on one core, beside utilityrate5 in the same run.
//!
//! A bill is a month of usage by the reference rate: tiers within time-of-use, demand at any time and per period.
//! Every bill has all its lines and the trace behind each; nothing is left out for the measurement. What is counted is
//! processor time of the one thread, so that other work on the machine does not count; elsewhere than on Linux, time.

use std::fmt::Write as _;
use std::hint::black_box;
use std::time::{Duration, Instant};

use chrono_tz::Tz;
use eis::operate::connect::Settings;
use eis::rating::{CompiledTariff, History, UsageInput, rate, sample};
use eis::tariff_document;
use eis::usage::Profile;
use eis::values::period::Period;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::peer;
use portal::out;

const RATE: &str = include_str!("../../end2end/reference/urdb/tiered_tou_with_demand.json");
/// Different customers, so that no bill is like the one before.
const CUSTOMERS: u64 = 64;
const ROUNDS: usize = 160;
/// As long as a round of the peer's, so that both have the same chance of a moment without a neighbour.
const ROUND: Duration = Duration::from_millis(20);
/// Bills a second on quarter-hours.
const GOAL: u64 = 100_000;
/// Times the peer's bills a second on hours.
const GOAL_PEER: u64 = 50;

#[derive(Debug, Serialize)]
struct Report {
    /// What is rated.
    bill: &'static str,
    quarter_hours: Figure,
    hours: Figure,
    goal_per_second: u64,
    peer: Option<Peer>,
    /// Why there is no peer.
    without_peer: Option<String>,
    goal_peer: u64,
}

/// Our speed; the best of several rounds.
#[derive(Debug, Serialize)]
struct Figure {
    bills_per_second: u64,
    nanoseconds_a_bill: u64,
    lines: usize,
    /// Days and peaks behind the lines.
    traced: usize,
}

/// The peer's speed on hours.
#[derive(Debug, Serialize)]
struct Peer {
    name: &'static str,
    /// Its time for a year of 8,760 hours over 12.
    nanoseconds_a_bill: u64,
    bills_per_second: u64,
    /// The same with the customer's load handed over.
    nanoseconds_a_bill_with_load: u64,
    /// How many times as fast we are.
    ratio: Decimal,
    ratio_with_load: Decimal,
    /// January's bill, theirs and ours: the same within a cent a line.
    january: Decimal,
    january_ours: Decimal,
}

/// Measures and prints.
///
/// # Errors
/// When something cannot be rated or printed.
pub fn run(settings: &Settings, json: bool) -> Result<(), String> {
    let document = tariff_document::read(RATE, Tz::UTC).map_err(|_| "the reference rate has faults")?;
    let tariff = CompiledTariff::new(&document).map_err(|_| "the reference rate has faults")?;
    let (quarter_hours, hours) = (measure(&tariff, 15)?, measure(&tariff, 60)?);
    let (peer, without_peer) = match peer(settings, &tariff, hours.nanoseconds_a_bill) {
        Ok(peer) => (Some(peer), None),
        Err(why) => (None, Some(why)),
    };
    let bill = "a month, tiers within time-of-use, demand at any time and per period, every line with its trace";
    let report = Report { bill, quarter_hours, hours, goal_per_second: GOAL, peer, without_peer, goal_peer: GOAL_PEER };
    if json { out::print(serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?) } else { print(&report) }
}

fn measure(tariff: &CompiledTariff, minutes: u16) -> Result<Figure, String> {
    let month = Period::month(2018, 7).map_err(|e| e.to_string())?;
    let customers: Vec<Profile> = (1..=CUSTOMERS).map(|seed| sample::profile(Tz::UTC, minutes, month, seed)).collect();
    let history = History::default();
    let one = |profile: &Profile| rate(tariff, &UsageInput::profile(profile), month, &history);
    let first = customers.first().ok_or("no customers")?;
    let bill = one(first).map_err(|e| e.to_string())?;
    let mut best = u64::MAX;
    for _ in 0..ROUNDS {
        let (clock, start, mut bills) = (Clock::start(), Instant::now(), 0);
        while start.elapsed() < ROUND {
            for profile in &customers {
                black_box(one(black_box(profile)).map_err(|e| e.to_string())?);
            }
            bills += CUSTOMERS;
        }
        best = best.min(clock.nanoseconds() / bills);
    }
    Ok(Figure {
        bills_per_second: 1_000_000_000 / best.max(1),
        nanoseconds_a_bill: best,
        lines: bill.lines.len(),
        traced: bill.lines.iter().map(|line| line.trace.len()).sum(),
    })
}

fn peer(settings: &Settings, tariff: &CompiledTariff, ours: u64) -> Result<Peer, String> {
    let (january, december) = (Period::month(2018, 1), Period::month(2018, 12));
    let (january, december) = (january.map_err(|e| e.to_string())?, december.map_err(|e| e.to_string())?);
    let year = Period::new(january.from(), december.to()).map_err(|e| e.to_string())?;
    let profile = sample::profile(Tz::UTC, 60, year, 1);
    let mut load = String::new();
    for wh in profile.days.iter().flat_map(|day| &day.values) {
        let _ = writeln!(load, "{}", Decimal::new(i64::from(*wh), 3));
    }
    let took = peer::run(&settings.data_dir, RATE, &load)?;
    let bill = rate(tariff, &UsageInput::profile(&profile), january, &History::default()).map_err(|e| e.to_string())?;
    let theirs = Decimal::new(took.january_cents, 2);
    let allowed = Decimal::new(i64::try_from(bill.lines.len()).unwrap_or(1), 2);
    if (theirs - bill.total.amount()).abs() > allowed {
        return Err(format!("its bill for January is {theirs} and ours {}: they do not rate the same", bill.total));
    }
    let ratio = |theirs: u64| (Decimal::from(theirs) / Decimal::from(ours.max(1))).round_dp(1);
    let (alone, loaded) = (took.year / 12, took.year_with_load / 12);
    Ok(Peer {
        name: "NREL PySAM 7.1.0 utilityrate5",
        nanoseconds_a_bill: alone,
        bills_per_second: 1_000_000_000 / alone.max(1),
        nanoseconds_a_bill_with_load: loaded,
        ratio: ratio(alone),
        ratio_with_load: ratio(loaded),
        january: theirs,
        january_ours: bill.total.amount(),
    })
}

fn print(report: &Report) -> Result<(), String> {
    if cfg!(debug_assertions) {
        out::print("This is a development build: build with --release (make release) to measure.")?;
    }
    out::print(format_args!("A bill: {}. One core, processor time, best of {ROUNDS} rounds.", report.bill))?;
    for (name, figure) in [("quarter-hours", &report.quarter_hours), ("hours", &report.hours)] {
        let micros = Decimal::new(i64::try_from(figure.nanoseconds_a_bill).unwrap_or(i64::MAX), 3).round_dp(1);
        out::print(format_args!(
            "{name:<14} {:>8} bills a second, {micros} µs each, {} lines, {} days and peaks traced",
            figure.bills_per_second, figure.lines, figure.traced
        ))?;
    }
    let reached = |reached: bool| if reached { "reached" } else { "not reached" };
    let fast = report.quarter_hours.bills_per_second >= GOAL;
    out::print(format_args!("goal: {GOAL} bills a second on quarter-hours: {}", reached(fast)))?;
    match (&report.peer, &report.without_peer) {
        (Some(peer), _) => {
            out::print(format_args!(
                "{}: {} bills a second on hours (a year over 12); January is {} there and {} here",
                peer.name, peer.bills_per_second, peer.january, peer.january_ours
            ))?;
            out::print(format_args!(
                "ratio: {} times as fast; {} times where it is also handed the load",
                peer.ratio, peer.ratio_with_load
            ))?;
            let fast = peer.ratio >= Decimal::from(GOAL_PEER);
            out::print(format_args!("goal: {GOAL_PEER} times the peer on hours: {}", reached(fast)))
        }
        (None, why) => out::print(format_args!("no peer: {}", why.as_deref().unwrap_or_default())),
    }
}

/// Processor time of this thread where the system tells it, else time.
struct Clock {
    start: Instant,
    spent: Option<u64>,
}

impl Clock {
    fn start() -> Self {
        Self { start: Instant::now(), spent: spent() }
    }

    fn nanoseconds(&self) -> u64 {
        match (self.spent, spent()) {
            (Some(before), Some(now)) => now.saturating_sub(before),
            _ => u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX),
        }
    }
}

/// Nanoseconds that this thread has had a core.
fn spent() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}

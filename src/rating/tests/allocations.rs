//! No allocation per interval: the same day in twelve times as many intervals allocates no more.

use allocation_counter::measure;
use chrono_tz::UTC;

use super::super::{History, UsageInput, rate};
use super::fixtures::*;
use crate::tariff_document::{DemandCharge, PriceCell};

/// Allocations and bytes of one bill of a month with intervals of so many minutes.
fn of(minutes: u16) -> (u64, u64) {
    let days = period("2026-07-01/2026-08-01");
    let mut tariff = tou(UTC, "0.4", "0.2");
    for cell in &mut tariff.energy[0].prices {
        cell.blocks = PriceCell::tiered(&[(Some(decimal("100")), decimal("0.2")), (None, decimal("0.3"))]).blocks;
    }
    tariff.demand.push(DemandCharge {
        name: "Demand".to_owned(),
        register: None,
        calendar: Some("time of use".to_owned()),
        per_period: true,
        window_minutes: Some(60),
        prices: vec![PriceCell::flat(decimal("5"))],
        ratchet: None,
    });
    let tariff = compile(&tariff);
    let profile = profile_of(UTC, minutes, days, |_, _| 100 * i32::from(minutes) / 5);
    let (usage, history) = (UsageInput::profile(&profile), History::default());
    let mut lines = 0;
    let info = measure(|| lines = rate(&tariff, &usage, days, &history).unwrap().lines.len());
    assert_eq!(lines, 5);
    (info.count_total, info.bytes_total)
}

#[test]
fn a_bill_of_five_minutes_allocates_no_more_than_one_of_half_hours() {
    let fine = of(5);
    assert_eq!((of(15), of(30)), (fine, fine));
    // Windows longer than an interval are kept by cell: once for the charge, once for the bill's peak.
    let hours = of(60);
    assert!(hours.0 > 10 && hours.0 < 30 && fine.0 <= hours.0 + 2, "{fine:?} and {hours:?}");
}

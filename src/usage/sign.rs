//! Signs: energy bought and energy fed in are each at least nothing. A net column is split where a person says that it is
//! one; never is a value below zero taken as it comes.

use std::sync::Arc;

use rust_decimal::Decimal;

use super::{Direction, Energy, Item, Reading, Rejected, SeriesKey};

/// Hands on an item: readings below zero are refused, those of a net column split into bought and fed in.
pub fn checked(item: Item, net: bool, each: &mut dyn FnMut(Item)) {
    match item {
        Item::Reading(reading) if net => split(reading, each),
        Item::Reading(reading) if reading.energy.is_negative() => each(Item::Rejected(negative(&reading))),
        item => each(item),
    }
}

fn split(reading: Reading, each: &mut dyn FnMut(Item)) {
    if reading.series.direction == Direction::Export {
        let reason = format!("{}: the file has energy fed in of its own, so its values are not net", reading.series);
        return each(Item::Rejected(Rejected::new(reading.line, 1, &told(&reading), reason)));
    }
    let (bought, sold) = match reading.energy.is_negative() {
        true => (Energy::ZERO, reading.energy.abs()),
        false => (reading.energy, Energy::ZERO),
    };
    let export = Arc::new(SeriesKey { direction: Direction::Export, ..SeriesKey::clone(&reading.series) });
    let sold = Reading { series: export, energy: sold, ..reading.clone() };
    each(Item::Reading(Reading { energy: bought, ..reading }));
    each(Item::Reading(sold));
}

fn negative(reading: &Reading) -> Rejected {
    let (kwh, series) = ((reading.energy.wh() / Decimal::ONE_THOUSAND).normalize(), &reading.series);
    let reason = match series.direction {
        Direction::Import => format!(
            "{series}: {kwh} kWh is below zero, and nobody buys less than nothing. Where values below zero are energy fed in, \
             say that the values are net (bought less fed in); a correction is a new value of the interval"
        ),
        Direction::Export => {
            format!("{series}: {kwh} kWh is below zero. Energy fed in is written without a sign: take the signs out")
        }
    };
    Rejected::new(reading.line, 1, &told(reading), reason)
}

fn told(reading: &Reading) -> String {
    format!("{} {} Wh", reading.start.format("%Y-%m-%dT%H:%M:%SZ"), reading.energy.wh())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::usage::{Hints, read};

    fn run(text: &str, net: bool) -> (Vec<(Direction, i64)>, Vec<String>) {
        let (mut taken, mut refused) = (vec![], vec![]);
        let hints = Hints { net, ..Hints::default() };
        read(text.as_bytes(), &hints, &mut |item| match item {
            Item::Reading(reading) => taken.push((reading.series.direction, reading.energy.split().0)),
            Item::Rejected(rejected) => refused.push(rejected.to_string()),
            Item::Zone(_) => {}
        })
        .unwrap();
        (taken, refused)
    }

    #[test]
    fn a_value_below_zero_is_refused_whichever_way_the_energy_went() {
        let text = "interval_start,kwh,direction\n2026-01-01T00:00Z,-0.5,import\n2026-01-01T00:00Z,-0.25,export\n2026-01-01T01:00Z,1,import\n";
        let (taken, refused) = run(text, false);
        assert_eq!(taken, [(Direction::Import, 1000)]);
        assert!(refused[0].starts_with("2:1: the meter, import: -0.5 kWh is below zero"), "{refused:?}");
        assert!(refused[1].starts_with("3:1: the meter, export: -0.25 kWh is below zero"), "{refused:?}");
    }

    #[test]
    fn a_net_column_is_split_where_a_person_says_that_it_is_one() {
        let text = "interval_start,kwh\n2026-01-01T00:00Z,-0.5\n2026-01-01T01:00Z,2\n";
        let (taken, refused) = run(text, true);
        let (import, export) = (Direction::Import, Direction::Export);
        assert_eq!(taken, [(import, 0), (export, 500), (import, 2000), (export, 0)]);
        assert_eq!(refused, Vec::<String>::new());
        let (_, refused) = run(&text.replace("kwh\n", "kwh,direction\n").replace("2\n", "2,export\n"), true);
        assert!(refused[0].contains("energy fed in of its own"), "{refused:?}");
    }
}

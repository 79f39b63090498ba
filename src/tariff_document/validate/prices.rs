//! Every season and period has one price, and blocks follow each other without gap or overlap.

use rust_decimal::Decimal;

use super::super::{Block, BlockBasis, Calendar, DemandCharge, ExportCredit, PriceCell, Ratchet, TariffDocument};
use super::Faults;

impl Faults {
    /// Bills keep demand under names of charges and periods, which a control character ends.
    pub(super) fn printable(&mut self, name: &str, path: &str) {
        self.check(!name.contains(char::is_control), path, "a name has no control characters");
    }
}

impl Ratchet {
    /// The most months that a ratchet looks back, and so how far back billing loads earlier bills.
    pub const MOST_MONTHS: u8 = 36;
}

pub fn check(faults: &mut Faults, tariff: &TariffDocument) {
    for (at, charge) in tariff.energy.iter().enumerate() {
        let path = format!("energy[{at}]");
        faults.check(!charge.name.trim().is_empty(), &format!("{path}.name"), "the charge needs a name");
        faults.check(
            charge.blocks_per != BlockBasis::NormalDays(0),
            &format!("{path}.blocks_per"),
            "normal days are at least 1",
        );
        cells(faults, tariff, &path, charge.calendar.as_ref(), &charge.prices, true);
    }
    for (at, charge) in tariff.demand.iter().enumerate() {
        demand(faults, tariff, &format!("demand[{at}]"), charge);
    }
    if let Some(
        ExportCredit::NetBilling { calendar, prices, .. } | ExportCredit::BuyAllSellAll { calendar, prices, .. },
    ) = &tariff.export
    {
        cells(faults, tariff, "export", calendar.as_ref(), prices, true);
        for (at, _) in prices.iter().enumerate().filter(|(_, cell)| cell.blocks.len() > 1) {
            faults.add(format!("export.prices[{at}].blocks"), "a price for exports has no blocks");
        }
    }
}

fn demand(faults: &mut Faults, tariff: &TariffDocument, path: &str, charge: &DemandCharge) {
    faults.check(!charge.name.trim().is_empty(), &format!("{path}.name"), "the charge needs a name");
    faults.printable(&charge.name, &format!("{path}.name"));
    let window = charge.window_minutes.is_none_or(|minutes| DemandCharge::WINDOWS.contains(&minutes));
    faults.check(window, &format!("{path}.window_minutes"), "a demand window has 5, 15, 30 or 60 minutes");
    faults.check(
        !charge.per_period || charge.calendar.is_some(),
        &format!("{path}.calendar"),
        "demand per period needs a calendar",
    );
    cells(faults, tariff, path, charge.calendar.as_ref(), &charge.prices, charge.per_period);
    if let Some(ratchet) = &charge.ratchet {
        let percent = ratchet.percent > Decimal::ZERO && ratchet.percent <= Decimal::ONE_HUNDRED;
        faults.check(percent, &format!("{path}.ratchet.percent"), "a ratchet is more than 0 and at most 100 per cent");
        faults.check(
            (1..=Ratchet::MOST_MONTHS).contains(&ratchet.months),
            &format!("{path}.ratchet.months"),
            &format!("a ratchet looks back 1 to {} months", Ratchet::MOST_MONTHS),
        );
        faults.check(
            ratchet.only.iter().all(|month| (1..=12).contains(month)),
            &format!("{path}.ratchet.only"),
            "months are 1 to 12",
        );
    }
}

fn cells(
    faults: &mut Faults,
    tariff: &TariffDocument,
    path: &str,
    calendar: Option<&String>,
    prices: &[PriceCell],
    by_period: bool,
) {
    for (at, cell) in prices.iter().enumerate() {
        blocks(faults, &format!("{path}.prices[{at}].blocks"), &cell.blocks);
        if !by_period && cell.period.is_some() {
            faults.add(format!("{path}.prices[{at}].period"), "this charge has no periods (per_period is false)");
        }
    }
    let Some(name) = calendar else {
        return without_calendar(faults, path, prices);
    };
    let Some(calendar) = tariff.calendars.get(name) else {
        return faults.add(format!("{path}.calendar"), format!("there is no calendar {name:?}"));
    };
    known(faults, path, prices, calendar);
    covered(faults, path, prices, calendar);
}

fn without_calendar(faults: &mut Faults, path: &str, prices: &[PriceCell]) {
    faults.check(!prices.is_empty(), &format!("{path}.prices"), "a price is missing");
    faults.check(prices.len() <= 1, &format!("{path}.prices"), "without a calendar there is one price");
    for (at, _) in prices.iter().enumerate().filter(|(_, cell)| cell.season.is_some() || cell.period.is_some()) {
        faults.add(format!("{path}.prices[{at}]"), "without a calendar there is no season and no period");
    }
}

fn known(faults: &mut Faults, path: &str, prices: &[PriceCell], calendar: &Calendar) {
    for (at, cell) in prices.iter().enumerate() {
        if let Some(period) = cell.period.as_ref().filter(|period| !calendar.periods.contains(period)) {
            faults.add(format!("{path}.prices[{at}].period"), format!("the calendar has no period {period:?}"));
        }
        if let Some(season) =
            cell.season.as_ref().filter(|season| !calendar.seasons.iter().any(|known| known.name == **season))
        {
            faults.add(format!("{path}.prices[{at}].season"), format!("the calendar has no season {season:?}"));
        }
    }
}

/// One price for every period that a season uses.
fn covered(faults: &mut Faults, path: &str, prices: &[PriceCell], calendar: &Calendar) {
    for season in &calendar.seasons {
        for (index, period) in calendar.periods.iter().enumerate() {
            let count = prices.iter().filter(|cell| cell.holds(&season.name, period)).count();
            match count {
                1 => {}
                0 if !season.uses(index) => {}
                0 => faults.add(format!("{path}.prices"), format!("{period} in {} has no price: a gap", season.name)),
                _ => faults.add(
                    format!("{path}.prices"),
                    format!("{period} in {} has {count} prices: an overlap", season.name),
                ),
            }
        }
    }
}

fn blocks(faults: &mut Faults, path: &str, blocks: &[Block]) {
    faults.check(!blocks.is_empty(), path, "a price is missing");
    faults.check(blocks.len() <= 16, path, "there are at most 16 blocks");
    let mut reached = Some(Decimal::ZERO);
    for (at, block) in blocks.iter().enumerate() {
        let path = format!("{path}[{at}]");
        faults.price(block.price, &format!("{path}.price"));
        faults.check(block.from >= Decimal::ZERO, &format!("{path}.from"), "a block limit is not negative");
        for (limit, name) in [(Some(block.from), "from"), (block.to, "to")] {
            let fine = limit.is_none_or(|limit| limit.normalize().scale() <= 3 && limit < Decimal::from(1_000_000_000));
            faults.check(
                fine,
                &format!("{path}.{name}"),
                "a block limit has at most 3 decimals and is below 1,000,000,000",
            );
        }
        match reached {
            None => faults.add(format!("{path}.from"), "the block before has no end: an overlap"),
            Some(end) if block.from > end => {
                faults.add(format!("{path}.from"), format!("nothing holds from {end} to {}: a gap", block.from))
            }
            Some(end) if block.from < end => {
                faults.add(format!("{path}.from"), format!("two blocks hold from {} to {end}: an overlap", block.from))
            }
            Some(_) => {}
        }
        if let Some(to) = block.to.filter(|to| *to <= block.from) {
            faults.add(format!("{path}.to"), format!("the block ends at {to}, not after it begins"));
        }
        reached = block.to;
    }
    if let Some(end) = reached.filter(|_| !blocks.is_empty()) {
        faults.add(
            format!("{path}[{}].to", blocks.len() - 1),
            format!("nothing holds from {end} on: the last block must have no end"),
        );
    }
}

impl PriceCell {
    /// Whether it is the price of this season and period.
    #[must_use]
    pub fn holds(&self, season: &str, period: &str) -> bool {
        self.season.as_deref().is_none_or(|name| name == season)
            && self.period.as_deref().is_none_or(|name| name == period)
    }
}

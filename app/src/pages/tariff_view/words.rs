//! A tariff in words: what each of its parts charges, as a customer reads it.

use chrono::NaiveDate;
use eis::tariff_document::{
    Adjustment, AdjustmentKind, Block, BlockBasis, Calendar, DemandCharge, EnergyCharge, ExportCredit, FixedBasis,
    FixedCharge, LineKind, Minimum, MinimumBasis, NetMetering, PriceCell, Proration, RoundingPolicy, Season,
    TariffDocument, Tax,
};
use rust_decimal::Decimal;

use super::Words;
use super::clock::{hours_clock, hours_holidays, period_hours, season_span};
use crate::format::{self, Locale, price_exact};

/// A part of a tariff: sentences, prices, and what else is to be known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Part {
    /// What it is called on the bill.
    pub title: String,
    /// What comes first.
    pub lead: Vec<String>,
    /// What is priced, and how.
    pub prices: Vec<(String, String)>,
    /// How it works beyond that.
    pub more: Vec<String>,
}

/// Every part of a tariff in words, in the order of a bill.
#[must_use]
pub fn parts(document: &TariffDocument, today: NaiveDate, locale: Locale) -> Vec<Part> {
    let words = Words { document, locale, today };
    let mut parts: Vec<Part> = document.energy.iter().map(|charge| words.energy(charge)).collect();
    parts.extend(document.demand.iter().map(|charge| words.demand(charge)));
    parts.extend(document.fixed.iter().map(|charge| words.fixed(charge)));
    parts.extend(document.adjustments.iter().map(|rider| words.adjustment(rider)));
    parts.extend(document.export.iter().map(|credit| words.export(credit)));
    parts.extend(document.minimums.iter().map(|minimum| words.minimum(minimum)));
    parts.extend(document.taxes.iter().map(|tax| words.tax(tax)));
    parts.extend(words.rounding(&document.rounding));
    parts
}

fn part(title: &str) -> Part {
    Part { title: title.to_owned(), ..Part::default() }
}

impl Words<'_> {
    pub(super) fn price(&self, value: Decimal) -> String {
        price_exact(value, &self.document.currency, self.locale)
    }

    fn kwh(&self, value: Decimal) -> String {
        self.quantity(value, "kWh")
    }

    fn quantity(&self, value: Decimal, unit: &str) -> String {
        format!("{}\u{a0}{unit}", format::number(value, value.normalize().scale(), self.locale))
    }

    fn percent(&self, percent: Decimal) -> String {
        format::percent_exact(percent / Decimal::ONE_HUNDRED, self.locale)
    }

    fn calendar(&self, name: Option<&String>) -> Option<&Calendar> {
        self.document.calendars.get(name?)
    }

    fn energy(&self, charge: &EnergyCharge) -> Part {
        let mut part = part(&charge.name);
        let steps = charge.prices.iter().map(|cell| cell.blocks.len()).max().unwrap_or(0) > 1;
        let calendar = self.calendar(charge.calendar.as_ref()).filter(|_| varies(&charge.prices));
        match (calendar, charge.prices.first()) {
            (Some(calendar), _) => {
                let by_hour = charge.prices.iter().any(|cell| cell.period.is_some());
                part.lead.push(match (by_hour, steps) {
                    (true, false) => "What a kWh costs depends on when you use it.".to_owned(),
                    (true, true) => {
                        "What a kWh costs depends on when you use it and on how much you have used before.".to_owned()
                    }
                    (false, false) => "What a kWh costs depends on the season.".to_owned(),
                    (false, true) => {
                        "What a kWh costs depends on the season and on how much you have used before.".to_owned()
                    }
                });
                part.prices = self.by_calendar(calendar, &charge.prices, "kWh");
                part.more.extend(hours_clock(self, by_hour));
                part.more.extend(hours_holidays(self, calendar).filter(|_| by_hour));
                if by_hour && steps {
                    part.more.push(
                        "One count of your kWh runs through all hours of the bill in order of time; it decides into which step a kWh falls.".to_owned(),
                    );
                }
            }
            (None, Some(cell)) if steps => {
                part.lead
                    .push("What a kWh costs depends on how much you have used before in the same bill.".to_owned());
                part.prices = self.steps(&cell.blocks, "kWh");
            }
            (None, Some(cell)) => {
                let price = cell.blocks.first().map_or(Decimal::ZERO, |block| block.price);
                part.lead.push(format!("Each kWh costs {}, at all times.", self.price(price)));
            }
            (None, None) => {}
        }
        if steps {
            part.more.push(self.basis(charge));
        }
        part.more.extend(of_register(charge.register.as_ref()));
        part
    }

    /// What the limits of the steps are measured against.
    fn basis(&self, charge: &EnergyCharge) -> String {
        let limit = charge.prices.iter().find_map(|cell| cell.blocks.first()?.to).unwrap_or_default();
        let times = |factor: Decimal| self.kwh((limit * factor).round_dp(3));
        match charge.blocks_per {
            BlockBasis::Period => "The limits hold for a bill, however many days it has.".to_owned(),
            BlockBasis::NormalDays(normal) => {
                let days = Decimal::from(u32::from(normal) * 3 / 2);
                format!(
                    "The limits are meant for {normal} days and follow the days of the bill: a bill of {days} days has {} where {normal} days have {}.",
                    times(days / Decimal::from(normal.max(1))),
                    times(Decimal::ONE)
                )
            }
            BlockBasis::Day => format!(
                "The limits are meant for a day and are taken times the days of the bill: a bill of 30 days has {} where one day has {}. What you do not use of them on one day counts on another.",
                times(Decimal::from(30)),
                times(Decimal::ONE)
            ),
        }
    }

    /// `The first 100 kWh` … `each kWh above 400 kWh`, with their prices.
    fn steps(&self, blocks: &[Block], unit: &str) -> Vec<(String, String)> {
        let name = |block: &Block| match block.to {
            Some(to) if block.from.is_zero() => format!("The first {}", self.quantity(to, unit)),
            Some(to) => {
                let from = format::number(block.from, block.from.normalize().scale(), self.locale);
                format!("From {from} to {}", self.quantity(to, unit))
            }
            None => format!("Above {}", self.quantity(block.from, unit)),
        };
        let each = |block: &Block| format!("{} for each {unit}", self.price(block.price));
        blocks.iter().map(|block| (name(block), each(block))).collect()
    }

    /// The price of a cell in one line: `€0.39 for the first 10 kWh, €0.47 above`.
    fn in_line(&self, cell: &PriceCell, unit: &str) -> String {
        match cell.blocks.as_slice() {
            [one] if one.price.is_zero() => "free".to_owned(),
            [one] => format!("{} for each {unit}", self.price(one.price)),
            steps => {
                let step = |block: &Block| match block.to {
                    Some(to) if block.from.is_zero() => {
                        format!("{} for each of the first {}", self.price(block.price), self.quantity(to, unit))
                    }
                    Some(to) => format!("{} up to {}", self.price(block.price), self.quantity(to, unit)),
                    None => format!("{} above that", self.price(block.price)),
                };
                steps.iter().map(step).collect::<Vec<_>>().join(", ")
            }
        }
    }

    /// The price of a cell without steps.
    fn only(&self, cell: &PriceCell) -> String {
        cell.blocks.first().map_or_else(String::new, |block| self.price(block.price))
    }

    /// The prices season by season and period by period, each with its hours.
    fn by_calendar(&self, calendar: &Calendar, cells: &[PriceCell], unit: &str) -> Vec<(String, String)> {
        let mut prices = vec![];
        let by_hour = cells.iter().any(|cell| cell.period.is_some());
        for season in &calendar.seasons {
            let name = |period: &str| match (calendar.seasons.len(), period) {
                (1, period) => capital(period),
                (_, "") => format!("{} ({})", season.name, season_span(season, self.locale)),
                (_, period) => format!("{}, {period}", season.name),
            };
            if !by_hour {
                if let Some(cell) = cell_of(cells, season, "") {
                    prices.push((name(""), self.in_line(cell, unit)));
                }
                continue;
            }
            for (at, period) in calendar.periods.iter().enumerate() {
                let hours = period_hours(season, at, !calendar.holidays.is_empty());
                let Some(cell) = cell_of(cells, season, period).filter(|_| !hours.is_empty()) else { continue };
                prices.push((name(period), format!("{}: {hours}", self.in_line(cell, unit))));
            }
        }
        prices
    }

    fn demand(&self, charge: &DemandCharge) -> Part {
        let mut part = part(&charge.name);
        let window = charge
            .window_minutes
            .map_or_else(|| "one interval of your meter".to_owned(), |minutes| format!("{minutes} minutes"));
        part.lead.push(format!(
            "You pay for your highest demand of the bill: the highest average of {window}, in kW, {}.",
            if charge.per_period { "for each of these times by itself" } else { "at any time" }
        ));
        let tiered = charge.prices.iter().any(|cell| cell.blocks.len() > 1);
        match (self.calendar(charge.calendar.as_ref()).filter(|_| varies(&charge.prices)), charge.prices.first()) {
            (Some(calendar), _) => {
                part.prices = self.by_calendar(calendar, &charge.prices, "kW");
                if charge.per_period {
                    part.more.extend(hours_clock(self, true));
                    part.more.extend(hours_holidays(self, calendar));
                }
            }
            (None, Some(cell)) if tiered => part.prices = self.steps(&cell.blocks, "kW"),
            (None, Some(cell)) => part.prices.push(("Each kW".to_owned(), self.only(cell))),
            (None, None) => {}
        }
        if tiered {
            part.more.push("These limits stay the same however many days the bill has.".to_owned());
        }
        part.more.extend(of_register(charge.register.as_ref()));
        if let Some(ratchet) = &charge.ratchet {
            let only = if ratchet.only.is_empty() {
                String::new()
            } else {
                format!(" Only peaks in {} count for this.", self.months(&ratchet.only))
            };
            let months = if ratchet.months == 1 { "month".to_owned() } else { format!("{} months", ratchet.months) };
            part.more.push(format!(
                "A high peak counts for longer: you pay for at least {} of the highest demand of the {months} before, even if this month's is lower.{only}",
                self.percent(ratchet.percent)
            ));
        }
        part
    }

    /// `June to September`, or the months one by one.
    fn months(&self, months: &[u8]) -> String {
        let mut months: Vec<u8> = months.to_vec();
        months.sort_unstable();
        let name = |month: u8| month_name(month);
        match months.as_slice() {
            [first, .., last] if usize::from(last - first) + 1 == months.len() => {
                format!("{} to {}", name(*first), name(*last))
            }
            all => listed(&all.iter().map(|month| name(*month).to_owned()).collect::<Vec<_>>()),
        }
    }

    fn fixed(&self, charge: &FixedCharge) -> Part {
        let mut part = part(&charge.name);
        let price = self.price(charge.price);
        part.lead.push(match (charge.per, charge.proration) {
            (FixedBasis::Day, _) => format!("{price} a day, whatever you use."),
            (FixedBasis::AverageMonthDay, _) => format!(
                "{price} a day, whatever you use. Every calendar month counts as the twelfth part of 365 days, however long it is."
            ),
            (FixedBasis::Month, Proration::None) => {
                format!("{price} a month, whatever you use; each bill has it in whole, however many days it has.")
            }
            (FixedBasis::Month, Proration::CalendarDays) => {
                format!("{price} a month, whatever you use; a bill for part of a month has the share of its days.")
            }
            (FixedBasis::Month, Proration::NormalDays(days)) => {
                format!("{price} for {days} days, whatever you use; more or fewer days cost their share.")
            }
        });
        part
    }

    fn adjustment(&self, rider: &Adjustment) -> Part {
        let mut part = part(&rider.name);
        let sign = |value: Decimal| if value.is_sign_negative() { "less" } else { "more" };
        part.lead.push(match &rider.kind {
            AdjustmentKind::Kwh { price } => {
                format!("{} {} for each kWh you use.", self.price(price.abs()), sign(*price))
            }
            AdjustmentKind::Period { price } => format!("{} {} on each bill.", self.price(price.abs()), sign(*price)),
            AdjustmentKind::Percent { percent, of } => {
                let of = if of.is_empty() { &[LineKind::Energy, LineKind::Demand, LineKind::Fixed][..] } else { of };
                let of = listed(&of.iter().map(|kind| kind_words(*kind).to_owned()).collect::<Vec<_>>());
                let way = if percent.is_sign_negative() { "taken off" } else { "added" };
                format!("{} of the {of} is {way}.", self.percent(percent.abs()))
            }
        });
        part
    }

    fn minimum(&self, minimum: &Minimum) -> Part {
        let mut part = part(&minimum.name);
        let amount = format::amount(minimum.amount, &self.document.currency, self.locale);
        part.lead.push(match minimum.per {
            MinimumBasis::Period => {
                format!("A bill comes to at least {amount} before tax; what it lacks is a line of its own.")
            }
            MinimumBasis::Day => {
                format!("A bill comes to at least {amount} for each of its days before tax; what it lacks is a line of its own.")
            }
            MinimumBasis::Year => format!(
                "The bills of a calendar year come to at least {amount} before tax; what they lack is a line of the bill that holds 31 December."
            ),
        });
        if !minimum.counts.is_empty() {
            let counts: Vec<String> = minimum.counts.iter().map(|kind| kind_words(*kind).to_owned()).collect();
            part.more.push(format!("Towards it count {}.", listed(&counts)));
        }
        part
    }

    fn tax(&self, tax: &Tax) -> Part {
        let mut part = part(&tax.name);
        let mut on: Vec<String> = tax.on.iter().map(|kind| kind_words(*kind).to_owned()).collect();
        on.extend(tax.names.iter().cloned());
        let on = if on.is_empty() { "everything above".to_owned() } else { listed(&on) };
        part.lead.push(format!("{} on {on}.", self.percent(tax.percent)));
        part
    }

    fn export(&self, credit: &ExportCredit) -> Part {
        let mut part = part("Energy that you feed in");
        match credit {
            ExportCredit::NetMetering(metering) => self.net_metering(metering, &mut part),
            ExportCredit::NetBilling { calendar, netting, prices, roll_over } => {
                let within = if netting.is_interval() { "interval of your meter" } else { "hour of the clock" };
                part.lead.push(format!(
                    "Within each {within}, what you feed in is taken off what you use. What is left over earns a price of its own:"
                ));
                self.earned(calendar.as_ref(), prices, *roll_over, &mut part);
            }
            ExportCredit::BuyAllSellAll { calendar, prices, roll_over } => {
                part.lead.push(
                    "Everything you use is bought and everything you generate is sold: nothing is taken off. What you sell earns:".to_owned(),
                );
                self.earned(calendar.as_ref(), prices, *roll_over, &mut part);
            }
        }
        part
    }

    fn net_metering(&self, metering: &NetMetering, part: &mut Part) {
        let apart = if self.document.energy.iter().any(|charge| charge.prices.iter().any(|cell| cell.period.is_some()))
        {
            ", each time-of-use period by itself"
        } else {
            ""
        };
        part.lead.push(format!("What you feed in is taken off what you use, kWh for kWh, over the whole bill{apart}."));
        part.more.push(match (&metering.settlement, metering.roll_over) {
            (None, true) => "What is left over is kept in kWh for your next bills.".to_owned(),
            (None, false) => "What is left over at the end of a bill is lost.".to_owned(),
            (Some(paid), kept) => {
                let when = if paid.month == 0 {
                    "every bill".to_owned()
                } else {
                    format!("the bill for {}", month_name(paid.month))
                };
                let kept = if kept && paid.month != 0 { "is kept in kWh for your next bills and " } else { "" };
                format!("What is left over {kept}is paid out with {when}, {} for each kWh.", self.price(paid.price))
            }
        });
    }

    fn earned(&self, calendar: Option<&String>, prices: &[PriceCell], roll_over: bool, part: &mut Part) {
        match (self.calendar(calendar).filter(|_| varies(prices)), prices.first()) {
            (Some(calendar), _) => {
                part.prices = self.by_calendar(calendar, prices, "kWh");
                part.more.extend(hours_clock(self, true));
                part.more.extend(hours_holidays(self, calendar));
            }
            (None, Some(cell)) => part.prices.push(("Each kWh fed in".to_owned(), self.only(cell))),
            (None, None) => {}
        }
        part.more.push(if roll_over {
            "Credit beyond what the bill comes to is kept for your next bills.".to_owned()
        } else {
            "Credit beyond what the bill comes to is paid out to you.".to_owned()
        });
    }

    /// Nothing where figures are rounded as people expect.
    fn rounding(&self, policy: &RoundingPolicy) -> Option<Part> {
        let mut part = part("Rounding");
        if policy.money != eis::values::money::Rounding::default() {
            part.lead.push("Amounts are rounded to two decimals; half a unit goes to the even one.".to_owned());
        }
        if let Some(decimals) = policy.kwh_decimals {
            part.lead.push(match decimals {
                0 => "Energy is billed in whole kWh.".to_owned(),
                1 => "Energy is billed in kWh with one decimal.".to_owned(),
                n => format!("Energy is billed in kWh with {n} decimals."),
            });
        }
        if let Some(step) = policy.payable_step {
            part.lead.push(format!(
                "The amount to pay is rounded to a multiple of {}; the bill shows the difference.",
                self.price(step)
            ));
        }
        (!part.lead.is_empty()).then_some(part)
    }
}

/// Which register a price is of.
fn of_register(register: Option<&String>) -> Option<String> {
    register.map(|name| format!("This is for what register {} of your meter counts.", name.trim()))
}

/// Whether prices differ by season or period.
fn varies(cells: &[PriceCell]) -> bool {
    cells.iter().any(|cell| cell.season.is_some() || cell.period.is_some())
}

/// The price of a season and a period; without a period, the season's own.
pub(super) fn cell_of<'c>(cells: &'c [PriceCell], season: &Season, period: &str) -> Option<&'c PriceCell> {
    let season_fits = |cell: &&PriceCell| cell.season.as_ref().is_none_or(|name| *name == season.name);
    let period_fits = |cell: &&PriceCell| cell.period.as_ref().is_none_or(|name| name == period);
    cells.iter().filter(season_fits).find(period_fits)
}

const fn kind_words(kind: LineKind) -> &'static str {
    match kind {
        LineKind::Energy => "energy",
        LineKind::Demand => "demand",
        LineKind::Fixed => "fixed charges",
        LineKind::Minimum => "the minimum",
        LineKind::Tax => "tax",
        LineKind::Credit => "credit for energy fed in",
        LineKind::Adjustment => "additions and discounts",
    }
}

fn month_name(month: u8) -> &'static str {
    chrono::Month::try_from(month).map_or("", |month| month.name())
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(all: &[String]) -> String {
    match all {
        [] => String::new(),
        [one] => one.clone(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// The words of every example of a tariff, as kept in `words.txt`: made anew with `UPDATE_WORDS=1`, to be read.
    #[test]
    fn every_kind_of_tariff_is_told_in_words() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tariffs");
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        names.sort();
        assert!(names.len() >= 9);
        let mut told = String::new();
        for path in names {
            let document =
                eis::tariff_document::read(&std::fs::read_to_string(&path).unwrap(), chrono_tz::UTC).unwrap();
            let _ = writeln!(told, "# {}", path.file_stem().unwrap().to_string_lossy());
            for part in parts(&document, "2026-11-23".parse().unwrap(), Locale::EnGb) {
                let _ = writeln!(told, "\n{}", part.title);
                part.lead.iter().for_each(|text| _ = writeln!(told, "  {text}"));
                part.prices.iter().for_each(|(what, price)| _ = writeln!(told, "  - {what}: {price}"));
                part.more.iter().for_each(|text| _ = writeln!(told, "  {text}"));
            }
            told.push('\n');
        }
        let told = told.replace('\u{a0}', " ");
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages/tariff_view/words.txt");
        if std::env::var_os("UPDATE_WORDS").is_some() {
            std::fs::write(kept, &told).unwrap();
        }
        assert_eq!(told, std::fs::read_to_string(kept).unwrap());
    }
}

//! What differs between two tariffs, in words: matched by the names of charges, seasons and periods, not by place.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    Adjustment, AdjustmentKind, Block, BlockBasis, Calendar, Clock, DayKind, DemandCharge, EnergyCharge, ExportCredit,
    FixedBasis, FixedCharge, LineKind, Minimum, MinimumBasis, PriceCell, Proration, RoundingPolicy, TariffDocument,
    Tax, hours,
};
use crate::values::money::Rounding;

/// One thing that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// What it is about: `Energy · Summer · On-peak`.
    pub what: String,
    /// As it was; empty: it was not there.
    pub before: String,
    /// As it is; empty: it is gone.
    pub after: String,
}

/// Something that a document says.
struct Fact {
    what: String,
    /// The day that it is about; days with the same change are told together.
    day: Option<DayKind>,
    value: String,
}

/// What the second document says otherwise than the first, in the order of the document; what is gone comes last.
#[must_use]
pub fn difference(before: &TariffDocument, after: &TariffDocument) -> Vec<Change> {
    let (was, is) = (facts(before), facts(after));
    let find = |facts: &[Fact], one: &Fact| {
        facts.iter().find(|fact| fact.what == one.what && fact.day == one.day).map(|fact| fact.value.clone())
    };
    let mut found: Vec<(Change, Vec<DayKind>)> = vec![];
    let mut push = |fact: &Fact, before: String, after: String| {
        let change = Change { what: fact.what.clone(), before, after };
        match found.last_mut().filter(|(last, days)| *last == change && !days.is_empty()) {
            Some((_, days)) => days.extend(fact.day),
            None => found.push((change, fact.day.into_iter().collect())),
        }
    };
    for fact in &is {
        let before = find(&was, fact).unwrap_or_default();
        if before != fact.value {
            push(fact, before, fact.value.clone());
        }
    }
    for fact in was.iter().filter(|fact| find(&is, fact).is_none() && !fact.value.is_empty()) {
        push(fact, fact.value.clone(), String::new());
    }
    let told = |(change, days): (Change, Vec<DayKind>)| match days.as_slice() {
        [] => change,
        days => Change { what: format!("{} · {}", change.what, hours::days(days)), ..change },
    };
    found.into_iter().map(told).collect()
}

fn facts(tariff: &TariffDocument) -> Vec<Fact> {
    let mut facts = Facts::default();
    facts.say("Name", &tariff.name);
    facts.say("Description", &tariff.description);
    facts.say("Currency", &tariff.currency);
    facts.say("Time zone", tariff.zone.name());
    facts.say("Clock", if tariff.clock == Clock::Standard { "standard time all year" } else { "daylight saving" });
    for (name, calendar) in &tariff.calendars {
        let prefix = if tariff.calendars.len() > 1 { format!("{name} · ") } else { String::new() };
        facts.calendar(&prefix, calendar);
    }
    tariff.energy.iter().for_each(|charge| facts.energy(tariff, charge));
    tariff.demand.iter().for_each(|charge| facts.demand(tariff, charge));
    tariff.fixed.iter().for_each(|charge| facts.say(&charge.name, fixed(charge)));
    tariff.adjustments.iter().for_each(|rider| facts.say(&rider.name, adjustment(rider)));
    tariff.minimums.iter().for_each(|least| facts.say(&least.name, minimum(least)));
    tariff.taxes.iter().for_each(|one| facts.say(&one.name, tax(one)));
    facts.export(tariff);
    facts.rounding(&tariff.rounding);
    facts.list
}

#[derive(Default)]
struct Facts {
    list: Vec<Fact>,
    used: BTreeMap<String, usize>,
}

impl Facts {
    fn say(&mut self, what: &str, value: impl Into<String>) {
        // Two charges of one name are told apart by their order.
        let times = self.used.entry(what.to_owned()).or_default();
        *times += 1;
        let what = if *times > 1 { format!("{what} ({times})") } else { what.to_owned() };
        self.list.push(Fact { what, day: None, value: value.into() });
    }

    fn calendar(&mut self, prefix: &str, calendar: &Calendar) {
        self.say(&format!("{prefix}Periods"), calendar.periods.join(", "));
        for season in &calendar.seasons {
            let name = &season.name;
            self.say(&format!("{prefix}Season {name}"), format!("{} to {}", season.from, season.to));
            let days = DayKind::WEEK.into_iter().chain((!calendar.holidays.is_empty()).then_some(DayKind::Holiday));
            for day in days {
                let pattern = season.days.iter().find(|pattern| pattern.on.contains(&day));
                let text = pattern.map(|pattern| whole_day(&pattern.hours, &calendar.periods)).unwrap_or_default();
                self.list.push(Fact { what: format!("{prefix}Hours · {name}"), day: Some(day), value: text });
            }
        }
        let holidays: Vec<String> = calendar.holidays.iter().map(ToString::to_string).collect();
        self.say(&format!("{prefix}Holidays"), holidays.join(", "));
        let without: Vec<String> = calendar.no_holidays_in.iter().map(ToString::to_string).collect();
        self.say(&format!("{prefix}Years without holidays"), without.join(", "));
    }

    fn prices(&mut self, charge: &str, unit: &str, tariff: &TariffDocument, of: Option<&String>, cells: &[PriceCell]) {
        let calendar = of.and_then(|name| tariff.calendars.get(name));
        let Some(calendar) = calendar else {
            return cells.iter().for_each(|cell| self.say(charge, steps(&cell.blocks, unit)));
        };
        for season in &calendar.seasons {
            for (index, period) in calendar.periods.iter().enumerate() {
                let cell = cells.iter().find(|cell| cell.holds(&season.name, period)).filter(|_| season.uses(index));
                if let Some(cell) = cell {
                    let one = calendar.seasons.len() == 1;
                    let season = if one { String::new() } else { format!(" · {}", season.name) };
                    self.say(&format!("{charge}{season} · {period}"), steps(&cell.blocks, unit));
                }
            }
        }
    }

    fn energy(&mut self, tariff: &TariffDocument, charge: &EnergyCharge) {
        self.prices(&charge.name, "kWh", tariff, charge.calendar.as_ref(), &charge.prices);
        self.register(&charge.name, charge.register.as_ref());
        if charge.prices.iter().any(|cell| cell.blocks.len() > 1) {
            let basis = match charge.blocks_per {
                BlockBasis::Period => "a billing period, however long".to_owned(),
                BlockBasis::NormalDays(days) => format!("{days} days, scaled to the days of the period"),
                BlockBasis::Day => "a day, times the days of the period".to_owned(),
            };
            self.say(&format!("{} · limits hold for", charge.name), basis);
        }
    }

    fn register(&mut self, charge: &str, register: Option<&String>) {
        self.say(&format!("{charge} · register"), register.cloned().unwrap_or_default());
    }

    fn demand(&mut self, tariff: &TariffDocument, charge: &DemandCharge) {
        let name = &charge.name;
        self.prices(name, "kW", tariff, charge.calendar.as_ref(), &charge.prices);
        self.register(name, charge.register.as_ref());
        let window =
            charge.window_minutes.map_or("the meter's interval".to_owned(), |minutes| format!("{minutes} minutes"));
        self.say(&format!("{name} · measured over"), window);
        let of = if charge.per_period { "each period has its own" } else { "at any time" };
        self.say(&format!("{name} · highest demand"), of);
        let ratchet = charge.ratchet.as_ref().map(|ratchet| {
            let only = ratchet.only.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            let only = if only.is_empty() { String::new() } else { format!(", months {only} only") };
            format!("at least {} % of the highest of {} months{only}", plain(ratchet.percent), ratchet.months)
        });
        self.say(&format!("{name} · ratchet"), ratchet.unwrap_or_default());
    }

    fn export(&mut self, tariff: &TariffDocument) {
        let kept = |roll_over: bool| if roll_over { "kept for later bills" } else { "not kept" };
        match &tariff.export {
            None => self.say("Export", ""),
            Some(ExportCredit::NetMetering(rules)) => {
                self.say("Export", format!("net metering, what is left over is {}", kept(rules.roll_over)));
                let paid = rules.settlement.as_ref().map(|paid| {
                    let when =
                        if paid.month == 0 { "with every bill".to_owned() } else { format!("in month {}", paid.month) };
                    format!("{} per kWh {when}", plain(paid.price))
                });
                self.say("Export · settlement", paid.unwrap_or_default());
            }
            Some(ExportCredit::NetBilling { calendar, netting, prices, roll_over }) => {
                let time = if netting.is_interval() { "interval" } else { "hour" };
                self.say("Export", format!("net billing by the {time}, credit is {}", kept(*roll_over)));
                self.prices("Export price", "kWh", tariff, calendar.as_ref(), prices);
            }
            Some(ExportCredit::BuyAllSellAll { calendar, prices, roll_over }) => {
                self.say("Export", format!("buy all, sell all, credit is {}", kept(*roll_over)));
                self.prices("Export price", "kWh", tariff, calendar.as_ref(), prices);
            }
        }
    }

    fn rounding(&mut self, rounding: &RoundingPolicy) {
        let rule = match rounding.money {
            Rounding::HalfAwayFromZero => "half away from zero",
            Rounding::HalfToEven => "half to even",
            Rounding::TowardsZero => "towards zero",
            Rounding::AwayFromZero => "away from zero",
        };
        self.say("Rounding of lines", rule);
        self.say(
            "Rounding of kWh",
            rounding.kwh_decimals.map(|places| format!("{places} decimals")).unwrap_or_default(),
        );
        self.say("Rounding of the amount to pay", rounding.payable_step.map(plain).unwrap_or_default());
    }
}

/// A number without zeros at its end.
fn plain(number: Decimal) -> String {
    number.normalize().to_string()
}

/// Every hour of a day in words, the first period's too where it is the only one.
fn whole_day(pattern: &[u8], periods: &[String]) -> String {
    let text = hours::write(pattern, periods);
    if text.is_empty() { periods.first().cloned().unwrap_or_default() } else { text }
}

/// `0.31`, or `0.31 up to 100 kWh, then 0.42`.
fn steps(blocks: &[Block], unit: &str) -> String {
    let step = |block: &Block| match block.to {
        Some(to) => format!("{} up to {} {unit}", plain(block.price), plain(to)),
        None => plain(block.price),
    };
    blocks.iter().map(step).collect::<Vec<_>>().join(", then ")
}

fn fixed(charge: &FixedCharge) -> String {
    let per = match charge.per {
        FixedBasis::Month => "a month",
        FixedBasis::Day => "a day",
        FixedBasis::AverageMonthDay => "a day, 365/12 days in every month",
    };
    let part = match charge.proration {
        Proration::None => String::new(),
        Proration::CalendarDays => ", by calendar days".to_owned(),
        Proration::NormalDays(days) => format!(", by days of {days}"),
    };
    format!("{} {per}{part}", plain(charge.price))
}

fn kinds(kinds: &[LineKind]) -> String {
    kinds.iter().map(|kind| kind.as_str()).collect::<Vec<_>>().join(", ")
}

fn adjustment(rider: &Adjustment) -> String {
    match &rider.kind {
        AdjustmentKind::Kwh { price } => format!("{} per kWh", plain(*price)),
        AdjustmentKind::Period { price } => format!("{} once a bill", plain(*price)),
        AdjustmentKind::Percent { percent, of } => {
            let of = if of.is_empty() { "energy, demand, fixed".to_owned() } else { kinds(of) };
            format!("{} % of {of}", plain(*percent))
        }
    }
}

fn minimum(least: &Minimum) -> String {
    let per = match least.per {
        MinimumBasis::Period => "a bill",
        MinimumBasis::Day => "a day",
        MinimumBasis::Year => "a year",
    };
    let counts = if least.counts.is_empty() { String::new() } else { format!(", counting {}", kinds(&least.counts)) };
    format!("at least {} {per}{counts}", plain(least.amount))
}

fn tax(one: &Tax) -> String {
    let of = [kinds(&one.on), one.names.join(", ")].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
    let of = if of.is_empty() { "everything".to_owned() } else { of.join(", ") };
    format!("{} % of {of}", plain(one.percent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn tou() -> TariffDocument {
        let mut weekday = [0; 24];
        weekday[16..21].fill(1);
        let periods = [("Off-peak", decimal("0.2")), ("On-peak", decimal("0.4"))];
        TariffDocument::time_of_use("T", "EUR", chrono_tz::UTC, &periods, weekday, [0; 24])
    }

    fn told(before: &TariffDocument, after: &TariffDocument) -> Vec<[String; 3]> {
        difference(before, after).into_iter().map(|change| [change.what, change.before, change.after]).collect()
    }

    #[test]
    fn a_price_and_the_hours_of_the_week_are_told_once() {
        let (before, mut after) = (tou(), tou());
        assert_eq!(told(&before, &after), Vec::<[String; 3]>::new());
        after.energy[0].prices[1].blocks[0].price = decimal("0.450");
        let calendar = after.calendars.get_mut("time of use").unwrap();
        calendar.seasons[0].days[0].hours[21] = 1;
        assert_eq!(
            told(&before, &after),
            [
                ["Hours · All year · Monday to Friday", "On-peak 16:00–21:00", "On-peak 16:00–22:00"],
                ["Energy · On-peak", "0.4", "0.45"],
            ]
            .map(|row| row.map(str::to_owned))
        );
    }

    #[test]
    fn what_is_new_and_what_is_gone_is_told_with_nothing_beside_it() {
        let before = tou().and_monthly("Base", decimal("9.90"));
        let after = tou().and_tax("VAT", decimal("19"));
        assert_eq!(
            told(&before, &after),
            [["VAT", "", "19 % of everything"], ["Base", "9.9 a month", ""]].map(|row| row.map(str::to_owned))
        );
    }

    #[test]
    fn the_same_hours_written_otherwise_are_no_difference() {
        let (before, mut after) = (tou(), tou());
        let calendar = after.calendars.get_mut("time of use").unwrap();
        let day = &mut calendar.seasons[0].days[0];
        day.hours = day.hours.iter().flat_map(|hour| [*hour, *hour]).collect();
        assert_eq!(told(&before, &after), Vec::<[String; 3]>::new());
    }
}

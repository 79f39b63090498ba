//! A tariff document written into the form; [`read`](super::read) is the way back.

use eis::tariff_document::{
    AdjustmentKind, BlockBasis, Calendar, Clock, DayKind, ExportCredit, FixedBasis, LineKind, MinimumBasis, PriceCell,
    Proration, RoundingPolicy, TariffDocument, hours,
};
use rust_decimal::Decimal;

use super::fields::Fields;
use crate::format::{self, Locale};

/// How a number is written into a field.
type Spelled<'s> = &'s dyn Fn(Decimal) -> String;

/// The fields of a document, figures as the locale writes them.
pub fn fill(document: &TariffDocument, locale: Locale) -> Fields {
    let mut fields = Fields::default();
    let plain = |number: Decimal| format::field(number, locale);
    let plain: Spelled<'_> = &plain;
    fields.set("name", &document.name);
    fields.set("description", &document.description);
    fields.set("zone", document.zone.name());
    fields.set("clock", if document.clock == Clock::Standard { "standard" } else { "daylight_saving" });
    for (at, (name, one)) in document.calendars.iter().enumerate() {
        calendar(&mut fields, &format!("calendars.{at}"), name, one);
    }
    energy(&mut fields, document, plain);
    demand(&mut fields, document, plain);
    charges(&mut fields, document, plain);
    export(&mut fields, document, plain);
    rounding(&mut fields, &document.rounding, plain);
    fields
}

fn calendar(fields: &mut Fields, at: &str, name: &str, calendar: &Calendar) {
    fields.set(format!("{at}.name"), name);
    for (index, period) in calendar.periods.iter().enumerate() {
        fields.set(format!("{at}.periods.{index}"), period);
    }
    for (index, season) in calendar.seasons.iter().enumerate() {
        let at = format!("{at}.seasons.{index}");
        fields.set(format!("{at}.name"), &season.name);
        fields.set(format!("{at}.from"), season.from);
        fields.set(format!("{at}.to"), season.to);
        for pattern in &season.days {
            for day in &pattern.on {
                fields.set(format!("{at}.days.{}", day.index()), hours::write(&pattern.hours, &calendar.periods));
            }
        }
    }
    let holidays: Vec<String> = calendar.holidays.iter().map(ToString::to_string).collect();
    fields.set(format!("{at}.holidays"), holidays.join("\n"));
    let without: Vec<String> = calendar.no_holidays_in.iter().map(ToString::to_string).collect();
    fields.set(format!("{at}.no_holidays_in"), without.join(", "));
}

/// Which calendar, and a price for every season and period, or for all.
fn prices(
    fields: &mut Fields,
    at: &str,
    document: &TariffDocument,
    of: Option<&String>,
    cells: &[PriceCell],
    plain: Spelled<'_>,
) {
    let found = of.and_then(|name| document.calendars.iter().enumerate().find(|(_, (known, _))| *known == name));
    fields.set(format!("{at}.calendar"), found.map(|(place, _)| place.to_string()).unwrap_or_default());
    let by_season = cells.iter().any(|cell| cell.season.is_some());
    let by_period = cells.iter().any(|cell| cell.period.is_some());
    let Some((_, (_, calendar))) = found else {
        return cells.iter().take(1).for_each(|cell| steps(fields, at, ["sx", "px"], cell, plain));
    };
    fields.tick(format!("{at}.by_season"), by_season);
    fields.tick(format!("{at}.by_period"), by_period);
    for (s, season) in calendar.seasons.iter().enumerate() {
        for (p, period) in calendar.periods.iter().enumerate() {
            let season_key = if by_season { format!("s{s}") } else { "sx".to_owned() };
            let period_key = if by_period { format!("p{p}") } else { "px".to_owned() };
            if let Some(cell) = cells.iter().find(|cell| cell.holds(&season.name, period)) {
                steps(fields, at, [&season_key, &period_key], cell, plain);
            }
        }
    }
}

fn steps(fields: &mut Fields, at: &str, [season, period]: [&str; 2], cell: &PriceCell, plain: Spelled<'_>) {
    for (index, block) in cell.blocks.iter().enumerate() {
        let at = format!("{at}.prices.{season}.{period}.blocks.{index}");
        fields.set(format!("{at}.to"), block.to.map(plain).unwrap_or_default());
        fields.set(format!("{at}.price"), plain(block.price));
    }
}

fn energy(fields: &mut Fields, document: &TariffDocument, plain: Spelled<'_>) {
    for (at, charge) in document.energy.iter().enumerate() {
        let at = format!("energy.{at}");
        fields.set(format!("{at}.name"), &charge.name);
        let (basis, days) = match charge.blocks_per {
            BlockBasis::Period => ("period", String::new()),
            BlockBasis::Day => ("day", String::new()),
            BlockBasis::NormalDays(days) => ("normal_days", days.to_string()),
        };
        fields.set(format!("{at}.register"), charge.register.clone().unwrap_or_default());
        fields.set(format!("{at}.blocks_per"), basis);
        fields.set(format!("{at}.normal_days"), days);
        prices(fields, &at, document, charge.calendar.as_ref(), &charge.prices, plain);
    }
}

fn demand(fields: &mut Fields, document: &TariffDocument, plain: Spelled<'_>) {
    for (at, charge) in document.demand.iter().enumerate() {
        let at = format!("demand.{at}");
        fields.set(format!("{at}.name"), &charge.name);
        let window = charge.window_minutes.map(|minutes| minutes.to_string());
        fields.set(format!("{at}.window"), window.unwrap_or_default());
        fields.set(format!("{at}.register"), charge.register.clone().unwrap_or_default());
        let ratchet = charge.ratchet.as_ref();
        fields.set(format!("{at}.ratchet.percent"), ratchet.map(|one| plain(one.percent)).unwrap_or_default());
        fields.set(format!("{at}.ratchet.months"), ratchet.map(|one| one.months.to_string()).unwrap_or_default());
        let only = ratchet.map(|one| one.only.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
        fields.set(format!("{at}.ratchet.only"), only.unwrap_or_default());
        prices(fields, &at, document, charge.calendar.as_ref(), &charge.prices, plain);
        fields.tick(format!("{at}.by_period"), charge.per_period);
    }
}

/// The boxes of some kinds of lines.
fn kinds(fields: &mut Fields, at: &str, kinds: &[LineKind]) {
    kinds.iter().for_each(|kind| fields.tick(format!("{at}.{}", kind.as_str()), true));
}

fn charges(fields: &mut Fields, document: &TariffDocument, plain: Spelled<'_>) {
    for (at, charge) in document.fixed.iter().enumerate() {
        let at = format!("fixed.{at}");
        fields.set(format!("{at}.name"), &charge.name);
        fields.set(format!("{at}.price"), plain(charge.price));
        let per = match charge.per {
            FixedBasis::Month => "month",
            FixedBasis::Day => "day",
            FixedBasis::AverageMonthDay => "average_month_day",
        };
        fields.set(format!("{at}.per"), per);
        let (proration, days) = match charge.proration {
            Proration::None => ("none", String::new()),
            Proration::CalendarDays => ("calendar_days", String::new()),
            Proration::NormalDays(days) => ("normal_days", days.to_string()),
        };
        fields.set(format!("{at}.proration"), proration);
        fields.set(format!("{at}.normal_days"), days);
    }
    for (at, rider) in document.adjustments.iter().enumerate() {
        let at = format!("adjustments.{at}");
        fields.set(format!("{at}.name"), &rider.name);
        let (per, amount) = match &rider.kind {
            AdjustmentKind::Kwh { price } => ("kwh", *price),
            AdjustmentKind::Period { price } => ("period", *price),
            AdjustmentKind::Percent { percent, of } => {
                kinds(fields, &format!("{at}.of"), of);
                ("percent", *percent)
            }
        };
        fields.set(format!("{at}.per"), per);
        fields.set(format!("{at}.amount"), plain(amount));
    }
    for (at, least) in document.minimums.iter().enumerate() {
        let at = format!("minimums.{at}");
        fields.set(format!("{at}.name"), &least.name);
        fields.set(format!("{at}.amount"), plain(least.amount));
        let per = match least.per {
            MinimumBasis::Period => "period",
            MinimumBasis::Day => "day",
            MinimumBasis::Year => "year",
        };
        fields.set(format!("{at}.per"), per);
        kinds(fields, &format!("{at}.counts"), &least.counts);
    }
    for (at, tax) in document.taxes.iter().enumerate() {
        let at = format!("taxes.{at}");
        fields.set(format!("{at}.name"), &tax.name);
        fields.set(format!("{at}.percent"), plain(tax.percent));
        kinds(fields, &format!("{at}.on"), &tax.on);
        fields.set(format!("{at}.names"), tax.names.join("\n"));
    }
}

fn export(fields: &mut Fields, document: &TariffDocument, plain: Spelled<'_>) {
    let (form, roll_over) = match &document.export {
        None => ("", false),
        Some(ExportCredit::NetMetering(rules)) => {
            if let Some(paid) = &rules.settlement {
                fields.set("export.settlement.month", paid.month);
                fields.set("export.settlement.price", plain(paid.price));
            }
            ("net_metering", rules.roll_over)
        }
        Some(ExportCredit::NetBilling { calendar, netting, prices: cells, roll_over }) => {
            fields.set("export.netting", if netting.is_interval() { "interval" } else { "hour" });
            prices(fields, "export", document, calendar.as_ref(), cells, plain);
            ("net_billing", *roll_over)
        }
        Some(ExportCredit::BuyAllSellAll { calendar, prices: cells, roll_over }) => {
            prices(fields, "export", document, calendar.as_ref(), cells, plain);
            ("buy_all_sell_all", *roll_over)
        }
    };
    fields.set("export.form", form);
    fields.tick("export.roll_over", roll_over);
}

fn rounding(fields: &mut Fields, rounding: &RoundingPolicy, plain: Spelled<'_>) {
    let rule = serde_json::to_value(rounding.money).ok().and_then(|rule| rule.as_str().map(str::to_owned));
    fields.set("rounding.money", rule.unwrap_or_default());
    fields.set("rounding.kwh_decimals", rounding.kwh_decimals.map(|places| places.to_string()).unwrap_or_default());
    fields.set("rounding.payable_step", rounding.payable_step.map(plain).unwrap_or_default());
}

/// Every kind of day, in the order of their numbers.
pub const DAYS: [DayKind; 8] = [
    DayKind::Monday,
    DayKind::Tuesday,
    DayKind::Wednesday,
    DayKind::Thursday,
    DayKind::Friday,
    DayKind::Saturday,
    DayKind::Sunday,
    DayKind::Holiday,
];

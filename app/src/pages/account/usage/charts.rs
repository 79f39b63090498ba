//! Usage as bars: by month, by day, by hour; what was fed in stands in a chart of its own.

use chrono::{DateTime, Datelike, NaiveDate, Utc};
use chrono_tz::Tz;
use eis::metering::usage_data::periods::{self, Period};
use eis::metering::usage_data::{By, MeterDay, Total};
use leptos::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

use crate::components::{BarChart, Series, SeriesTone};
use crate::format::{self, Locale};

/// Totals by month or by day as bars; stacked by time-of-use period as far as bills divided them.
pub fn by(by: By, id: &str, totals: &BTreeMap<NaiveDate, Total>, mut periods: Vec<Period>, locale: Locale) -> AnyView {
    let label = |day: &NaiveDate| match by {
        By::Month => format::short_month(*day, locale),
        By::Day => day.day().to_string(),
    };
    let name = |day: &NaiveDate| match by {
        By::Month => format::month(*day, locale),
        By::Day => format::date(*day, locale),
    };
    let most = totals.iter().max_by_key(|(_, total)| total.imported);
    let description =
        most.map(|(day, total)| format!("Most in {}: {}.", name(day), format::kwh_short(total.imported, locale)));
    let (title, head) = if by == By::Month { ("Usage by month", "Month") } else { ("Usage by day", "Day") };
    let rest = periods::rest(totals, &mut periods);
    let bars = Bars {
        labels: totals.keys().map(label).collect(),
        names: totals.keys().map(name).collect(),
        used: parts(&rest, &periods),
        fed: totals.values().map(|total| total.exported).collect(),
    };
    bars.view(id, title, head, description.unwrap_or_default(), locale)
}

fn whole(name: &str, tone: SeriesTone, values: Vec<Decimal>) -> Series {
    Series { name: name.to_owned(), tone, values }
}

/// The periods, the cheapest at the bottom, and above them what no bill has divided yet.
fn parts(rest: &BTreeMap<NaiveDate, Decimal>, periods: &[Period]) -> Vec<Series> {
    let known: Vec<&Period> = periods.iter().filter(|period| !period.kwh.is_empty()).collect();
    if known.is_empty() {
        return vec![whole("Used", SeriesTone::Usage, rest.values().copied().collect())];
    }
    let last = known.len() - 1;
    let tone = |at: usize| match at {
        0 => SeriesTone::OnPeak,
        at if at == last => SeriesTone::OffPeak,
        _ => SeriesTone::MidPeak,
    };
    let of = |period: &Period| rest.keys().map(|day| period.kwh.get(day).copied().unwrap_or_default()).collect();
    let mut parts: Vec<Series> =
        known.iter().enumerate().rev().map(|(at, period)| whole(&period.name, tone(at), of(period))).collect();
    if rest.values().any(|kwh| !kwh.is_zero()) {
        parts.push(whole("Not billed by time of use", SeriesTone::Before, rest.values().copied().collect()));
    }
    parts
}

struct Bars {
    labels: Vec<String>,
    names: Vec<String>,
    used: Vec<Series>,
    fed: Vec<Decimal>,
}

impl Bars {
    /// A chart of what was used and, where something was, one of what was fed in: the two are never added up.
    fn view(self, id: &str, title: &str, head: &str, description: String, locale: Locale) -> AnyView {
        let fed = self.fed;
        let export = fed.iter().any(|value| !value.is_zero()).then(|| {
            let total: Decimal = fed.iter().sum();
            let text = format!("{} in all.", format::kwh_short(total, locale));
            let title = title.replacen("Usage", "Fed into the grid", 1);
            view! {
                <BarChart id=format!("{id}-export") title=title description=text unit="kWh" label_head=head labels=self.labels.clone() names=self.names.clone() series=vec![whole("Fed in", SeriesTone::Export, fed)] locale=locale places=3/>
            }
        });
        view! {
            <div class="stack">
                <BarChart id=id title=title description=description unit="kWh" label_head=head labels=self.labels names=self.names series=self.used locale=locale places=3/>
                {export}
            </div>
        }
        .into_any()
    }
}

/// The hours of a day as bars.
pub fn by_hour(hours: &BTreeMap<DateTime<Utc>, Total>, day: &[MeterDay], name: &str, locale: Locale) -> AnyView {
    // Without a day there is no hour to name.
    let zone = day.first().map_or(Tz::UTC, |day| day.zone);
    let clock = |at: &DateTime<Utc>| at.with_timezone(&zone);
    // The hour that comes twice when clocks go back is told apart by its offset.
    let names = hours.keys().map(|at| clock(at).format("%H:%M (UTC%:z)").to_string());
    let plain = hours.len() == 24;
    let names = names.map(|text| if plain { text.chars().take(5).collect() } else { text }).collect();
    let most = hours.iter().max_by_key(|(_, total)| total.imported);
    let description = most.map(|(at, total)| {
        format!("Most from {}: {}.", clock(at).format("%H:%M"), format::kwh_short(total.imported, locale))
    });
    let bars = Bars {
        labels: hours.keys().map(|at| clock(at).format("%H").to_string()).collect(),
        names,
        used: vec![whole("Used", SeriesTone::Usage, hours.values().map(|total| total.imported).collect())],
        fed: hours.values().map(|total| total.exported).collect(),
    };
    bars.view("usage", &format!("Usage by hour, {name}"), "Hour from", description.unwrap_or_default(), locale)
}

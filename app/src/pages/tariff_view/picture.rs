//! A tariff's energy price as a picture: one price, a staircase, or a week of hours for each season.

use chrono::{DateTime, Datelike, Timelike, Utc};
use eis::tariff_document::{Calendar, DayKind, DayPattern, EnergyCharge, PriceCell, Season, TariffDocument};
use leptos::prelude::*;
use rust_decimal::Decimal;

use super::clock::season_span;
use super::words::cell_of;
use crate::components::{Notice, PriceStep, PriceSteps, Series, SeriesTone, Stat, Stats, WeekChart, WeekRow};
use crate::format::{self, Locale, price_exact};

/// The picture of every energy charge. `now`: what holds at this moment is said and marked.
pub fn picture(document: &TariffDocument, id: &str, now: Option<DateTime<Utc>>, locale: Locale) -> AnyView {
    let charges = document.energy.iter().enumerate();
    let all = charges.map(|(at, charge)| one(document, charge, &format!("{id}{at}"), now, locale)).collect_view();
    view! { <div class="stack">{all}</div> }.into_any()
}

fn one(
    document: &TariffDocument,
    charge: &EnergyCharge,
    id: &str,
    now: Option<DateTime<Utc>>,
    locale: Locale,
) -> AnyView {
    let calendar = charge.calendar.as_ref().and_then(|name| document.calendars.get(name));
    let by_hour = charge.prices.iter().any(|cell| cell.period.is_some());
    if let Some(calendar) = calendar.filter(|_| by_hour) {
        return weeks(document, calendar, charge, id, now, locale);
    }
    let figures = charge.prices.iter().enumerate().map(|(at, cell)| {
        let name = cell.season.clone().unwrap_or_default();
        match cell.blocks.as_slice() {
            [only] => {
                let value = price_exact(only.price, &document.currency, locale);
                let label = if name.is_empty() { "Each kWh".to_owned() } else { format!("Each kWh, {name}") };
                view! { <Stats stats=vec![Stat { label, value, note: charge.name.clone(), ..Stat::default() }]/> }
                    .into_any()
            }
            _ => stairs(document, charge, cell, &format!("{id}s{at}"), &name, locale),
        }
    });
    figures.collect_view().into_any()
}

/// The steps of a cell as a staircase.
fn stairs(
    document: &TariffDocument,
    charge: &EnergyCharge,
    cell: &PriceCell,
    id: &str,
    name: &str,
    locale: Locale,
) -> AnyView {
    let price = |value: Decimal| price_exact(value, &document.currency, locale);
    let kwh = |value: Decimal| format!("{}\u{a0}kWh", format::number(value, value.normalize().scale(), locale));
    let step = |block: &eis::tariff_document::Block| PriceStep {
        from: block.from,
        from_text: kwh(block.from),
        price: block.price,
        price_text: price(block.price),
    };
    let steps: Vec<PriceStep> = cell.blocks.iter().map(step).collect();
    let told: Vec<String> =
        steps.iter().map(|step| format!("{} from {} on", step.price_text, step.from_text)).collect();
    let name = if name.is_empty() { String::new() } else { format!(", {name}") };
    let basis = match charge.blocks_per {
        eis::tariff_document::BlockBasis::Period => "a bill".to_owned(),
        eis::tariff_document::BlockBasis::NormalDays(days) => format!("{days} days"),
        eis::tariff_document::BlockBasis::Day => "a day".to_owned(),
    };
    let title = format!("Price of a kWh by usage in {basis}{name}");
    view! { <PriceSteps id=id.to_owned() title=title description=told.join(", ") steps=steps/> }.into_any()
}

/// Colour and pattern of each period: the dearest is drawn as on-peak, the cheapest as off-peak.
fn tones(calendar: &Calendar, charge: &EnergyCharge) -> Vec<SeriesTone> {
    let price = |period: &String| {
        let cells = charge.prices.iter().filter(|cell| cell.period.as_ref().is_none_or(|name| name == period));
        cells.filter_map(|cell| cell.blocks.first()).map(|block| block.price).max().unwrap_or_default()
    };
    let mut order: Vec<usize> = (0..calendar.periods.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(calendar.periods.get(*at).map(price)));
    let middle = [SeriesTone::MidPeak, SeriesTone::Export, SeriesTone::Usage, SeriesTone::Before];
    let mut tones = vec![SeriesTone::OffPeak; order.len()];
    for (rank, at) in order.iter().enumerate() {
        let tone = match rank {
            0 => SeriesTone::OnPeak,
            rank if rank + 1 == order.len() => SeriesTone::OffPeak,
            rank => middle.get(rank - 1).copied().unwrap_or(SeriesTone::Before),
        };
        if let Some(slot) = tones.get_mut(*at) {
            *slot = tone;
        }
    }
    tones
}

/// A week for each season, and what holds now.
fn weeks(
    document: &TariffDocument,
    calendar: &Calendar,
    charge: &EnergyCharge,
    id: &str,
    now: Option<DateTime<Utc>>,
    locale: Locale,
) -> AnyView {
    let tones = tones(calendar, charge);
    let local = now.map(|now| now.with_timezone(&document.zone).naive_local());
    let holding = now.and_then(|now| document.holding(calendar, now));
    let charts = calendar.seasons.iter().enumerate().map(|(at, season)| {
        let price = |cell: &PriceCell| {
            let first = cell.blocks.first().map_or(Decimal::ZERO, |block| block.price);
            let from = if cell.blocks.len() > 1 { "from " } else { "" };
            format!("{from}{}", price_exact(first, &document.currency, locale))
        };
        let periods = calendar.periods.iter().zip(&tones).map(|(name, tone)| Series {
            name: cell_of(&charge.prices, season, name).map_or_else(|| name.clone(), |cell| format!("{name}, {}", price(cell))),
            tone: *tone,
            values: vec![],
        });
        let rows = rows(season, !calendar.holidays.is_empty());
        // The periods that the season has, numbered anew.
        let used: Vec<usize> = (0..calendar.periods.len())
            .filter(|period| rows.iter().any(|row| row.runs.iter().any(|run| run.2 == *period)))
            .collect();
        let periods: Vec<Series> = periods.enumerate().filter(|(at, _)| used.contains(at)).map(|(_, one)| one).collect();
        let rows = rows.into_iter().map(|row| renumbered(row, &used)).collect();
        let current = holding.as_ref().filter(|holding| holding.season == season.name).map(|holding| {
            let clock = holding.clock;
            let holiday = calendar.holidays.contains(&clock.date());
            let row = if holiday { 7 } else { usize::try_from(clock.weekday().num_days_from_monday()).unwrap_or(0) };
            (row, i64::from(clock.hour() * 60 + clock.minute()))
        });
        let title = if calendar.seasons.len() == 1 {
            "A week, hour by hour".to_owned()
        } else {
            format!("{}, {}", season.name, season_span(season, locale))
        };
        let description = "Which time-of-use period holds in each hour of each day of the week.";
        view! { <WeekChart id=format!("{id}w{at}") title=title description=description periods=periods rows=rows now=current/> }
    });
    // The season that holds first.
    let mut charts: Vec<(bool, AnyView)> = charts
        .zip(&calendar.seasons)
        .map(|(chart, season)| (holding.as_ref().is_none_or(|holding| holding.season != season.name), chart.into_any()))
        .collect();
    charts.sort_by_key(|(later, _)| *later);
    let charts = charts.into_iter().map(|(_, chart)| chart).collect_view();
    let said = holding.as_ref().map(|holding| {
        let until = holding.until.map(|until| {
            let time = until.format("%H:%M");
            let today = local.is_some_and(|local| local.date() == until.date());
            if today { format!(" until {time}") } else { format!(" until {} {time}", until.format("%A")) }
        });
        let season = calendar.seasons.iter().find(|season| season.name == holding.season);
        let price = season
            .and_then(|season| cell_of(&charge.prices, season, &holding.period))
            .and_then(|cell| cell.blocks.first())
            .filter(|_| charge.prices.iter().all(|cell| cell.blocks.len() == 1))
            .map(|block| format!("A kWh used now costs {}.", price_exact(block.price, &document.currency, locale)));
        let title = format!("Now: {}{}", holding.period, until.unwrap_or_default());
        view! { <Notice title=title>{price.map(|price| view! { <p>{price}</p> })}</Notice> }
    });
    view! { {said} {charts} }.into_any()
}

fn renumbered(row: WeekRow, used: &[usize]) -> WeekRow {
    let place = |period: usize| used.iter().position(|known| *known == period).unwrap_or_default();
    WeekRow { runs: row.runs.iter().map(|(from, to, period)| (*from, *to, place(*period))).collect(), ..row }
}

const SHORT: [&str; 8] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Hol."];

/// Monday to Sunday, and holidays where the calendar has any.
fn rows(season: &Season, with_holidays: bool) -> Vec<WeekRow> {
    let days = DayKind::WEEK.into_iter().chain(with_holidays.then_some(DayKind::Holiday));
    let row = |day: DayKind| {
        let pattern = season.days.iter().find(|pattern| pattern.on.contains(&day));
        WeekRow {
            label: SHORT.get(day.index()).copied().unwrap_or_default().to_owned(),
            name: format!("{day:?}"),
            runs: pattern.map(runs).unwrap_or_default(),
        }
    };
    days.map(row).collect()
}

fn runs(pattern: &DayPattern) -> Vec<(i64, i64, usize)> {
    let parts = i64::try_from(pattern.hours.len()).unwrap_or(24).max(1);
    let mut runs: Vec<(i64, i64, usize)> = vec![];
    for (at, period) in (0..parts).zip(&pattern.hours) {
        let (from, to) = (at * 24 * 60 / parts, (at + 1) * 24 * 60 / parts);
        match runs.last_mut() {
            Some(last) if last.2 == usize::from(*period) => last.1 = to,
            _ => runs.push((from, to, usize::from(*period))),
        }
    }
    runs
}

//! A customer's usage by month, day and hour: chart, table, the way to before and after, CSV.

pub(super) mod charts;

use axum::response::{IntoResponse, Response};
use chrono::{Datelike, Days, Months, NaiveDate};
use eis::metering::usage_data::periods::{self, Period};
use eis::metering::usage_data::{self, By, MeterDay, Total};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use std::collections::BTreeMap;

use super::AtAccount;
use crate::components::{EmptyState, Notice, PageHeader, Pagination, Section, Stat, Stats, Tab, Tabs};
use crate::format::{self, Locale};
use crate::pages::frame::page as framed;
use crate::pages::parts::{address, csv_file};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::query::Query;

const PATH: &str = "/account/usage";
/// The longest span of days on a page and of intervals in a file.
const MOST_DAYS: i64 = 400;

/// What to show, all in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct UsageQuery {
    by: String,
    from: String,
    to: String,
}

/// A span of days and how it is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Month,
    Day,
    Hour,
}

impl Step {
    fn parse(text: &str) -> Self {
        match text {
            "day" => Self::Day,
            "hour" => Self::Hour,
            _ => Self::Month,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::Month => "month",
            Self::Day => "day",
            Self::Hour => "hour",
        }
    }
}

/// What is shown: from the first day to the day after the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    step: Step,
    from: NaiveDate,
    to: NaiveDate,
}

impl Window {
    /// The window of an address; without a day, the latest one that something is known about.
    fn of(query: &UsageQuery, latest: NaiveDate) -> Self {
        let step = Step::parse(&query.by);
        let day = |text: &str| text.parse::<NaiveDate>().ok().filter(|day| (1990..2100).contains(&day.year()));
        let month = By::Month.key(day(&query.from).unwrap_or(latest));
        match step {
            Step::Hour => {
                let from = day(&query.from).unwrap_or(latest);
                Self { step, from, to: plus_days(from, 1) }
            }
            Step::Day => match day(&query.from).zip(day(&query.to)) {
                Some((from, last)) if from <= last && (last - from).num_days() < MOST_DAYS => {
                    Self { step, from, to: plus_days(last, 1) }
                }
                _ => Self { step, from: month, to: plus_months(month, 1) },
            },
            Step::Month => {
                let from = if day(&query.from).is_some() { month } else { plus_months(month, -11) };
                Self { step, from, to: plus_months(from, 12) }
            }
        }
    }

    /// The window as long before or after.
    fn moved(self, forward: i32) -> Self {
        let (from, to) = match self.step {
            Step::Month => (plus_months(self.from, 12 * forward), plus_months(self.to, 12 * forward)),
            Step::Day if self.is_month() => (plus_months(self.from, forward), plus_months(self.to, forward)),
            Step::Day | Step::Hour => {
                let days = (self.to - self.from).num_days() * i64::from(forward);
                (self.from + chrono::Duration::days(days), self.to + chrono::Duration::days(days))
            }
        };
        Self { from, to, ..self }
    }

    fn is_month(self) -> bool {
        self.from.day() == 1 && plus_months(self.from, 1) == self.to
    }

    fn last(self) -> NaiveDate {
        self.to.pred_opt().unwrap_or(self.to)
    }

    fn href(self, path: &str) -> String {
        let to = if self.step == Step::Day && !self.is_month() { self.last().to_string() } else { String::new() };
        address(path, &[("by", self.step.code()), ("from", &self.from.to_string()), ("to", &to)])
    }

    fn name(self, locale: Locale) -> String {
        match self.step {
            Step::Month => format!("{} – {}", format::month(self.from, locale), format::month(self.last(), locale)),
            Step::Day if self.is_month() => format::month(self.from, locale),
            Step::Day => format::date_range(self.from, self.last(), locale),
            Step::Hour => format::date_long(self.from, locale),
        }
    }
}

fn plus_months(day: NaiveDate, months: i32) -> NaiveDate {
    let moved = if months < 0 {
        day.checked_sub_months(Months::new(months.unsigned_abs()))
    } else {
        day.checked_add_months(Months::new(months.unsigned_abs()))
    };
    moved.unwrap_or(day)
}

fn plus_days(day: NaiveDate, days: u64) -> NaiveDate {
    day.checked_add_days(Days::new(days)).unwrap_or(day)
}

/// `GET /account/usage`
pub async fn page(ctx: Ctx, Query(query): Query<UsageQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtAccount::open(&ctx).await?;
    let known = usage_data::span(&tx, at.customer.id).await?;
    let window = Window::of(&query, known.map_or_else(|| at.today(), |(_, last)| last));
    let (mut totals, mut periods, mut day) = (BTreeMap::new(), Vec::new(), Vec::new());
    match window.step {
        Step::Hour => day = usage_data::profiles(&tx, at.customer.id, window.from, window.to).await?,
        Step::Day | Step::Month => {
            let by = if window.step == Step::Day { By::Day } else { By::Month };
            (totals, periods) = tokio::try_join!(
                usage_data::totals(&tx, at.customer.id, by, window.from, window.to),
                periods::by_period(&tx, at.customer.id, by, window.from, window.to),
            )?;
        }
    }
    drop(tx);
    let place = at.place(&[], "");
    let actor = at.actor.clone();
    let html = framed(&ctx, &actor, place, "Usage", move || {
        let content = match known {
            None => view! { <EmptyState title="No usage yet" text="Your usage appears here as soon as your meter has been read."/> }.into_any(),
            Some(span) => shown(&at, window, span, totals, periods, &day),
        };
        view! {
            <PageHeader title="Usage" second={if known.is_some() { "Download CSV" } else { "" }} second_href=window.href("/account/usage.csv")/>
            {tabs(window)}
            {content}
        }
    })
    .await;
    Ok(html.into_response())
}

/// The same time by another step.
fn tabs(window: Window) -> impl IntoView {
    let tab = |label: &str, step: Step| {
        let from = match step {
            _ if step == window.step => window.from,
            Step::Month => plus_months(By::Month.key(window.from), -11),
            Step::Day => By::Month.key(if window.step == Step::Month { window.last() } else { window.from }),
            Step::Hour => window.last(),
        };
        let moved = Window { step, from, to: plus_months(By::Month.key(from), 1) };
        let href = if step == window.step { window.href(PATH) } else { moved.href_plain() };
        Tab::new(label, href, step == window.step)
    };
    view! { <Tabs label="Usage" tabs=vec![tab("By month", Step::Month), tab("By day", Step::Day), tab("By hour", Step::Hour)]/> }
}

impl Window {
    /// Step and first day alone.
    fn href_plain(self) -> String {
        address(PATH, &[("by", self.step.code()), ("from", &self.from.to_string())])
    }
}

fn shown(
    at: &AtAccount,
    window: Window,
    known: (NaiveDate, NaiveDate),
    totals: BTreeMap<NaiveDate, Total>,
    periods: Vec<Period>,
    day: &[MeterDay],
) -> AnyView {
    let locale = at.locale();
    let name = window.name(locale);
    let link = |to: Window| if to.to > known.0 && to.from <= known.1 { to.href(PATH) } else { String::new() };
    let (previous, next) = (link(window.moved(-1)), link(window.moved(1)));
    let hours = usage_data::hours(day);
    let all: Vec<Total> =
        if window.step == Step::Hour { hours.values().copied().collect() } else { totals.values().copied().collect() };
    let chart = match window.step {
        _ if all.is_empty() => nothing(window, &name),
        Step::Hour => charts::by_hour(&hours, day, &name, locale),
        Step::Day => charts::by(By::Day, "usage", &filled(By::Day, window, totals), periods, locale),
        Step::Month => charts::by(By::Month, "usage", &filled(By::Month, window, totals), periods, locale),
    };
    let spread = window.step == Step::Day && all.iter().any(|total| total.spread);
    view! {
        <Section title=name.clone()>
            <div class="stack">
            {(!all.is_empty()).then(|| stats(window, &all, locale))}
            {spread.then(|| view! { <Notice title="Your meter is read from time to time."><p>"The days show the average between two reads."</p></Notice> })}
            {chart}
            </div>
            <Pagination summary=name previous=previous next=next/>
        </Section>
    }
    .into_any()
}

fn nothing(window: Window, name: &str) -> AnyView {
    let text = if window.step == Step::Hour {
        "Hours are known only where an interval meter was read for that day. Look at days or months instead."
    } else {
        "Nothing was measured in this time. Go to another with the links below."
    };
    view! { <EmptyState title=format!("No usage for {name}") text=text/> }.into_any()
}

fn stats(window: Window, all: &[Total], locale: Locale) -> impl IntoView + use<> {
    let imported: Decimal = all.iter().map(|total| total.imported).sum();
    let exported: Decimal = all.iter().map(|total| total.exported).sum();
    let count = Decimal::from(all.len().max(1));
    let each = match window.step {
        Step::Month => "a month",
        Step::Day => "a day",
        Step::Hour => "an hour",
    };
    let stat = |label: &str, value: Decimal, note: String| Stat {
        label: label.to_owned(),
        value: format!("{}\u{a0}kWh", format::kwh(value, locale)),
        note,
        ..Stat::default()
    };
    let estimated = if all.iter().any(|total| total.estimated) { ", partly estimated" } else { "" };
    let mut stats =
        vec![stat("Used", imported, format!("{} {each}{estimated}", format::kwh_short(imported / count, locale)))];
    if !exported.is_zero() {
        stats.push(stat("Fed in", exported, format!("{} {each}", format::kwh_short(exported / count, locale))));
    }
    view! { <Stats stats=stats/> }
}

/// Every month or day of the window, those without usage as nothing.
fn filled(by: By, window: Window, mut totals: BTreeMap<NaiveDate, Total>) -> BTreeMap<NaiveDate, Total> {
    let mut day = window.from;
    while day < window.to {
        totals.entry(day).or_default();
        day = if by == By::Month { plus_months(day, 1) } else { plus_days(day, 1) };
        if totals.len() > 500 {
            break;
        }
    }
    totals
}

/// `GET /account/usage.csv`: the rows of the page; by hour, the intervals themselves as the meter gave them.
pub async fn csv(ctx: Ctx, Query(query): Query<UsageQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtAccount::open(&ctx).await?;
    let latest = usage_data::span(&tx, at.customer.id).await?.map_or_else(|| at.today(), |(_, last)| last);
    let window = Window::of(&query, latest);
    let name = format!("usage-{}-{}", window.step.code(), window.from);
    if window.step == Step::Hour {
        let days = usage_data::profiles(&tx, at.customer.id, window.from, window.to).await?;
        let rows = days.iter().flat_map(interval_rows);
        return csv_file(&name, &["interval_start", "kwh", "direction", "meter", "quality"], rows);
    }
    let by = if window.step == Step::Month { By::Month } else { By::Day };
    let totals = usage_data::totals(&tx, at.customer.id, by, window.from, window.to).await?;
    let rows = totals.into_iter().map(|(day, total)| {
        let quality = match (total.estimated, total.spread) {
            (true, _) => "estimated",
            (false, true) => "average between reads",
            (false, false) => "actual",
        };
        let figure = |value: Decimal| value.round_dp(3).to_string();
        vec![day.to_string(), figure(total.imported), figure(total.exported), quality.to_owned()]
    });
    csv_file(&name, &[if by == By::Month { "month" } else { "day" }, "kwh", "kwh_fed_in", "quality"], rows)
}

fn interval_rows(day: &MeterDay) -> impl Iterator<Item = Vec<String>> + '_ {
    let zone = day.zone;
    day.values().filter_map(move |(at, wh, flag)| {
        let quality = match flag {
            0 => "actual",
            1 => "estimated",
            2 => "customer",
            _ => "edited",
        };
        let start = at.with_timezone(&zone).to_rfc3339();
        let kwh = usage_data::kwh(i64::from(wh?)).to_string();
        Some(vec![start, kwh, day.direction.clone(), day.serial.clone(), quality.to_owned()])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(by: &str, from: &str, to: &str) -> Window {
        let query = UsageQuery { by: by.into(), from: from.into(), to: to.into() };
        Window::of(&query, "2026-11-20".parse().unwrap())
    }

    #[test]
    fn a_window_without_a_day_is_the_latest_one() {
        assert_eq!(window("", "", "").href(PATH), "/account/usage?by=month&from=2025-12-01");
        assert_eq!(window("day", "", "").href(PATH), "/account/usage?by=day&from=2026-11-01");
        assert_eq!(window("hour", "", "").href(PATH), "/account/usage?by=hour&from=2026-11-20");
    }

    #[test]
    fn a_window_moves_by_its_own_length() {
        assert_eq!(window("day", "2026-03-09", "").moved(-1).from.to_string(), "2026-02-01");
        let part = window("day", "2026-03-09", "2026-03-18");
        assert_eq!(part.moved(1).href(PATH), "/account/usage?by=day&from=2026-03-19&to=2026-03-28");
        assert_eq!(window("month", "2026-01-01", "").moved(1).from.to_string(), "2027-01-01");
    }

    #[test]
    fn a_span_without_end_is_not_read() {
        let far = window("day", "1990-01-01", "2090-01-01");
        assert_eq!(far.href(PATH), "/account/usage?by=day&from=1990-01-01");
    }
}

//! Parts of a tariff as people read them, shared by the client's pages and the customer's: tables here, sentences in
//! [`words`].

mod clock;
mod picture;
pub mod words;

pub(crate) use picture::picture;

use chrono::NaiveDate;
use eis::tariff_document::{Calendar, Season, TariffDocument, hours};
use eis::tariffs::BlockRow;
use leptos::prelude::*;

use crate::components::{Column, DataTable, Section, SummaryList, SummaryRow};
use crate::format::{self, Locale};

/// Writes for one tariff.
struct Words<'d> {
    document: &'d TariffDocument,
    locale: Locale,
    today: NaiveDate,
}

/// Every part of a tariff in words, one under the other.
pub(crate) fn in_words(document: &TariffDocument, today: NaiveDate, locale: Locale) -> impl IntoView + use<> {
    let parts = words::parts(document, today, locale).into_iter().map(|part| {
        let paragraphs =
            |texts: Vec<String>| texts.into_iter().map(|text| view! { <p>{text}</p> }.into_any()).collect_view();
        let rows: Vec<SummaryRow> = part.prices.into_iter().map(|(what, price)| SummaryRow::new(what, price)).collect();
        let prices = (!rows.is_empty()).then(|| view! { <SummaryList rows=rows/> });
        view! {
            <section class="told">
                <h3>{part.title}</h3>
                {paragraphs(part.lead)}
                {prices}
                {paragraphs(part.more)}
            </section>
        }
    });
    parts.collect_view()
}

/// The energy prices as a table.
pub(crate) fn price_table(rows: Vec<BlockRow>, currency: &str, locale: Locale) -> impl IntoView + use<> {
    let places = |limit: rust_decimal::Decimal| format::number(limit, limit.normalize().scale(), locale);
    // As many decimals in each price, so that the points stand under each other.
    let decimals = rows.iter().map(|row| row.price.normalize().scale()).max().unwrap_or(2).max(2);
    let body = rows
        .into_iter()
        .map(|row| {
            let period = if row.tou_period.is_empty() { "At all times".to_owned() } else { row.tou_period };
            let to = row.to_kwh.map_or_else(|| "no limit".to_owned(), places);
            view! {
                <tr>
                    <th scope="row">{period}</th>
                    <td class="num">{places(row.from_kwh)}</td>
                    <td class="num">{to}</td>
                    <td class="num">{format::number(row.price, decimals, locale)}</td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![
        Column::text("Period"),
        Column::number("From", "kWh"),
        Column::number("Up to", "kWh"),
        Column::number("Price", format!("{currency}/kWh")),
    ];
    view! { <DataTable caption="Energy prices" columns=columns>{body}</DataTable> }
}

/// The hours of each period, season by season, as a table.
pub(crate) fn calendar_table(calendar: &Calendar, locale: Locale) -> impl IntoView + use<> {
    let mut lines: Vec<(String, String, String, String)> = vec![];
    for season in &calendar.seasons {
        for pattern in &season.days {
            for (index, name) in calendar.periods.iter().enumerate() {
                let hours = hours::of(&pattern.hours, index);
                if !hours.is_empty() {
                    lines.push((season_name(season, locale), hours::days(&pattern.on), name.clone(), hours));
                }
            }
        }
    }
    let holidays = (!calendar.holidays.is_empty()).then(|| {
        let days = calendar.holidays.iter().map(|day| view! { <li>{format::date(*day, locale)}</li> }).collect_view();
        let label = format!("{} holidays", format::count(i64::try_from(calendar.holidays.len()).unwrap_or(0), locale));
        view! { <details class="behind"><summary>{label}</summary><ul class="holidays" role="list">{days}</ul></details> }
    });
    let body = lines
        .into_iter()
        .map(|(season, days, period, hours)| {
            view! { <tr><th scope="row">{period}</th><td>{days}</td><td>{hours}</td><td>{season}</td></tr> }
        })
        .collect_view();
    let columns = ["Period", "Days", "Hours", "Season"].into_iter().map(Column::text).collect::<Vec<_>>();
    view! {
        <Section title="Time of use">
            <DataTable caption="Hours of each period" columns=columns>{body}</DataTable>
            {holidays}
        </Section>
    }
}

/// `All year`, or `Summer: 1 June to 30 September`.
pub(crate) fn season_name(season: &Season, locale: Locale) -> String {
    let all_year = (season.from.to_string(), season.to.to_string()) == ("01-01".to_owned(), "12-31".to_owned());
    if all_year {
        return "All year".to_owned();
    }
    let day = |text: String| {
        NaiveDate::parse_from_str(&format!("2000-{text}"), "%Y-%m-%d")
            .map(|day| format::day_month(day, locale))
            .unwrap_or(text)
    };
    format!("{}: {} to {}", season.name, day(season.from.to_string()), day(season.to.to_string()))
}

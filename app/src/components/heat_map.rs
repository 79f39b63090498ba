//! A year at a glance: how much was used when, the stronger the colour the more.

use super::chart::{every, figure, named, percent_of, thousandths};
use super::html::escape;
use super::{Column, DataTable, Rows, present};
use crate::format::{Locale, number};
use leptos::prelude::*;
use rust_decimal::Decimal;
use std::fmt::Write as _;

/// Steps of the scale; each differs in lightness.
const LEVELS: usize = 7;
/// More cells than this are not repeated as a table when there is a CSV of them.
const TABLE_CELLS: usize = 1_500;

/// A row of cells: a month of days, an hour of days.
#[derive(Clone, Debug, Default)]
pub struct HeatRow {
    /// Its name: `Nov`, `06`.
    pub label: String,
    /// One value per column; `None` where there is none.
    pub values: Vec<Option<Decimal>>,
}

/// Cells of months x days, or days x hours, each the stronger the more was used.
#[component]
pub fn UsageHeatMap(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    /// What it shows: `Usage by day, 2026`.
    #[prop(into)]
    title: String,
    /// What it says, in a sentence.
    #[prop(into)]
    description: String,
    /// Unit of every value: `kWh`.
    #[prop(into)]
    unit: String,
    /// What the rows are: `Month`.
    #[prop(into)]
    row_head: String,
    /// Names of the columns: `1` … `31`, `00` … `23`.
    columns: Vec<String>,
    /// The rows, top to bottom.
    rows: Vec<HeatRow>,
    /// Where the values are as CSV; stands in for the table when there are very many.
    #[prop(optional, into)]
    csv: String,
    /// How numbers are written.
    #[prop(optional)]
    locale: Locale,
    /// Decimals shown.
    #[prop(default = 1)]
    places: u32,
) -> impl IntoView {
    let max = rows.iter().flat_map(|row| row.values.iter().flatten()).copied().max().unwrap_or_default();
    let tall = if rows.len() > 14 { 14 } else { 20 };
    let height = i64::try_from(rows.len()).unwrap_or_default() * tall;
    let mut svg = named(&id, &title, &description);
    let fine = if columns.len() > 60 { " fine" } else { "" };
    let _ = write!(
        svg,
        r#"<svg class="heat{fine}" y="0" width="100%" height="{height}" viewBox="0 0 {} {}" preserveAspectRatio="none">"#,
        columns.len(),
        rows.len(),
    );
    cells(&mut svg, &rows, max);
    svg.push_str("</svg>");
    for (at, row) in rows.iter().enumerate() {
        if at % every(rows.len(), 12) == 0 {
            let y = i64::try_from(at).unwrap_or_default() * tall + tall / 2;
            let _ = write!(svg, r#"<text x="-8" y="{y}" dy=".32em" text-anchor="end">"#);
            escape(&mut svg, &row.label);
            svg.push_str("</text>");
        }
    }
    let wide = i64::try_from(columns.len()).unwrap_or(1) * 2;
    let (skip, sparse) = (every(columns.len(), 16), every(columns.len(), 8));
    for (at, label) in columns.iter().enumerate() {
        if at % skip == 0 {
            let minor = if at % sparse == 0 { "" } else { r#" class="minor""# };
            let x = percent_of(i64::try_from(at).unwrap_or_default() * 2 + 1, wide);
            let _ = write!(svg, r#"<text{minor} x="{x}" y="{}" text-anchor="middle">"#, height + 16);
            escape(&mut svg, label);
            svg.push_str("</text>");
        }
    }
    let labelled = format!("{id}-t {id}-d");
    let drawing = view! {
        <svg class="chart-svg" width="100%" height=(height + 24).to_string() role="img" aria-labelledby=labelled inner_html=svg></svg>
    };
    let scale = scale(format!("{} {unit}", number(max, places, locale)));
    let many = rows.len() * columns.len() > TABLE_CELLS;
    let table = match present(csv) {
        Some(href) if many => view! { <p><a href=href download="">"Download the values as CSV"</a></p> }.into_any(),
        _ => table(title.clone(), row_head, &unit, &columns, &rows, places, locale),
    };
    figure("chart", Some(title), Some(scale), drawing.into_any(), table)
}

/// One path per level: a cell costs a dozen bytes.
fn cells(svg: &mut String, rows: &[HeatRow], max: Decimal) {
    let max = thousandths(max).max(1);
    let steps = i64::try_from(LEVELS).unwrap_or(1);
    let mut paths = vec![String::new(); LEVELS];
    for (y, row) in rows.iter().enumerate() {
        for (x, value) in row.values.iter().enumerate() {
            let Some(value) = value else { continue };
            let level = thousandths(*value).max(0).saturating_mul(steps) / max;
            let level = usize::try_from(level).unwrap_or_default().min(LEVELS - 1);
            if let Some(path) = paths.get_mut(level) {
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
    }
    for (level, path) in paths.iter().enumerate() {
        if !path.is_empty() {
            let _ = write!(svg, r#"<path class="h{level}" d="{path}"/>"#);
        }
    }
}

fn scale(most: String) -> AnyView {
    let steps = (0..LEVELS)
        .map(|level| {
            let x = (level * 14).to_string();
            view! { <rect class=format!("h{level}") x=x width="14" height="12"/> }
        })
        .collect_view();
    view! {
        <p class="legend">
            "0 " <svg class="heat" width="98" height="12" aria-hidden="true">{steps}</svg> " " {most}
        </p>
    }
    .into_any()
}

fn table(
    caption: String,
    row_head: String,
    unit: &str,
    columns: &[String],
    rows: &[HeatRow],
    places: u32,
    locale: Locale,
) -> AnyView {
    let mut heads = vec![Column::number(row_head, unit).left()];
    heads.extend(columns.iter().map(|label| Column::number(label.clone(), "")));
    let mut cells = Rows::new();
    for row in rows {
        cells.row(|cells| {
            cells.name(&row.label);
            for at in 0..columns.len() {
                match row.values.get(at).copied().flatten() {
                    Some(value) => cells.number(&number(value, places, locale)),
                    None => cells.number("–"),
                };
            }
        });
    }
    view! { <DataTable caption=caption columns=heads rows=cells/> }.into_any()
}

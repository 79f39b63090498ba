//! Usage over time: bars by hour, day or month, stacked by time-of-use period.

use super::chart::{Px, every, figure, named, percent_of, step, tenths, thousandths};
use super::html::escape;
use super::series::legend;
use super::{Column, DataTable, Rows, Series};
use crate::format::{Locale, number};
use leptos::prelude::*;
use rust_decimal::Decimal;
use std::fmt::Write as _;

/// Height of the plot and of the whole drawing, in pixels.
const PLOT: i64 = 180;
const TOP: i64 = 16;
const BASE: i64 = TOP + PLOT;

/// Bars, stacked from the first series up.
#[component]
pub fn BarChart(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    /// What it shows: `Usage by day, November 2026`.
    #[prop(into)]
    title: String,
    /// Leaves the title to the heading above, for those who see it.
    #[prop(optional)]
    untitled: bool,
    /// What it says, in a sentence: `Highest on 12 November with 48.2 kWh, …`.
    #[prop(into)]
    description: String,
    /// Unit of every value: `kWh`.
    #[prop(into)]
    unit: String,
    /// What the labels are: `Day`.
    #[prop(into)]
    label_head: String,
    /// Short labels along the axis: `1`, `Nov`, `06`. Without any, the description stands alone.
    labels: Vec<String>,
    /// Full names of the same for table and pointer: `1 November 2026`; empty uses the labels.
    #[prop(optional)]
    names: Vec<String>,
    /// The parts of each bar.
    series: Vec<Series>,
    /// How numbers are written.
    #[prop(optional)]
    locale: Locale,
    /// Decimals shown.
    #[prop(default = 1)]
    places: u32,
    /// Things are counted: no level lies between whole numbers.
    #[prop(optional)]
    whole: bool,
) -> impl IntoView {
    if labels.is_empty() {
        return view! {
            <figure class="chart">
                <figcaption><span class="chart-title">{title}</span></figcaption>
                <p class="muted">{description}</p>
            </figure>
        }
        .into_any();
    }
    let names = if names.is_empty() { labels.clone() } else { names };
    let mut svg = named(&id, &title, &description);
    svg.push_str("<defs>");
    for part in &series {
        part.tone.pattern(&id, &mut svg);
    }
    svg.push_str("</defs>");
    let bars = labels.len();
    let totals: Vec<Decimal> = (0..bars).map(|at| total(&series, at)).collect();
    let max = totals.iter().copied().max().unwrap_or_default();
    let step = if whole { step(max).max(Decimal::ONE) } else { step(max) };
    let top = (max / step).ceil().max(Decimal::ONE) * step;
    let highest = thousandths(top);
    grid(&mut svg, step, top, &unit, locale);
    let skip = every(bars, 16);
    let sparse = every(bars, 8);
    let slots = i64::try_from(bars).unwrap_or(1) * 10;
    for (at, label) in labels.iter().enumerate() {
        let left = i64::try_from(at).unwrap_or_default() * 10;
        let (x, wide) = (percent_of(left + 2, slots), percent_of(6, slots));
        svg.push_str("<g><title>");
        escape(&mut svg, names.get(at).unwrap_or(label));
        for part in &series {
            let value = part.values.get(at).copied().unwrap_or_default();
            svg.push('\n');
            escape(&mut svg, &part.name);
            let _ = write!(svg, ": {} ", number(value, places, locale));
            escape(&mut svg, &unit);
        }
        let _ = write!(
            svg,
            r#"</title><rect class="hit" x="{}" y="{TOP}" width="{}" height="{PLOT}"/>"#,
            percent_of(left, slots),
            percent_of(10, slots),
        );
        let mut base = BASE * 10;
        for part in &series {
            let tall = tenths(thousandths(part.values.get(at).copied().unwrap_or_default()), highest, PLOT);
            if tall > 0 {
                base -= tall;
                let _ = write!(
                    svg,
                    r##"<rect class="t-{name}" fill="url(#{id}-{name})" x="{x}" y="{}" width="{wide}" height="{}"/>"##,
                    Px(base),
                    Px(tall),
                    name = part.tone.name(),
                );
            }
        }
        if at % skip == 0 {
            let minor = if at % sparse == 0 { "" } else { r#" class="minor""# };
            let _ = write!(
                svg,
                r#"<text{minor} x="{}" y="{}" text-anchor="middle">"#,
                percent_of(left + 5, slots),
                BASE + 16
            );
            escape(&mut svg, label);
            svg.push_str("</text>");
        }
        svg.push_str("</g>");
    }
    let labelled = format!("{id}-t {id}-d");
    let legend = (series.len() > 1).then(|| legend(&id, &series));
    let drawing = view! {
        <svg class="chart-svg" width="100%" height=(BASE + 24).to_string() role="img" aria-labelledby=labelled inner_html=svg></svg>
    };
    let table = table(title.clone(), label_head, &unit, names, &series, &totals, places, locale);
    figure("chart", (!untitled).then_some(title), legend, drawing.into_any(), table).into_any()
}

fn total(series: &[Series], at: usize) -> Decimal {
    series.iter().filter_map(|part| part.values.get(at)).copied().sum()
}

/// Level lines with what they stand for; the topmost names the unit.
fn grid(svg: &mut String, step: Decimal, top: Decimal, unit: &str, locale: Locale) {
    let places = step.normalize().scale();
    let mut level = Decimal::ZERO;
    while level <= top {
        let y = BASE * 10 - tenths(thousandths(level), thousandths(top), PLOT);
        let class = if level.is_zero() { "axis" } else { "grid" };
        let _ = write!(
            svg,
            r#"<line class="{class}" x1="0" x2="100%" y1="{y}" y2="{y}"/><text x="-8" y="{y}" dy=".32em" text-anchor="end">{}</text>"#,
            number(level, places, locale),
            y = Px(y),
        );
        level += step;
    }
    svg.push_str(r#"<text class="unit" x="-8" y="0" dy=".3em" text-anchor="end">"#);
    escape(svg, unit);
    svg.push_str("</text>");
}

#[expect(clippy::too_many_arguments, reason = "one private helper; a struct would only rename them")]
fn table(
    caption: String,
    label_head: String,
    unit: &str,
    names: Vec<String>,
    series: &[Series],
    totals: &[Decimal],
    places: u32,
    locale: Locale,
) -> AnyView {
    let stacked = series.len() > 1;
    let mut columns = vec![Column::text(label_head)];
    columns.extend(series.iter().map(|part| Column::number(part.name.clone(), unit)));
    if stacked {
        columns.push(Column::number("Total", unit));
    }
    let mut rows = Rows::new();
    for (at, name) in names.iter().enumerate() {
        rows.row(|row| {
            row.name(name);
            for part in series {
                let value = part.values.get(at).copied().unwrap_or_default();
                row.number(&number(value, places, locale));
            }
            if stacked {
                let sum = totals.get(at).copied().unwrap_or_default();
                row.number(&number(sum, places, locale));
            }
        });
    }
    view! { <DataTable caption=caption columns=columns rows=rows/> }.into_any()
}

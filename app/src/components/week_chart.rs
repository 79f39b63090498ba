//! A week of time-of-use periods: a row for each kind of day, 24 hours across.

use super::chart::{figure, named, percent_of};
use super::html::escape;
use super::series::legend;
use super::{Column, DataTable, Rows, Series};
use leptos::prelude::*;
use std::fmt::Write as _;

/// Height of a row and from one to the next, in pixels.
const ROW: i64 = 20;
const STEP: i64 = 23;
const TOP: i64 = 18;
const DAY: i64 = 24 * 60;

/// A day of the week.
#[derive(Clone, Debug, Default)]
pub struct WeekRow {
    /// Its short name: `Mon`.
    pub label: String,
    /// The same in full, for the table: `Monday`.
    pub name: String,
    /// Its periods in order: first minute, the minute after the last, and which of the periods.
    pub runs: Vec<(i64, i64, usize)>,
}

/// Which period holds when, in a week.
#[component]
pub fn WeekChart(
    /// Unique on the page.
    #[prop(into)]
    id: String,
    /// What it shows: `Summer, 1 June to 30 September`.
    #[prop(into)]
    title: String,
    /// What it says, in a sentence.
    #[prop(into)]
    description: String,
    /// The periods with their colours and patterns; the name says the price too.
    periods: Vec<Series>,
    /// The days.
    rows: Vec<WeekRow>,
    /// The minute of the day that it is, on the row of today: a line is drawn there.
    #[prop(optional_no_strip)]
    now: Option<(usize, i64)>,
) -> impl IntoView {
    let mut svg = named(&id, &title, &description);
    svg.push_str("<defs>");
    for (at, period) in periods.iter().enumerate() {
        if !periods.iter().take(at).any(|other| other.tone == period.tone) {
            period.tone.pattern(&id, &mut svg);
        }
    }
    svg.push_str("</defs>");
    for hour in [0, 6, 12, 18, 24] {
        let anchor = if hour == 24 { "end" } else { "middle" };
        let _ = write!(
            svg,
            r#"<text x="{}" y="{}" text-anchor="{anchor}">{hour:02}</text>"#,
            percent_of(hour * 60, DAY),
            TOP - 6
        );
    }
    for (at, row) in rows.iter().enumerate() {
        let y = TOP + i64::try_from(at).unwrap_or_default() * STEP;
        let _ = write!(svg, r#"<text x="-8" y="{}" dy=".32em" text-anchor="end">"#, y + ROW / 2);
        escape(&mut svg, &row.label);
        svg.push_str("</text>");
        for (from, to, period) in &row.runs {
            let Some(series) = periods.get(*period) else { continue };
            let _ = write!(
                svg,
                r##"<rect class="t-{name}" fill="url(#{id}-{name})" x="{}" y="{y}" width="{}" height="{ROW}"><title>"##,
                percent_of(*from, DAY),
                percent_of(to - from, DAY),
                name = series.tone.name(),
            );
            let _ = write!(svg, "{} {}–{} ", row.name, clock(*from), clock(*to));
            escape(&mut svg, &series.name);
            svg.push_str("</title></rect>");
        }
    }
    if let Some((row, minute)) = now {
        let y = TOP + i64::try_from(row).unwrap_or_default() * STEP;
        let x = percent_of(minute, DAY);
        let _ = write!(svg, r#"<line class="now" x1="{x}" x2="{x}" y1="{}" y2="{}"/>"#, y - 2, y + ROW + 2);
    }
    let height = TOP + i64::try_from(rows.len()).unwrap_or_default() * STEP + 2;
    let labelled = format!("{id}-t {id}-d");
    let drawing = view! {
        <svg class="chart-svg week" width="100%" height=height.to_string() role="img" aria-labelledby=labelled inner_html=svg></svg>
    };
    let table = table(&title, &periods, rows);
    figure("chart", Some(title), Some(legend(&id, &periods)), drawing.into_any(), table)
}

fn clock(minutes: i64) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

fn table(title: &str, periods: &[Series], rows: Vec<WeekRow>) -> AnyView {
    let mut body = Rows::new();
    for row in rows {
        body.row(|cells| {
            cells.name(&row.name);
            for at in 0..periods.len() {
                let runs = row.runs.iter().filter(|(_, _, period)| *period == at);
                let hours: Vec<String> = runs.map(|(from, to, _)| format!("{}–{}", clock(*from), clock(*to))).collect();
                cells.line(&if hours.is_empty() { "–".to_owned() } else { hours.join(", ") });
            }
        });
    }
    let mut columns = vec![Column::text("Day")];
    columns.extend(periods.iter().map(|period| Column::text(period.name.clone())));
    view! { <DataTable caption=title.to_owned() columns=columns rows=body/> }.into_any()
}

//! A week of hours to paint time-of-use periods into: a row for each kind of day.
//!
//! The hours in words beside it are what is sent; with scripts, painting a cell writes them and typing them paints the
//! cells. Without, it is a picture.

use super::html::Html;
use leptos::prelude::*;

/// A kind of day.
#[derive(Clone, Debug, Default)]
pub struct GridDay {
    /// Short name: `Mon`.
    pub label: String,
    /// The field that holds its hours in words.
    pub field: String,
    /// Place of the period for each part of the day.
    pub parts: Vec<u8>,
}

/// Periods have so many colours; then they begin again.
pub const COLOURS: usize = 6;

/// The cells of a week.
#[component]
pub fn WeekGrid(
    /// What it shows, for those who cannot see it: each period with its hours.
    #[prop(into)]
    label: String,
    /// Names of the periods, in order.
    periods: Vec<String>,
    /// The days, top to bottom.
    days: Vec<GridDay>,
) -> impl IntoView {
    let parts = days.iter().map(|day| day.parts.len()).max().unwrap_or(24).max(24);
    let mut html = Html::with_capacity(16 * 1024);
    html.raw("<thead><tr><td></td>");
    for hour in [0_i64, 6, 12, 18] {
        html.raw("<th colspan=\"").number(i64::try_from(parts / 4).unwrap_or(6)).raw("\">").number(hour).raw("</th>");
    }
    html.raw("</tr></thead><tbody>");
    for day in &days {
        html.raw("<tr data-field=\"").text(&day.field).raw("\"><th>").text(&day.label).raw("</th>");
        for part in 0..parts {
            let at = day.parts.get(part * day.parts.len() / parts).copied().unwrap_or_default();
            let colour = i64::try_from(usize::from(at) % COLOURS).unwrap_or_default();
            html.raw("<td class=\"p").number(colour).raw("\" data-p=\"").number(i64::from(at)).raw("\"></td>");
        }
        html.raw("</tr>");
    }
    html.raw("</tbody>");
    let names = serde_json::to_string(&periods).unwrap_or_default();
    view! { <table class="week-grid" role="img" aria-label=label data-week=names inner_html=html.into_string()></table> }
}

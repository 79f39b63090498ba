//! What a difference is made of: a bar to the right for what adds to it, to the left for what takes from it.

use super::chart::{percent_of, thousandths};
use super::compare_bars::bars;
use leptos::prelude::*;
use rust_decimal::Decimal;

/// One reason.
#[derive(Clone, Debug, Default)]
pub struct ShareBar {
    /// Which: `Usage`.
    pub label: String,
    /// Its share, which may be negative.
    pub value: Decimal,
    /// The share as read, with its sign: `+$13.35`.
    pub text: String,
    /// What it means here: `3 days fewer`; empty for nothing.
    pub note: String,
    /// The sum of the others.
    pub sum: bool,
}

/// A table whose rows carry a bar each from the middle line: chart and figures in one.
#[component]
pub fn ShareBars(
    /// What is explained: `Against October 2026`.
    #[prop(into)]
    title: String,
    /// What it comes to, in a sentence.
    #[prop(optional, into)]
    description: String,
    /// The reasons, their sum last.
    rows: Vec<ShareBar>,
) -> impl IntoView {
    let most = rows.iter().map(|row| thousandths(row.value.abs())).max().unwrap_or(1);
    let rows = rows
        .into_iter()
        .map(|row| {
            let long = thousandths(row.value.abs());
            // Half the width for either side.
            let wide = percent_of(long, most.saturating_mul(2));
            let more = row.value >= Decimal::ZERO;
            let x = if more { percent_of(1, 2) } else { percent_of(most.saturating_sub(long), most.saturating_mul(2)) };
            view! {
                <tr class=row.sum.then_some("current")>
                    <th scope="row">{row.label}</th>
                    <td class="compare-bar">
                        <svg width="100%" height="14" aria-hidden="true">
                            <rect class=more.then_some("more") x=x.to_string() width=wide.to_string() height="14" rx="2"/>
                            <line x1="50%" x2="50%" y1="0" y2="14"/>
                        </svg>
                    </td>
                    <td class="num">{row.text}</td>
                    <td class="compare-note">{row.note}</td>
                </tr>
            }
        })
        .collect_view();
    bars("chart compare shares", title, false, description, ["Reason", "Share", "How"], rows)
}

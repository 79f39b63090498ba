//! Figures at a glance.

use super::{Tone, present};
use leptos::prelude::*;

/// One figure.
#[derive(Clone, Debug, Default)]
pub struct Stat {
    /// What is counted: `Invoiced this month`.
    pub label: String,
    /// The figure with its unit or currency: `$182,402.18`.
    pub value: String,
    /// What it compares with, or what it means: `12 % more than October`.
    pub note: String,
    /// Where it opens; empty for none.
    pub href: String,
    /// Draws the eye only where something is to be done.
    pub tone: Tone,
}

/// A row of figures.
#[component]
pub fn Stats(
    /// Two to five of them.
    stats: Vec<Stat>,
) -> impl IntoView {
    let tiles = stats
        .into_iter()
        .map(|stat| {
            let label = match present(stat.href) {
                Some(href) => view! { <a href=href>{stat.label}</a> }.into_any(),
                None => stat.label.into_any(),
            };
            view! {
                <div class=format!("stat {}", stat.tone.class())>
                    <dt>{label}</dt>
                    <dd class="stat-value">{stat.value}</dd>
                    {present(stat.note).map(|note| view! { <dd class="stat-note">{note}</dd> })}
                </div>
            }
        })
        .collect_view();
    view! { <dl class="stats">{tiles}</dl> }
}

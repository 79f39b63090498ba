//! What is known about one thing: keys, values, and where to change them.

use super::present;
use leptos::prelude::*;

/// One key with its value.
#[derive(Debug, Default)]
pub struct SummaryRow {
    key: String,
    value: SummaryValue,
    action: Option<(String, String)>,
}

#[derive(Debug)]
enum SummaryValue {
    Text(String),
    View(AnyView),
}

impl Default for SummaryValue {
    fn default() -> Self {
        Self::Text(String::new())
    }
}

impl SummaryRow {
    /// A key and its value; an empty value reads as a dash.
    pub fn new(key: impl Into<String>, value: impl Into<String>) -> Self {
        Self { key: key.into(), value: SummaryValue::Text(value.into()), action: None }
    }

    /// A key and a value with markup of its own: a link, a tag, an address in lines.
    pub fn view(key: impl Into<String>, value: impl IntoAny) -> Self {
        Self { key: key.into(), value: SummaryValue::View(value.into_any()), action: None }
    }

    /// Adds a link: `("Change", "/customers/…/edit")`.
    #[must_use]
    pub fn action(mut self, label: impl Into<String>, href: impl Into<String>) -> Self {
        self.action = Some((label.into(), href.into()));
        self
    }
}

/// A list of keys and values.
#[component]
pub fn SummaryList(
    /// The rows, top to bottom.
    rows: Vec<SummaryRow>,
) -> impl IntoView {
    let rows = rows
        .into_iter()
        .map(|row| {
            let about = row.key.to_lowercase();
            let action = row.action.map(|(label, href)| {
                view! {
                    <dd class="summary-action">
                        <a href=href>{label}<span class="visually-hidden">" " {about}</span></a>
                    </dd>
                }
            });
            let value = match row.value {
                SummaryValue::Text(text) => present(text).unwrap_or_else(|| "–".to_owned()).into_any(),
                SummaryValue::View(view) => view,
            };
            view! { <div><dt>{row.key}</dt><dd>{value}</dd>{action}</div> }
        })
        .collect_view();
    view! { <dl class="summary">{rows}</dl> }
}

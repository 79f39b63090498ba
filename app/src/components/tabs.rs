//! Views of one thing, each with its own address.

use leptos::prelude::*;

/// One view.
#[derive(Clone, Debug, Default)]
pub struct Tab {
    /// Its noun.
    pub label: String,
    /// Its address.
    pub href: String,
    /// The one open.
    pub current: bool,
}

impl Tab {
    /// A view under its noun.
    pub fn new(label: impl Into<String>, href: impl Into<String>, current: bool) -> Self {
        Self { label: label.into(), href: href.into(), current }
    }
}

/// Links in a row.
#[component]
pub fn Tabs(
    /// What they are views of, for those who cannot see it: `Customer`.
    #[prop(into)]
    label: String,
    /// The views.
    tabs: Vec<Tab>,
) -> impl IntoView {
    let items = tabs
        .into_iter()
        .map(|tab| {
            view! { <li><a href=tab.href aria-current=tab.current.then_some("page")>{tab.label}</a></li> }
        })
        .collect_view();
    view! { <nav class="tabs" aria-label=label><ul>{items}</ul></nav> }
}

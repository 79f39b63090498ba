//! Buttons that do, and links that look like them.

use super::present;
use leptos::prelude::*;

/// How much a button asks for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The one main thing of the page.
    #[default]
    Primary,
    /// Anything else.
    Secondary,
    /// Cannot be taken back.
    Danger,
}

impl Kind {
    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Primary => "button primary",
            Self::Secondary => "button",
            Self::Danger => "button danger",
        }
    }
}

/// A submit button.
#[component]
pub fn Button(
    /// Verb and noun: `Issue 1,204 invoices`.
    #[prop(into)]
    label: String,
    /// How much it asks for.
    #[prop(optional)]
    kind: Kind,
    /// Name of the pair it sends, where a form has several buttons.
    #[prop(optional, into)]
    name: String,
    /// Value of that pair.
    #[prop(optional, into)]
    value: String,
) -> impl IntoView {
    view! {
        <button r#type="submit" class=kind.class() name=present(name) value=present(value)>{label}</button>
    }
}

/// A link that looks like a button: it leads to where the thing is done.
#[component]
pub fn ButtonLink(
    /// Verb and noun: `New customer`.
    #[prop(into)]
    label: String,
    /// Where it leads.
    #[prop(into)]
    href: String,
    /// How much it asks for.
    #[prop(optional)]
    kind: Kind,
) -> impl IntoView {
    view! { <a class=kind.class() href=href>{label}</a> }
}

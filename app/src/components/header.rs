//! The head of a page, and of a section within it.

use super::{ButtonLink, Kind, present};
use leptos::prelude::*;

/// A page's one heading with the one main thing to do.
#[component]
pub fn PageHeader(
    /// What this page is.
    #[prop(into)]
    title: String,
    /// One line beneath: counts, dates, the customer.
    #[prop(optional, into)]
    subtitle: String,
    /// Label of the main action; empty for none.
    #[prop(optional, into)]
    action: String,
    /// Where the main action leads.
    #[prop(optional, into)]
    href: String,
    /// Label of a second action; empty for none.
    #[prop(optional, into)]
    second: String,
    /// Where the second action leads.
    #[prop(optional, into)]
    second_href: String,
    /// One more secondary action; empty for none.
    #[prop(optional, into)]
    third: String,
    /// Where it is done.
    #[prop(optional, into)]
    third_href: String,
    /// Beside the title: a [`Status`](super::Status).
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    let second = present(second).map(|label| {
        view! { <ButtonLink label=label href=second_href kind=Kind::Secondary/> }
    });
    let action = present(action).map(|label| view! { <ButtonLink label=label href=href/> });
    let third = present(third).map(|label| {
        view! { <ButtonLink label=label href=third_href kind=Kind::Secondary/> }
    });
    let actions = (third.is_some() || second.is_some() || action.is_some())
        .then(|| view! { <div class="actions">{third}{second}{action}</div> });
    view! {
        <div class="page-header">
            <div class="page-title">
                <h1>{title}</h1>
                {children.map(|children| children())}
                {present(subtitle).map(|text| view! { <p class="subtitle">{text}</p> })}
            </div>
            {actions}
        </div>
    }
}

/// A part of a page under its own heading.
#[component]
pub fn Section(
    /// What this part is.
    #[prop(into)]
    title: String,
    /// Label of a link beside the heading; empty for none.
    #[prop(optional, into)]
    link: String,
    /// Where the link leads.
    #[prop(optional, into)]
    href: String,
    /// The part itself.
    children: Children,
) -> impl IntoView {
    view! {
        <section class="section">
            <div class="section-head">
                <h2>{title}</h2>
                {present(link).map(|link| view! { <a href=href>{link}</a> })}
            </div>
            {children()}
        </section>
    }
}

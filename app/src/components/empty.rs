//! A list with nothing in it, which says what to do next.

use super::{ButtonLink, Glyph, Icon, present};
use leptos::prelude::*;

/// What stands where rows will be.
#[component]
pub fn EmptyState(
    /// What is not there yet: `No invoices for November 2026`.
    #[prop(into)]
    title: String,
    /// Why, and what to do next.
    #[prop(into)]
    text: String,
    /// Label of what to do; empty for none.
    #[prop(optional, into)]
    action: String,
    /// Where it is done.
    #[prop(optional, into)]
    href: String,
) -> impl IntoView {
    view! {
        <div class="empty">
            <Icon glyph=Glyph::Empty/>
            <p class="empty-title">{title}</p>
            <p>{text}</p>
            {present(action).map(|label| view! { <ButtonLink label=label href=href/> })}
        </div>
    }
}

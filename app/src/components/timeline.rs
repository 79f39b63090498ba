//! Who did what, when.

use super::{Tone, present};
use leptos::prelude::*;

/// One thing that happened.
#[derive(Clone, Debug, Default)]
pub struct Event {
    /// What: `Invoice issued as NW-2026-00412`.
    pub title: String,
    /// Who, and as what.
    pub by: String,
    /// When, as read: `Dec 1, 2026, 9:12 am`.
    pub at: String,
    /// When, for machines: RFC 3339.
    pub datetime: String,
    /// Before and after, a reason; empty for none.
    pub detail: String,
    /// What it means.
    pub tone: Tone,
}

/// Events, the latest first.
#[component]
pub fn Timeline(
    /// What happened.
    events: Vec<Event>,
) -> impl IntoView {
    let items = events
        .into_iter()
        .map(|event| {
            view! {
                <li class=event.tone.class()>
                    <p class="timeline-title">{event.title}</p>
                    <p class="timeline-by">
                        {present(event.by).map(|by| view! { {by} ", " })}
                        <time datetime=event.datetime>{event.at}</time>
                    </p>
                    {present(event.detail).map(|text| view! { <p class="timeline-detail">{text}</p> })}
                </li>
            }
        })
        .collect_view();
    view! { <ol class="timeline" role="list">{items}</ol> }
}

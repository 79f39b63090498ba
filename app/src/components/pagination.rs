//! Paging through a list by its keys.

use super::{Glyph, Icon, present};
use leptos::either::Either;
use leptos::prelude::*;

/// First, previous and next, with where one is: `Rows 26–50 of about 1,240`.
#[component]
pub fn Pagination(
    /// Where one is, in words.
    #[prop(into)]
    summary: String,
    /// Address of the first rows; empty on the first page.
    #[prop(optional, into)]
    first: String,
    /// Address of the rows before; empty on the first page.
    #[prop(optional, into)]
    previous: String,
    /// Address of the rows after; empty on the last page.
    #[prop(optional, into)]
    next: String,
    /// What it is called where a page has two; empty: `Pages`.
    #[prop(optional, into)]
    label: String,
) -> impl IntoView {
    if first.is_empty() && previous.is_empty() && next.is_empty() {
        return Either::Left(view! { <div class="pagination"><p>{summary}</p></div> });
    }
    let label = if label.is_empty() { "Pages".to_owned() } else { label };
    Either::Right(view! {
        <nav class="pagination" aria-label=label>
            <p>{summary}</p>
            <ul>
                {present(first).map(|href| view! { <li><a href=href>"First"</a></li> })}
                {present(previous).map(|href| view! {
                    <li><a href=href rel="prev"><Icon glyph=Glyph::Left/>"Previous"</a></li>
                })}
                {present(next).map(|href| view! {
                    <li><a href=href rel="next">"Next"<Icon glyph=Glyph::Right/></a></li>
                })}
            </ul>
        </nav>
    })
}

//! The pages of 4xx and 5xx: what happened, and how to go on. They name nobody and no tenant, so that
//! a refusal looks the same whatever was asked for.

use axum::response::Html;
use leptos::prelude::*;

use super::frame::render;
use crate::components::{ButtonLink, Document, Kind, Plain};

/// A page that says what happened; `asked` names what was asked for, where that helps support, and `other` offers another
/// way on than the start page: its label and address.
pub fn page(title: &str, text: &str, asked: &str, other: Option<(&str, &str)>) -> Html<String> {
    let (title, text, asked) = (title.to_owned(), text.to_owned(), asked.to_owned());
    let other = other.map(|(label, href)| (label.to_owned(), href.to_owned()));
    render(move || {
        view! {
            <Document title=title.clone()>
                <Plain title=title lead=text>
                    {(!asked.is_empty()).then(|| view! { <p class="hint">"What was asked for: " <code>{asked}</code></p> })}
                    <div class="actions">
                        <ButtonLink label="Go to your start page" href="/"/>
                        {other.map(|(label, href)| view! { <ButtonLink label=label href=href kind=Kind::Secondary/> })}
                    </div>
                </Plain>
            </Document>
        }
    })
}

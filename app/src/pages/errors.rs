//! The pages of 4xx and 5xx: what happened, and how to go on. They name nobody and no tenant, so that
//! a refusal looks the same whatever was asked for.

use axum::response::Html;
use leptos::prelude::*;

use super::frame::render;
use crate::components::{ButtonLink, Document, Plain};

/// A page that says what happened; `asked` names what was asked for, where that helps support.
pub fn page(title: &str, text: &str, asked: &str) -> Html<String> {
    let (title, text, asked) = (title.to_owned(), text.to_owned(), asked.to_owned());
    render(move || {
        view! {
            <Document title=title.clone()>
                <Plain title=title lead=text>
                    {(!asked.is_empty()).then(|| view! { <p class="hint">"What was asked for: " <code>{asked}</code></p> })}
                    <div class="actions"><ButtonLink label="Go to your start page" href="/"/></div>
                </Plain>
            </Document>
        }
    })
}

//! The pages of 4xx and 5xx: what happened, and how to go on. They name nobody and no tenant, so that
//! a refusal looks the same whatever was asked for.

use axum::response::Html;
use leptos::prelude::*;

use super::frame::render;
use crate::components::{ButtonLink, Document, Kind, Plain};

/// A page that says what happened; `asked` names what was asked for, where that helps support, and `switch` offers
/// another role or organisation.
pub fn page(title: &str, text: &str, asked: &str, switch: bool) -> Html<String> {
    let (title, text, asked) = (title.to_owned(), text.to_owned(), asked.to_owned());
    render(move || {
        view! {
            <Document title=title.clone()>
                <Plain title=title lead=text>
                    {(!asked.is_empty()).then(|| view! { <p class="hint">"What was asked for: " <code>{asked}</code></p> })}
                    <div class="actions">
                        <ButtonLink label="Go to your start page" href="/"/>
                        {switch.then(|| view! { <ButtonLink label="Switch role or organisation" href="/switch" kind=Kind::Secondary/> })}
                    </div>
                </Plain>
            </Document>
        }
    })
}

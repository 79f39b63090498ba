//! The pages of 4xx and 5xx: what happened, and how to go on. They name nobody and no tenant, so that
//! a refusal looks the same whatever was asked for.

use axum::response::Html;
use leptos::prelude::*;

use super::frame::render;
use crate::components::{ButtonLink, Document, Plain};

/// A page that says what happened.
pub fn page(title: &str, text: &str) -> Html<String> {
    let (title, text) = (title.to_owned(), text.to_owned());
    render(move || {
        view! {
            <Document title=title.clone()>
                <Plain title=title lead=text>
                    <div class="actions"><ButtonLink label="Go to your start page" href="/"/></div>
                </Plain>
            </Document>
        }
    })
}

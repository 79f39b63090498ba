//! The pages of 4xx and 5xx: what happened, and how to go on. They name nobody and no tenant, so that
//! a refusal looks the same whatever was asked for.

use axum::response::Html;
use leptos::prelude::*;

use super::render::render;
use super::{ButtonLink, Document, Kind, Plain};

/// A way on from such a page: its label and its address.
pub type Way<'a> = (&'a str, &'a str);

/// The way that everybody has; who is not signed in signs in there.
pub const START: Way<'static> = ("Go to your start page", "/");

/// A page that says what happened; `asked` names what was asked for, where that helps support. Of the ways on, the first is
/// the one that most people want.
pub fn page(title: &str, text: &str, asked: &str, ways: &[Way]) -> Html<String> {
    let (title, text, asked) = (title.to_owned(), text.to_owned(), asked.to_owned());
    let ways: Vec<_> = ways.iter().map(|(label, href)| ((*label).to_owned(), (*href).to_owned())).collect();
    render(move || {
        let ways = ways.into_iter().enumerate().map(|(at, (label, href))| {
            let kind = if at == 0 { Kind::Primary } else { Kind::Secondary };
            view! { <ButtonLink label=label href=href kind=kind/> }
        });
        view! {
            <Document title=title.clone()>
                <Plain title=title lead=text>
                    {(!asked.is_empty()).then(|| view! { <p class="hint">"What was asked for: " <code>{asked}</code></p> })}
                    <div class="actions">{ways.collect_view()}</div>
                </Plain>
            </Document>
        }
    })
}

//! A form from another tab: rendered under one organization, sent while another is open. Nothing is
//! written; what was typed is shown and kept.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use eis::access::Actor;
use leptos::prelude::*;

use super::frame::{Place, page};
use crate::components::{ButtonLink, Kind, PageHeader, Section, SummaryList, SummaryRow};
use crate::forms::Typed;
use crate::server::ctx::Ctx;

/// Refuses a form of another context and explains, with everything typed.
pub async fn refuse(ctx: Ctx, actor: Actor, typed: Typed) -> Response {
    let open = actor.organization.as_ref().map_or_else(|| "no organisation".to_owned(), |o| o.name.clone());
    let rows: Vec<SummaryRow> = typed
        .values
        .iter()
        .filter(|(name, value)| !name.contains("password") && !value.is_empty() && !is_id(value))
        .map(|(name, value)| SummaryRow::new(name.replace(['_', '[', ']'], " ").trim(), value.clone()))
        .collect();
    let form_page = typed.page.clone();
    ctx.keep_typed(typed).await;
    let html = page(&ctx, &actor, Place::default(), "Another organisation is open", move || {
        view! {
            <PageHeader
                title="Another organisation is open now"
                subtitle=format!("This form was opened under another organisation or role. {open} is open now, so nothing was written.")
            />
            <p>"What you typed is kept. Switch back to where the form belongs, open it again, and it is filled in as you left it."</p>
            <div class="actions">
                <ButtonLink label="Switch" href="/switch"/>
                {(!form_page.is_empty()).then(|| view! { <ButtonLink label="Back to the form" href=form_page kind=Kind::Secondary/> })}
            </div>
            {(!rows.is_empty()).then(|| view! { <Section title="What you typed"><SummaryList rows=rows/></Section> })}
        }
    })
    .await;
    (StatusCode::CONFLICT, html).into_response()
}

fn is_id(value: &str) -> bool {
    value.parse::<uuid::Uuid>().is_ok()
}

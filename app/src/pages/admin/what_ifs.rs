//! What-if: which tariffs were tried over past usage, asking for another ([`new`]), what came of it ([`show`]).

mod effect;
pub mod new;
pub mod show;
mod table;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;
use eis::access::Permission;
use eis::billing::what_ifs::totals::Outcome;
use eis::billing::what_ifs::{self, Chosen, Totals, WhatIf};
use eis::values::ids::WhatIfId;
use eis::values::period::Period;
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

use crate::components::{Column, DataTable, EmptyState, PageHeader, Pagination, Rows};
use crate::format::{self, Locale};
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, PAGE_ROWS, address, rows_text, turns};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client, see_other};
use crate::server::query::Query;

/// The page of the list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    offset: i64,
}

/// A moment on the client's wall clock.
fn wall(at: DateTime<Utc>, zone: Tz) -> NaiveDateTime {
    at.with_timezone(&zone).naive_local()
}

/// `November 2025 – October 2026`.
fn months_text(months: Period, locale: Locale) -> String {
    let (first, last) = (format::month(months.from(), locale), format::month(months.last(), locale));
    if first == last { first } else { format!("{first} – {last}") }
}

/// Which customers, in words.
fn chosen_text(chosen: &Chosen, locale: Locale) -> String {
    match chosen {
        Chosen::All => "All customers".to_owned(),
        Chosen::Tariff(code) => format!("Customers on {code}"),
        Chosen::Accounts(accounts) if accounts.len() == 1 => "1 account".to_owned(),
        Chosen::Accounts(accounts) => {
            format!("{} accounts", format::count(i64::try_from(accounts.len()).unwrap_or(i64::MAX), locale))
        }
    }
}

/// An amount with its sign, also where it is more: `+12.30`.
fn signed(value: Decimal, text: String) -> String {
    if value > Decimal::ZERO { format!("+{text}") } else { text }
}

/// A change in percent of what is paid now: `+4.2%`; a dash where there is none.
fn percent_text(now: Decimal, cost: Decimal, locale: Locale) -> String {
    what_ifs::totals::percent(now, cost)
        .map_or_else(|| "–".to_owned(), |change| signed(change, format::percent(change / Decimal::ONE_HUNDRED, locale)))
}

/// `GET /clients/:client/what-ifs`
pub async fn list(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let offset = query.offset.max(0);
    let (rows, total) = what_ifs::list(&tx, offset, PAGE_ROWS).await?;
    drop(tx);
    let path = format!("{}/what-ifs", at.base());
    if rows.is_empty() && offset > 0 {
        return Ok(see_other(&path));
    }
    let (locale, zone, currency) = (at.locale(), at.client.zone(), at.client.currency.clone());
    let new = if at.actor.may(Permission::ManageTariffs) { "New what-if" } else { "" };
    let html = page(&ctx, &at.actor, at.place(&[], ""), "What-if", move || {
        let [first, previous, next] = turns(offset, PAGE_ROWS, total, |to| address(&path, &[("offset", to)]));
        let summary = rows_text(offset, rows.len(), total, "what-ifs", locale);
        let body = if rows.is_empty() {
            view! { <EmptyState title="No what-ifs yet" text="A what-if runs tariffs, drafts too, over your customers' own past usage: who would pay more, who less, and what it does to revenue. Nothing is billed." action=new href=format!("{path}/new")/> }.into_any()
        } else {
            let table = list_table(&rows, &path, &currency, zone, locale);
            view! {
                {table}
                <Pagination summary=summary first=first previous=previous next=next/>
            }
            .into_any()
        };
        view! {
            <PageHeader title="What-if" subtitle="Tariffs tried over past usage. Nothing is billed." action=new href=format!("{path}/new")/>
            {body}
        }
    })
    .await;
    Ok(html.into_response())
}

fn list_table(rows: &[WhatIf], path: &str, currency: &str, zone: Tz, locale: Locale) -> impl IntoView + use<> {
    let columns = vec![
        Column::text("Tariffs tried"),
        Column::text("Customers"),
        Column::text("Months"),
        Column::text("Asked"),
        Column::text("Status"),
        Column::number("Looked at", ""),
        Column::number("Effect on revenue", currency),
    ];
    let mut table = Rows::new();
    for row in rows {
        let totals = row.totals.as_ref();
        let looked_at = totals.map_or_else(|| "–".to_owned(), |totals| format::count(totals.customers, locale));
        table.row(|cells| {
            cells
                .name_link(&row.id.below(path), &row.tried())
                .text(&chosen_text(&row.chosen, locale))
                .line(&months_text(row.months, locale))
                .text_with(&format::date_time(wall(row.created_at, zone), locale), &row.user_name)
                .status(&row.status)
                .number(&looked_at)
                .number(&totals.map_or_else(|| "–".to_owned(), |totals| effects(totals, locale)));
        });
    }
    view! { <DataTable caption="What-ifs" columns=columns rows=table/> }
}

/// The difference that each candidate makes, in their order.
fn effects(totals: &Totals, locale: Locale) -> String {
    let effect = |outcome: &Outcome| signed(outcome.change(), format::money(outcome.change(), locale));
    totals.candidates.iter().map(effect).collect::<Vec<_>>().join(" / ")
}

/// The what-if of an address, or 404.
async fn find(tx: &eis::db::Tenant, id: &str) -> Result<WhatIf, AppError> {
    let id: WhatIfId = id.parse().map_err(|_| AppError::NotFound)?;
    what_ifs::find(tx, id).await?.ok_or(AppError::NotFound)
}

/// Deletes a what-if with its results; one that runs stops.
#[server(prefix = "/api", endpoint = "delete_what_if")]
pub(crate) async fn delete_what_if(client: String, what_if: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let id: WhatIfId = what_if.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        what_ifs::delete(&mut tx, id).await?;
        Done::to(format!("/clients/{at}/what-ifs")).saying("What-if deleted.").commit(&ctx, tx).await
    })
    .await
}

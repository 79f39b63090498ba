//! Tariffs: list, show, and the steps of a version's life. New ones are made in [`new`].

pub mod design;
pub mod new;
pub(crate) mod offers;
mod show;
mod starter;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::Permission;
use eis::parties::clients;
use eis::tariffs::{self, Filter, TariffRow, agreements, customer, kind_label};
use eis::values::ids::TariffRateId;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::components::{
    Choice, Column, DataTable, EmptyState, FilterBar, FilterSelect, PageHeader, Pagination, Status, Tag, Tone,
};
use crate::format::{self, Locale};
use crate::forms::{Reader, days, seen};
use crate::messages::tariffs as messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, PAGE_ROWS, address, rows_text, turns};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client, see_other};
use crate::server::query::Query;
pub use show::show;

/// Search, filter and page of the list, all in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    status: String,
    offset: i64,
}

impl ListQuery {
    fn href(&self, path: &str, offset: &str) -> String {
        address(path, &[("q", &self.q), ("status", &self.status), ("offset", offset)])
    }
}

/// When a version applies: `From Jan 1, 2026`, `Jan 1, 2026 – Mar 31, 2026`.
fn applies(from: NaiveDate, to: Option<NaiveDate>, locale: Locale) -> String {
    match to.and_then(|to| to.pred_opt()) {
        Some(last) => format::date_range(from, last, locale),
        None => format!("From {}", format::date(from, locale)),
    }
}

/// `GET /clients/:client/tariffs`
pub async fn list(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let offset = query.offset.max(0);
    let filter = Filter { search: query.q.trim().to_owned(), status: query.status.clone() };
    let (rows, total) = tariffs::list(&tx, &filter, offset, PAGE_ROWS).await?;
    let codes: Vec<String> = rows.iter().map(|row| row.code.clone()).collect();
    let today = at.client.today();
    let customers = agreements::counts(&tx, &codes, today).await?;
    let compares = customer::comparison(&tx).await?;
    drop(tx);
    let may_write = at.actor.may(Permission::ManageTariffs);
    let path = format!("{}/tariffs", at.base());
    if rows.is_empty() && offset > 0 {
        return Ok(see_other(&query.href(&path, "")));
    }
    let locale = at.locale();
    let context = may_write.then(|| at.actor.context_token());
    let hidden = vec![("client".to_owned(), at.client.id.to_string()), ("page".to_owned(), path.clone())];
    let html = page(&ctx, &at.actor, at.place(&[], ""), "Tariffs", move || {
        let filtered = !query.q.is_empty() || !query.status.is_empty();
        let summary = rows_text(offset, rows.len(), total, "tariff versions", locale);
        let [first, previous, next] = turns(offset, PAGE_ROWS, total, |to| query.href(&path, to));
        let new = if may_write { "New tariff" } else { "" };
        let trying = if may_write && !rows.is_empty() { "Try on past usage…" } else { "" };
        let try_href = path.replace("/tariffs", "/what-ifs/new");
        let statuses = [("", "All"), ("active", "Active"), ("draft", "Draft"), ("retired", "Retired")];
        let selects = vec![FilterSelect {
            name: "status".into(),
            label: "Status".into(),
            value: query.status.clone(),
            choices: statuses.into_iter().map(|(value, label)| Choice::new(value, label)).collect(),
        }];
        let clear = if filtered { path.clone() } else { String::new() };
        view! {
            <PageHeader title="Tariffs" action=new href=format!("{path}/new") second=trying second_href=try_href/>
            <FilterBar action=path.clone() search="Code or name" q=query.q.clone() selects=selects clear=clear/>
            {if !rows.is_empty() {
                view! {
                    {table(rows, &customers, &path, locale)}
                    <Pagination summary=summary first=first previous=previous next=next/>
                }.into_any()
            } else if filtered {
                view! { <EmptyState title="No tariff matches" text="Try fewer words, or clear the search." action="Clear the search" href=path.clone()/> }.into_any()
            } else {
                view! { <EmptyState title="No tariffs yet" text="A tariff says what energy costs. Make one as a draft, look at it, and activate it; then put customers on it." action=new href=format!("{path}/new")/> }.into_any()
            }}
            {offers::setting(compares, context, hidden)}
        }
    })
    .await;
    Ok(html.into_response())
}

fn table(rows: Vec<TariffRow>, customers: &[(String, i64)], path: &str, locale: Locale) -> impl IntoView + use<> {
    let body = rows
        .into_iter()
        .map(|row| {
            let on_it = customers.iter().find(|(code, _)| *code == row.code).map_or(0, |(_, customers)| *customers);
            let on_it = if row.status == "active" { format::count(on_it, locale) } else { "–".to_owned() };
            view! {
                <tr>
                    <th scope="row"><a href=format!("{path}/{}", row.id)>{row.code}</a></th>
                    <td>{row.name}{(row.offered && row.status == "active").then(|| view! { " " <Tag text="Offered" tone=Tone::Info/> })}</td>
                    <td class="num">{row.version}</td>
                    <td>{kind_label(&row.kind)}</td>
                    <td class="nowrap">{applies(row.effective_from, row.effective_to, locale)}</td>
                    <td class="num">{on_it}</td>
                    <td><Status value=row.status/></td>
                </tr>
            }
        })
        .collect_view();
    let columns = vec![
        Column::text("Code"),
        Column::text("Name"),
        Column::number("Version", ""),
        Column::text("Kind"),
        Column::text("Applies"),
        Column::number("Customers now", ""),
        Column::text("Status"),
    ];
    view! { <DataTable caption="Tariffs" columns=columns>{body}</DataTable> }
}

/// Activates a draft.
#[server(prefix = "/api", endpoint = "activate_tariff")]
pub(crate) async fn activate_tariff(client: String, tariff: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let id: TariffRateId = tariff.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        tariffs::as_seen(&mut tx, id, ctx.sent.value(seen::FIELD)).await?;
        let (version, _) = tariffs::activate(&mut tx, id).await?;
        let say = format!("Version {} applies from {}.", version.version, version.effective_from);
        Done::to(format!("/clients/{at}/tariffs/{id}")).saying(say).commit(&ctx, tx).await
    })
    .await
}

/// The day from which a tariff no longer applies.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RetireForm {
    retire_from: String,
}

/// Ends an active version.
#[server(prefix = "/api", endpoint = "retire_tariff")]
pub(crate) async fn retire_tariff(
    client: String,
    tariff: String,
    #[server(flatten)] form: RetireForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let id: TariffRateId = tariff.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        tariffs::find(&tx, id).await?.ok_or(AppError::NotFound)?;
        let owner = clients::current(&tx).await?;
        let mut reader = Reader::default();
        let from = reader.date("retire_from", &form.retire_from, "the first day it no longer applies");
        days::announced(&mut reader.errors, "retire_from", from, owner.today());
        let from = reader.errors.or(from.unwrap_or_default())?;
        tariffs::as_seen(&mut tx, id, ctx.sent.value(seen::FIELD)).await?;
        let version = tariffs::retire(&mut tx, id, from).await.map_err(messages::of_retiring)?;
        let say = format!("Version {} no longer applies from {from}.", version.version);
        Done::to(format!("/clients/{at}/tariffs/{id}")).saying(say).commit(&ctx, tx).await
    })
    .await
}

/// Puts a draft aside for good.
#[server(prefix = "/api", endpoint = "discard_tariff")]
pub(crate) async fn discard_tariff(client: String, tariff: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::ManageTariffs, &client)?;
        let id: TariffRateId = tariff.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        tariffs::as_seen(&mut tx, id, ctx.sent.value(seen::FIELD)).await?;
        let version = tariffs::discard(&mut tx, id).await?;
        Done::to(format!("/clients/{at}/tariffs"))
            .saying(format!("Draft of version {} discarded.", version.version))
            .commit(&ctx, tx)
            .await
    })
    .await
}

//! The audit log of an organization or of one client: filter, keyset paging, CSV, what changed, whether it holds.

mod changes;
mod query;

use std::collections::HashMap;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::{Permission, Role};
use eis::audit::{self, Chain, Record};
use eis::db::Tenant;
use eis::parties::clients;
use eis::values::ids::{ClientId, CustomerId};
use leptos::prelude::*;

pub use query::LogQuery;

use crate::components::{Column, DataTable, EmptyState, FilterBar, FilterText, Notice, PageHeader, Pagination, Tone};
use crate::format;
use crate::pages::frame::page;
use crate::pages::parts::{EXPORT_ROWS, csv_file};
use crate::pages::scope::Scope;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::query::Query;

/// Records on a page.
const ROWS: usize = 50;
/// Links of the chain that are held against their records with every look at the log's first page.
const LINKS: i64 = 2_000;

/// `GET /organization/audit`
pub async fn of_organization(ctx: Ctx, Query(query): Query<LogQuery>) -> Result<Response, AppError> {
    let (scope, tx) = Scope::organization(&ctx, Permission::ViewAudit).await?;
    show(ctx, scope, tx, query).await
}

/// `GET /clients/:client/audit`
pub async fn of_client(
    ctx: Ctx,
    Path(client): Path<String>,
    Query(query): Query<LogQuery>,
) -> Result<Response, AppError> {
    let (scope, tx) = Scope::client(&ctx, Permission::ViewAudit, &client).await?;
    show(ctx, scope, tx, query).await
}

/// `GET /organization/audit.csv`
pub async fn csv_of_organization(ctx: Ctx, Query(query): Query<LogQuery>) -> Result<Response, AppError> {
    let (scope, tx) = Scope::organization(&ctx, Permission::ViewAudit).await?;
    csv(scope, tx, query).await
}

/// `GET /clients/:client/audit.csv`
pub async fn csv_of_client(
    ctx: Ctx,
    Path(client): Path<String>,
    Query(query): Query<LogQuery>,
) -> Result<Response, AppError> {
    let (scope, tx) = Scope::client(&ctx, Permission::ViewAudit, &client).await?;
    csv(scope, tx, query).await
}

/// The names of what records are about.
#[derive(Default)]
struct Names {
    clients: Vec<(ClientId, String)>,
    accounts: HashMap<CustomerId, String>,
}

impl Names {
    /// The clients are named where the log is that of several.
    async fn load(tx: &mut Tenant, scope: &Scope, rows: &[Record]) -> Result<Self, AppError> {
        let clients = match &scope.client {
            Some(_) => Vec::new(),
            None => clients::list(tx).await?.into_iter().map(|client| (client.id, client.name)).collect(),
        };
        let accounts = audit::accounts(tx, scope.organization.id, rows).await?.into_iter().collect();
        Ok(Self { clients, accounts })
    }

    fn client(&self, row: &Record) -> String {
        let name = self.clients.iter().find(|(id, _)| Some(*id) == row.client_id);
        name.map(|(_, name)| name.clone()).unwrap_or_default()
    }

    fn account(&self, row: &Record) -> String {
        row.customer_id.and_then(|id| self.accounts.get(&id)).cloned().unwrap_or_default()
    }
}

async fn show(ctx: Ctx, scope: Scope, mut tx: Tenant, query: LogQuery) -> Result<Response, AppError> {
    let limit = i64::try_from(ROWS).unwrap_or_default() + 1;
    let filter = query.filter(&scope);
    let mut rows = audit::list(&mut tx, scope.organization.id, &filter, query.cursor(), limit).await?;
    let names = Names::load(&mut tx, &scope, &rows).await?;
    let chain = if query.is_first() { audit::chain(&mut tx, LINKS).await? } else { None };
    drop(tx);
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let path = format!("{}/audit", scope.base());
    let last = rows.last().filter(|_| more).map(LogQuery::after);
    let next = last.map(|before| query.href(&path, &before)).unwrap_or_default();
    let (actor, place) = (scope.actor.clone(), scope.place(&[], ""));
    let html = page(&ctx, &actor, place, "Audit log", move || {
        let first = if query.is_first() { String::new() } else { query.href(&path, "") };
        let shown = rows.len();
        let summary = match (shown, next.is_empty()) {
            (1, true) => "1 record".to_owned(),
            (n, true) => format!("{n} records"),
            (n, false) => format!("{n} records; there are older ones"),
        };
        let chain = chain.map(|chain| state(chain, &scope));
        let body = rows.into_iter().map(|row| line(&scope, &names, row)).collect_view();
        let columns = ["When", "What", "Who", "Details"].map(Column::text).into();
        view! {
            <PageHeader title="Audit log" subtitle="Every change, by whom and when. Records are never changed or removed."/>
            {chain}
            {filters(&query, &names, &path)}
            {if shown > 0 {
                view! {
                    <DataTable caption="Audit log, the latest first" columns=columns>{body}</DataTable>
                    <Pagination summary=summary first=first next=next/>
                }.into_any()
            } else if query.filtered() || !query.is_first() {
                view! { <EmptyState title="No record matches" text="Try fewer words, other days, or clear the filters." action="Clear the filters" href=path.clone()/> }.into_any()
            } else {
                view! { <EmptyState title="Nothing on record yet" text="Whatever somebody creates, changes or opens here is listed with its time and what changed."/> }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}

fn filters(query: &LogQuery, names: &Names, path: &str) -> impl IntoView + use<> {
    let clients: Vec<(String, String)> =
        names.clients.iter().map(|(id, name)| (id.to_string(), name.clone())).collect();
    let [q, who, from, to, account] = query.typed();
    let clear = if query.filtered() { path.to_owned() } else { String::new() };
    let csv = query.href(&format!("{path}.csv"), "");
    view! {
        <FilterBar action=path.to_owned() search="Words" q=q selects=query.selects(&clients) clear=clear csv=csv>
            <FilterText name="who" label="Person" value=who/>
            <FilterText name="account" label="Account number" value=account/>
            <FilterText name="from" label="From" kind="date" value=from/>
            <FilterText name="to" label="To" kind="date" value=to/>
        </FilterBar>
    }
}

/// Whether the log is as it was written: one quiet line, or an alarm.
fn state(chain: Chain, scope: &Scope) -> impl IntoView + use<> {
    let count = |n: i64| format::count(n, scope.locale());
    if let Some(fault) = chain.fault {
        return view! {
            <Notice tone=Tone::Bad title="This log was tampered with.">
                <p>{fault} " It did not happen through the portal. Keep what is here, tell EIS Power, and compare with a backup: records from there on are in doubt."</p>
            </Notice>
        }
        .into_any();
    }
    let sealed = chain.sealed_at.map(|at| format!("Sealed up to {}", scope.moment(at)));
    let Some(sealed) = sealed else { return ().into_any() };
    let held =
        if chain.checked == 1 { "record holds".to_owned() } else { format!("{} records hold", count(chain.checked)) };
    let text = match chain.records {
        Some(all) if all == chain.checked && all != 1 => {
            format!("{sealed}. The chain of {} records holds.", count(all))
        }
        Some(all) if all != chain.checked => format!("{sealed}. Chain of {} records; the latest {held}.", count(all)),
        _ => format!("{sealed}. The latest {held}."),
    };
    let end = chain.end.filter(|end| end.len() >= 16).map(|end| {
        view! { " Its end is " <code title=end.clone()>{end.chars().take(16).collect::<String>()}</code> "." }
    });
    view! { <p class="hint sealed">{text} {end}</p> }.into_any()
}

fn line(scope: &Scope, names: &Names, row: Record) -> impl IntoView + use<> {
    let when = scope.moment(row.at);
    let machine = row.at.to_rfc3339();
    let role = role(&row.role);
    let about = query::ENTITIES
        .iter()
        .find(|(code, _)| *code == row.entity)
        .map_or_else(|| row.entity.replace('_', " "), |(_, label)| (*label).to_owned());
    let account = names.account(&row);
    let account = if account.is_empty() { String::new() } else { format!("account {account}") };
    let about: Vec<String> = [about, names.client(&row), account].into_iter().filter(|part| !part.is_empty()).collect();
    let from = (!row.address.is_empty()).then(|| format!(" from {}", row.address));
    // With the seconds: the same may be done twice within a minute, and each table has a name of its own.
    let seconds = row.at.format("%S%.3f");
    let fold = changes::fold(changes::of(&row.details), &format!("{} at {when}, {seconds} seconds", row.summary));
    view! {
        <tr>
            <th scope="row" class="nowrap"><time datetime=machine>{when}</time></th>
            <td class="wrap">{row.summary} <span class="sub">{about.join(" · ")}</span></td>
            <td class="nowrap">{row.user_name} <span class="sub">{role} {from}</span></td>
            <td>{fold}</td>
        </tr>
    }
}

fn role(code: &str) -> String {
    if code == "service" {
        return "Service identity".to_owned();
    }
    Role::parse(code).map_or_else(|| code.replace('_', " "), |role| role.label().to_owned())
}

async fn csv(scope: Scope, mut tx: Tenant, query: LogQuery) -> Result<Response, AppError> {
    let rows = audit::list(&mut tx, scope.organization.id, &query.filter(&scope), None, EXPORT_ROWS).await?;
    let names = Names::load(&mut tx, &scope, &rows).await?;
    drop(tx);
    let head = [
        "at",
        "person",
        "role",
        "action",
        "entity",
        "entity_id",
        "client",
        "account_number",
        "summary",
        "changes",
        "address",
    ];
    let slug = scope.client.as_ref().map_or(&scope.organization.slug, |client| &client.slug);
    let lines = rows.iter().map(|row| {
        vec![
            row.at.to_rfc3339(),
            row.user_name.clone(),
            role(&row.role),
            row.action.clone(),
            row.entity.clone(),
            row.entity_id.map(|id| id.to_string()).unwrap_or_default(),
            scope.client.as_ref().map_or_else(|| names.client(row), |client| client.name.clone()),
            names.account(row),
            row.summary.clone(),
            changes::line(&changes::of(&row.details)),
            row.address.clone(),
        ]
    });
    csv_file(&format!("{slug}-audit"), &head, lines)
}

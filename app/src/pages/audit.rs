//! The audit log of an organization or of one client: filter, keyset paging, what changed.

use axum::extract::{Path, Query};
use axum::response::{IntoResponse, Response};
use chrono::DateTime;
use eis::access::{Permission, Role};
use eis::audit::{self, Cursor, Filter, Record};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::Value;

use crate::components::{Choice, Column, DataTable, EmptyState, FilterBar, FilterSelect, PageHeader, Pagination};
use crate::pages::frame::page;
use crate::pages::parts::address;
use crate::pages::scope::Scope;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// Records on a page.
const ROWS: usize = 50;

/// The nouns that records are about, for the filter.
const ENTITIES: [(&str, &str); 14] = [
    ("allocation", "Allocation"),
    ("billing_period", "Billing period"),
    ("client", "Client"),
    ("customer", "Customer"),
    ("import", "Import"),
    ("invitation", "Invitation"),
    ("invoice", "Invoice"),
    ("meter", "Meter"),
    ("meter_reading", "Meter reading"),
    ("organization", "Organisation"),
    ("payment", "Payment"),
    ("role_assignment", "Role"),
    ("tariff_agreement", "Tariff agreement"),
    ("tariff_rate", "Tariff"),
];

/// The verbs, for the filter.
const ACTIONS: [(&str, &str); 13] = [
    ("accept", "Accepted"),
    ("activate", "Activated"),
    ("apply", "Applied"),
    ("approve", "Approved"),
    ("create", "Created"),
    ("import", "Imported"),
    ("invite", "Invited"),
    ("issue", "Issued"),
    ("open", "Opened"),
    ("rate", "Rated"),
    ("retire", "Retired"),
    ("revoke", "Revoked"),
    ("update", "Changed"),
];

/// Filters and place in the log, all in the address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct LogQuery {
    q: String,
    entity: String,
    action: String,
    before: String,
}

impl LogQuery {
    fn filter(&self) -> Filter {
        Filter { entity: self.entity.clone(), action: self.action.clone(), search: self.q.trim().to_owned() }
    }

    /// `1764000000000000.0198…`: microseconds and id of the last record shown.
    fn cursor(&self) -> Option<Cursor> {
        let (at, id) = self.before.split_once('.')?;
        Some((DateTime::from_timestamp_micros(at.parse().ok()?)?, id.parse().ok()?))
    }

    fn href(&self, path: &str, before: &str) -> String {
        address(path, &[("q", &self.q), ("entity", &self.entity), ("action", &self.action), ("before", before)])
    }
}

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

async fn show(ctx: Ctx, scope: Scope, mut tx: eis::db::Tenant, query: LogQuery) -> Result<Response, AppError> {
    let client = scope.client.as_ref().map(|client| client.id);
    let limit = i64::try_from(ROWS).unwrap_or_default() + 1;
    let mut rows = audit::list(&mut tx, scope.organization.id, client, &query.filter(), query.cursor(), limit).await?;
    drop(tx);
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let path = format!("{}/audit", scope.base());
    let last = rows.last().filter(|_| more).map(|row| format!("{}.{}", row.at.timestamp_micros(), row.id));
    let next = last.map(|before| query.href(&path, &before)).unwrap_or_default();
    let place = scope.place(&[], "");
    let actor = scope.actor.clone();
    let html = page(&ctx, &actor, place, "Audit log", move || {
        let filtered = !(query.q.is_empty() && query.entity.is_empty() && query.action.is_empty());
        let first = if query.before.is_empty() { String::new() } else { query.href(&path, "") };
        let shown = rows.len();
        let summary = match (shown, next.is_empty()) {
            (1, true) => "1 record".to_owned(),
            (n, true) => format!("{n} records"),
            (n, false) => format!("{n} records; there are older ones"),
        };
        let body = rows.into_iter().map(|row| line(&scope, row)).collect_view();
        let columns = ["When", "What", "Who", "Details"].map(Column::text).into();
        view! {
            <PageHeader title="Audit log" subtitle="Every change, by whom and when. Records are never changed or removed."/>
            <FilterBar
                action=path.clone()
                search="Person or words"
                q=query.q.clone()
                selects=vec![
                    select("entity", "About", &query.entity, &ENTITIES),
                    select("action", "Action", &query.action, &ACTIONS),
                ]
                clear={if filtered { path.clone() } else { String::new() }}
            />
            {if shown > 0 {
                view! {
                    <DataTable caption="Audit log, the latest first" columns=columns>{body}</DataTable>
                    <Pagination summary=summary first=first next=next/>
                }.into_any()
            } else if filtered || !query.before.is_empty() {
                view! { <EmptyState title="No record matches" text="Try fewer words, or clear the filters." action="Clear the filters" href=path.clone()/> }.into_any()
            } else {
                view! { <EmptyState title="Nothing on record yet" text="Whatever somebody creates, changes or opens here is listed with its time and what changed."/> }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}

fn select(name: &str, label: &str, value: &str, choices: &[(&str, &str)]) -> FilterSelect {
    let all = std::iter::once(Choice::new("", "All"));
    FilterSelect {
        name: name.to_owned(),
        label: label.to_owned(),
        value: value.to_owned(),
        choices: all.chain(choices.iter().map(|(code, label)| Choice::new(*code, *label))).collect(),
    }
}

fn line(scope: &Scope, row: Record) -> impl IntoView + use<> {
    let when = scope.moment(row.at);
    let machine = row.at.to_rfc3339();
    let role = Role::parse(&row.role).map_or_else(|| row.role.replace('_', " "), |role| role.label().to_owned());
    let about = ENTITIES
        .iter()
        .find(|(code, _)| *code == row.entity)
        .map_or(row.entity.as_str(), |(_, label)| *label)
        .to_owned();
    let changes = changes(&row.details);
    let from = (!row.address.is_empty()).then(|| format!(" from {}", row.address));
    view! {
        <tr>
            <th scope="row" class="nowrap"><time datetime=machine>{when}</time></th>
            <td class="wrap">{row.summary} <span class="sub">{about}</span></td>
            <td class="nowrap">{row.user_name} <span class="sub">{role} {from}</span></td>
            <td>{details(changes)}</td>
        </tr>
    }
}

/// What a record tells beyond its sentence: name, before, after. Unchanged fields are left out.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    name: String,
    before: String,
    after: String,
}

fn changes(details: &Value) -> Vec<Change> {
    let Value::Object(all) = details else { return Vec::new() };
    let fields = |key: &str| all.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (fields("before"), fields("after"));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let changed = names.into_iter().filter_map(|name| {
        let (was, is) = (word(before.get(name)), word(after.get(name)));
        (was != is).then(|| Change { name: name.replace('_', " "), before: was, after: is })
    });
    let figures = all.iter().filter(|(name, value)| {
        !((*name == "before" || *name == "after") && value.is_object()) && !word(Some(value)).is_empty()
    });
    let figures = figures.map(|(name, value)| Change {
        name: name.replace('_', " "),
        before: String::new(),
        after: word(Some(value)),
    });
    changed.chain(figures).collect()
}

fn word(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Number(figure)) => audit::grouped(figure),
        Some(Value::String(text)) if text.contains('.') && text.parse::<Decimal>().is_ok() => audit::grouped(text),
        Some(Value::String(text)) => Role::parse(text).map_or_else(|| text.clone(), |role| role.label().to_owned()),
        Some(Value::Bool(flag)) => if *flag { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(items)) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(|item| word(Some(item))).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

fn details(changes: Vec<Change>) -> Option<impl IntoView> {
    (!changes.is_empty()).then(|| {
        let count = if changes.len() == 1 { "1 field".to_owned() } else { format!("{} fields", changes.len()) };
        let rows = changes
            .into_iter()
            .map(|change| {
                let dash = |text: String| if text.is_empty() { "–".to_owned() } else { text };
                let was = (!change.before.is_empty()).then(|| view! { <del>{change.before}</del> " → " });
                view! { <div><dt>{change.name}</dt><dd>{was} {dash(change.after)}</dd></div> }
            })
            .collect_view();
        view! { <details class="behind"><summary>{count}</summary><dl class="summary">{rows}</dl></details> }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_changed_is_told() {
        let details = json!({ "before": { "name": "A", "phone": "1" }, "after": { "name": "B", "phone": "1" }, "kwh": "38047.806", "invoices": 1200 });
        let told = changes(&details);
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], Change { name: "name".into(), before: "A".into(), after: "B".into() });
        assert_eq!((told[1].after.as_str(), told[2].after.as_str()), ("1,200", "38,047.806"));
    }

    #[test]
    fn a_cursor_survives_the_address() {
        let query =
            LogQuery { before: "1764000000000001.0198c0de-0000-7000-8000-000000000000".into(), ..LogQuery::default() };
        let (at, id) = query.cursor().unwrap();
        assert_eq!(format!("{}.{id}", at.timestamp_micros()), query.before);
        assert!(LogQuery { before: "x".into(), ..LogQuery::default() }.cursor().is_none());
    }
}

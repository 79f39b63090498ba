//! Invoices: the list that people page through all day, and its CSV. One invoice is in [`show`].

pub mod show;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::access::Permission;
use eis::db::Tenant;
use eis::receivables::invoices::{self, Cursor, Filter, Listed, Page, Search, Total, Turn};
use leptos::either::Either;
use leptos::prelude::*;
use serde::Deserialize;

use crate::components::{Choice, Column, DataTable, EmptyState, FilterBar, FilterSelect, PageHeader, Pagination, Rows};
use crate::format::{self, Locale};
use crate::forms;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, EXPORT_ROWS, PAGE_ROWS, address, csv_file};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::query::Query;

/// What the list can be narrowed to.
const STATUSES: [(&str, &str); 6] = [
    ("", "All"),
    ("overdue", "Overdue"),
    ("issued", "Issued"),
    ("part_paid", "Part-paid"),
    ("paid", "Paid"),
    ("credited", "Credited"),
];

/// Search, filter and place in the list, all in the address.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    q: String,
    status: String,
    after: String,
    before: String,
}

/// A place in the list that an address names.
fn place(typed: &str) -> Option<Cursor> {
    typed.parse().ok().filter(|Cursor(day, _)| forms::is_meant(*day))
}

impl ListQuery {
    fn filter(&self, today: NaiveDate) -> Filter {
        let turn = match (place(&self.after), place(&self.before)) {
            (Some(place), _) => Turn::After(place),
            (_, Some(place)) => Turn::Before(place),
            _ => Turn::First,
        };
        let known = STATUSES.iter().any(|(code, _)| *code == self.status);
        let status = if known { self.status.clone() } else { String::new() };
        Filter { status, search: Search::parse(&self.q), turn, today }
    }

    fn href(&self, path: &str, place: Option<(&str, String)>) -> String {
        let (name, value) = place.unwrap_or(("after", String::new()));
        address(path, &[("q", &self.q), ("status", &self.status), (name, &value)])
    }
}

/// `GET /clients/:client/invoices`
pub async fn list(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let today = at.client.today();
    let found = read(&tx, &query.filter(today)).await?;
    drop(tx);
    let (path, locale, currency) = (format!("{}/invoices", at.base()), at.locale(), at.client.currency.clone());
    let html = page(&ctx, &at.actor, at.place(&[], ""), "Invoices", move || {
        let filtered = !query.q.is_empty() || !query.status.is_empty();
        let total = total_text(found.total, found.rows.len(), locale);
        let subtitle = format!("{} open", format::amount(found.open_amount, &currency, locale));
        let place = |name, cursor: Option<Cursor>| {
            cursor.map(|cursor| query.href(&path, Some((name, cursor.to_string())))).unwrap_or_default()
        };
        let (previous, next) = (place("before", found.previous), place("after", found.next));
        let first = if previous.is_empty() { String::new() } else { query.href(&path, None) };
        let body = if found.rows.is_empty() {
            Either::Left(empty(filtered, &path))
        } else {
            let table = rows_table(found.rows, &path, &currency, today, locale);
            Either::Right(view! { {table} <Pagination summary=total first=first previous=previous next=next/> })
        };
        view! {
            <PageHeader title="Invoices" subtitle=subtitle/>
            <FilterBar
                action=path.clone()
                search="Number, account or beginning of a name"
                q=query.q.clone()
                selects=vec![FilterSelect {
                    name: "status".into(),
                    label: "Status".into(),
                    value: query.status.clone(),
                    choices: STATUSES.iter().map(|(code, label)| Choice::new(*code, *label)).collect(),
                }]
                clear={if filtered { path.clone() } else { String::new() }}
                csv=query.href(&format!("{path}.csv"), None)
            />
            {body}
        }
    })
    .await;
    Ok(html.into_response())
}

/// The list's SQL, all of it, in one round trip.
pub async fn read(tx: &Tenant, filter: &Filter) -> Result<Page, AppError> {
    Ok(invoices::list(tx, filter, PAGE_ROWS).await?)
}

fn total_text(total: Total, shown: usize, locale: Locale) -> String {
    match total {
        Total::Exactly(total) => {
            format!("{shown} of {} {}", format::count(total, locale), if total == 1 { "invoice" } else { "invoices" })
        }
        Total::MoreThan(counted) => format!("{shown} of more than {} invoices", format::count(counted, locale)),
    }
}

fn empty(filtered: bool, path: &str) -> AnyView {
    if filtered {
        let href = path.to_owned();
        view! { <EmptyState title="No invoice matches" text="Search for an invoice number, an account number or the beginning of a customer's name, or clear the search." action="Clear the search" href=href/> }.into_any()
    } else {
        let href = path.replace("/invoices", "/billing-runs");
        view! { <EmptyState title="No invoices yet" text="Invoices come from a billing run: create it, rate it, approve it, issue it." action="Billing runs" href=href/> }.into_any()
    }
}

/// Invoices as a table; the overview shows the latest with it too.
pub(super) fn rows_table(
    rows: Vec<Listed>,
    path: &str,
    currency: &str,
    today: NaiveDate,
    locale: Locale,
) -> impl IntoView + use<> {
    let columns = vec![
        Column::text("Number"),
        Column::text("Customer"),
        Column::text("Issued"),
        Column::text("Due"),
        Column::text("Status"),
        Column::number("Usage", "kWh"),
        Column::number("Amount", currency),
        Column::number("Open", currency),
    ];
    let mut table = Rows::new();
    for row in rows {
        table.row(|cells| {
            cells
                .name_link(&row.id.below(path), &row.label)
                .text_with(&row.customer_name, &row.account_number)
                .date(row.issued_on, locale)
                .date(row.due_on, locale)
                .status(row.shown_status(today))
                .kwh(row.kwh, locale)
                .money(row.total, locale)
                .money(row.total - row.paid, locale);
        });
    }
    view! { <DataTable caption="Invoices" columns=columns rows=table/> }
}

/// `GET /clients/:client/invoices.csv`
pub async fn csv(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let filter = Filter { turn: Turn::First, ..query.filter(at.client.today()) };
    let found = invoices::list(&tx, &filter, EXPORT_ROWS).await?;
    drop(tx);
    let head =
        ["number", "customer", "account_number", "issued_on", "due_on", "status", "kwh", "total", "paid", "currency"];
    let currency = at.client.currency.clone();
    let rows = found.rows.into_iter().map(|row| {
        vec![
            row.label,
            row.customer_name,
            row.account_number,
            row.issued_on.to_string(),
            row.due_on.to_string(),
            row.status,
            row.kwh.to_string(),
            row.total.to_string(),
            row.paid.to_string(),
            currency.clone(),
        ]
    });
    csv_file(&format!("{}-invoices", at.client.slug), &head, rows)
}

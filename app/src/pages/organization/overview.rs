//! The organization's start page: which client needs attention.

use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use eis::access::Permission;
use eis::parties::organizations::{self, ClientOverview, Statistics};
use leptos::prelude::*;

use super::notices;

use crate::components::{
    Column, DataTable, EmptyState, PageHeader, Section, Stat, Stats, Status, SummaryList, SummaryRow, Tone,
};
use crate::format::{self, Locale};
use crate::pages::frame::page;
use crate::pages::scope::Scope;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// `GET /organization`
pub async fn show(ctx: Ctx) -> Result<Response, AppError> {
    let (scope, mut tx) = Scope::organization(&ctx, Permission::ViewOrganization).await?;
    let rows = organizations::overview(&mut tx).await?;
    let holds = organizations::statistics(&mut tx, scope.organization.id).await?;
    let told = notices::of(&scope, &mut tx).await?;
    drop(tx);
    let locale = scope.locale();
    let told = notices::panel(&scope, told);
    let name = scope.organization.name.clone();
    let figures = figures(&scope, holds);
    let may_create = scope.actor.may(Permission::ManageClients);
    let html = page(&ctx, &scope.actor, scope.place(&[], ""), "Overview", move || {
        let new = if may_create { "New client" } else { "" };
        let subtitle = summary(&rows);
        let stats = stats(&rows, locale);
        let empty = rows.is_empty();
        let body = rows.into_iter().map(|row| line(row, locale)).collect_view();
        let columns = vec![
            Column::text("Client"),
            Column::text("To do"),
            Column::number("Customers", ""),
            Column::number("Overdue", "invoices"),
            Column::number("Overdue", "amount"),
            Column::number("Open", "amount"),
            Column::text("Currency"),
        ];
        view! {
            <PageHeader title=name subtitle=subtitle action=if empty { "" } else { new } href="/organization/clients/new"/>
            {if empty {
                view! { {told} <EmptyState title="No clients yet" text="A client is an energy company with its own brand, tariffs, invoices and currency. Add the first, then its customers." action=new href="/organization/clients/new"/> }.into_any()
            } else {
                view! {
                    <div class="stack">
                    {told}
                    <Stats stats=stats/>
                    <DataTable caption="Clients, those with most to do first" columns=columns>{body}</DataTable>
                    </div>
                    <Section title="The organisation in figures"><SummaryList rows=figures/></Section>
                }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}

fn summary(rows: &[ClientOverview]) -> String {
    let waiting = rows.iter().filter(|row| row.attention() > 0).count();
    match (waiting, rows.len()) {
        (_, 0) => String::new(),
        (0, all) => format!("Nothing waits at any of the {all} clients."),
        (1, all) => format!("One of {all} clients has something to do."),
        (some, all) => format!("{some} of {all} clients have something to do."),
    }
}

/// What the organization holds.
fn figures(scope: &Scope, holds: Statistics) -> Vec<SummaryRow> {
    let locale = scope.locale();
    let count = |n: i64| format::count(n, locale);
    let when = |at: Option<DateTime<Utc>>| at.map_or_else(|| "Never".to_owned(), |at| scope.moment(at));
    let closed = match holds.closed_customers {
        0 => String::new(),
        n => format!(", and {} closed", count(n)),
    };
    let open: Vec<String> = holds
        .open
        .iter()
        .zip(&holds.currencies)
        .map(|(open, currency)| format::amount(*open, currency, locale))
        .collect();
    let open = if open.is_empty() { "Nothing".to_owned() } else { open.join(", ") };
    let (whole, unit) = size(holds.bytes);
    vec![
        SummaryRow::new("Clients", count(holds.clients)),
        SummaryRow::new("Customers", format!("{}{closed}", count(holds.customers))),
        SummaryRow::new("Meters", count(holds.meters)),
        SummaryRow::new("Invoices issued", count(holds.invoices)),
        SummaryRow::new("Open on invoices", open),
        SummaryRow::new("People with a role", count(holds.users)).action("See", "/organization/users"),
        SummaryRow::new("Last import of usage", when(holds.last_at)),
        SummaryRow::new("Usage files taken in", format!("{}, {} {unit}", count(holds.files), count(whole))),
        SummaryRow::new("Last billing run", when(holds.last_run)),
    ]
}

/// Bytes in the unit that reads best.
const fn size(bytes: i64) -> (i64, &'static str) {
    match bytes {
        0..10_000 => (bytes, "bytes"),
        10_000..10_000_000 => (bytes / 1000, "kB"),
        _ => (bytes / 1_000_000, "MB"),
    }
}

fn stats(rows: &[ClientOverview], locale: Locale) -> Vec<Stat> {
    let sum = |of: fn(&ClientOverview) -> i64| rows.iter().map(of).sum::<i64>();
    let stat = |label: &str, value: i64, tone: Tone, note: &str| Stat {
        label: label.to_owned(),
        value: format::count(value, locale),
        note: note.to_owned(),
        href: String::new(),
        tone: if value > 0 { tone } else { Tone::Neutral },
    };
    vec![
        stat("Customers", sum(|row| row.customers), Tone::Neutral, "active"),
        stat("Billing runs waiting", sum(|row| row.waiting_runs), Tone::Warn, "for approval or issue"),
        stat("Held", sum(|row| row.exceptions), Tone::Warn, "contracts without a bill"),
        stat("Overdue invoices", sum(|row| row.overdue), Tone::Bad, "past their day"),
        stat("Imports to mend", sum(|row| row.faulty_imports), Tone::Warn, "in the last 30 days"),
    ]
}

fn line(row: ClientOverview, locale: Locale) -> impl IntoView {
    let base = format!("/clients/{}", row.id);
    let todo = todo(&row, &base, locale);
    let calm = todo.is_empty();
    let items = todo
        .into_iter()
        .enumerate()
        .map(|(at, (text, href))| {
            let gap = if at > 0 { ", " } else { "" };
            view! { {gap} <a href=href>{text}</a> }
        })
        .collect_view();
    let closed = row.status != "active";
    view! {
        <tr>
            <th scope="row"><a href=base.clone()>{row.name}</a> {closed.then(|| view! { " " <Status value=row.status/> })}</th>
            <td class="wrap">{if calm { view! { <span class="hint">"Nothing"</span> }.into_any() } else { items.into_any() }}</td>
            <td class="num"><a href=format!("{base}/customers")>{format::count(row.customers, locale)}</a></td>
            <td class="num">{format::count(row.overdue, locale)}</td>
            <td class="num">{format::money(row.overdue_amount, locale)}</td>
            <td class="num">{format::money(row.open_amount, locale)}</td>
            <td>{row.currency}</td>
        </tr>
    }
}

/// What waits at a client, each with where it is done.
fn todo(row: &ClientOverview, base: &str, locale: Locale) -> Vec<(String, String)> {
    let some = |n: i64, one: &str, many: &str| match n {
        1 => format!("1 {one}"),
        n => format!("{} {many}", format::count(n, locale)),
    };
    let mut items = Vec::new();
    if row.waiting_runs > 0 {
        let only = row.waiting_run.filter(|_| row.waiting_runs == 1).map(|id| format!("/{id}")).unwrap_or_default();
        let text = match row.waiting_due_on {
            Some(day) if row.waiting_runs == 1 => {
                format!("1 billing run to approve or issue (due by {})", format::date(day, locale))
            }
            _ => some(row.waiting_runs, "billing run waits", "billing runs wait"),
        };
        items.push((text, format!("{base}/billing-runs{only}")));
    }
    if row.exceptions > 0 {
        items.push((some(row.exceptions, "contract held", "contracts held"), format!("{base}/billing-runs")));
    }
    if row.overdue > 0 {
        items.push((
            some(row.overdue, "overdue invoice", "overdue invoices"),
            format!("{base}/invoices?status=overdue"),
        ));
    }
    if row.faulty_imports > 0 {
        items.push((some(row.faulty_imports, "import to mend", "imports to mend"), format!("{base}/imports")));
    }
    items
}

//! Billing runs: list and create. One run with its steps is in [`show`].

pub mod show;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use chrono_tz::Tz;
use eis::access::Permission;
use eis::billing::{self, BillingRun, Changed};
use eis::parties::contracts::CYCLES;
use eis::values::clock::local_day;
use eis::values::ids::BillingRunId;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::components::{
    Button, ButtonLink, Choice, Column, DataTable, DateField, EmptyState, ErrorSummary, Kind, PageHeader, Pagination,
    PostForm, Rows, Section, SelectField,
};
use crate::format::{self, Locale, many};
use crate::forms::{self, FieldErrors, Reader};
use crate::messages::billing as messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, PAGE_ROWS, address, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};
use crate::server::query::Query;

/// Invoices listed whose usage changed after they were issued.
const CHANGED_SHOWN: i64 = 25;

/// How people call a run within a sentence: `due by Dec 1, 2026`, `due by Dec 1, 2026 (quarterly)`.
pub(super) fn run_name(run: &BillingRun, locale: Locale) -> String {
    let day = format::date(run.due_on, locale);
    match run.cycle {
        None => format!("due by {day}"),
        Some(months) => format!("due by {day} ({})", cycle_name(months).to_lowercase()),
    }
}

/// How people call a billing cycle of so many months.
pub(super) const fn cycle_name(months: i16) -> &'static str {
    match months {
        1 => "Monthly",
        2 => "Every 2 months",
        3 => "Quarterly",
        6 => "Every 6 months",
        12 => "Yearly",
        _ => "Other",
    }
}

/// Place in the list: day and id of the last run seen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    before: String,
    id: String,
}

impl ListQuery {
    fn place(&self) -> Option<(NaiveDate, BillingRunId)> {
        Some((forms::day(&self.before)?, self.id.parse().ok()?))
    }
}

/// `GET /clients/:client/billing-runs`
pub async fn list(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let before = query.place();
    let (mut rows, changed) = tokio::try_join!(
        billing::list(&tx, before, PAGE_ROWS + 1),
        billing::changed_after_invoice(&tx, CHANGED_SHOWN),
    )?;
    drop(tx);
    let more = i64::try_from(rows.len()).unwrap_or_default() > PAGE_ROWS;
    rows.truncate(usize::try_from(PAGE_ROWS).unwrap_or_default());
    let path = format!("{}/billing-runs", at.base());
    let (locale, currency) = (at.locale(), at.client.currency.clone());
    let zone = at.client.zone();
    let new = if at.actor.may(Permission::RunBilling) { "New billing run" } else { "" };
    let html = page(&ctx, &at.actor, at.place(&[], ""), "Billing runs", move || {
        let next = rows.last().filter(|_| more).map(|row| address(&path, &[("before", &row.due_on.to_string()), ("id", &row.id.to_string())]));
        let first = if before.is_some() { path.clone() } else { String::new() };
        let count = i64::try_from(rows.len()).unwrap_or_default();
        let body = if rows.is_empty() {
            let (path, new) = (format!("{path}/new"), new.to_owned());
            view! { <EmptyState title="No billing runs yet" text="A billing run bills what is due by a day: of each contract the days that are over and that no bill covers. Create one, rate it, look at the drafts, approve, issue." action=new href=path/> }.into_any()
        } else {
            let table = table(&rows, &path, &currency, locale);
            view! {
                {table}
                <Pagination summary=many(count, "run", "runs", locale) first=first next=next.unwrap_or_default()/>
            }
            .into_any()
        };
        let body = if changed.is_empty() {
            body
        } else {
            let changed = changed_table(&changed, &path, zone, locale);
            view! { {changed} <Section title="All runs">{body}</Section> }.into_any()
        };
        view! {
            <PageHeader title="Billing runs" action=new href=format!("{path}/new")/>
            {body}
        }
    })
    .await;
    Ok(html.into_response())
}

/// Invoices whose usage changed after they were issued.
fn changed_table(changed: &[Changed], path: &str, zone: Tz, locale: Locale) -> AnyView {
    let invoices = path.replace("/billing-runs", "/invoices");
    let mut table = Rows::new();
    for row in changed {
        table.row(|cells| {
            cells
                .name_link(&format!("{invoices}/{}", row.invoice), &row.label)
                .text_with(&row.customer_name, &row.account_number)
                .prose(&row.message)
                .date(local_day(zone, row.at), locale);
        });
    }
    let columns =
        vec![Column::text("Invoice"), Column::text("Customer"), Column::text("What changed"), Column::text("Noticed")];
    view! {
        <Section title="Usage changed after invoice">
            <p>"These invoices stay as they are. Where the difference matters, it takes a credit note and a new bill."</p>
            <DataTable caption="Usage changed after invoice" columns=columns rows=table/>
        </Section>
    }
    .into_any()
}

fn table(rows: &[BillingRun], path: &str, currency: &str, locale: Locale) -> AnyView {
    let columns = vec![
        Column::text("Due by"),
        Column::text("Cycle"),
        Column::text("Status"),
        Column::number("Contracts", ""),
        Column::number("Invoices", ""),
        Column::number("Held", ""),
        Column::number("Usage", "kWh"),
        Column::number("Total", currency),
    ];
    let mut table = Rows::new();
    for row in rows {
        table.row(|cells| {
            cells
                .name_link(&format!("{path}/{}", row.id), &format::date(row.due_on, locale))
                .line(row.cycle.map_or("All", cycle_name))
                .status(row.state())
                .number(&format::count(row.contracts.into(), locale))
                .number(&format::count(row.invoices.into(), locale))
                .number(&format::count(row.exceptions.into(), locale))
                .kwh(row.kwh, locale)
                .money(row.total, locale);
        });
    }
    view! { <DataTable caption="Billing runs" columns=columns rows=table/> }.into_any()
}

/// `GET /clients/:client/billing-runs/new`
pub async fn new(ctx: Ctx, Path(client): Path<String>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::RunBilling, &client).await?;
    drop(tx);
    let today = at.client.today().to_string();
    let typed = ctx.take_typed().await;
    let list = format!("{}/billing-runs", at.base());
    let hidden = vec![("client".to_owned(), at.client.id.to_string()), ("page".to_owned(), format!("{list}/new"))];
    let context = at.actor.context_token();
    let place = at.place(&[("Billing runs", "billing-runs")], "New billing run");
    let html = page(&ctx, &at.actor, place, "New billing run", move || {
        let cycles = std::iter::once(Choice::new("", "All"))
            .chain(CYCLES.map(|months| Choice::new(months.to_string(), cycle_name(months))))
            .collect::<Vec<_>>();
        view! {
            <ErrorSummary errors=field_errors(&typed)/>
            <PageHeader title="New billing run"/>
            <PostForm action="/api/create_billing_run" context=context hidden=hidden class="form">
                <DateField name="due_on" label="Bill what is due by" hint="Days before this one are billed, of each contract up to the end of its cycle." value=typed.value("due_on", today) error=typed.error("due_on")/>
                <SelectField name="cycle" label="Cycle" hint="Contracts of this cycle alone." choices=cycles value=typed.value("cycle", "") error=typed.error("cycle")/>
                <div class="actions"><Button label="Create billing run"/><ButtonLink label="Cancel" href=list kind=Kind::Secondary/></div>
            </PostForm>
        }
    })
    .await;
    Ok(html.into_response())
}

/// What was typed to make a run: the day by which it bills what is due, and of which cycle.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct RunForm {
    due_on: String,
    cycle: String,
}

impl RunForm {
    fn read(&self) -> Result<(NaiveDate, Option<i16>), FieldErrors> {
        let mut reader = Reader::default();
        let due_on = reader.date("due_on", &self.due_on, "the day by which days are due");
        let cycle = match self.cycle.trim() {
            "" => None,
            typed => {
                let known = CYCLES.into_iter().find(|months| months.to_string() == typed);
                if known.is_none() {
                    reader.errors.add("cycle", "Choose one of the cycles, or all of them.");
                }
                known
            }
        };
        reader.errors.or((due_on.unwrap_or_default(), cycle))
    }
}

/// Makes a billing run of what is due by a day.
#[server(prefix = "/api", endpoint = "create_billing_run")]
pub(crate) async fn create_billing_run(client: String, #[server(flatten)] form: RunForm) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let (at, _) = actor.tenant()?;
        let (due_on, cycle) = form.read()?;
        let mut tx = ctx.write(&actor).await?;
        let id = billing::create(&mut tx, due_on, cycle).await.map_err(messages::of_new)?;
        Done::to(format!("/clients/{at}/billing-runs/{id}"))
            .saying("Billing run created. Rate it next.")
            .commit(&ctx, tx)
            .await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_of_every_cycle_or_of_one_that_is_known() {
        let form = |due_on: &str, cycle: &str| RunForm { due_on: due_on.into(), cycle: cycle.into() }.read();
        let day = "2026-12-01".parse().unwrap();
        assert_eq!(form("2026-12-01", "").unwrap(), (day, None));
        assert_eq!(form("2026-12-01", "3").unwrap(), (day, Some(3)));
        assert!(!form("2026-12-01", "4").unwrap_err().of("cycle").is_empty());
        assert!(!form("tomorrow", "").unwrap_err().of("due_on").is_empty());
    }
}

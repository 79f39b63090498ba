//! Billing periods: list and create. One period with its steps is in [`show`].

pub mod show;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use chrono_tz::Tz;
use eis::access::Permission;
use eis::billing::{self, BillingPeriod, Changed};
use eis::clients;
use eis::clock::local_day;
use eis::period::Period;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::components::{
    Button, ButtonLink, Column, DataTable, DateField, EmptyState, ErrorSummary, Kind, PageHeader, Pagination, PostForm,
    Rows, Section,
};
use crate::format::{self, Locale};
use crate::forms::{self, FieldErrors, Reader, days};
use crate::messages::billing as messages;
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, PAGE_ROWS, address, field_errors};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};
use crate::server::query::Query;

/// Invoices listed whose usage changed after they were issued.
const CHANGED_SHOWN: i64 = 25;

/// How people call a period: a month by its name, anything else by its days.
pub(super) fn period_name(days: Period, locale: Locale) -> String {
    if days.is_calendar_month() {
        format::month(days.from(), locale)
    } else {
        format::date_range(days.from(), days.last(), locale)
    }
}

/// The same with its part: `October 2026, those left out`.
pub(super) fn part_name(period: &BillingPeriod, locale: Locale) -> String {
    let name = period_name(period.days(), locale);
    match period.part {
        ..2 => name,
        2 => format!("{name}, those left out"),
        part => format!("{name}, those left out ({})", part - 1),
    }
}

/// Place in the list: first day and part of the last period seen.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    before: String,
    part: i16,
}

/// `GET /clients/:client/billing-periods`
pub async fn list(ctx: Ctx, Path(client): Path<String>, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let before = forms::day(&query.before).map(|day| (day, query.part));
    let (mut rows, changed) = tokio::try_join!(
        billing::list(&tx, before, PAGE_ROWS + 1),
        billing::changed_after_invoice(&tx, CHANGED_SHOWN),
    )?;
    drop(tx);
    let more = i64::try_from(rows.len()).unwrap_or_default() > PAGE_ROWS;
    rows.truncate(usize::try_from(PAGE_ROWS).unwrap_or_default());
    let path = format!("{}/billing-periods", at.base());
    let (locale, currency) = (at.locale(), at.client.currency.clone());
    let zone = at.client.zone();
    let new = if at.actor.may(Permission::RunBilling) { "New billing period" } else { "" };
    let html = page(&ctx, &at.actor, at.place(&[], ""), "Billing periods", move || {
        let next = rows.last().filter(|_| more).map(|row| address(&path, &[("before", &row.from_on.to_string()), ("part", &row.part.to_string())]));
        let first = if before.is_some() { path.clone() } else { String::new() };
        let count = rows.len();
        let body = if rows.is_empty() {
            let (path, new) = (format!("{path}/new"), new.to_owned());
            view! { <EmptyState title="No billing periods yet" text="A billing period is the days that are billed together, usually a month. Create one, rate it, look at the drafts, approve, issue." action=new href=path/> }.into_any()
        } else {
            let table = table(&rows, &path, &currency, locale);
            view! {
                {table}
                <Pagination summary=format!("{count} {}", if count == 1 { "period" } else { "periods" }) first=first next=next.unwrap_or_default()/>
            }
            .into_any()
        };
        let body = if changed.is_empty() {
            body
        } else {
            let changed = changed_table(&changed, &path, zone, locale);
            view! { {changed} <Section title="All periods">{body}</Section> }.into_any()
        };
        view! {
            <PageHeader title="Billing periods" action=new href=format!("{path}/new")/>
            {body}
        }
    })
    .await;
    Ok(html.into_response())
}

/// Invoices whose usage changed after they were issued.
fn changed_table(changed: &[Changed], path: &str, zone: Tz, locale: Locale) -> AnyView {
    let invoices = path.replace("/billing-periods", "/invoices");
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

fn table(rows: &[BillingPeriod], path: &str, currency: &str, locale: Locale) -> AnyView {
    let columns = vec![
        Column::text("Period"),
        Column::text("Days"),
        Column::text("Status"),
        Column::number("Invoices", ""),
        Column::number("Not billed", ""),
        Column::number("Usage", "kWh"),
        Column::number("Total", currency),
    ];
    let mut table = Rows::new();
    for row in rows {
        let days = row.days();
        table.row(|cells| {
            cells
                .name_link(&format!("{path}/{}", row.id), &part_name(row, locale))
                .line(&format::date_range(days.from(), days.last(), locale))
                .status(row.state())
                .number(&format::count(row.invoices.into(), locale))
                .number(&format::count(row.exceptions.into(), locale))
                .kwh(row.kwh, locale)
                .money(row.total, locale);
        });
    }
    view! { <DataTable caption="Billing periods" columns=columns rows=table/> }.into_any()
}

/// The days to propose: those after the latest period to the end of their month, else last month.
fn proposal(latest: Option<&BillingPeriod>, today: NaiveDate) -> Period {
    let month = |day| Period::month_of(day);
    match latest {
        Some(latest) => Period::new(latest.to_on, month(latest.to_on).to()).unwrap_or_else(|_| month(latest.to_on)),
        None => month(month(today).from().pred_opt().unwrap_or(today)),
    }
}

/// `GET /clients/:client/billing-periods/new`
pub async fn new(ctx: Ctx, Path(client): Path<String>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::RunBilling, &client).await?;
    let latest = billing::list(&tx, None, 1).await?;
    drop(tx);
    let days = proposal(latest.first(), at.client.today());
    let typed = ctx.take_typed().await;
    let list = format!("{}/billing-periods", at.base());
    let hidden = vec![("client".to_owned(), at.client.id.to_string()), ("page".to_owned(), format!("{list}/new"))];
    let context = at.actor.context_token();
    let place = at.place(&[("Billing periods", "billing-periods")], "New billing period");
    let html = page(&ctx, &at.actor, place, "New billing period", move || {
        view! {
            <ErrorSummary errors=field_errors(&typed)/>
            <PageHeader title="New billing period"/>
            <PostForm action="/api/create_billing_period" context=context hidden=hidden class="form">
                <DateField name="from" label="First day" value=typed.value("from", days.from().to_string()) error=typed.error("from")/>
                <DateField name="to" label="Last day" hint="This day is billed too." value=typed.value("to", days.last().to_string()) error=typed.error("to")/>
                <div class="actions"><Button label="Create billing period"/><ButtonLink label="Cancel" href=list kind=Kind::Secondary/></div>
            </PostForm>
        }
    })
    .await;
    Ok(html.into_response())
}

/// What was typed to make a period: its first and last day.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PeriodForm {
    from: String,
    to: String,
}

impl PeriodForm {
    fn read(&self, today: NaiveDate) -> Result<Period, FieldErrors> {
        let mut reader = Reader::default();
        let from = reader.date("from", &self.from, "the first day");
        let last = reader.date("to", &self.to, "the last day");
        days::planned(&mut reader.errors, "to", last, today);
        let (Some(from), Some(last)) = (from, last) else { return Err(reader.errors) };
        reader.errors.or(())?;
        let after = last.succ_opt().unwrap_or(last);
        match Period::new(from, after) {
            Err(_) => Err(FieldErrors::one("to", "The last day must not lie before the first.")),
            Ok(days) => Ok(days),
        }
    }
}

/// Makes a billing period.
#[server(prefix = "/api", endpoint = "create_billing_period")]
pub(crate) async fn create_billing_period(
    client: String,
    #[server(flatten)] form: PeriodForm,
) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let days = form.read(clients::current(&tx).await?.today())?;
        let id = billing::create(&mut tx, days).await.map_err(messages::of_days)?;
        Done::to(format!("/clients/{at}/billing-periods/{id}"))
            .saying("Billing period created. Rate it next.")
            .commit(&ctx, tx)
            .await
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn without_a_period_last_month_is_proposed() {
        assert_eq!(proposal(None, day("2026-11-23")), Period::month(2026, 10).unwrap());
        assert_eq!(proposal(None, day("2026-01-01")), Period::month(2025, 12).unwrap());
    }

    #[test]
    fn the_last_day_typed_is_billed() {
        let form = PeriodForm { from: "2012-03-01".into(), to: "2012-03-13".into() };
        assert_eq!(form.read(day("2026-11-23")).unwrap().days(), 13);
        let one = PeriodForm { from: "2012-03-01".into(), to: "2012-03-01".into() };
        assert_eq!(one.read(day("2026-11-23")).unwrap().days(), 1);
        let wrong = PeriodForm { from: "2012-03-02".into(), to: "2012-03-01".into() };
        assert!(!wrong.read(day("2026-11-23")).unwrap_err().of("to").is_empty());
    }
}

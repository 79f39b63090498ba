//! A client's overview: what needs attention, money in and out this month, usage, the latest invoices.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::billing::{self, Attention, MonthUsage};
use eis::receivables::invoices::{self, Filter};
use leptos::either::Either;
use leptos::prelude::*;
use rust_decimal::Decimal;

use super::invoices::rows_table;
use crate::components::{
    BarChart, EmptyState, Notice, PageHeader, Section, Series, SeriesTone, Stat, Stats, SummaryList, SummaryRow, Tone,
};
use crate::format::{self, Locale};
use crate::pages::frame::page;
use crate::pages::parts::AtClient;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// Invoices shown as the latest.
const LATEST: i64 = 6;

/// `GET /clients/:client`
pub async fn show(ctx: Ctx, Path(client): Path<String>) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let filter = Filter { today: at.client.today(), ..Filter::default() };
    let (attention, usage, latest) = tokio::try_join!(
        billing::attention(&tx, &at.client),
        billing::usage_by_month(&tx),
        invoices::list(&tx, &filter, LATEST),
    )?;
    drop(tx);
    let (base, locale, currency) = (at.base(), at.locale(), at.client.currency.clone());
    let title = at.client.name.clone();
    let imports = at.actor.may(Permission::ImportUsage);
    let month = format::month(filter.today, locale);
    let html = page(&ctx, &at.actor, at.place(&[], ""), "Overview", move || {
        let to_do = to_do(&attention, &base, &currency, locale);
        let invoices = format!("{base}/invoices");
        let shown = !latest.rows.is_empty();
        let table = if shown {
            Either::Left(rows_table(latest.rows, &invoices, &currency, filter.today, locale))
        } else {
            Either::Right(no_invoices(&base))
        };
        let (stats, usage) = (
            stats(&attention, latest.open_amount, &month, &base, &currency, locale),
            chart(&usage, locale, &base, imports),
        );
        view! {
            <PageHeader title=title/>
            <Stats stats=stats/>
            <Section title="What needs attention">{to_do}</Section>
            <Section title="Usage billed by month">{usage}</Section>
            <Section title="Latest invoices" link={if shown { "All invoices" } else { "" }} href=invoices>
                {table}
            </Section>
        }
    })
    .await;
    Ok(html.into_response())
}

fn no_invoices(base: &str) -> AnyView {
    let href = format!("{base}/billing-runs");
    view! { <EmptyState title="No invoices yet" text="Invoices come from a billing run: create it, rate it, approve it, issue it." action="Billing runs" href=href/> }.into_any()
}

fn stats(figures: &Attention, open: Decimal, month: &str, base: &str, currency: &str, locale: Locale) -> Vec<Stat> {
    let amount = |value: Decimal| format::amount(value, currency, locale);
    let overdue = figures.overdue > 0;
    vec![
        Stat {
            label: "Invoiced this month".into(),
            value: amount(figures.invoiced),
            note: month.to_owned(),
            href: format!("{base}/invoices"),
            tone: Tone::Neutral,
        },
        Stat {
            label: "Received this month".into(),
            value: amount(figures.received),
            note: month.to_owned(),
            ..Stat::default()
        },
        Stat {
            label: "Open".into(),
            value: amount(open),
            note: if overdue {
                format!("{} overdue", amount(figures.overdue_amount))
            } else {
                "Nothing is overdue".into()
            },
            href: format!("{base}/invoices?status=overdue"),
            tone: if overdue { Tone::Bad } else { Tone::Neutral },
        },
    ]
}

/// `1 customer`, `1,204 customers`.
fn many(count: i64, one: &str, more: &str, locale: Locale) -> String {
    format!("{} {}", format::count(count, locale), if count == 1 { one } else { more })
}

fn to_do(figures: &Attention, base: &str, currency: &str, locale: Locale) -> AnyView {
    let runs = |count| many(count, "billing run", "billing runs", locale);
    let customers = |count| many(count, "customer", "customers", locale);
    let overdue = format::amount(figures.overdue_amount, currency, locale);
    let items = [
        (
            figures.blocked,
            "Held",
            format!("{} without a bill", many(figures.blocked, "contract is", "contracts are", locale)),
            "See why",
            "billing-runs",
        ),
        (figures.open_runs, "To rate", runs(figures.open_runs), "Rate", "billing-runs"),
        (figures.rated_runs, "To approve", runs(figures.rated_runs), "Look and approve", "billing-runs"),
        (figures.approved_runs, "To issue", runs(figures.approved_runs), "Issue", "billing-runs"),
        (
            figures.changed,
            "To correct",
            format!("Usage of {} changed after issue", many(figures.changed, "invoice", "invoices", locale)),
            "See them",
            "billing-runs",
        ),
        (
            figures.overdue,
            "Overdue",
            format!("{} with {overdue} left to pay", many(figures.overdue, "invoice", "invoices", locale)),
            "See them",
            "invoices?status=overdue",
        ),
        (
            figures.without_tariff,
            "Without a tariff",
            customers(figures.without_tariff),
            "Find them",
            "customers?lacks=tariff",
        ),
        (
            figures.without_meter,
            "Without a meter",
            customers(figures.without_meter),
            "Find them",
            "customers?lacks=meter",
        ),
        (
            figures.imports_rejected,
            "Imports",
            format!(
                "{} of the last 30 days had lines refused",
                many(figures.imports_rejected, "file", "files", locale)
            ),
            "See the lines",
            "imports",
        ),
    ];
    let rows: Vec<SummaryRow> = items
        .into_iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(_, key, text, label, path)| SummaryRow::new(key, text).action(label, format!("{base}/{path}")))
        .collect();
    if rows.is_empty() {
        view! { <Notice tone=Tone::Good title="Nothing needs attention."/> }.into_any()
    } else {
        view! { <SummaryList rows=rows/> }.into_any()
    }
}

/// `imports`: the one who looks may bring usage in.
fn chart(usage: &[MonthUsage], locale: Locale, base: &str, imports: bool) -> AnyView {
    let used = usage.iter().filter(|month| !month.kwh.is_zero());
    let Some(most) = used.max_by_key(|month| month.kwh) else {
        let (href, action) = (format!("{base}/imports/new"), if imports { "Import usage" } else { "" });
        return view! { <EmptyState title="No usage billed yet" text="Import usage, then rate a billing run." action=action href=href/> }.into_any();
    };
    let description =
        format!("Most in {} with {}.", format::month(most.month, locale), format::kwh_short(most.kwh, locale));
    let series = vec![Series {
        name: "Usage".into(),
        tone: SeriesTone::Usage,
        values: usage.iter().map(|month| month.kwh).collect(),
    }];
    let labels = usage.iter().map(|month| format::short_month(month.month, locale)).collect();
    let names = usage.iter().map(|month| format::month(month.month, locale)).collect();
    view! {
        <BarChart id="usage" title="Usage billed by month" untitled=true description=description unit="kWh" label_head="Month"
            labels=labels names=names series=series locale=locale places=0/>
    }
    .into_any()
}

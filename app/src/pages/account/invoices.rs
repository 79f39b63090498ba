//! A customer's bills: the list, and one with every line down to its days.

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::db::Tenant;
use eis::parties::clients::{self, Client};
use eis::receivables::invoices::{self, Billed, Invoice};
use eis::receivables::owed::{self, Cursor};
use eis::receivables::payments;
use eis::values::ids::InvoiceId;
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::home::{against, span_of};
use super::{AtAccount, statement};
use crate::components::{
    AmountDue, Column, DataTable, EmptyState, PageHeader, Pagination, Rows, Section, Status, Tone,
};
use crate::format;
use crate::forms;
use crate::pages::frame::page as framed;
use crate::pages::invoice_view;
use crate::pages::parts::address;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::query::Query;

const PATH: &str = "/account/invoices";
/// Bills on a page: two years of monthly ones.
const ROWS: usize = 24;
/// Bills read to compare one with: a year's monthly ones and a few credit notes among them.
const EARLIER: i64 = 16;

/// Where the page of the list begins.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ListQuery {
    before: String,
}

impl ListQuery {
    /// `2026-12-01.0198…`: day of issue and id of the last bill shown.
    fn cursor(&self) -> Option<Cursor> {
        let (day, id) = self.before.split_once('.')?;
        Some((forms::day(day)?, id.parse().ok()?))
    }
}

fn cursor_of(bill: &Invoice) -> Option<String> {
    bill.issued_on.map(|day| format!("{day}.{}", bill.id))
}

/// `GET /account/invoices`
pub async fn list(ctx: Ctx, Query(query): Query<ListQuery>) -> Result<Response, AppError> {
    let (at, tx) = AtAccount::open(&ctx).await?;
    let limit = i64::try_from(ROWS).unwrap_or_default() + 1;
    let mut rows = owed::bills(&tx, at.customer.id, query.cursor(), limit).await?;
    drop(tx);
    let more = rows.len() > ROWS;
    rows.truncate(ROWS);
    let next = rows.last().filter(|_| more).and_then(cursor_of);
    let next = next.map(|before| address(PATH, &[("before", &before)])).unwrap_or_default();
    let today = at.today();
    let actor = at.actor.clone();
    let html = framed(&ctx, &actor, at.place(&[], ""), "Invoices", move || {
        let locale = at.locale();
        let first = if query.before.is_empty() { "" } else { PATH };
        let (shown, none) = (rows.len(), rows.is_empty());
        let mut body = Rows::new();
        rows.iter().for_each(|bill| line(&mut body, &at, bill, today));
        let currency = at.client.currency.clone();
        let columns = vec![
            Column::text("Invoice"),
            Column::number("Amount", currency.clone()),
            Column::text("Status"),
            Column::number("Open", currency),
            Column::text("Due"),
            Column::text("Issued"),
            Column::number("Usage", "kWh"),
        ];
        let summary = if shown == 1 { "1 invoice".to_owned() } else { format!("{} invoices", format::count(i64::try_from(shown).unwrap_or_default(), locale)) };
        view! {
            <PageHeader title="Invoices" second="Account statement" second_href=statement::PATH/>
            {if none {
                view! { <EmptyState title="No invoices yet" text="Your first bill appears here on the day it is issued."/> }.into_any()
            } else {
                view! {
                    <DataTable caption="Invoices, the latest first" columns=columns rows=body/>
                    <Pagination summary=summary first=first next=next/>
                }.into_any()
            }}
        }
    })
    .await;
    Ok(html.into_response())
}

fn line(rows: &mut Rows, at: &AtAccount, bill: &Invoice, today: chrono::NaiveDate) {
    let locale = at.locale();
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| format::date(day, locale)).unwrap_or_default();
    let open = if owed::is_open(bill) { bill.open() } else { Decimal::ZERO };
    let span = span_of(bill, locale);
    let span = if bill.kind == "credit_note" { format!("{span} (credit note)") } else { span };
    rows.row(|row| {
        row.name_link_with(&format!("{PATH}/{}", bill.id), &bill.label, &span)
            .money(bill.total, locale)
            .status(if bill.overdue(today) { "overdue" } else { &bill.status })
            .money(open, locale)
            .line(&day(bill.due_on))
            .line(&day(bill.issued_on))
            .kwh(bill.kwh, locale);
    });
}

/// What one invoice's page shows.
pub struct Read {
    seller: Client,
    invoice: Invoice,
    lines: Vec<invoices::Line>,
    billed: Vec<Billed>,
    paid: Vec<payments::Paid>,
    bills: Vec<Invoice>,
}

/// One invoice's SQL, all of it.
pub async fn read(tx: &Tenant, at: &AtAccount, id: InvoiceId) -> Result<Read, AppError> {
    let (seller, invoice, lines, billed, paid) = tokio::try_join!(
        clients::find(tx, at.customer.organization_id, at.client.id),
        invoices::find(tx, id),
        invoices::lines(tx, id),
        invoices::billed(tx, id),
        payments::of_invoice(tx, id),
    )?;
    let seller = seller.ok_or(AppError::Forbidden)?;
    let invoice = invoice.ok_or(AppError::NotFound)?;
    // What it is compared with was issued before it, whatever has been issued since.
    let before = invoice.issued_on.map(|day| (day, invoice.id));
    let bills = owed::bills(tx, at.customer.id, before, EARLIER).await?;
    Ok(Read { seller, invoice, lines, billed, paid, bills })
}

/// `GET /account/invoices/:invoice`. A draft and another's bill answer like one that does not exist.
pub async fn show(ctx: Ctx, Path(id): Path<String>) -> Result<Response, AppError> {
    let (at, tx) = AtAccount::open(&ctx).await?;
    let id: InvoiceId = id.parse().map_err(|_| AppError::NotFound)?;
    let Read { seller, invoice, lines, billed, paid, mut bills } = read(&tx, &at, id).await?;
    drop(tx);
    bills.push(invoice.clone());
    let compared = owed::compare(&bills).filter(|compared| compared.now.id == invoice.id);
    let (today, place) = (at.today(), at.place(&[("Invoices", PATH)], &invoice.label));
    let actor = at.actor.clone();
    let title = format!("{} {}", if invoice.kind == "credit_note" { "Credit note" } else { "Invoice" }, invoice.label);
    let html = framed(&ctx, &actor, place, title.clone(), move || {
        let locale = at.locale();
        let status = if invoice.overdue(today) { "overdue".to_owned() } else { invoice.status.clone() };
        let usage = address(
            "/account/usage",
            &[("by", "day"), ("from", &invoice.period_from.to_string()), ("to", &invoice.last_day().to_string())],
        );
        let about = invoice_view::facts(&invoice, &billed, &seller, "");
        let bill = invoice_view::account(&invoice, &lines, &billed, locale);
        // Several periods have headings of their own.
        let bill = if billed.len() > 1 {
            view! { {bill} <p><a href=usage>"Usage of these days"</a></p> }.into_any()
        } else {
            view! { <Section title="Line by line" link="Usage of these days" href=usage>{bill}</Section> }.into_any()
        };
        view! {
            <PageHeader title=title><Status value=status/></PageHeader>
            <div class="columns even">
                <div>
                    {to_pay(&at, &invoice, today)}
                    {compared.as_ref().and_then(|compared| against(&at, compared, &billed))}
                </div>
                <Section title="About this bill">{about}</Section>
            </div>
            {invoice_view::explained(&billed, &invoice.currency, locale)}
            {bill}
            {invoice_view::received(&paid, &invoice.currency, locale).map(|table| view! { <Section title="Payments">{table}</Section> })}
        }
    })
    .await;
    Ok(html.into_response())
}

fn to_pay(at: &AtAccount, invoice: &Invoice, today: chrono::NaiveDate) -> impl IntoView + use<> {
    let locale = at.locale();
    let due = invoice.due_on.map(|day| format::date_long(day, locale)).unwrap_or_default();
    let (label, amount, text, tone) = if owed::is_open(invoice) {
        let (text, tone) = if invoice.overdue(today) {
            (format!("Was due {due}; please pay it now"), Tone::Bad)
        } else {
            (format!("Due {due}"), Tone::Neutral)
        };
        ("To pay", invoice.open(), text, tone)
    } else if invoice.status == "credited" {
        (
            "Credited",
            invoice.total,
            "A credit note took this bill back; nothing is to be paid on it".to_owned(),
            Tone::Neutral,
        )
    } else if invoice.total < Decimal::ZERO {
        ("Credit", -invoice.total, "In your favour: it pays your next bills".to_owned(), Tone::Good)
    } else {
        ("Paid", invoice.total, "Thank you; nothing is left to pay on this bill".to_owned(), Tone::Good)
    };
    view! { <AmountDue label=label amount=at.amount(amount) due=text tone=tone/> }
}

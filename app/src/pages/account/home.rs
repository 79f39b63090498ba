//! The customer's start page: amount owed and due date first, then why, then usage.

use axum::response::{IntoResponse, Response};
use chrono::{Months, NaiveDate};
use eis::db::{QueryError, Tenant};
use eis::metering::usage_data::{self, By, Total};
use eis::parties::contracts::{self, Contract, Stage};
use eis::receivables::invoices::{self, Billed, Explained, Invoice};
use eis::receivables::owed::{self, Compared, Owed};
use eis::values::ids::CustomerId;
use leptos::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

use super::usage::charts;
use super::{AtAccount, statement};
use crate::components::{
    AmountDue, ButtonLink, CompareBars, Comparison, EmptyState, Kind, PageHeader, Section, SummaryList, SummaryRow,
    Tone,
};
use crate::format;
use crate::pages::frame::page as framed;
use crate::pages::invoice_view::{days_name, shares_in_words};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// Bills read: a year's monthly ones and a few credit notes among them.
const BILLS: i64 = 16;

/// `GET /account`
pub async fn page(ctx: Ctx) -> Result<Response, AppError> {
    let (at, tx) = AtAccount::open(&ctx).await?;
    let today = at.today();
    let Read { owed, bills, billed, months, contracts } = read(&tx, &at).await?;
    drop(tx);
    let compared = owed::compare(&bills);
    let open = bills.iter().filter(|bill| owed::is_open(bill)).min_by_key(|bill| bill.due_on).map(|bill| bill.id);
    let place = at.place(&[], "");
    let actor = at.actor.clone();
    let html = framed(&ctx, &actor, place, "Home", move || {
        let see = open.or_else(|| compared.as_ref().map(|c| c.now.id));
        view! {
            <PageHeader title=at.customer.name.clone() subtitle=subtitle(&at, &contracts, today) second="Account statement" second_href=statement::PATH/>
            <div class="columns even">
                {amount_due(&at, &owed, today, see.map(|id| format!("/account/invoices/{id}")))}
                {compared.as_ref().map(|compared| latest(&at, compared))}
            </div>
            {compared.as_ref().and_then(|compared| against(&at, compared, &billed))}
            <Section title="Your usage" link="Usage by day and hour" href="/account/usage?by=day">
                {if months.is_empty() {
                    view! { <EmptyState title="No usage yet" text="Your usage appears here as soon as your meter has been read."/> }.into_any()
                } else {
                    charts::by(By::Month, "months", &months, Vec::new(), at.locale())
                }}
            </Section>
        }
    })
    .await;
    Ok(html.into_response())
}

/// What the page shows.
pub struct Read {
    owed: Owed,
    bills: Vec<Invoice>,
    /// What the latest of them bills.
    billed: Vec<Billed>,
    months: BTreeMap<NaiveDate, Total>,
    contracts: Vec<Contract>,
}

/// The account and where energy is delivered: today, else where it was last; without an address before the first contract.
fn subtitle(at: &AtAccount, contracts: &[Contract], today: NaiveDate) -> String {
    let account = format!("Account {}", at.customer.account_number);
    let known = || contracts.iter().filter(|contract| contract.stage(today) != Stage::Withdrawn);
    let running = known().find(|contract| contract.stage(today) == Stage::Running);
    match running.or_else(|| known().next()) {
        Some(contract) => format!("{account}, {}", contract.address),
        None => account,
    }
}

/// The page's SQL, all of it.
pub async fn read(tx: &Tenant, at: &AtAccount) -> Result<Read, AppError> {
    let (customer, today) = (at.customer.id, at.today());
    let (owed, bills, months, contracts) = tokio::try_join!(
        owed::owed(tx, customer, today),
        owed::bills(tx, customer, None, BILLS),
        year_to(tx, customer, today),
        contracts::list(tx, customer),
    )?;
    let months = if months.is_empty() { last_year(tx, customer).await? } else { months };
    let billed = match owed::compare(&bills) {
        Some(compared) => invoices::billed(tx, compared.now.id).await?,
        None => vec![],
    };
    Ok(Read { owed, bills, billed, months, contracts })
}

/// The twelve months that end with the one of `day`; empty when nothing was used in them.
async fn year_to(tx: &Tenant, customer: CustomerId, day: NaiveDate) -> Result<BTreeMap<NaiveDate, Total>, QueryError> {
    let month = By::Month.key(day);
    let from = month.checked_sub_months(Months::new(11)).unwrap_or(month);
    let to = month.checked_add_months(Months::new(1)).unwrap_or(month);
    let mut months = usage_data::totals(tx, customer, By::Month, from, to).await?;
    if !months.is_empty() {
        for n in 0..12 {
            months.entry(from.checked_add_months(Months::new(n)).unwrap_or(from)).or_default();
        }
    }
    Ok(months)
}

/// The twelve months up to the last one known, for an account whose usage ended earlier.
async fn last_year(tx: &Tenant, customer: CustomerId) -> Result<BTreeMap<NaiveDate, Total>, QueryError> {
    match usage_data::span(tx, customer).await? {
        Some((_, last)) => year_to(tx, customer, last).await,
        None => Ok(BTreeMap::new()),
    }
}

fn amount_due(at: &AtAccount, owed: &Owed, today: NaiveDate, bill: Option<String>) -> impl IntoView + use<> {
    let locale = at.locale();
    let billed = bill.is_some();
    let links = move || bill.map(|href| view! { <ButtonLink label="See the bill" href=href kind=Kind::Secondary/> });
    if owed.amount > Decimal::ZERO {
        let (due, tone) = match owed.due_on {
            Some(day) if day < today && owed.overdue < owed.amount => (
                format!("{} was due by {}; please pay it now", at.amount(owed.overdue), format::date_long(day, locale)),
                Tone::Bad,
            ),
            Some(day) if day < today => {
                (format!("Was due {}; please pay it now", format::date_long(day, locale)), Tone::Bad)
            }
            Some(day) if day == today => (format!("Due today, {}", format::date_long(day, locale)), Tone::Warn),
            Some(day) => (format!("Due {}", format::date_long(day, locale)), Tone::Neutral),
            None => (String::new(), Tone::Neutral),
        };
        let due = if owed.credit.is_zero() {
            due
        } else {
            format!("{due}. {} of credit is taken off already", at.amount(owed.credit))
        };
        view! { <AmountDue label="You owe" amount=at.amount(owed.amount) due=due tone=tone>{links()}</AmountDue> }
            .into_any()
    } else if owed.amount < Decimal::ZERO {
        let due = "It is taken off your next bill".to_owned();
        view! { <AmountDue label="You are in credit by" amount=at.amount(-owed.amount) due=due tone=Tone::Good>{links()}</AmountDue> }.into_any()
    } else {
        let due = if billed { "Everything is paid" } else { "Your first bill appears here when it is issued" };
        view! { <AmountDue label="Nothing to pay" amount=at.amount(Decimal::ZERO) due=due tone=Tone::Good>{links()}</AmountDue> }.into_any()
    }
}

/// The latest bill as usage, price and days.
fn latest(at: &AtAccount, compared: &Compared) -> impl IntoView + use<> {
    let locale = at.locale();
    let now = &compared.now;
    let price = owed::price(now).map(|price| {
        format!("{} per kWh, all included", format::price(price.round_dp(4), &at.client.currency, locale))
    });
    let days = now.days();
    let per_day = if days > 0 { now.kwh / Decimal::from(days) } else { Decimal::ZERO };
    let rows = vec![
        SummaryRow::view("Bill", view! { <a href=format!("/account/invoices/{}", now.id)>{now.label.clone()}</a> }),
        SummaryRow::new(
            "Usage",
            format!("{} kWh{}", format::kwh(now.kwh, locale), if now.estimated { ", partly estimated" } else { "" }),
        ),
        SummaryRow::new("Price", price.unwrap_or_default()),
        SummaryRow::new("Days", format!("{days}, {} a day", format::kwh_short(per_day, locale))),
        SummaryRow::new("Tariff", now.tariff_name.clone()),
    ];
    let title = format!("{} for {}", at.amount(now.total), span_of(now, locale));
    view! { <Section title=title><SummaryList rows=rows/></Section> }
}

/// `November 2026` for a calendar month, else first to last day.
pub(super) fn span_of(bill: &Invoice, locale: format::Locale) -> String {
    days_name(bill.period_from, bill.period_to, locale)
}

/// The bill beside the one before and last year's, with the reason for the difference. `billed`: what it bills.
pub(super) fn against(at: &AtAccount, compared: &Compared, billed: &[Billed]) -> Option<impl IntoView + use<>> {
    let now = &compared.now;
    if compared.before.is_none() && compared.last_year.is_none() {
        return None;
    }
    let row = |bill: &Invoice, current: bool| Comparison {
        label: span_of(bill, at.locale()),
        value: bill.total,
        text: at.amount(bill.total),
        note: if current { String::new() } else { difference(at, now.total - bill.total) },
        current,
    };
    let mut rows = vec![row(now, true)];
    let mut others: Vec<&Invoice> = compared.before.iter().chain(&compared.last_year).collect();
    others.dedup_by_key(|bill| bill.id);
    rows.extend(others.into_iter().map(|bill| row(bill, false)));
    let text = compared.before.as_ref().and_then(|before| reason(at, now, before, billed)).unwrap_or_default();
    Some(
        view! { <Section title="Compared with earlier bills"><CompareBars title="This bill and earlier ones" untitled=true description=text rows=rows/></Section> },
    )
}

fn difference(at: &AtAccount, more: Decimal) -> String {
    match more.cmp(&Decimal::ZERO) {
        std::cmp::Ordering::Greater => format!("{} more now", at.amount(more)),
        std::cmp::Ordering::Less => format!("{} less now", at.amount(-more)),
        std::cmp::Ordering::Equal => "The same now".to_owned(),
    }
}

/// `$18.20 more than October 2026: 96 kWh more usage makes +$13.35, the price of a kWh +$4.85. It has 2 days more.`
fn reason(at: &AtAccount, now: &Invoice, before: &Invoice, billed: &[Billed]) -> Option<String> {
    let (usage, price) = owed::why(now, before)?;
    let locale = at.locale();
    let more = now.total - before.total;
    let whole =
        if more >= Decimal::ZERO { format!("{} more", at.amount(more)) } else { format!("{} less", at.amount(-more)) };
    let than = span_of(before, locale);
    // Where the bill keeps its reasons, they are told here as they are told beneath it. Of several periods each has its own.
    let only = if let [only] = billed { Some(only) } else { None };
    let known = only.and_then(|only| {
        let same = |one: &&Explained| one.from == before.period_from && one.total.amount() == before.total;
        only.reasons.explained.iter().find(same)
    });
    if let Some(known) = known.map(|known| shares_in_words(known, |value| at.amount(value))) {
        return Some(if known.is_empty() {
            format!("The same as {than}.")
        } else {
            format!("{whole} than {than}: {known}.")
        });
    }
    let kwh = now.kwh - before.kwh;
    let signed = |value: Decimal| {
        let sign = if value > Decimal::ZERO { "+" } else { "" };
        format!("{sign}{}", at.amount(value))
    };
    let days = now.days() - before.days();
    let days = match days {
        0 => String::new(),
        1 => " It has one day more.".to_owned(),
        -1 => " It has one day fewer.".to_owned(),
        n if n > 0 => format!(" It has {n} days more."),
        n => format!(" It has {} days fewer.", -n),
    };
    if kwh.is_zero() {
        return Some(format!("{whole} than {than}, for the same usage.{days}"));
    }
    let direction = if kwh > Decimal::ZERO { "more" } else { "less" };
    Some(format!(
        "{whole} than {than}: {} {direction} usage makes {}, the price of a kWh with its fixed charges {}.{days}",
        format::kwh_short(kwh.abs(), locale),
        signed(usage),
        signed(price),
    ))
}

//! The customer's start page: amount owed and due date first, then why, then usage.

use axum::response::{IntoResponse, Response};
use chrono::{Datelike, Months, NaiveDate};
use eis::account::{self, Bill, Compared, Owed};
use eis::customers;
use eis::usage_data::{self, By, Total};
use leptos::prelude::*;
use rust_decimal::Decimal;
use std::collections::BTreeMap;

use super::AtAccount;
use super::usage::chart_of_months;
use crate::components::{
    AmountDue, ButtonLink, CompareBars, Comparison, EmptyState, Kind, PageHeader, Section, SummaryList, SummaryRow,
    Tone,
};
use crate::format;
use crate::pages::frame::page as framed;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// Bills read: a year's monthly ones and a few credit notes among them.
const BILLS: i64 = 16;

/// `GET /account`
pub async fn page(ctx: Ctx) -> Result<Response, AppError> {
    let (at, mut tx) = AtAccount::open(&ctx).await?;
    let today = at.today();
    let customer = customers::find(&mut tx, at.key.client, at.key.customer).await?.ok_or(AppError::NotFound)?;
    let owed = account::owed(&mut tx, at.key, today).await?;
    let bills = account::bills(&mut tx, at.key, None, BILLS).await?;
    let months = last_year(&mut tx, &at, today).await?;
    drop(tx);
    let compared = account::compare(&bills);
    let open = bills.iter().filter(|bill| bill.open() > Decimal::ZERO).min_by_key(|bill| bill.due_on).map(|bill| bill.id);
    let place = at.place(Vec::new());
    let actor = at.actor.clone();
    let html = framed(&ctx, &actor, place, "Home", move || {
        let see = open.or_else(|| compared.as_ref().map(|c| c.now.id));
        view! {
            <PageHeader title=customer.name subtitle=customer.service_address/>
            <div class="columns">
                {amount_due(&at, &owed, today, see.map(|id| format!("/account/invoices/{id}")))}
                {compared.as_ref().map(|compared| latest(&at, compared))}
            </div>
            {compared.as_ref().map(|compared| against(&at, compared))}
            <Section title="Your usage" link="Usage by day and hour" href="/account/usage">
                {if months.is_empty() {
                    view! { <EmptyState title="No usage yet" text="Your usage appears here as soon as your meter has been read."/> }.into_any()
                } else {
                    chart_of_months("months", &months, at.locale()).into_any()
                }}
            </Section>
        }
    })
    .await;
    Ok(html.into_response())
}

/// Twelve months of usage up to the last one measured; empty when nothing is known.
async fn last_year(tx: &mut eis::db::Tenant, at: &AtAccount, today: NaiveDate) -> Result<BTreeMap<NaiveDate, Total>, AppError> {
    let Some((_, last)) = usage_data::span(tx, at.key).await? else { return Ok(BTreeMap::new()) };
    let month = last.min(today).with_day(1).unwrap_or(last);
    let from = month.checked_sub_months(Months::new(11)).unwrap_or(month);
    let to = month.checked_add_months(Months::new(1)).unwrap_or(month);
    let mut months = usage_data::totals(tx, at.key, By::Month, from, to).await?;
    for n in 0..12 {
        months.entry(from.checked_add_months(Months::new(n)).unwrap_or(from)).or_default();
    }
    Ok(months)
}

fn amount_due(at: &AtAccount, owed: &Owed, today: NaiveDate, bill: Option<String>) -> impl IntoView + use<> {
    let locale = at.locale();
    let links = move || bill.map(|href| view! { <ButtonLink label="See the bill" href=href kind=Kind::Secondary/> });
    if owed.amount > Decimal::ZERO {
        let (due, tone) = match owed.due_on {
            Some(day) if day < today && owed.overdue < owed.amount => {
                (format!("{} was due by {}; please pay it now", at.amount(owed.overdue), format::date_long(day, locale)), Tone::Bad)
            }
            Some(day) if day < today => (format!("Was due {}; please pay it now", format::date_long(day, locale)), Tone::Bad),
            Some(day) if day == today => (format!("Due today, {}", format::date_long(day, locale)), Tone::Warn),
            Some(day) => (format!("Due {}", format::date_long(day, locale)), Tone::Neutral),
            None => (String::new(), Tone::Neutral),
        };
        view! { <AmountDue label="You owe" amount=at.amount(owed.amount) due=due tone=tone>{links()}</AmountDue> }.into_any()
    } else if owed.amount < Decimal::ZERO {
        let due = "It is taken off your next bill".to_owned();
        view! { <AmountDue label="You are in credit by" amount=at.amount(-owed.amount) due=due tone=Tone::Good>{links()}</AmountDue> }.into_any()
    } else {
        let due = "Everything is paid".to_owned();
        view! { <AmountDue label="Nothing to pay" amount=at.amount(Decimal::ZERO) due=due tone=Tone::Good>{links()}</AmountDue> }.into_any()
    }
}

/// The latest bill as usage, price and days.
fn latest(at: &AtAccount, compared: &Compared) -> impl IntoView + use<> {
    let locale = at.locale();
    let now = &compared.now;
    let price = now.price().map(|price| format!("{} per kWh, all charges and tax included", format::price(price, &at.client.currency, locale)));
    let days = now.days();
    let per_day = if days > 0 { now.kwh / Decimal::from(days) } else { Decimal::ZERO };
    let rows = vec![
        SummaryRow::view("Bill", view! { <a href=format!("/account/invoices/{}", now.id)>{now.label.clone()}</a> }),
        SummaryRow::new("Usage", format!("{} kWh{}", format::kwh(now.kwh, locale), if now.estimated { ", partly estimated" } else { "" })),
        SummaryRow::new("Price", price.unwrap_or_default()),
        SummaryRow::new("Days", format!("{days}, {} a day", format::kwh_short(per_day, locale))),
        SummaryRow::new("Tariff", now.tariff_name.clone()),
    ];
    let title = format!("{} for {}", at.amount(now.total), span_of(now, locale));
    view! { <Section title=title><SummaryList rows=rows/></Section> }
}

/// `November 2026` for a calendar month, else first to last day.
pub(super) fn span_of(bill: &Bill, locale: format::Locale) -> String {
    let whole = bill.period_from.day() == 1 && bill.period_from.checked_add_months(Months::new(1)) == Some(bill.period_to);
    if whole {
        format::month(bill.period_from, locale)
    } else {
        format::date_range(bill.period_from, bill.period_to.pred_opt().unwrap_or(bill.period_to), locale)
    }
}

/// The bill beside the one before and last year's, with the reason for the difference.
fn against(at: &AtAccount, compared: &Compared) -> Option<impl IntoView + use<>> {
    let now = &compared.now;
    if compared.before.is_none() && compared.last_year.is_none() {
        return None;
    }
    let row = |bill: &Bill, current: bool| Comparison {
        label: span_of(bill, at.locale()),
        value: bill.total,
        text: at.amount(bill.total),
        note: if current { String::new() } else { difference(at, now.total - bill.total) },
        current,
    };
    let mut rows = vec![row(now, true)];
    let mut others: Vec<&Bill> = compared.before.iter().chain(&compared.last_year).collect();
    others.dedup_by_key(|bill| bill.id);
    rows.extend(others.into_iter().map(|bill| row(bill, false)));
    let text = compared.before.as_ref().and_then(|before| reason(at, now, before)).unwrap_or_default();
    Some(view! { <Section title="Compared"><CompareBars title="This bill and earlier ones" description=text rows=rows/></Section> })
}

fn difference(at: &AtAccount, more: Decimal) -> String {
    match more.cmp(&Decimal::ZERO) {
        std::cmp::Ordering::Greater => format!("{} more now", at.amount(more)),
        std::cmp::Ordering::Less => format!("{} less now", at.amount(-more)),
        std::cmp::Ordering::Equal => "The same now".to_owned(),
    }
}

/// `$18.20 more than October 2026: 96 kWh more usage makes +$13.35, the price of a kWh +$4.85. It has 2 days more.`
fn reason(at: &AtAccount, now: &Bill, before: &Bill) -> Option<String> {
    let (usage, price) = account::why(now, before)?;
    let locale = at.locale();
    let more = now.total - before.total;
    let whole = if more >= Decimal::ZERO { format!("{} more", at.amount(more)) } else { format!("{} less", at.amount(-more)) };
    let kwh = now.kwh - before.kwh;
    let direction = if kwh >= Decimal::ZERO { "more" } else { "less" };
    let signed = |value: Decimal| {
        if value > Decimal::ZERO { format!("+{}", at.amount(value)) } else { at.amount(value) }
    };
    let days = now.days() - before.days();
    let days = match days {
        0 => String::new(),
        1 => " It has one day more.".to_owned(),
        -1 => " It has one day fewer.".to_owned(),
        n if n > 0 => format!(" It has {n} days more."),
        n => format!(" It has {} days fewer.", -n),
    };
    Some(format!(
        "{whole} than {}: {} {direction} usage makes {}, the price of a kWh with its fixed charges {}.{days}",
        span_of(before, locale),
        format::kwh_short(kwh.abs(), locale),
        signed(usage),
        signed(price),
    ))
}

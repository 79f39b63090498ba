//! The customer's own past year under each tariff on offer, where the client allows it.

use axum::response::{IntoResponse, Response};
use chrono::{Months, NaiveDate};
use eis::billing::shadow::{self, Candidate, ShadowMonth};
use eis::db::AtClient;
use eis::db::Tenant;
use eis::metering::usage_data;
use eis::parties::clients::{self, Client};
use eis::parties::contracts::{self, Stage};
use eis::tariffs::{Tariff, customer};
use eis::values::ids::ContractId;
use eis::values::money::Money;
use eis::values::period::Period;
use leptos::prelude::*;
use rust_decimal::Decimal;

use super::PATH;
use crate::components::{
    Column, CompareBars, Comparison, DataTable, EmptyState, Notice, PageHeader, Rows, Section, Tone,
};
use crate::format::{self, Locale};
use crate::pages::account::AtAccount;
use crate::pages::frame::page as framed;
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;

/// A tariff that is compared.
struct Compared {
    name: String,
    /// Whether the customer is on it today.
    own: bool,
    /// Whether an earlier month's peak can count in a later one.
    ratchet: bool,
}

/// What the page shows.
pub(crate) struct Read {
    client: Client,
    columns: Vec<Compared>,
    refused: Vec<String>,
    months: Vec<ShadowMonth>,
}

/// The page's SQL and rating, all of it.
pub(crate) async fn read(tx: &Tenant, at: &AtAccount) -> Result<Read, AppError> {
    let today = at.today();
    let (client, own, offers, known, contracts) = tokio::try_join!(
        clients::find(tx, at.customer.organization_id, at.client.id),
        customer::from_day_on(tx, at.customer.id, today),
        customer::offered(tx, today),
        usage_data::span(tx, at.customer.id),
        contracts::list(tx, at.customer.id),
    )?;
    let client = client.ok_or(AppError::Forbidden)?;
    if !client.tariff_comparison || offers.is_empty() {
        return Err(AppError::NotFound);
    }
    let own = own.into_iter().find(|(from, _)| *from <= today).map(|(_, tariff)| tariff);
    let others = offers.into_iter().filter(|offer| own.as_ref().is_none_or(|own| own.id != offer.id));
    let all: Vec<(Tariff, bool)> =
        own.iter().map(|own| (own.clone(), true)).chain(others.map(|offer| (offer, false))).collect();
    let (mut columns, mut candidates, mut refused) = (vec![], vec![], vec![]);
    for (tariff, own) in all {
        let made = tariff.document().map_err(|error| error.to_string()).and_then(|document| {
            let ratchet = document.demand.iter().any(|charge| charge.ratchet.is_some());
            Ok((Candidate::new(&tariff.code, &document, &client)?, ratchet))
        });
        match made {
            Ok((candidate, ratchet)) => {
                columns.push(Compared { name: tariff.name, own, ratchet });
                candidates.push(candidate);
            }
            Err(_) => refused.push(tariff.name),
        }
    }
    let months = past_year(known.map_or(today, |(_, last)| last), today);
    // Of several contracts the one that runs, else the latest.
    let running = contracts.iter().find(|contract| contract.stage(today) == Stage::Running);
    let contract = running.or_else(|| contracts.first()).map(|contract| contract.id);
    let months = rated(tx, at, &client, contract, &months, &candidates).await?;
    Ok(Read { client, columns, refused, months })
}

async fn rated(
    tx: &Tenant,
    at: &AtAccount,
    client: &Client,
    contract: Option<ContractId>,
    months: &[Period],
    candidates: &[Candidate],
) -> Result<Vec<ShadowMonth>, AppError> {
    let mut accounts =
        shadow::accounts(tx.shared(), &AtClient::at(tx)?, client, &[at.customer.id], months, candidates).await?;
    let of_contract = accounts.iter().position(|account| Some(account.contract) == contract).unwrap_or_default();
    Ok(if accounts.is_empty() { vec![] } else { accounts.swap_remove(of_contract).months })
}

/// The twelve whole calendar months up to the last one that is measured.
fn past_year(last: NaiveDate, today: NaiveDate) -> Vec<Period> {
    let known = last.min(today);
    let this = Period::month_of(known);
    let end = if known == this.last() && known < today { this.to() } else { this.from() };
    (1..=12).rev().filter_map(|back| Some(Period::month_of(end.checked_sub_months(Months::new(back))?))).collect()
}

/// The year of each tariff over the months that all of them can rate.
struct Year<'m> {
    months: Vec<&'m ShadowMonth>,
    left_out: Vec<&'m ShadowMonth>,
    totals: Vec<Money>,
}

impl<'m> Year<'m> {
    fn of(months: &'m [ShadowMonth], columns: usize) -> Self {
        let (whole, left_out): (Vec<_>, Vec<_>) =
            months.iter().partition(|month| month.candidates.iter().all(Result::is_ok));
        let mut totals = vec![Money::ZERO; columns];
        for month in &whole {
            for (total, amount) in totals.iter_mut().zip(&month.candidates) {
                *total += amount.clone().unwrap_or(Money::ZERO);
            }
        }
        Self { months: whole, left_out, totals }
    }

    /// The cheapest by place; `None` where several are.
    fn cheapest(&self) -> Option<usize> {
        let least = self.totals.iter().min()?;
        let mut at = self.totals.iter().enumerate().filter(|(_, total)| *total == least).map(|(at, _)| at);
        let first = at.next()?;
        at.next().is_none().then_some(first)
    }
}

/// `GET /account/price/compare`: not there where the client does not let customers compare.
pub async fn page(ctx: Ctx) -> Result<Response, AppError> {
    let (at, tx) = AtAccount::open(&ctx).await?;
    let read = read(&tx, &at).await?;
    drop(tx);
    let place = at.place(&[("Your price", PATH)], "Compare tariffs");
    let actor = at.actor.clone();
    let html = framed(&ctx, &actor, place, "Compare tariffs", move || {
        let year = Year::of(&read.months, read.columns.len());
        let content = if year.months.is_empty() {
            view! { <EmptyState title="There is nothing to compare yet" text="As soon as a whole month of your usage is measured, this page shows what it would have cost under each tariff."/> }.into_any()
        } else {
            shown(&at, &read, &year)
        };
        view! {
            <PageHeader title="Compare tariffs" subtitle="Your own usage of the past year under each tariff on offer"/>
            <div class="stack">{content}</div>
        }
    })
    .await;
    Ok(html.into_response())
}

fn shown(at: &AtAccount, read: &Read, year: &Year<'_>) -> AnyView {
    let locale = at.locale();
    let cheapest = year.cheapest();
    let own = read.columns.iter().position(|column| column.own);
    let own_total = own.and_then(|at| year.totals.get(at)).copied();
    let rows = read.columns.iter().zip(&year.totals).enumerate().map(|(n, (column, total))| {
        let difference = own_total.filter(|_| !column.own).map(|own| *total - own);
        let mut notes = vec![];
        if column.own {
            notes.push("your tariff".to_owned());
        }
        if cheapest == Some(n) {
            notes.push("the cheapest".to_owned());
        }
        notes.extend(difference.map(|difference| difference_words(at, difference)));
        Comparison {
            label: column.name.clone(),
            value: total.amount(),
            text: at.amount(total.amount()),
            note: notes.join(", "),
            current: column.own,
        }
    });
    let text = verdict(at, read, year, own_total, cheapest);
    let rows: Vec<Comparison> = rows.collect();
    let span = year.months.first().zip(year.months.last());
    let title = span.map_or_else(String::new, |(first, last)| {
        format!(
            "{} – {}, {} months",
            format::month(first.period.from(), locale),
            format::month(last.period.from(), locale),
            year.months.len()
        )
    });
    let (by_month, caveats) = (by_month(at, read, year, locale), caveats(read, year, locale));
    view! {
        <Section title=title.clone()>
            <CompareBars title=title untitled=true description=text rows=rows/>
        </Section>
        <Section title="Month by month">{by_month}</Section>
        {caveats}
    }
    .into_any()
}

fn difference_words(at: &AtAccount, difference: Money) -> String {
    match difference.cmp(&Money::ZERO) {
        std::cmp::Ordering::Less => format!("{} less", at.amount(-difference.amount())),
        std::cmp::Ordering::Greater => format!("{} more", at.amount(difference.amount())),
        std::cmp::Ordering::Equal => "the same".to_owned(),
    }
}

fn verdict(at: &AtAccount, read: &Read, year: &Year<'_>, own: Option<Money>, cheapest: Option<usize>) -> String {
    let found = cheapest.and_then(|n| Some((read.columns.get(n)?, *year.totals.get(n)?)));
    match (found, own) {
        (Some((column, _)), _) if column.own => {
            format!("Your tariff, {}, is the cheapest of these for your usage.", column.name)
        }
        (Some((column, total)), Some(own)) => {
            format!("{} would have cost you {} less than your tariff.", column.name, at.amount((own - total).amount()))
        }
        (Some((column, _)), None) => format!("{} is the cheapest of these for your usage.", column.name),
        (None, _) => "Several of these tariffs would have cost you the same.".to_owned(),
    }
}

fn by_month(at: &AtAccount, read: &Read, year: &Year<'_>, locale: Locale) -> AnyView {
    let money = |amount: Decimal| format::money(amount, locale);
    let currency = at.client.currency.clone();
    let mut columns = vec![Column::text("Month"), Column::number("Usage", "kWh")];
    columns.extend(read.columns.iter().map(|column| Column::number(column.name.clone(), currency.clone())));
    let mut rows = Rows::new();
    for month in &year.months {
        let name = format::month(month.period.from(), locale);
        let name = if month.estimated { format!("{name} (estimated)") } else { name };
        rows.row(|row| {
            row.name(&name).kwh(month.kwh, locale);
            for amount in month.candidates.iter().flatten() {
                row.number(&money(amount.amount()));
            }
        });
    }
    let mut foot = Rows::new();
    foot.row(|row| {
        row.name("Sum").kwh(year.months.iter().map(|month| month.kwh).sum(), locale);
        for total in &year.totals {
            row.number(&money(total.amount()));
        }
    });
    view! { <DataTable caption="Cost by month and tariff" columns=columns rows=rows foot=foot/> }.into_any()
}

/// What the figures do not say, and how to change.
fn caveats(read: &Read, year: &Year<'_>, locale: Locale) -> AnyView {
    let mut notes = vec![
        "The figures are today's prices for what you used then, tax included. If you use more, less or at other times, they change.".to_owned(),
    ];
    if year.months.iter().any(|month| month.estimated) {
        notes.push("Some of your usage is estimated: when it is measured, the figures change.".to_owned());
    }
    if read.columns.iter().any(|column| column.ratchet) {
        notes
            .push("One of these tariffs counts earlier peaks. Peaks from before these months are left out.".to_owned());
    }
    if !year.left_out.is_empty() {
        let months: Vec<String> =
            year.left_out.iter().map(|month| format::month(month.period.from(), locale)).collect();
        notes.push(format!(
            "Left out, because usage is missing or cannot be billed under each of them: {}.",
            months.join("; ")
        ));
    }
    if !read.refused.is_empty() {
        notes.push(format!("Not compared: {}.", read.refused.join("; ")));
    }
    let notes = notes.into_iter().map(|note| view! { <li>{note}</li> }).collect_view();
    let client = &read.client;
    let place = if client.address.is_empty() { String::new() } else { format!(", {}", client.address) };
    let whom = format!("Ask {}{place}. Nothing changes until you both agree.", client.legal_name);
    view! {
        <Section title="What this does not tell"><ul>{notes}</ul></Section>
        <Notice tone=Tone::Info title="To change your tariff"><p>{whom}</p></Notice>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(last: &str, today: &str) -> String {
        let months = past_year(last.parse().unwrap(), today.parse().unwrap());
        format!("{} {} {}", months.len(), months[0].from(), months[11].last())
    }

    #[test]
    fn the_year_ends_with_the_last_whole_month_that_is_measured() {
        assert_eq!(span("2026-11-22", "2026-11-23"), "12 2025-11-01 2026-10-31");
        assert_eq!(span("2026-10-31", "2026-11-23"), "12 2025-11-01 2026-10-31");
        assert_eq!(span("2026-10-30", "2026-11-23"), "12 2025-10-01 2026-09-30");
        assert_eq!(span("2027-03-01", "2026-11-23"), "12 2025-11-01 2026-10-31");
    }

    #[test]
    fn a_month_that_one_tariff_cannot_rate_counts_for_none() {
        let month = |from: &str, all: [Result<i64, &str>; 2]| ShadowMonth {
            period: Period::month_of(from.parse().unwrap()),
            kwh: Decimal::ONE,
            estimated: false,
            now: Ok(Money::ZERO),
            candidates: all.map(|one| one.map(Money::from_cents).map_err(str::to_owned)).to_vec(),
        };
        let months = [
            month("2026-01-01", [Ok(1000), Ok(900)]),
            month("2026-02-01", [Ok(1000), Err("Usage is missing.")]),
            month("2026-03-01", [Ok(1000), Ok(1050)]),
        ];
        let year = Year::of(&months, 2);
        assert_eq!((year.months.len(), year.left_out.len()), (2, 1));
        assert_eq!(year.totals, [Money::from_cents(2000), Money::from_cents(1950)]);
        assert_eq!(year.cheapest(), Some(1));
        assert_eq!(Year::of(&months[..0], 2).cheapest(), None);
    }
}

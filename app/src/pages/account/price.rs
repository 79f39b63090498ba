//! "How your price works": the customer's tariff in words and a picture, what comes later, and the last bill made by it.

mod compare;

use axum::response::{IntoResponse, Response};
use chrono::NaiveDate;
use eis::db::Tenant;
use eis::parties::clients::{self, Client};
use eis::receivables::invoices::{self, Billed, Invoice, Line};
use eis::receivables::owed;
use eis::tariff_document::TariffDocument;
use eis::tariffs::{self, Tariff, customer};
use eis::values::clock;
use leptos::prelude::*;

use super::AtAccount;
use super::home::span_of;
use crate::components::{ButtonLink, EmptyState, Kind, Notice, PageHeader, Section, Tone};
use crate::format;
use crate::pages::frame::page as framed;
use crate::pages::invoice_view;
use crate::pages::tariff_view::{in_words, picture};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
pub use compare::page as compare;

const PATH: &str = "/account/price";
/// Bills read to find the last invoice among credit notes.
const BILLS: i64 = 6;

/// What the page shows.
pub(crate) struct Read {
    client: Client,
    tariffs: Vec<(NaiveDate, Tariff)>,
    bill: Option<(Invoice, Vec<Line>, Vec<Billed>)>,
    offers: bool,
}

/// The page's SQL, all of it.
pub(crate) async fn read(tx: &Tenant, at: &AtAccount) -> Result<Read, AppError> {
    let today = at.today();
    let (client, tariffs, bills, offers) = tokio::try_join!(
        clients::find(tx, at.customer.organization_id, at.client.id),
        customer::from_day_on(tx, at.customer.id, today),
        owed::bills(tx, at.customer.id, None, BILLS),
        customer::offered(tx, today),
    )?;
    let client = client.ok_or(AppError::Forbidden)?;
    let offers = client.tariff_comparison && !offers.is_empty();
    let bill = match owed::compare(&bills) {
        Some(latest) => {
            let (lines, billed) =
                tokio::try_join!(invoices::lines(tx, latest.now.id), invoices::billed(tx, latest.now.id),)?;
            Some((latest.now, lines, billed))
        }
        None => None,
    };
    Ok(Read { client, tariffs, bill, offers })
}

/// `GET /account/price`
pub async fn page(ctx: Ctx) -> Result<Response, AppError> {
    let (at, tx) = AtAccount::open(&ctx).await?;
    let Read { client, tariffs, bill, offers } = read(&tx, &at).await?;
    drop(tx);
    let place = at.place(&[], "");
    let actor = at.actor.clone();
    let html = framed(&ctx, &actor, place, "Your price", move || {
        let today = at.today();
        let (now, later): (Vec<_>, Vec<_>) = tariffs.into_iter().partition(|(from, _)| *from <= today);
        let subtitle = now.last().map(|(_, tariff)| tariff.name.clone()).unwrap_or_default();
        let none = now.is_empty();
        let now = now.into_iter().map(|(from, tariff)| applying(&at, &client, &tariff, from)).collect_view();
        let changes = later.iter().map(|(from, tariff)| told_early(&at, *from, tariff)).collect_view();
        let later = later.iter().enumerate().map(|(n, (from, tariff))| coming(&at, &client, tariff, *from, n));
        view! {
            <PageHeader title="How your price works" subtitle=subtitle/>
            <div class="stack">
                {changes}
                {none.then(|| view! { <EmptyState title="No tariff is agreed yet" text=format!("{} will tell you your tariff. It is explained here from its first day on.", client.name)/> })}
                {now}
                {bill.map(|(bill, lines, billed)| example(&at, &bill, &lines, &billed))}
                {offers.then(to_compare)}
                {later.collect_view()}
            </div>
        }
    })
    .await;
    Ok(html.into_response())
}

/// The document as it bills, or nothing where it cannot be read.
fn document_of(tariff: &Tariff, client: &Client) -> Option<TariffDocument> {
    tariff.document().ok().map(|document| tariffs::as_billed(document, client))
}

fn unreadable(client: &Client) -> AnyView {
    let text = format!("This tariff cannot be shown here. {} tells you its prices.", client.name);
    view! { <Notice tone=Tone::Warn title=text/> }.into_any()
}

/// The tariff of today: picture, then words.
fn applying(at: &AtAccount, client: &Client, tariff: &Tariff, from: NaiveDate) -> AnyView {
    let Some(document) = document_of(tariff, client) else { return unreadable(client) };
    let locale = at.locale();
    let since = format!("These are the prices of {} since {}.", tariff.name, format::date_long(from, locale));
    let about =
        (!document.description.is_empty()).then(|| view! { <p class="muted">{document.description.clone()}</p> });
    let seen = picture(&document, "now", Some(clock::now()), locale);
    let told = in_words(&document, at.today(), locale);
    view! {
        <Section title="At a glance"><div class="glance"><p>{since}</p>{about}{seen}</div></Section>
        <Section title="In words">{told}</Section>
    }
    .into_any()
}

/// What changes, and when, before everything else.
fn told_early(at: &AtAccount, from: NaiveDate, tariff: &Tariff) -> AnyView {
    let title = format!("From {} on: {}", format::date_long(from, at.locale()), tariff.name);
    let href = format!("#from-{from}");
    view! { <Notice title=title><p>"Other prices hold from that day on. "<a href=href>"See them below"</a>"."</p></Notice> }.into_any()
}

/// A version or tariff that begins later.
fn coming(at: &AtAccount, client: &Client, tariff: &Tariff, from: NaiveDate, n: usize) -> AnyView {
    let Some(document) = document_of(tariff, client) else { return unreadable(client) };
    let locale = at.locale();
    let title = format!("From {} on: {}", format::date_long(from, locale), tariff.name);
    let seen = picture(&document, &format!("later{n}"), None, locale);
    let told = in_words(&document, from, locale);
    view! { <div id=format!("from-{from}")><Section title=title><div class="stack">{seen}<div>{told}</div></div></Section></div> }
    .into_any()
}

/// The last bill, line by line: what the parts made of the customer's usage.
fn example(at: &AtAccount, bill: &Invoice, lines: &[Line], billed: &[Billed]) -> AnyView {
    let locale = at.locale();
    let title = format!("What it made of {}", span_of(bill, locale));
    let text = format!(
        "You used {}\u{a0}kWh in {} days. Each part of your tariff is a line of the bill; open one to see its days.",
        format::kwh(bill.kwh, locale),
        bill.days()
    );
    let (href, link) = (format!("/account/invoices/{}", bill.id), format!("Invoice {}", bill.label));
    let bill = invoice_view::account(bill, lines, billed, locale);
    view! { <Section title=title link=link href=href><div class="glance"><p>{text}</p>{bill}</div></Section> }
        .into_any()
}

fn to_compare() -> AnyView {
    view! {
        <Section title="Would another tariff be cheaper?">
            <p>"See what your own usage of the past year would have cost under each tariff on offer."</p>
            <div class="actions"><ButtonLink label="Compare tariffs" href=format!("{PATH}/compare") kind=Kind::Secondary/></div>
        </Section>
    }
    .into_any()
}

//! One billing run: where it is, its totals, what stands in the way, the drafts, and the next step.

mod lists;
mod panels;
pub(crate) mod steps;

use std::collections::HashSet;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::Permission;
use eis::billing::{self, BillingRun, Progress, Stale};
use eis::db::Tenant;
use eis::parties::clients::{self, Client};
use eis::receivables::invoices::{self, Invoice};
use eis::values::ids::{BillingRunId, InvoiceId};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

use self::lists::Listing;
use self::panels::Panels;
use super::run_name;
use crate::components::{Notice, PageHeader, Stat, Stats, Status, Steps, Tone};
use crate::format::{self, Locale, many};
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, PAGE_ROWS};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::query::Query;

/// The steps of a run in order.
const STEPS: [(&str, &str); 4] = [("open", "Open"), ("rated", "Rated"), ("approved", "Approved"), ("issued", "Issued")];

/// Up to so many drafts the page looks at all of them for what has changed; beyond, at those it shows. Approving and
/// issuing always look at all.
const STALE_LOOKED_AT: i32 = 1_000;

/// Places in the lists of exceptions and drafts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct ShowQuery {
    exceptions: i64,
    after: String,
}

impl ShowQuery {
    /// The id and, after it, the account number of the last draft seen.
    fn place(&self) -> Option<(String, InvoiceId)> {
        let (id, account) = self.after.split_once('~')?;
        Some((account.to_owned(), id.parse().ok()?))
    }
}

/// `GET /clients/:client/billing-runs/:run`
pub async fn show(
    ctx: Ctx,
    Path((client, id)): Path<(String, String)>,
    Query(query): Query<ShowQuery>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let id: BillingRunId = id.parse().map_err(|_| AppError::NotFound)?;
    let (skip, place) = (query.exceptions.max(0), query.place());
    let (client, run, found, counts, progress, drafts) = tokio::try_join!(
        clients::find(tx.shared(), at.organization, at.client.id),
        billing::find(&tx, id),
        billing::exceptions(&tx, id, skip, PAGE_ROWS),
        billing::count_exceptions(&tx, id),
        billing::progress(&tx, id),
        invoices::of_run(&tx, id, place.as_ref(), PAGE_ROWS + 1),
    )?;
    let run = run.ok_or(AppError::NotFound)?;
    let client = client.ok_or(AppError::Forbidden)?;
    let stale = stale(&tx, &client, &run, &drafts).await?;
    drop(tx);
    let locale = at.locale();
    let name = run_name(&run, locale);
    let title = format!("Billing run {name}");
    let (currency, base) = (at.client.currency.clone(), at.base());
    let panels = Panels::new(&at, &client, &run, &name, counts, progress.clone(), !stale.is_empty());
    let crumbs = at.place(&[("Billing runs", "billing-runs")], &format!("Run {name}"));
    let html = page(&ctx, &at.actor, crumbs, title.clone(), move || {
        let current = STEPS.iter().position(|(code, _)| *code == run.status).unwrap_or(STEPS.len());
        let path = format!("{base}/billing-runs/{}", run.id);
        let listed = Listing { path: &path, base: &base, currency: &currency, locale, stale: &stale, progress: &progress };
        let changed = (!stale.is_empty()).then(|| listed.stale(&run));
        let rated = run.status != "open";
        let exceptions = (counts.0 + counts.1 > 0).then(|| listed.exceptions(found, counts, skip));
        let drafts = rated.then(|| listed.drafts(drafts, &run, place.is_some()));
        let totals = rated.then(|| view! { <Stats stats=stats(&run, counts.1, &currency, locale)/> });
        let contracts = many(run.contracts.into(), "contract", "contracts", locale);
        let (state, next_step) = (run.state().to_owned(), panels.view(&run));
        let (partly, held) = (partly_issued(&progress, &currency, locale), held(&run, locale));
        view! {
            <PageHeader title=title subtitle=contracts><Status value=state/></PageHeader>
            <Steps label="Billing run" steps=STEPS.iter().map(|(_, label)| (*label).to_owned()).collect() current=current/>
            {totals}
            {partly}
            {held}
            {changed}
            {next_step}
            {exceptions}
            {drafts}
        }
    })
    .await;
    Ok(html.into_response())
}

/// The drafts that must be rated again.
async fn stale(tx: &Tenant, client: &Client, run: &BillingRun, shown: &[Invoice]) -> Result<Vec<Stale>, AppError> {
    if !matches!(run.status.as_str(), "rated" | "approved") {
        return Ok(vec![]);
    }
    let shown: HashSet<InvoiceId> = shown.iter().map(|draft| draft.id).collect();
    let only = (run.invoices > STALE_LOOKED_AT).then_some(&shown);
    Ok(billing::stale(tx, client, run, only).await?)
}

/// That issuing stopped in between, and how to go on.
fn partly_issued(progress: &Progress, currency: &str, locale: Locale) -> Option<AnyView> {
    progress.is_partly_issued().then(|| {
        let title = format!(
            "{} of {} issued.",
            format::count(progress.issued, locale),
            many(progress.issued + progress.left, "invoice is", "invoices are", locale),
        );
        let left = many(progress.left, "draft", "drafts", locale);
        let total = format::amount(progress.left_total, currency, locale);
        let text = format!("{left} over {total} are left. What is issued stays; issue again to go on.");
        view! { <Notice tone=Tone::Warn title=title><p>{text}</p></Notice> }.into_any()
    })
}

/// How many contracts are held, and what that means for the others.
fn held(run: &BillingRun, locale: Locale) -> Option<AnyView> {
    let one = run.exceptions == 1;
    let (they, them) = if one { ("It holds", "it") } else { ("They hold", "them") };
    let text = match run.status.as_str() {
        "rated" if run.invoices == 0 => "Mend what the exceptions say and rate again.".to_owned(),
        "rated" => {
            format!("{they} nobody else: the rest can be approved and issued; the next run takes {them} over.")
        }
        "approved" => format!("{they} nobody else: the rest can be issued; the next run takes {them} over."),
        _ => format!("The next run takes {them} over."),
    };
    (run.exceptions > 0).then(|| {
        let title = if run.is_issued() {
            many(run.exceptions.into(), "contract was held.", "contracts were held.", locale)
        } else {
            many(run.exceptions.into(), "contract is held.", "contracts are held.", locale)
        };
        view! { <Notice tone=Tone::Warn title=title><p>{text}</p></Notice> }.into_any()
    })
}

fn stats(run: &BillingRun, warnings: i64, currency: &str, locale: Locale) -> Vec<Stat> {
    let amount = |value: Decimal| format::amount(value, currency, locale);
    let each = if run.invoices > 0 { run.total / Decimal::from(run.invoices) } else { Decimal::ZERO };
    let stat =
        |label: &str, value: String, note: String| Stat { label: label.to_owned(), value, note, ..Stat::default() };
    let blocked = run.exceptions > 0;
    let note = if blocked {
        "See the exceptions"
    } else if run.nothing_to_bill() {
        "Nothing is due any more"
    } else {
        "Every contract has a bill"
    };
    vec![
        stat(
            "Invoices",
            format::count(run.invoices.into(), locale),
            many(warnings, "to look at", "to look at", locale),
        ),
        Stat {
            tone: if blocked { Tone::Warn } else { Tone::Neutral },
            ..stat("Held", format::count(run.exceptions.into(), locale), note.to_owned())
        },
        stat("Usage", format::kwh_short(run.kwh, locale), String::new()),
        stat("Total", amount(run.total), parts(run, currency, locale)),
        stat("Average invoice", amount(each), String::new()),
    ]
}

/// What the total is made of.
fn parts(run: &BillingRun, currency: &str, locale: Locale) -> String {
    let amount = |value: Decimal| format::amount(value, currency, locale);
    let rounding = run.total - run.net - run.tax;
    let rounded = if rounding.is_zero() { String::new() } else { format!(", {} rounding", amount(rounding)) };
    format!("{} before tax, {} tax{rounded}", amount(run.net), amount(run.tax))
}

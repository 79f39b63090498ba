//! One billing period: where it is, its totals, what stands in the way, the drafts, and the next step.

use std::collections::HashSet;

use axum::extract::Path;
use axum::response::{IntoResponse, Response};
use eis::access::{Actor, Permission};
use eis::billing::{self, BillingPeriod, Exception, Stale, log};
use eis::clients::{self, Client};
use eis::db::Tenant;
use eis::ids::{BillingPeriodId, InvoiceId};
use eis::invoices::{self, Invoice};
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde::Deserialize;

use super::part_name;
use crate::components::{
    Column, ConfirmPanel, DataTable, EmptyState, Kind, Notice, PageHeader, Pagination, Rows, Section, Stat, Stats,
    Status, Steps, Tone,
};
use crate::format::{self, Locale, many};
use crate::pages::frame::page;
use crate::pages::parts::{AtClient, PAGE_ROWS, address};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions::{Done, act, require_client};
use crate::server::query::Query;

/// The steps of a period in order.
const STEPS: [(&str, &str); 4] =
    [("open", "Open"), ("rated", "Rated"), ("approved", "Approved"), ("invoiced", "Invoiced")];

/// Stale drafts listed at the head of the page.
const STALE_SHOWN: usize = 20;
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

/// `GET /clients/:client/billing-periods/:period`
pub async fn show(
    ctx: Ctx,
    Path((client, id)): Path<(String, String)>,
    Query(query): Query<ShowQuery>,
) -> Result<Response, AppError> {
    let (at, tx) = AtClient::open(&ctx, Permission::ViewClient, &client).await?;
    let id: BillingPeriodId = id.parse().map_err(|_| AppError::NotFound)?;
    let (skip, place) = (query.exceptions.max(0), query.place());
    let (client, period, found, counts, drafts) = tokio::try_join!(
        clients::find(tx.shared(), at.organization, at.client.id),
        billing::find(&tx, id),
        billing::exceptions(&tx, id, skip, PAGE_ROWS),
        billing::count_exceptions(&tx, id),
        invoices::of_period(tx.shared(), at.organization, at.client.id, id, place.as_ref(), PAGE_ROWS + 1),
    )?;
    let period = period.ok_or(AppError::NotFound)?;
    let client = client.ok_or(AppError::Forbidden)?;
    let stale = stale(&tx, &client, &period, &drafts).await?;
    let parts = billing::parts(&tx, period.days()).await?;
    drop(tx);
    let locale = at.locale();
    let name = part_name(&period, locale);
    let (currency, base) = (at.client.currency.clone(), at.base());
    let panels = Panels::new(&at, &client, &period, &parts, &name, counts, !stale.is_empty());
    let crumbs = at.place(&[("Billing periods", "billing-periods")], &name);
    let length = many(period.days().days(), "day", "days", locale);
    let days = if period.days().is_calendar_month() {
        format!("{}, {length}", format::date_range(period.from_on, period.days().last(), locale))
    } else {
        length
    };
    let html = page(&ctx, &at.actor, crumbs, name.clone(), move || {
        let current = STEPS.iter().position(|(code, _)| *code == period.status).unwrap_or(STEPS.len());
        let path = format!("{base}/billing-periods/{}", period.id);
        let listed = Listing { path: &path, base: &base, currency: &currency, locale, stale: &stale };
        let changed = (!stale.is_empty()).then(|| listed.stale(&period));
        let others = listed.other_parts(&period, &parts);
        let rated = period.status != "open";
        let exceptions = (counts.0 + counts.1 > 0).then(|| listed.exceptions(found, counts, skip));
        let drafts = rated.then(|| listed.drafts(drafts, &period, place.is_some()));
        let next_step = panels.view(&period);
        let totals = rated.then(|| view! { <Stats stats=stats(&period, counts.1, &currency, locale)/> });
        view! {
            <PageHeader title=name subtitle=days><Status value=period.state()/></PageHeader>
            <Steps label="Billing period" steps=STEPS.iter().map(|(_, label)| (*label).to_owned()).collect() current=current/>
            {totals}
            {others}
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
async fn stale(
    tx: &Tenant,
    client: &Client,
    period: &BillingPeriod,
    shown: &[Invoice],
) -> Result<Vec<Stale>, AppError> {
    if !matches!(period.status.as_str(), "rated" | "approved") {
        return Ok(vec![]);
    }
    let shown: HashSet<InvoiceId> = shown.iter().map(|draft| draft.id).collect();
    let only = (period.invoices > STALE_LOOKED_AT).then_some(&shown);
    Ok(billing::stale(tx, client, period, only).await?)
}

fn stats(period: &BillingPeriod, warnings: i64, currency: &str, locale: Locale) -> Vec<Stat> {
    let amount = |value: Decimal| format::amount(value, currency, locale);
    let each = if period.invoices > 0 { period.total / Decimal::from(period.invoices) } else { Decimal::ZERO };
    let stat =
        |label: &str, value: String, note: String| Stat { label: label.to_owned(), value, note, ..Stat::default() };
    let blocked = period.exceptions > 0;
    vec![
        stat(
            "Invoices",
            format::count(period.invoices.into(), locale),
            many(warnings, "to look at", "to look at", locale),
        ),
        Stat {
            tone: if blocked { Tone::Warn } else { Tone::Neutral },
            ..stat(
                "Not billed",
                format::count(period.exceptions.into(), locale),
                if blocked {
                    "See the exceptions".into()
                } else if period.nothing_to_bill() {
                    "Nobody is to be billed".into()
                } else {
                    "Every customer has a bill".into()
                },
            )
        },
        stat("Usage", format::kwh_short(period.kwh, locale), String::new()),
        stat("Total", amount(period.total), parts(period, currency, locale)),
        stat("Average invoice", amount(each), String::new()),
    ]
}

/// What the total is made of.
fn parts(period: &BillingPeriod, currency: &str, locale: Locale) -> String {
    let amount = |value: Decimal| format::amount(value, currency, locale);
    let rounding = period.total - period.net - period.tax;
    let rounded = if rounding.is_zero() { String::new() } else { format!(", {} rounding", amount(rounding)) };
    format!("{} before tax, {} tax{rounded}", amount(period.net), amount(period.tax))
}

/// What was found, as people say it, and where it is mended: words, link, path below the client.
fn remedy(kind: &str) -> (&'static str, &'static str, &'static str) {
    match kind {
        "no_tariff" => ("No tariff", "Agree a tariff", "customers"),
        "no_meter" => ("No meter", "Add a meter", "customers"),
        "no_usage" => ("No usage", "See the meters", "customers"),
        "missing_usage" => ("Usage missing", "See the meters", "customers"),
        "rating_failed" => ("Cannot be rated", "Look at the tariff", "tariffs"),
        "registers" => ("Registers do not fit the tariff", "See the meters", "customers"),
        "usage_changed" => ("Changed after invoice", "See the invoice", "invoices"),
        "carried_over" => ("Later days billed first", "See the customer", "customers"),
        "estimated" => ("Estimated", "See the customer", "customers"),
        "zero_usage" => ("Nothing used", "See the customer", "customers"),
        "much_higher" => ("Much higher", "See the customer", "customers"),
        "much_lower" => ("Much lower", "See the customer", "customers"),
        _ => ("Exception", "See the customer", "customers"),
    }
}

/// The lists of the page.
struct Listing<'a> {
    path: &'a str,
    base: &'a str,
    currency: &'a str,
    locale: Locale,
    stale: &'a [Stale],
}

impl Listing<'_> {
    /// What is billed of the same days in other parts, and where.
    fn other_parts(&self, period: &BillingPeriod, parts: &[BillingPeriod]) -> Option<AnyView> {
        let rows: Vec<AnyView> = parts
            .iter()
            .filter(|part| part.id != period.id)
            .map(|part| {
                let href = format!("{}/billing-periods/{}", self.base, part.id);
                let invoices = match (part.is_issued(), part.invoices.into()) {
                    (true, count) => many(count, "invoice issued", "invoices issued", self.locale),
                    (false, count) => many(count, "draft invoice", "draft invoices", self.locale),
                };
                let total = format::amount(part.total, self.currency, self.locale);
                view! { <li><a href=href>{part_name(part, self.locale)}</a>{format!(": {invoices} over {total}")}</li> }
                    .into_any()
            })
            .collect();
        let title = if period.part > 1 {
            "Only customers without an invoice of these days are billed here"
        } else {
            "Customers left out here are billed apart"
        };
        (!rows.is_empty()).then(|| view! { <Notice title=title><ul>{rows}</ul></Notice> }.into_any())
    }

    /// Which drafts must be rated again, and what changed.
    fn stale(&self, period: &BillingPeriod) -> AnyView {
        let drafts = many(i64::try_from(self.stale.len()).unwrap_or_default(), "draft is", "drafts are", self.locale);
        let how = if period.status == "approved" { "Reopen the period and rate it again." } else { "Rate again." };
        let rows = self.stale.iter().take(STALE_SHOWN).map(|stale| {
            let href = format!("{}/invoices/{}", self.base, stale.invoice);
            let text = format!("{}: {} changed", stale.customer_name, stale.why.join(", "));
            view! { <li><a href=href>{stale.account_number.clone()}</a>" "{text}</li> }
        });
        let rows = rows.collect_view();
        let more = self.stale.len().saturating_sub(STALE_SHOWN);
        let more = (more > 0).then(|| view! { <p>{format!("And {more} more.")}</p> });
        view! {
            <Notice tone=Tone::Warn title=format!("{drafts} no longer up to date. {how}")>
                <ul>{rows}</ul>
                {more}
            </Notice>
        }
        .into_any()
    }

    fn exceptions(&self, found: Vec<Exception>, counts: (i64, i64), skip: i64) -> AnyView {
        let shown = i64::try_from(found.len()).unwrap_or_default();
        let total = counts.0 + counts.1;
        let mut rows = Rows::new();
        for found in found {
            let (what, label, path) = remedy(&found.kind);
            let customer = format!("{}/customers/{}", self.base, found.customer_id);
            let href = match (path, found.invoice) {
                ("customers", _) => customer.clone(),
                ("invoices", Some(invoice)) => format!("{}/invoices/{invoice}", self.base),
                _ => format!("{}/{path}", self.base),
            };
            let tone = if found.severity == "blocks" { Tone::Bad } else { Tone::Warn };
            rows.row(|row| {
                row.name_link(&customer, &found.account_number)
                    .text(&found.customer_name)
                    .tag(what, tone)
                    .prose(&format::prose(&found.message, self.locale))
                    .link(&href, label);
            });
        }
        let columns = vec![
            Column::text("Account"),
            Column::text("Customer"),
            Column::text("Found"),
            Column::text("What it is"),
            Column::text("What to do"),
        ];
        let at =
            |skip: i64| address(self.path, &[("exceptions", &if skip > 0 { skip.to_string() } else { String::new() })]);
        let previous = if skip > 0 { at(skip - PAGE_ROWS) } else { String::new() };
        let next = if skip + shown < total { at(skip + shown) } else { String::new() };
        let summary = format!(
            "{}–{} of {}: {} without a bill, {} to look at",
            skip + 1,
            skip + shown,
            format::count(total, self.locale),
            format::count(counts.0, self.locale),
            format::count(counts.1, self.locale)
        );
        view! {
            <Section title="Exceptions">
                <DataTable caption="Exceptions" columns=columns rows=rows/>
                <Pagination summary=summary previous=previous next=next label="Pages of exceptions"/>
            </Section>
        }
        .into_any()
    }

    /// What changed since a draft was rated; nothing when it is up to date.
    fn why(&self, draft: InvoiceId) -> String {
        let stale = self.stale.iter().find(|stale| stale.invoice == draft);
        stale.map(|stale| format!("Rate again: {} changed", stale.why.join(", "))).unwrap_or_default()
    }

    fn drafts(&self, mut drafts: Vec<Invoice>, period: &BillingPeriod, turned: bool) -> AnyView {
        let issued = period.is_issued();
        let title = if issued { "Invoices" } else { "Draft invoices" };
        let more = i64::try_from(drafts.len()).unwrap_or_default() > PAGE_ROWS;
        drafts.truncate(usize::try_from(PAGE_ROWS).unwrap_or_default());
        if drafts.is_empty() {
            let (none, text) = if period.nothing_to_bill() && period.part > 1 {
                (
                    "Nothing to bill",
                    "Everybody with supply in these days has an invoice, so there is nothing to approve.",
                )
            } else if period.nothing_to_bill() {
                (
                    "Nothing to bill",
                    "No customer had supply in these days, so there is nothing to approve, and no later period waits for this one.",
                )
            } else {
                (
                    "No invoice was made",
                    "No customer with supply in these days could be billed. The exceptions say why; mend them and rate again.",
                )
            };
            return view! {
                <Section title=title>
                    <EmptyState title=none text=text/>
                </Section>
            }
            .into_any();
        }
        let summary =
            format!("{} of {}", drafts.len(), many(period.invoices.into(), "invoice", "invoices", self.locale));
        let after =
            |invoice: &Invoice| address(self.path, &[("after", &format!("{}~{}", invoice.id, invoice.account_number))]);
        let next = drafts.as_slice().last().filter(|_| more).map(after).unwrap_or_default();
        let first = if turned { self.path.to_owned() } else { String::new() };
        let columns = vec![
            Column::text("Account"),
            Column::text("Customer"),
            Column::text(if issued { "Number" } else { "Days" }),
            Column::text("Tariff"),
            Column::number("Usage", "kWh"),
            Column::number("Before tax", self.currency),
            Column::number("Tax", self.currency),
            Column::number("Total", self.currency),
        ];
        let locale = self.locale;
        let mut rows = Rows::new();
        for draft in &drafts {
            let third = if issued { draft.label.clone() } else { format::count(draft.days(), locale) };
            rows.row(|row| {
                row.name_link(&format!("{}/invoices/{}", self.base, draft.id), &draft.account_number)
                    .text_with(&draft.customer_name, &self.why(draft.id))
                    .line(&third)
                    .text_with(&draft.tariff_name, if draft.estimated { "Partly estimated" } else { "" })
                    .kwh(draft.kwh, locale)
                    .money(draft.net, locale)
                    .money(draft.tax, locale)
                    .money(draft.total, locale);
            });
        }
        view! {
            <Section title=title>
                <DataTable caption=title columns=columns rows=rows/>
                <Pagination summary=summary first=first next=next label="Pages of invoices"/>
            </Section>
        }
        .into_any()
    }
}

/// The next step, and the way back, for those who may.
struct Panels {
    runs: bool,
    issues: bool,
    /// Whether it is the last part of its days.
    last: bool,
    context: String,
    hidden: Vec<(String, String)>,
    name: String,
    terms: i16,
    series: String,
    /// What blocks and what warns.
    exceptions: (i64, i64),
    stale: bool,
    currency: String,
    locale: Locale,
}

impl Panels {
    fn new(
        at: &AtClient,
        client: &Client,
        period: &BillingPeriod,
        parts: &[BillingPeriod],
        name: &str,
        exceptions: (i64, i64),
        stale: bool,
    ) -> Self {
        let pair = |name: &str, value: String| (name.to_owned(), value);
        Self {
            runs: at.actor.may(Permission::RunBilling),
            issues: at.actor.may(Permission::IssueInvoices),
            last: parts.iter().all(|part| part.part <= period.part),
            context: at.actor.context_token(),
            hidden: vec![
                pair("client", at.client.id.to_string()),
                pair("period", period.id.to_string()),
                pair("page", format!("{}/billing-periods/{}", at.base(), period.id)),
            ],
            name: name.to_owned(),
            terms: client.payment_terms_days,
            series: client.invoice_series.clone(),
            exceptions,
            stale,
            currency: at.client.currency.clone(),
            locale: at.locale(),
        }
    }

    fn view(&self, period: &BillingPeriod) -> AnyView {
        let mut panels: Vec<AnyView> = match period.status.as_str() {
            "open" if self.runs => vec![self.rate(period, "Rate…", Kind::Primary)],
            "rated" if self.runs && period.invoices > 0 && !self.stale => {
                vec![self.approve(period), self.rate(period, "Rate again…", Kind::Secondary), self.reopen(period)]
            }
            "rated" if self.runs => vec![self.rate(period, "Rate again…", Kind::Primary), self.reopen(period)],
            "approved" if self.issues && !self.stale => vec![self.issue(period), self.reopen(period)],
            "approved" if self.runs => vec![self.reopen(period)],
            "invoiced" if self.runs && self.last && period.exceptions > 0 => vec![self.bill_left_out(period)],
            _ => vec![],
        };
        if self.runs && !period.is_issued() {
            panels.push(self.delete(period));
        }
        if panels.is_empty() {
            return ().into_any();
        }
        view! { <Section title="Next step"><div class="stack">{panels}</div></Section> }.into_any()
    }

    fn panel(
        &self,
        open: &str,
        title: String,
        consequences: Vec<String>,
        label: String,
        action: &str,
        kind: Kind,
    ) -> AnyView {
        let shown = kind == Kind::Primary;
        view! {
            <ConfirmPanel open=open title=title consequences=consequences label=label action=format!("/api/{action}")
                context=self.context.clone() hidden=self.hidden.clone() kind=kind shown=shown/>
        }
        .into_any()
    }

    fn rate(&self, period: &BillingPeriod, open: &str, kind: Kind) -> AnyView {
        let whom = if period.part > 1 { "without an invoice of" } else { "with supply in" };
        let title = format!("Rate {}?", self.name);
        let consequences = vec![
            format!("Every customer {whom} these days gets a draft invoice, or an exception that says why not."),
            "Drafts of an earlier rating are replaced; nothing is sent, and customers see nothing.".to_owned(),
            "You can rate again as often as you like until you approve.".to_owned(),
        ];
        self.panel(open, title, consequences, "Rate now".to_owned(), "rate_billing_period", kind)
    }

    fn approve(&self, period: &BillingPeriod) -> AnyView {
        let invoices = many(period.invoices.into(), "invoice", "invoices", self.locale);
        let total = format::amount(period.total, &self.currency, self.locale);
        let mut consequences = vec![format!("{invoices} over {total} can then be issued.")];
        if period.exceptions > 0 {
            consequences.push(format!(
                "{} without a bill, as the exceptions say. They can be billed apart once this is issued, before they get a bill for later days.",
                many(period.exceptions.into(), "customer stays", "customers stay", self.locale)
            ));
        }
        if self.exceptions.1 > 0 {
            consequences.push(format!(
                "{} with something to look at.",
                many(self.exceptions.1, "invoice goes out", "invoices go out", self.locale)
            ));
        }
        consequences.push("Rating again needs the period to be reopened.".to_owned());
        self.panel(
            "Approve…",
            format!("Approve {invoices} for {}?", self.name),
            consequences,
            format!("Approve {invoices}"),
            "approve_billing_period",
            Kind::Primary,
        )
    }

    fn issue(&self, period: &BillingPeriod) -> AnyView {
        let invoices = many(period.invoices.into(), "invoice", "invoices", self.locale);
        let total = format::amount(period.total, &self.currency, self.locale);
        let consequences = vec![
            format!("{invoices} totalling {total} get their numbers in series {} and today's date.", self.series),
            format!("They are due in {} days, and customers see them at once.", self.terms),
            "This cannot be taken back: an issued invoice is corrected by a credit note.".to_owned(),
        ];
        self.panel(
            "Issue…",
            format!("Issue {invoices} for {}?", self.name),
            consequences,
            format!("Issue {invoices} totalling {total}"),
            "issue_billing_period",
            Kind::Primary,
        )
    }

    fn reopen(&self, period: &BillingPeriod) -> AnyView {
        let drafts = many(period.invoices.into(), "draft", "drafts", self.locale);
        let consequences = vec![
            format!("{drafts} and all exceptions of this rating are dropped."),
            "Usage, tariffs and customers stay as they are.".to_owned(),
        ];
        self.panel(
            "Reopen…",
            format!("Reopen {}?", self.name),
            consequences,
            format!("Drop {drafts} and reopen"),
            "reopen_billing_period",
            Kind::Danger,
        )
    }

    fn bill_left_out(&self, period: &BillingPeriod) -> AnyView {
        let customers = many(period.exceptions.into(), "customer", "customers", self.locale);
        let consequences = vec![
            format!(
                "{customers} had no bill when this was issued. A billing period of the same days is made for those who still have none, and rated: each gets a draft invoice, or an exception that says why not."
            ),
            "Who has an invoice for later days already stays without one: bills go in the order of their days."
                .to_owned(),
            format!(
                "The {} of this period stay as they are. You look at the drafts, approve and issue them as always.",
                many(period.invoices.into(), "invoice", "invoices", self.locale)
            ),
        ];
        self.panel(
            "Bill those left out…",
            format!("Bill those left out of {}?", self.name),
            consequences,
            "Rate those left out".to_owned(),
            "bill_left_out",
            Kind::Primary,
        )
    }

    fn delete(&self, period: &BillingPeriod) -> AnyView {
        let goes = if period.status == "open" {
            "It has no draft invoices. The record of earlier ratings, if there were any, goes with it.".to_owned()
        } else {
            let drafts = many(period.invoices.into(), "draft invoice", "draft invoices", self.locale);
            let exceptions = many(self.exceptions.0 + self.exceptions.1, "exception", "exceptions", self.locale);
            format!("{drafts} with all lines, {exceptions} and the record of its ratings go with it.")
        };
        let consequences = vec![
            goes,
            "Its days are free again: to bill other days, make a new billing period.".to_owned(),
            "Usage, tariffs and customers stay as they are.".to_owned(),
        ];
        self.panel(
            "Delete…",
            format!("Delete the billing period {}?", self.name),
            consequences,
            "Delete billing period".to_owned(),
            "delete_billing_period",
            Kind::Danger,
        )
    }
}

/// Commits, and goes back to the period.
async fn finish(
    ctx: &Ctx,
    tx: Tenant,
    actor: &Actor,
    period: BillingPeriodId,
    say: impl Into<String>,
) -> Result<Done, AppError> {
    let (client, _) = actor.tenant()?;
    Done::to(format!("/clients/{client}/billing-periods/{period}")).saying(say).commit(ctx, tx).await
}

/// Rates a period.
#[server(prefix = "/api", endpoint = "rate_billing_period")]
pub(crate) async fn rate_billing_period(client: String, period: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let id: BillingPeriodId = period.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = ctx.write(&actor).await?;
        let rated = billing::rate(&mut tx, id).await?;
        let say = log::rated(&rated, &clients::current(&tx).await?);
        finish(&ctx, tx, &actor, id, say).await
    })
    .await
}

/// Approves a rated period.
#[server(prefix = "/api", endpoint = "approve_billing_period")]
pub(crate) async fn approve_billing_period(client: String, period: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let id: BillingPeriodId = period.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = ctx.write(&actor).await?;
        billing::approve(&mut tx, id).await?;
        finish(&ctx, tx, &actor, id, "Approved. Issue the invoices next.").await
    })
    .await
}

/// Takes a rated or approved period back to open.
#[server(prefix = "/api", endpoint = "reopen_billing_period")]
pub(crate) async fn reopen_billing_period(client: String, period: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let id: BillingPeriodId = period.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = ctx.write(&actor).await?;
        billing::reopen(&mut tx, id).await?;
        finish(&ctx, tx, &actor, id, "Reopened. Its drafts are gone; rate it again when ready.").await
    })
    .await
}

/// Makes and rates a further part of an issued period, for the customers that it left without a bill.
#[server(prefix = "/api", endpoint = "bill_left_out")]
pub(crate) async fn bill_left_out(client: String, period: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let id: BillingPeriodId = period.parse().map_err(|_| AppError::NotFound)?;
        let mut tx = ctx.write(&actor).await?;
        let (made, rated) = billing::bill_left_out(&mut tx, id).await?;
        let say = log::rated(&rated, &clients::current(&tx).await?);
        finish(&ctx, tx, &actor, made.id, say).await
    })
    .await
}

/// Deletes a period in which nothing was issued.
#[server(prefix = "/api", endpoint = "delete_billing_period")]
pub(crate) async fn delete_billing_period(client: String, period: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::RunBilling, &client)?;
        let id: BillingPeriodId = period.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let days = billing::delete(&mut tx, id).await?.period.days();
        let say = format!("Billing period {days} deleted.");
        Done::to(format!("/clients/{at}/billing-periods")).saying(say).commit(&ctx, tx).await
    })
    .await
}

/// Issues the invoices of an approved period.
#[server(prefix = "/api", endpoint = "issue_billing_period")]
pub(crate) async fn issue_billing_period(client: String, period: String) -> Result<(), ServerFnError> {
    act(async {
        let (ctx, actor) = require_client(Permission::IssueInvoices, &client)?;
        let id: BillingPeriodId = period.parse().map_err(|_| AppError::NotFound)?;
        let (at, _) = actor.tenant()?;
        let mut tx = ctx.write(&actor).await?;
        let issued = billing::issue(&mut tx, id).await?;
        let Some(say) = log::issued(&issued, &clients::current(&tx).await?) else {
            let to = format!("/clients/{at}/billing-periods/{id}");
            return Ok(Done::to(to).saying("These invoices were issued before; nothing was done again."));
        };
        finish(&ctx, tx, &actor, id, say).await
    })
    .await
}

//! What the page of a run lists: stale drafts, exceptions, drafts.

use eis::billing::{BillingRun, Exception, Progress, Stale};
use eis::receivables::invoices::Invoice;
use eis::values::ids::InvoiceId;
use leptos::prelude::*;

use crate::components::{Column, DataTable, EmptyState, Notice, Pagination, Rows, Section, Tone};
use crate::format::{self, Locale, many};
use crate::pages::parts::{PAGE_ROWS, address};

/// Stale drafts listed at the head of the page.
const STALE_SHOWN: usize = 20;

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
        "no_days" => ("None of these days", "See the contract", "customers"),
        "changed" => ("Changed before issue", "See the customer", "customers"),
        "estimated" => ("Estimated", "See the customer", "customers"),
        "zero_usage" => ("Nothing used", "See the customer", "customers"),
        "much_higher" => ("Much higher", "See the customer", "customers"),
        "much_lower" => ("Much lower", "See the customer", "customers"),
        _ => ("Exception", "See the customer", "customers"),
    }
}

/// The lists of the page.
pub(super) struct Listing<'a> {
    pub path: &'a str,
    pub base: &'a str,
    pub currency: &'a str,
    pub locale: Locale,
    pub stale: &'a [Stale],
    pub progress: &'a Progress,
}

impl Listing<'_> {
    /// Which drafts must be rated again, and what changed.
    pub fn stale(&self, run: &BillingRun) -> AnyView {
        let drafts = many(i64::try_from(self.stale.len()).unwrap_or_default(), "draft is", "drafts are", self.locale);
        let how = match run.status.as_str() {
            "approved" if self.progress.issued > 0 => "Issuing holds them for the next run.",
            "approved" => "Reopen the run and rate it again.",
            _ => "Rate again.",
        };
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

    pub fn exceptions(&self, found: Vec<Exception>, counts: (i64, i64), skip: i64) -> AnyView {
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
            let last = found.to_on.pred_opt().unwrap_or(found.to_on);
            rows.row(|row| {
                row.name_link(&customer, &found.account_number)
                    .text(&found.customer_name)
                    .line(&format::date_range(found.from_on, last, self.locale))
                    .tag(what, tone)
                    .prose(&format::prose(&found.message, self.locale))
                    .link(&href, label);
            });
        }
        let columns = vec![
            Column::text("Account"),
            Column::text("Customer"),
            Column::text("Days"),
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

    pub fn drafts(&self, mut drafts: Vec<Invoice>, run: &BillingRun, turned: bool) -> AnyView {
        let issued = self.progress.issued > 0;
        let title = if issued { "Invoices" } else { "Draft invoices" };
        let more = i64::try_from(drafts.len()).unwrap_or_default() > PAGE_ROWS;
        drafts.truncate(usize::try_from(PAGE_ROWS).unwrap_or_default());
        if drafts.is_empty() {
            let (none, text) = if run.nothing_to_bill() {
                ("Nothing to bill", "Nothing of this run is due any more, so there is nothing to approve. Delete it.")
            } else {
                (
                    "No invoice was made",
                    "No contract of this run could be billed. The exceptions say why; mend them and rate again.",
                )
            };
            return view! {
                <Section title=title>
                    <EmptyState title=none text=text/>
                </Section>
            }
            .into_any();
        }
        let all = self.progress.issued + self.progress.left;
        let summary = format!("{} of {}", drafts.len(), many(all, "invoice", "invoices", self.locale));
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
            let third = match (issued, draft.label.as_str()) {
                (false, _) => format::date_range(draft.period_from, draft.last_day(), locale),
                (true, "") => "Draft".to_owned(),
                (true, label) => label.to_owned(),
            };
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

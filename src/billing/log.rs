//! What the log says of billing.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{BillingRun, Issued, Rated};
use crate::audit::Entry;
use crate::parties::clients::Client;
use crate::values::ids::BillingRunId;
use crate::values::written::{Locale, amount, many};

/// A record about a run.
pub(super) fn entry(action: &'static str, run: BillingRunId, summary: String, details: Value) -> Entry<'static> {
    Entry { action, entity: "billing_run", entity_id: Some(run.0), customer: None, summary, details }
}

/// What a rating came to, as the client writes figures.
#[must_use]
pub fn rated(rated: &Rated, client: &Client) -> String {
    if rated.contracts == 0 {
        return "Rated: nothing of this run is due any more.".to_owned();
    }
    let locale = Locale::from(&client.locale);
    let total = amount(rated.total, &client.currency, locale);
    let drafts = many(rated.invoices.into(), "draft invoice", "draft invoices", locale);
    let without = many(rated.blocked.into(), "contract", "contracts", locale);
    format!("Rated: {drafts} over {total}; {without} held.")
}

pub(super) fn of_rating(before: &BillingRun, rated: &Rated) -> Value {
    json!({
        "before": { "status": before.status, "invoices": before.invoices, "total": before.total },
        "after": { "status": "rated", "invoices": rated.invoices, "total": rated.total },
        "contracts": rated.contracts, "blocked": rated.blocked,
    })
}

/// What issuing came to, as the client writes figures; `None` where everything was issued before.
#[must_use]
pub fn issued(issued: &Issued, client: &Client) -> Option<String> {
    let (first, last) = issued.labels.as_ref()?;
    let locale = Locale::from(&client.locale);
    let money = |value: Decimal| amount(value, &client.currency, locale);
    let invoices = many(issued.invoices, "invoice", "invoices", locale);
    let from_credit = if issued.from_credit > Decimal::ZERO {
        format!(" Customers' credit paid {} of it.", money(issued.from_credit))
    } else {
        String::new()
    };
    Some(format!("Issued {invoices} totalling {}: {first} to {last}.{from_credit}", money(issued.total)))
}

pub(super) fn of_issuing(issued: &Issued) -> Value {
    let (first, last) = issued.labels.as_ref().map_or(("", ""), |(first, last)| (first.as_str(), last.as_str()));
    let status = if issued.left == 0 { "issued" } else { "approved" };
    json!({
        "before": { "status": "approved" }, "after": { "status": status },
        "invoices": issued.invoices, "total": issued.total, "first": first, "last": last,
        "from_credit": issued.from_credit,
    })
}

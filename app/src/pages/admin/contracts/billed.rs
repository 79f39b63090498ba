//! What was billed of a contract, and what is on its way to a bill.

use eis::billing::OfContract;
use leptos::prelude::*;

use crate::components::{Column, DataTable, Rows, Section};
use crate::format::{self, Locale};

/// Billing periods of a contract that are listed.
pub(super) const SHOWN: i64 = 36;

/// Why there is a bill.
fn reason(code: &str) -> &str {
    match code {
        "cycle" => "Billing cycle",
        "final" => "Final bill",
        "correction" => "Correction",
        other => other,
    }
}

/// The billing periods of a contract, the latest first. `client` is the client's address.
pub(super) fn section(periods: &[OfContract], client: &str, locale: Locale) -> impl IntoView + use<> {
    let mut rows = Rows::new();
    for period in periods {
        let last = period.to_on.pred_opt().unwrap_or(period.to_on);
        rows.row(|row| {
            row.name(&format::date_range(period.from_on, last, locale))
                .text(reason(&period.reason))
                .status(&period.status);
            match (period.invoice, period.label.as_deref().unwrap_or_default()) {
                (None, _) => row.link(&format!("{client}/billing-runs/{}", period.run), "Billing run"),
                (Some(invoice), "") => row.link(&format!("{client}/invoices/{invoice}"), "Draft"),
                (Some(invoice), label) => row.link(&format!("{client}/invoices/{invoice}"), label),
            };
        });
    }
    let none = periods.is_empty();
    view! {
        <Section title="Billing periods">
            {if none {
                view! { <p>"Nothing of this contract was billed yet."</p> }.into_any()
            } else {
                let columns = ["Days", "Why", "Status", "Invoice"].into_iter().map(Column::text).collect::<Vec<_>>();
                view! { <DataTable caption="Billing periods, the latest first" columns=columns rows=rows/> }.into_any()
            }}
        </Section>
    }
}

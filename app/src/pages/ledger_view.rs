//! The ledger in words and tables, from plain values: an entry's cause, its accounts, and an account statement.

use eis::receivables::ledger::{Cause, LedgerAccount, Row, What};
use eis::receivables::payments::method_label;
use leptos::prelude::*;
use rust_decimal::Decimal;

use crate::components::{Column, DataTable, EmptyState, Pagination, Rows};
use crate::format::{self, Locale};
use crate::pages::parts::address;

/// Rows of a statement on a page.
pub const STATEMENT_ROWS: i64 = 50;

/// What an account of the ledger is called.
#[must_use]
pub const fn account(account: LedgerAccount) -> &'static str {
    match account {
        LedgerAccount::Receivable => "Open bills",
        LedgerAccount::Unapplied => "Customers' credit",
        LedgerAccount::Revenue => "Revenue",
        LedgerAccount::Tax => "Tax",
        LedgerAccount::Rounding => "Rounding",
        LedgerAccount::CarryOver => "Kept for later bills",
        LedgerAccount::Bank => "Bank",
        LedgerAccount::Fees => "Fees",
        LedgerAccount::Losses => "Losses",
        LedgerAccount::Deposits => "Deposits",
    }
}

/// What happened: `Invoice NW-2026-000412`, `Payment, bank transfer`, `Credit paid NW-2026-000412`.
#[must_use]
pub fn words(what: &What) -> String {
    match what.cause {
        Cause::Invoice => format!("Invoice {}", what.label),
        Cause::CreditNote => format!("Credit note {}", what.label),
        Cause::Payment => format!("Payment, {}", method_label(&what.method).to_lowercase()),
        Cause::Allocation if what.source.is_empty() => format!("Payment of {}", what.label),
        Cause::Allocation => format!("Credit of {} paid {}", what.source, what.label),
    }
}

/// Its quieter line: what the payer wrote, that a bill was taken back.
#[must_use]
pub fn beneath(what: &What) -> String {
    if what.reverses { "Takes the whole bill back".to_owned() } else { what.reference.clone() }
}

/// A page of a statement, and where its links lead.
#[derive(Debug)]
pub struct Statement {
    /// Its rows, one more than a page has where there are more.
    pub rows: Vec<Row>,
    /// The address of the statement.
    pub path: String,
    /// The address beneath which invoices are.
    pub invoices: String,
    /// Whether it begins further down.
    pub turned: bool,
    /// ISO 4217.
    pub currency: String,
    /// How figures are written.
    pub locale: Locale,
}

/// The statement as a table: what was charged, what came or was credited, and the balance after each.
pub fn statement(mut page: Statement) -> AnyView {
    let limit = usize::try_from(STATEMENT_ROWS).unwrap_or(usize::MAX);
    let more = page.rows.len() > limit;
    page.rows.truncate(limit);
    if page.rows.is_empty() {
        return view! { <EmptyState title="Nothing booked yet" text="Every bill and every payment is listed here with the balance after it, from the first bill on."/> }.into_any();
    }
    let last = page
        .rows
        .last()
        .filter(|_| more)
        .map(|row| eis::receivables::ledger::Cursor(row.booked_on, row.id).to_string());
    let next = last.map(|after| address(&page.path, &[("after", &after)])).unwrap_or_default();
    let first = if page.turned { page.path.clone() } else { String::new() };
    let summary = match page.rows.len() {
        1 => "1 entry".to_owned(),
        shown => format!("{shown} entries"),
    };
    let mut body = Rows::new();
    page.rows.iter().for_each(|row| line(&mut body, row, &page));
    let currency = &page.currency;
    let columns = vec![
        Column::text("Entry"),
        Column::text("Booked"),
        Column::number("Charged", currency),
        Column::number("Paid or credited", currency),
        Column::number("Balance", currency),
    ];
    view! {
        <DataTable caption="Account statement, the latest first" columns=columns rows=body/>
        <Pagination summary=summary first=first next=next/>
    }
    .into_any()
}

fn line(rows: &mut Rows, row: &Row, page: &Statement) {
    let (text, beneath) = (words(&row.what), beneath(&row.what));
    let value = match row.what.cause {
        Cause::Invoice => format!("Due {}", format::date(row.value_on, page.locale)),
        Cause::Payment if row.value_on != row.booked_on => {
            format!("Received {}", format::date(row.value_on, page.locale))
        }
        _ => String::new(),
    };
    let beneath = [value, beneath].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    rows.row(|cells| {
        match row.what.invoice_id {
            Some(id) => cells.name_link_with(&id.below(&page.invoices), &text, &beneath),
            None => cells.name_with(&text, &beneath),
        };
        cells.date(row.booked_on, page.locale);
        if row.amount > Decimal::ZERO {
            cells.money(row.amount, page.locale).empty();
        } else {
            cells.empty().money(-row.amount, page.locale);
        }
        cells.money(row.balance, page.locale);
    });
}

/// What a balance means, for the line beneath a statement's title.
#[must_use]
pub fn balance(amount: Decimal, currency: &str, locale: Locale) -> String {
    if amount > Decimal::ZERO {
        format!("{} owed", format::amount(amount, currency, locale))
    } else if amount < Decimal::ZERO {
        format!("{} in credit", format::amount(-amount, currency, locale))
    } else {
        "Nothing owed".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn what(cause: Cause) -> What {
        What {
            cause,
            reverses: false,
            invoice_id: None,
            label: "NW-1".into(),
            source: String::new(),
            method: "bank_transfer".into(),
            reference: "Rent".into(),
        }
    }

    #[test]
    fn what_happened_is_told_in_words() {
        assert_eq!(words(&what(Cause::Invoice)), "Invoice NW-1");
        assert_eq!(words(&what(Cause::CreditNote)), "Credit note NW-1");
        assert_eq!(words(&what(Cause::Payment)), "Payment, bank transfer");
        assert_eq!(words(&what(Cause::Allocation)), "Payment of NW-1");
        let credit = What { source: "NW-0".into(), ..what(Cause::Allocation) };
        assert_eq!(words(&credit), "Credit of NW-0 paid NW-1");
        assert_eq!(beneath(&what(Cause::Payment)), "Rent");
        assert_eq!(beneath(&What { reverses: true, ..what(Cause::CreditNote) }), "Takes the whole bill back");
    }

    #[test]
    fn a_balance_says_whose_money_it_is() {
        let told = |text: &str| balance(text.parse().unwrap(), "EUR", Locale::EnUs);
        assert!(told("5").ends_with("owed") && told("-5").ends_with("in credit") && !told("-5").contains('\u{2212}'));
        assert_eq!(told("0"), "Nothing owed");
    }
}

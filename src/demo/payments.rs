//! Money received: mostly on time, some late, some in part, some not at all.

use chrono::{Days, NaiveDate};
use diesel::prelude::*;
use rust_decimal::Decimal;

use super::book::Book;
use super::cast::Land;
use super::rows::{AllocationRow, PaymentRow};
use super::seed::Seed;
use crate::db::schema::invoices;
use crate::values::ids::{AccountId, CustomerId, InvoiceId};
use crate::values::money::Money;

/// An invoice that was issued, as its customer pays it.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = invoices)]
pub struct Issued {
    pub id: InvoiceId,
    pub customer_id: CustomerId,
    pub account_id: AccountId,
    pub label: String,
    pub issued_on: Option<NaiveDate>,
    pub due_on: Option<NaiveDate>,
    pub total: Decimal,
}

/// Pays an issued invoice as its customer would have by the demo's day. What comes to nothing or less is settled by itself.
pub fn settle(book: &mut Book<'_>, invoice: &Issued) {
    let (Some(issued), Some(due)) = (invoice.issued_on, invoice.due_on) else { return };
    if invoice.total <= Decimal::ZERO {
        return;
    }
    let mut seed = book.seed(&format!("paying/{}", invoice.label));
    let seed = &mut seed;
    // What was issued long ago has been settled by now; the unsettled ones are recent.
    let recent = book.end() <= issued + Days::new(100);
    let cents = |share: i64| Money::new(invoice.total * Decimal::new(share, 2));
    let whole = Money::new(invoice.total);
    let (amount, on) = match seed.between(1, 100) {
        1..=5 if recent => return,
        6..=10 if recent => (cents(seed.between(30, 70)), due + later(seed.between(1, 12))),
        1..=18 => (whole, due + later(seed.between(2, 24))),
        _ => (whole, before(due, issued, seed)),
    };
    if on <= book.as_of && amount > Money::ZERO {
        write(book, seed, invoice, amount, on);
    }
}

fn later(days: i64) -> Days {
    Days::new(u64::try_from(days).unwrap_or(0))
}

fn before(due: NaiveDate, issued: NaiveDate, seed: &mut Seed) -> NaiveDate {
    (due - later(seed.between(0, 12))).max(issued + Days::new(2))
}

fn write(book: &mut Book<'_>, seed: &mut Seed, invoice: &Issued, amount: Money, on: NaiveDate) {
    let method = match (book.utility.land, seed.between(1, 10)) {
        (Land::Germany, 1..=7) => "direct_debit",
        (Land::Germany, _) => "bank_transfer",
        (Land::States, 1..=4) => "card",
        (Land::States, 5..=7) => "direct_debit",
        (Land::States, 8..=9) => "bank_transfer",
        (Land::States, _) => "cash",
    };
    let at = book.at(on, 300);
    let id = seed.id(at);
    book.rows.payments.push(PaymentRow {
        key: book.key,
        id,
        customer_id: invoice.customer_id.0,
        account_id: invoice.account_id.0,
        received_on: on,
        amount,
        currency: book.group.currency,
        method,
        reference: invoice.label.clone(),
        created_at: at,
        created_by: book.admin,
        updated_at: at,
    });
    book.rows.allocations.push(AllocationRow {
        key: book.key,
        payment_id: id,
        invoice_id: invoice.id.0,
        customer_id: invoice.customer_id.0,
        account_id: invoice.account_id.0,
        amount,
        created_at: at,
        created_by: book.admin,
    });
}

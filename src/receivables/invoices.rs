//! Invoices: what was billed to whom, line by line, with the days behind each line.
//!
//! Written by [`crate::billing`]; here they are read. [`list`] is the list that people page through all day:
//! its queries go out together and cost the same however many invoices there are.

mod billed;
mod list;
mod trace;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::db::schema::{invoice_lines, invoices};
use crate::db::{Figure, Tenant};
use crate::values::ids::{AccountId, BillingPeriodId, BillingRunId, CustomerId, InvoiceId};

pub use billed::{Billed, Explained, Reasons, UsageSource, billed};
pub use list::{Cursor, Filter, Listed, Page, Search, Total, Turn, list};
pub(crate) use trace::Kept;
pub use trace::{DayShare, Trace, shares};

/// An invoice or credit note.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = invoices)]
pub struct Invoice {
    /// Its id.
    pub id: InvoiceId,
    /// Whose.
    pub customer_id: CustomerId,
    /// On which account.
    pub account_id: AccountId,
    /// The run that made it.
    pub billing_run_id: Option<BillingRunId>,
    /// `invoice` or `credit_note`.
    pub kind: String,
    /// `draft`, `issued`, `part_paid`, `paid`, `credited`.
    pub status: String,
    /// The number as printed; empty while a draft.
    pub label: String,
    /// The buyer's name as it was.
    pub customer_name: String,
    /// The buyer's account as it was.
    pub account_number: String,
    /// The buyer's address as it was.
    pub billing_address: String,
    /// First day billed.
    pub period_from: NaiveDate,
    /// The day after the last day billed.
    pub period_to: NaiveDate,
    /// The day it was issued.
    pub issued_on: Option<NaiveDate>,
    /// The day it is due.
    pub due_on: Option<NaiveDate>,
    /// ISO 4217.
    pub currency: String,
    /// The names of its tariffs.
    pub tariff_name: String,
    /// Energy bought.
    #[diesel(deserialize_as = Figure)]
    pub kwh: Decimal,
    /// Whether any usage was estimated.
    pub estimated: bool,
    /// Sum before tax.
    #[diesel(deserialize_as = Figure)]
    pub net: Decimal,
    /// Tax.
    #[diesel(deserialize_as = Figure)]
    pub tax: Decimal,
    /// What is to be paid: `net`, `tax` and [`Invoice::rounding`].
    #[diesel(deserialize_as = Figure)]
    pub total: Decimal,
    /// What was paid.
    #[diesel(deserialize_as = Figure)]
    pub paid: Decimal,
    /// When it was rated.
    pub created_at: DateTime<Utc>,
}

impl Invoice {
    /// What is left to pay.
    #[must_use]
    pub fn open(&self) -> Decimal {
        self.total - self.paid
    }

    /// What rounding the amount to pay added or took, where the tariff asks for it (EN 16931 BT-114).
    #[must_use]
    pub fn rounding(&self) -> Decimal {
        self.total - self.net - self.tax
    }

    /// The last day billed.
    #[must_use]
    pub fn last_day(&self) -> NaiveDate {
        self.period_to.pred_opt().unwrap_or(self.period_to)
    }

    /// How many days are billed.
    #[must_use]
    pub fn days(&self) -> i64 {
        (self.period_to - self.period_from).num_days()
    }

    /// Whether it is due and not paid.
    #[must_use]
    pub fn overdue(&self, today: NaiveDate) -> bool {
        overdue(&self.status, self.due_on, today)
    }
}

fn overdue(status: &str, due_on: Option<NaiveDate>, today: NaiveDate) -> bool {
    matches!(status, "issued" | "part_paid") && due_on.is_some_and(|due| due < today)
}

/// A line of an invoice.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = invoice_lines)]
pub struct Line {
    /// Its place, from 1.
    pub position: i16,
    /// The period that it bills; `None`: it is of the whole invoice.
    pub billing_period_id: Option<BillingPeriodId>,
    /// `energy`, `demand`, `fixed`, `minimum`, `tax`, `credit`, `adjustment`.
    pub kind: String,
    /// What is charged.
    pub description: String,
    /// Time-of-use period; empty: none.
    pub tou_period: String,
    /// Tariff block, from 1.
    pub block: Option<i16>,
    /// How much.
    #[diesel(deserialize_as = Figure)]
    pub quantity: Decimal,
    /// Of what: `kWh`, `kW`, `month`, `day`, `each`, `amount`.
    pub unit: String,
    /// Price of one.
    #[diesel(deserialize_as = Figure)]
    pub price: Decimal,
    /// Quantity x price, rounded.
    #[diesel(deserialize_as = Figure)]
    pub amount: Decimal,
    /// Whether any of the quantity was estimated.
    pub estimated: bool,
    /// The days behind it; see [`shares`].
    #[diesel(embed)]
    pub trace: Trace,
}

/// The invoice of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, id: InvoiceId) -> QueryResult<Option<Invoice>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    invoices::table
        .filter(invoices::organization_id.eq(organization))
        .filter(invoices::client_id.eq(client).and(invoices::id.eq(id)))
        .select(Invoice::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// The lines of an invoice in order.
///
/// # Errors
/// When the database fails.
pub async fn lines(tx: &Tenant, id: InvoiceId) -> QueryResult<Vec<Line>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    invoice_lines::table
        .filter(invoice_lines::organization_id.eq(organization))
        .filter(invoice_lines::client_id.eq(client).and(invoice_lines::invoice_id.eq(id)))
        .select(Line::as_select())
        .order(invoice_lines::position)
        .load(&mut conn)
        .await
}

/// Invoices and drafts of a billing run by account number, from after `(account number, id)` on.
///
/// # Errors
/// When the database fails.
pub async fn of_run(
    tx: &Tenant,
    run: BillingRunId,
    after: Option<&(String, InvoiceId)>,
    limit: i64,
) -> QueryResult<Vec<Invoice>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let query = invoices::table
        .filter(invoices::organization_id.eq(organization).and(invoices::client_id.eq(client)))
        .filter(invoices::billing_run_id.eq(run))
        .select(Invoice::as_select())
        .order((invoices::account_number, invoices::id))
        .limit(limit);
    match after {
        None => query.load(&mut conn).await,
        Some((account, id)) => {
            let later =
                invoices::account_number.ge(account).and(invoices::account_number.gt(account).or(invoices::id.gt(id)));
            query.filter(later).load(&mut conn).await
        }
    }
}

/// Invoices of a customer, the latest first, without drafts.
///
/// # Errors
/// When the database fails.
pub async fn of_customer(tx: &Tenant, customer: CustomerId, limit: i64) -> QueryResult<Vec<Invoice>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    invoices::table
        .filter(invoices::organization_id.eq(organization).and(invoices::client_id.eq(client)))
        .filter(invoices::customer_id.eq(customer).and(invoices::status.ne("draft")))
        .select(Invoice::as_select())
        .order((invoices::issued_on.desc(), invoices::id.desc()))
        .limit(limit)
        .load(&mut conn)
        .await
}

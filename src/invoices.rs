//! Invoices: what was billed to whom, line by line, with the days behind each line.
//!
//! Written by [`crate::billing`]; here they are read. [`list`] is the list that people page through all day:
//! its queries go out together and cost the same however many invoices there are.

mod list;
mod trace;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::{deserialize, sql_types};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::db::schema::{invoice_lines, invoices};
use crate::db::{Figure, Unreadable};
use crate::ids::{AccountId, BillingPeriodId, ClientId, CustomerId, InvoiceId, OrganizationId};
use crate::money::Money;
use crate::rating::explain::Explanation;

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
    /// The period it was made in.
    pub billing_period_id: Option<BillingPeriodId>,
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
    /// The tariff's name.
    pub tariff_name: String,
    /// Energy bought.
    #[diesel(deserialize_as = Figure)]
    pub kwh: Decimal,
    /// Highest demand, where it was measured.
    pub peak_kw: Option<Decimal>,
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
    /// Where its usage comes from, and why it differs from earlier ones.
    #[diesel(embed)]
    pub reasons: Reasons,
    /// When it was rated.
    pub created_at: DateTime<Utc>,
}

/// Where an invoice's usage comes from.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct UsageSource {
    /// How many intervals were summed.
    pub intervals: usize,
    /// How many register reads were summed.
    pub reads: usize,
    /// Serial numbers of the meters.
    pub meters: Vec<String>,
    /// Names of registers that were added up and billed as one.
    pub added: Vec<String>,
}

/// Why an invoice differs from an earlier one, as it was worked out when the invoice was made.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Explained {
    /// First day of the earlier bill.
    pub from: NaiveDate,
    /// The day after its last.
    pub to: NaiveDate,
    /// What it asked for.
    pub total: Money,
    /// The difference and its shares.
    #[serde(flatten)]
    pub explanation: Explanation,
}

/// What an invoice keeps of its making, read with its row: a value that cannot be read is a fault of that row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons {
    /// Where its usage comes from; `None`: that is not known.
    pub usage: Option<UsageSource>,
    /// Why it differs from the bill before and from last year's, the latest first; empty where that is not known.
    pub explained: Vec<Explained>,
}

impl Selectable<Pg> for Reasons {
    type SelectExpression = (invoices::id, invoices::usage_source, invoices::explained);

    fn construct_selection() -> Self::SelectExpression {
        (invoices::id, invoices::usage_source, invoices::explained)
    }
}

impl Queryable<(sql_types::Uuid, sql_types::Nullable<sql_types::Jsonb>, sql_types::Jsonb), Pg> for Reasons {
    type Row = (InvoiceId, Option<Value>, Value);

    fn build((id, usage, explained): Self::Row) -> deserialize::Result<Self> {
        let usage = usage.map(|kept| Unreadable::json(&kept, "invoices", id, "usage_source")).transpose()?;
        Ok(Self { usage, explained: Unreadable::json(&explained, "invoices", id, "explained")? })
    }
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
pub async fn find(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    id: InvoiceId,
) -> QueryResult<Option<Invoice>> {
    let mut conn = conn;
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
pub async fn lines(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    id: InvoiceId,
) -> QueryResult<Vec<Line>> {
    let mut conn = conn;
    invoice_lines::table
        .filter(invoice_lines::organization_id.eq(organization))
        .filter(invoice_lines::client_id.eq(client).and(invoice_lines::invoice_id.eq(id)))
        .select(Line::as_select())
        .order(invoice_lines::position)
        .load(&mut conn)
        .await
}

/// Invoices and drafts of a billing period by account number, from after `(account number, id)` on.
///
/// # Errors
/// When the database fails.
pub async fn of_period(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    period: BillingPeriodId,
    after: Option<&(String, InvoiceId)>,
    limit: i64,
) -> QueryResult<Vec<Invoice>> {
    let mut conn = conn;
    let query = invoices::table
        .filter(invoices::organization_id.eq(organization).and(invoices::client_id.eq(client)))
        .filter(invoices::billing_period_id.eq(period))
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
pub async fn of_customer(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    customer: CustomerId,
    limit: i64,
) -> QueryResult<Vec<Invoice>> {
    let mut conn = conn;
    invoices::table
        .filter(invoices::organization_id.eq(organization).and(invoices::client_id.eq(client)))
        .filter(invoices::customer_id.eq(customer).and(invoices::status.ne("draft")))
        .select(Invoice::as_select())
        .order((invoices::issued_on.desc(), invoices::id.desc()))
        .limit(limit)
        .load(&mut conn)
        .await
}

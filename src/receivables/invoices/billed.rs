//! What an invoice bills: one billing period or several, each with where its usage comes from and why it differs.

use chrono::NaiveDate;
use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::{deserialize, sql_types};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::db::schema::billing_periods;
use crate::db::{Figure, Tenant, Unreadable};
use crate::rating::explain::Explanation;
use crate::values::ids::{BillingPeriodId, ContractId, InvoiceId};
use crate::values::money::Money;

/// A billing period on an invoice.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = billing_periods)]
pub struct Billed {
    /// Its id.
    pub id: BillingPeriodId,
    /// Whose days they are.
    pub contract_id: ContractId,
    /// Where the energy was used, as it was.
    pub address: String,
    /// First day.
    pub from_on: NaiveDate,
    /// The day after the last.
    pub to_on: NaiveDate,
    /// `cycle`, `final`, `correction`.
    pub reason: String,
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
    /// What it would come to by itself.
    #[diesel(deserialize_as = Figure)]
    pub total: Decimal,
    /// Where its usage comes from, and why it differs from earlier ones.
    #[diesel(embed)]
    pub reasons: Reasons,
}

impl Billed {
    /// How many days are billed.
    #[must_use]
    pub fn days(&self) -> i64 {
        (self.to_on - self.from_on).num_days()
    }

    /// The last day billed.
    #[must_use]
    pub fn last_day(&self) -> NaiveDate {
        self.to_on.pred_opt().unwrap_or(self.to_on)
    }
}

/// Where a period's usage comes from.
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

/// Why a period's bill differs from an earlier one, as it was worked out when it was rated.
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

/// What a billing period keeps of its rating, read with its row: a value that cannot be read is a fault of that row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons {
    /// Where its usage comes from; `None`: that is not known.
    pub usage: Option<UsageSource>,
    /// Why it differs from the bill before and from last year's, the latest first; empty where that is not known.
    pub explained: Vec<Explained>,
}

impl Selectable<Pg> for Reasons {
    type SelectExpression = (billing_periods::id, billing_periods::usage_source, billing_periods::explained);

    fn construct_selection() -> Self::SelectExpression {
        (billing_periods::id, billing_periods::usage_source, billing_periods::explained)
    }
}

impl Queryable<(sql_types::Uuid, sql_types::Nullable<sql_types::Jsonb>, sql_types::Jsonb), Pg> for Reasons {
    type Row = (BillingPeriodId, Option<Value>, Value);

    fn build((id, usage, explained): Self::Row) -> deserialize::Result<Self> {
        let usage = usage.map(|kept| Unreadable::json(&kept, "billing_periods", id, "usage_source")).transpose()?;
        Ok(Self { usage, explained: Unreadable::json(&explained, "billing_periods", id, "explained")? })
    }
}

/// What an invoice bills, by place and days; of a draft too, for those who may see it.
///
/// # Errors
/// When the database fails.
pub async fn billed(tx: &Tenant, invoice: InvoiceId) -> QueryResult<Vec<Billed>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    billing_periods::table
        .filter(billing_periods::organization_id.eq(organization).and(billing_periods::client_id.eq(client)))
        .filter(billing_periods::invoice_id.eq(invoice))
        .select(Billed::as_select())
        .order((billing_periods::address, billing_periods::from_on, billing_periods::id))
        .load(&mut conn)
        .await
}

//! A contract's billing periods, and how far the invoices of a run are issued.

use chrono::NaiveDate;
use diesel::dsl::{count_star, sum};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::db::AtClient;
use crate::db::Tenant;
use crate::db::schema::{billing_periods, invoices};
use crate::values::ids::{BillingRunId, ContractId, InvoiceId};

/// Days of a contract that are billed, or on their way to a bill.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct OfContract {
    /// First day.
    pub from_on: NaiveDate,
    /// The day after the last.
    pub to_on: NaiveDate,
    /// `cycle`, `final`, `correction`.
    pub reason: String,
    /// `due`, `rated`, `held`, `approved`, `issued`, `credited`.
    pub status: String,
    /// The run that has it now, or that issued it.
    pub run: BillingRunId,
    /// Its invoice or draft.
    pub invoice: Option<InvoiceId>,
    /// The invoice's number; of a draft, empty.
    pub label: Option<String>,
}

/// A contract's billing periods, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn of_contract(tx: &Tenant, contract: ContractId, limit: i64) -> QueryResult<Vec<OfContract>> {
    let (here, mut conn) = (AtClient::here(tx)?, tx.shared());
    let bill = invoices::organization_id
        .eq(billing_periods::organization_id)
        .and(invoices::client_id.eq(billing_periods::client_id))
        .and(invoices::id.nullable().eq(billing_periods::invoice_id));
    billing_periods::table
        .left_join(invoices::table.on(bill))
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::contract_id.eq(contract))
        .select((
            billing_periods::from_on,
            billing_periods::to_on,
            billing_periods::reason,
            billing_periods::status,
            billing_periods::billing_run_id,
            billing_periods::invoice_id,
            invoices::label.nullable(),
        ))
        .order((billing_periods::from_on.desc(), billing_periods::created_at.desc(), billing_periods::id.desc()))
        .limit(limit)
        .load(&mut conn)
        .await
}

/// How far the invoices of a run are issued.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// Invoices issued.
    pub issued: i64,
    /// Their sum.
    pub issued_total: Decimal,
    /// Drafts.
    pub left: i64,
    /// Their sum.
    pub left_total: Decimal,
}

impl Progress {
    /// Whether some of it is issued and some is not.
    #[must_use]
    pub const fn is_partly_issued(&self) -> bool {
        self.issued > 0 && self.left > 0
    }
}

/// How far the invoices of a run are issued.
///
/// # Errors
/// When the database fails.
pub async fn progress(tx: &Tenant, run: BillingRunId) -> QueryResult<Progress> {
    let (here, mut conn) = (AtClient::here(tx)?, tx.shared());
    let rows: Vec<(String, i64, Option<Decimal>)> = invoices::table
        .filter(invoices::organization_id.eq(here.organization).and(invoices::client_id.eq(here.client)))
        .filter(invoices::billing_run_id.eq(run).and(invoices::kind.eq("invoice")))
        .group_by(invoices::status)
        .select((invoices::status, count_star(), sum(invoices::total)))
        .load(&mut conn)
        .await?;
    let mut progress = Progress::default();
    for (status, count, total) in rows {
        let total = total.unwrap_or_default();
        if status == "draft" {
            progress.left += count;
            progress.left_total += total;
        } else {
            progress.issued += count;
            progress.issued_total += total;
        }
    }
    Ok(progress)
}

//! Billing by what is due, and the way of each run from open to issued.
//!
//! A [run](BillingRun) takes on the billing periods of contracts that are due by a day ([`create`]). [`rate`] makes draft
//! invoices and holds contracts of which there is none, each with its reason; it may be repeated until [`approve`], and
//! [`reopen`] goes back as long as nothing is issued, as long as which [`delete`] takes a run away. [`issue`] numbers the
//! drafts, batch by batch. A draft is approved and issued only as long as everything it was rated from is as it was
//! ([`stale`]). Each contract goes its own way: what is held waits for the next run, and holds nobody else.
//!
//! A run is locked by its row, usage by the service points of its contracts: two runs of a client go on side by side.

mod account;
mod credit;
mod digest;
mod draft;
pub mod due;
mod explain;
mod gather;
mod inputs;
mod issue;
mod load;
pub mod log;
mod overview;
mod periods;
mod run;
pub mod shadow;
mod stale;
mod steps;
mod tariffs;
mod usage;
pub mod what_ifs;
mod write;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use crate::db::schema::{accounts, billing_exceptions, billing_periods, billing_runs, customers};
use crate::db::{AtClient, DbError, Tenant};
use crate::values::days::Unlikely;
use crate::values::ids::{BillingRunId, CustomerId, InvoiceId};

pub(crate) use issue::issue_on as issue_as;
pub use issue::{AT_ONCE, Issued, issue};
pub use overview::{Attention, Changed, MonthUsage, attention, changed_after_invoice, usage_by_month};
pub use periods::{OfContract, Progress, of_contract, progress};
pub(crate) use run::{Explained, rate_as};
pub use run::{Rated, rate};
pub use stale::{Stale, stale, stamp};
pub(crate) use steps::{Checked, approve_as, take_on};
pub use steps::{Deleted, approve, create, delete, reopen};

/// A step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// [`rate`].
    Rate,
    /// [`approve`].
    Approve,
    /// [`reopen`].
    Reopen,
    /// [`issue`].
    Issue,
    /// [`delete`].
    Delete,
}

/// Why a step was not done: codes with their figures; the words are the web's.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// The run is not there, or not to be seen.
    #[error("there is no such billing run")]
    NotFound,
    /// The run is not where the step starts.
    #[error("{step:?} does not start from {status}")]
    NotHere {
        /// The step.
        step: Step,
        /// Where the run is: `open`, `rated`, `approved`, `issued`.
        status: String,
    },
    /// The day is hardly meant.
    #[error("the day is hardly meant: {0:?}")]
    Unlikely(Unlikely),
    /// So many months are no billing cycle.
    #[error("{0} months are no billing cycle")]
    Cycle(i16),
    /// Nothing is due by the day that is not in another run.
    #[error("nothing is due")]
    NothingDue,
    /// Rating made no invoice.
    #[error("there is no invoice to approve")]
    NothingToApprove,
    /// What drafts were rated from has changed since.
    #[error("{} drafts are stale", .drafts.len())]
    Stale {
        /// The step.
        step: Step,
        /// Which, and what has changed.
        drafts: Vec<Stale>,
    },
    /// The client's payment terms give no day to pay by.
    #[error("there is no day to pay by")]
    NoDueDay,
    /// Somebody works on the run just now.
    #[error("the run is under way")]
    UnderWay,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for BillingError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl BillingError {
    /// For a run that is not where a step starts.
    fn not_here<T>(step: Step, run: &BillingRun) -> Result<T, Self> {
        Err(Self::NotHere { step, status: run.status.clone() })
    }
}

/// Billing periods of contracts that are rated, approved and issued together.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = billing_runs)]
pub struct BillingRun {
    /// Its id.
    pub id: BillingRunId,
    /// It bills days before this one.
    pub due_on: NaiveDate,
    /// Contracts of this cycle alone, in months; `None`: of every one.
    pub cycle: Option<i16>,
    /// `open`, `rated`, `approved`, `issued`.
    pub status: String,
    /// Contracts that it took on.
    pub contracts: i32,
    /// Drafts made by the latest rating.
    pub invoices: i32,
    /// Contracts that the latest rating holds.
    pub exceptions: i32,
    /// Energy billed.
    pub kwh: Decimal,
    /// Sum before tax.
    pub net: Decimal,
    /// Tax.
    pub tax: Decimal,
    /// Sum of the invoices.
    pub total: Decimal,
    /// When it was approved.
    pub approved_at: Option<DateTime<Utc>>,
    /// When its last invoice was issued.
    pub issued_at: Option<DateTime<Utc>>,
}

impl BillingRun {
    /// Whether it was rated and nothing of it is due any more: there is nothing to approve, nor to mend.
    #[must_use]
    pub fn nothing_to_bill(&self) -> bool {
        self.status == "rated" && self.invoices == 0 && self.exceptions == 0
    }

    /// Its status as people are told it.
    #[must_use]
    pub fn state(&self) -> &str {
        if self.nothing_to_bill() { "nothing_to_bill" } else { &self.status }
    }

    /// Whether its invoices are issued.
    #[must_use]
    pub fn is_issued(&self) -> bool {
        self.status == "issued"
    }
}

/// What the latest rating found about a contract, or what came after its bill.
#[derive(Debug, Clone, Queryable)]
pub struct Exception {
    /// The customer.
    pub customer_id: CustomerId,
    /// The contract's account.
    pub account_number: String,
    /// The customer's name.
    pub customer_name: String,
    /// First day of the billing period.
    pub from_on: NaiveDate,
    /// The day after its last.
    pub to_on: NaiveDate,
    /// `no_tariff`, `no_meter`, `no_usage`, `missing_usage`, `rating_failed`, `registers`, `carried_over`, `no_days`,
    /// `changed`, `estimated`, `zero_usage`, `much_higher`, `much_lower`, `usage_changed`.
    pub kind: String,
    /// `blocks`: there is no bill; `warns`: there is one to look at.
    pub severity: String,
    /// What was found, as a sentence.
    pub message: String,
    /// The invoice of the period, if it is issued.
    pub invoice: Option<InvoiceId>,
}

/// The client's runs, the latest first, from before `before` (its day and id) on.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, before: Option<(NaiveDate, BillingRunId)>, limit: i64) -> QueryResult<Vec<BillingRun>> {
    all(tx.shared(), &AtClient::here(tx)?, before, limit).await
}

async fn all(
    conn: &AsyncPgConnection,
    here: &AtClient,
    before: Option<(NaiveDate, BillingRunId)>,
    limit: i64,
) -> QueryResult<Vec<BillingRun>> {
    let mut conn = conn;
    let query = billing_runs::table
        .filter(billing_runs::organization_id.eq(here.organization).and(billing_runs::client_id.eq(here.client)))
        .select(BillingRun::as_select())
        .order((billing_runs::due_on.desc(), billing_runs::id.desc()))
        .limit(limit);
    match before {
        None => query.load(&mut conn).await,
        Some((day, id)) => {
            let same_day = billing_runs::due_on.eq(day).and(billing_runs::id.lt(id));
            query.filter(billing_runs::due_on.lt(day).or(same_day)).load(&mut conn).await
        }
    }
}

/// The run of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, id: BillingRunId) -> QueryResult<Option<BillingRun>> {
    one(tx.shared(), &AtClient::here(tx)?, id).await
}

async fn one(conn: &AsyncPgConnection, here: &AtClient, id: BillingRunId) -> QueryResult<Option<BillingRun>> {
    let mut conn = conn;
    billing_runs::table
        .filter(billing_runs::organization_id.eq(here.organization).and(billing_runs::client_id.eq(here.client)))
        .filter(billing_runs::id.eq(id))
        .select(BillingRun::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// As [`find`], for who has a connection of their own.
pub(crate) async fn run_of(
    conn: &AsyncPgConnection,
    here: &AtClient,
    id: BillingRunId,
) -> Result<BillingRun, BillingError> {
    one(conn, here, id).await?.ok_or(BillingError::NotFound)
}

/// The latest run that bills what is due by a day.
///
/// # Errors
/// When the database fails.
pub async fn due_by(tx: &Tenant, day: NaiveDate) -> QueryResult<Option<BillingRun>> {
    let (here, mut conn) = (AtClient::here(tx)?, tx.shared());
    billing_runs::table
        .filter(billing_runs::organization_id.eq(here.organization).and(billing_runs::client_id.eq(here.client)))
        .filter(billing_runs::due_on.eq(day))
        .select(BillingRun::as_select())
        .order(billing_runs::id.desc())
        .first(&mut conn)
        .await
        .optional()
}

/// What the latest rating found of a run's contracts, what blocks first, by account number.
///
/// # Errors
/// When the database fails.
pub async fn exceptions(tx: &Tenant, run: BillingRunId, offset: i64, limit: i64) -> QueryResult<Vec<Exception>> {
    let (here, mut conn) = (AtClient::here(tx)?, tx.shared());
    let period = billing_periods::organization_id
        .eq(billing_exceptions::organization_id)
        .and(billing_periods::client_id.eq(billing_exceptions::client_id))
        .and(billing_periods::customer_id.eq(billing_exceptions::customer_id))
        .and(billing_periods::id.eq(billing_exceptions::billing_period_id));
    let customer = customers::organization_id
        .eq(billing_exceptions::organization_id)
        .and(customers::client_id.eq(billing_exceptions::client_id))
        .and(customers::id.eq(billing_exceptions::customer_id));
    let account = accounts::organization_id
        .eq(billing_periods::organization_id)
        .and(accounts::client_id.eq(billing_periods::client_id))
        .and(accounts::customer_id.eq(billing_periods::customer_id))
        .and(accounts::id.eq(billing_periods::account_id));
    let issued = diesel::dsl::case_when(billing_periods::status.eq("issued"), billing_periods::invoice_id);
    billing_exceptions::table
        .inner_join(billing_periods::table.on(period))
        .inner_join(customers::table.on(customer))
        .inner_join(accounts::table.on(account))
        .filter(
            billing_exceptions::organization_id
                .eq(here.organization)
                .and(billing_exceptions::client_id.eq(here.client)),
        )
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::billing_run_id.eq(run))
        .select((
            customers::id,
            accounts::account_number,
            customers::name,
            billing_periods::from_on,
            billing_periods::to_on,
            billing_exceptions::kind,
            billing_exceptions::severity,
            billing_exceptions::message,
            issued,
        ))
        .order((
            billing_exceptions::severity,
            accounts::account_number,
            billing_exceptions::billing_period_id,
            billing_exceptions::kind,
        ))
        .offset(offset)
        .limit(limit)
        .load(&mut conn)
        .await
}

/// How many exceptions of a run block and how many warn.
///
/// # Errors
/// When the database fails.
pub async fn count_exceptions(tx: &Tenant, run: BillingRunId) -> QueryResult<(i64, i64)> {
    let (here, mut conn) = (AtClient::here(tx)?, tx.shared());
    let period = billing_periods::organization_id
        .eq(billing_exceptions::organization_id)
        .and(billing_periods::client_id.eq(billing_exceptions::client_id))
        .and(billing_periods::customer_id.eq(billing_exceptions::customer_id))
        .and(billing_periods::id.eq(billing_exceptions::billing_period_id));
    let counts: Vec<(String, i64)> = billing_exceptions::table
        .inner_join(billing_periods::table.on(period))
        .filter(
            billing_exceptions::organization_id
                .eq(here.organization)
                .and(billing_exceptions::client_id.eq(here.client)),
        )
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::billing_run_id.eq(run))
        .group_by(billing_exceptions::severity)
        .select((billing_exceptions::severity, diesel::dsl::count_star()))
        .load(&mut conn)
        .await?;
    let of = |severity: &str| counts.iter().filter(|(known, _)| known == severity).map(|(_, count)| *count).sum();
    Ok((of("blocks"), of("warns")))
}

/// Locks a run and reads it: two people never do a step of it at once.
async fn locked(conn: &mut AsyncPgConnection, here: &AtClient, id: BillingRunId) -> Result<BillingRun, BillingError> {
    // Locked before read: what another transaction has just committed must be seen.
    lock(conn, here, id, "FOR UPDATE").await?;
    one(conn, here, id).await?.ok_or(BillingError::NotFound)
}

/// As [`locked`], but waits for nobody: `UnderWay` while somebody works on the run.
async fn try_locked(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: BillingRunId,
) -> Result<BillingRun, BillingError> {
    let held = lock(conn, here, id, "FOR UPDATE SKIP LOCKED").await?;
    let run = one(conn, here, id).await?.ok_or(BillingError::NotFound)?;
    if held == 0 { Err(BillingError::UnderWay) } else { Ok(run) }
}

async fn lock(conn: &mut AsyncPgConnection, here: &AtClient, id: BillingRunId, how: &str) -> QueryResult<usize> {
    let statement =
        format!("SELECT 1 FROM public.billing_runs WHERE organization_id = $1 AND client_id = $2 AND id = $3 {how}");
    sql_query(statement)
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<SqlUuid, _>(id)
        .execute(conn)
        .await
}

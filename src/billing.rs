//! Billing: periods, and the way of each from open to invoiced.
//!
//! [`rate`] makes draft invoices and says why there is none for some customers; it may be repeated until
//! [`approve`], and [`reopen`] goes back as long as nothing is issued, as long as which [`delete`] takes a period
//! away. [`issue`] numbers the drafts in one transaction. A draft is approved and issued only as long as everything it was rated from is as it was ([`stale`]).
//! Every step locks the client's billing, so that two people never do it at once.

mod account;
mod by_day;
mod credit;
mod draft;
mod explain;
mod inputs;
mod issue;
mod left_out;
mod load;
pub mod log;
mod order;
mod overview;
mod run;
pub mod shadow;
mod stale;
mod steps;
mod tariffs;
mod usage;
mod write;

use chrono::{DateTime, NaiveDate, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use crate::access::Actor;
use crate::days::Unlikely;
use crate::db::schema::{accounts, billing_exceptions, billing_periods, customers, invoices};
use crate::db::{DbError, Tenant};
use crate::ids::{BillingPeriodId, ClientId, CustomerId, InvoiceId, OrganizationId, UserId};
use crate::period::Period;

pub use by_day::beginning_on;
pub use issue::{Issued, issue};
pub use left_out::{bill_left_out, left_out, parts};
pub use overview::{Attention, Changed, MonthUsage, attention, changed_after_invoice, usage_by_month};
pub use run::{Rated, rate};
pub use stale::{Stale, stale, stamp};
pub use steps::{Deleted, approve, create, delete, reopen};

/// Days of a period, at most.
pub const MOST_DAYS: i64 = 366;

/// Whose billing is done, and by whom; the system (demo data) is nobody.
#[derive(Debug, Clone, Copy)]
pub struct Desk {
    /// The organization.
    pub organization: OrganizationId,
    /// The client.
    pub client: ClientId,
    /// Who does it.
    pub by: Option<UserId>,
}

impl Desk {
    /// The desk of an actor who stands at a client.
    ///
    /// # Errors
    /// [`DbError::Refused`] when the actor stands at none.
    pub fn of(actor: &Actor) -> Result<Self, DbError> {
        let (client, organization) = actor.tenant()?;
        Ok(Self { organization, client, by: Some(actor.user) })
    }

    /// The desk of a transaction that stands at a client, and of who writes in it.
    ///
    /// # Errors
    /// [`DbError::Refused`] when it stands at none.
    pub fn at(tx: &Tenant) -> Result<Self, DbError> {
        let (organization, client) = tx.client()?;
        // Who reads only is nobody's desk: nothing is written there.
        let by = tx.author().ok().and_then(|author| author.user);
        Ok(Self { organization, client, by })
    }

    /// As [`Self::at`], for a query: to ask one elsewhere is a fault of the program.
    pub(crate) fn here(tx: &Tenant) -> QueryResult<Self> {
        let nowhere = "the transaction stands at no client";
        Self::at(tx).map_err(|_| diesel::result::Error::QueryBuilderError(nowhere.into()))
    }
}

/// A step of a period.
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
    /// [`bill_left_out`].
    BillLeftOut,
    /// [`delete`].
    Delete,
}

/// Why a step was not done: codes with their figures; the words are the web's.
#[derive(Debug, thiserror::Error)]
pub enum BillingError {
    /// The period is not there, or not to be seen.
    #[error("there is no such billing period")]
    NotFound,
    /// The period is not where the step starts.
    #[error("{step:?} does not start from {status}")]
    NotHere {
        /// The step.
        step: Step,
        /// Where the period is: `open`, `rated`, `approved`, `invoiced`, `closed`.
        status: String,
    },
    /// There is a period of exactly these days.
    #[error("there is a period of these days")]
    SameDays,
    /// Another period, of these days, has some of them.
    #[error("the days overlap {0}")]
    Overlaps(Period),
    /// The same, since just now.
    #[error("the days overlap a period that was made just now")]
    OverlapsMeanwhile,
    /// More days than a period has.
    #[error("more than {} days", MOST_DAYS)]
    TooLong,
    /// The last day is hardly meant.
    #[error("the last day is hardly meant: {0:?}")]
    Unlikely(Unlikely),
    /// The period of these earlier days still has bills to issue.
    #[error("the period {0} comes first")]
    EarlierFirst(Period),
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
    /// Somebody is billing the client just now.
    #[error("billing is under way")]
    UnderWay,
    /// Nobody was left out.
    #[error("every customer has a bill")]
    EverybodyBilled,
    /// There is a period for those left out already.
    #[error("there is a further part")]
    FurtherPart,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for BillingError {
    /// A day that was put into another period meanwhile is told as such.
    fn from(error: diesel::result::Error) -> Self {
        let error = DbError::from(error);
        if error.violates("billing_periods_no_overlap") { Self::OverlapsMeanwhile } else { Self::Db(error) }
    }
}

impl BillingError {
    /// For a period that is not where a step starts.
    fn not_here<T>(step: Step, period: &BillingPeriod) -> Result<T, Self> {
        Err(Self::NotHere { step, status: period.status.clone() })
    }
}

/// Days that a client bills together.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = billing_periods)]
pub struct BillingPeriod {
    /// Its id.
    pub id: BillingPeriodId,
    /// First day.
    pub from_on: NaiveDate,
    /// The day after the last.
    pub to_on: NaiveDate,
    /// 1; above it: the same days once more, for the customers that the parts before left without a bill.
    pub part: i16,
    /// `open`, `rated`, `approved`, `invoiced`, `closed`.
    pub status: String,
    /// Invoices and drafts made by the latest rating.
    pub invoices: i32,
    /// Customers that the latest rating could not bill.
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
    /// When its invoices were issued.
    pub issued_at: Option<DateTime<Utc>>,
}

impl BillingPeriod {
    /// Its days.
    #[must_use]
    pub fn days(&self) -> Period {
        // The table's CHECK keeps the end after the start.
        Period::new(self.from_on, self.to_on).unwrap_or_else(|_| Period::day(self.from_on))
    }

    /// Whether it was rated and nobody was to be billed in its days: there is nothing to approve, nor to mend.
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
        matches!(self.status.as_str(), "invoiced" | "closed")
    }
}

/// What the latest rating found about a customer, or what came after its bill.
#[derive(Debug, Clone, Queryable)]
pub struct Exception {
    /// The customer.
    pub customer_id: CustomerId,
    /// Its account.
    pub account_number: String,
    /// Its name.
    pub customer_name: String,
    /// `no_tariff`, `no_meter`, `no_usage`, `missing_usage`, `rating_failed`, `registers`, `carried_over`, `estimated`,
    /// `zero_usage`, `much_higher`, `much_lower`, `usage_changed`.
    pub kind: String,
    /// `blocks`: there is no bill; `warns`: there is one to look at.
    pub severity: String,
    /// What was found, as a sentence.
    pub message: String,
    /// The invoice of the period that the customer has, if it is issued.
    pub invoice: Option<InvoiceId>,
}

/// The client's periods, the latest first, from before `before` (its first day and part) on.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, before: Option<(NaiveDate, i16)>, limit: i64) -> QueryResult<Vec<BillingPeriod>> {
    all(tx.shared(), &Desk::here(tx)?, before, limit).await
}

async fn all(
    conn: &AsyncPgConnection,
    desk: &Desk,
    before: Option<(NaiveDate, i16)>,
    limit: i64,
) -> QueryResult<Vec<BillingPeriod>> {
    let mut conn = conn;
    let (day, part) = before.unwrap_or((NaiveDate::MAX.min(far()), 0));
    let earlier_part = billing_periods::from_on.eq(day).and(billing_periods::part.lt(part));
    billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::from_on.lt(day).or(earlier_part))
        .select(BillingPeriod::as_select())
        .order((billing_periods::from_on.desc(), billing_periods::part.desc()))
        .limit(limit)
        .load(&mut conn)
        .await
}

/// A day beyond every period; PostgreSQL knows no later one than chrono's latest.
fn far() -> NaiveDate {
    NaiveDate::from_ymd_opt(9999, 12, 31).unwrap_or_default()
}

/// The period of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, id: BillingPeriodId) -> QueryResult<Option<BillingPeriod>> {
    one(tx.shared(), &Desk::here(tx)?, id).await
}

async fn one(conn: &AsyncPgConnection, desk: &Desk, id: BillingPeriodId) -> QueryResult<Option<BillingPeriod>> {
    let mut conn = conn;
    billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::id.eq(id))
        .select(BillingPeriod::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// What the latest rating found, what blocks first, by account number.
///
/// # Errors
/// When the database fails.
pub async fn exceptions(tx: &Tenant, period: BillingPeriodId, offset: i64, limit: i64) -> QueryResult<Vec<Exception>> {
    let (desk, mut conn) = (Desk::here(tx)?, tx.shared());
    let same = customers::organization_id
        .eq(billing_exceptions::organization_id)
        .and(customers::client_id.eq(billing_exceptions::client_id))
        .and(customers::id.eq(billing_exceptions::customer_id));
    let main = accounts::organization_id
        .eq(billing_exceptions::organization_id)
        .and(accounts::client_id.eq(billing_exceptions::client_id))
        .and(accounts::customer_id.eq(billing_exceptions::customer_id).and(accounts::is_main));
    let issued = invoices::organization_id
        .eq(billing_exceptions::organization_id)
        .and(invoices::client_id.eq(billing_exceptions::client_id))
        .and(invoices::billing_period_id.eq(billing_exceptions::billing_period_id.nullable()))
        .and(invoices::contract_id.eq(billing_exceptions::contract_id))
        .and(invoices::kind.eq("invoice").and(invoices::status.ne_all(["draft", "credited"])));
    billing_exceptions::table
        .inner_join(customers::table.on(same))
        .inner_join(accounts::table.on(main))
        .left_join(invoices::table.on(issued))
        .filter(
            billing_exceptions::organization_id
                .eq(desk.organization)
                .and(billing_exceptions::client_id.eq(desk.client)),
        )
        .filter(billing_exceptions::billing_period_id.eq(period))
        .select((
            customers::id,
            accounts::account_number,
            customers::name,
            billing_exceptions::kind,
            billing_exceptions::severity,
            billing_exceptions::message,
            invoices::id.nullable(),
        ))
        .order((billing_exceptions::severity, accounts::account_number, billing_exceptions::kind))
        .offset(offset)
        .limit(limit)
        .load(&mut conn)
        .await
}

/// How many exceptions block and how many warn.
///
/// # Errors
/// When the database fails.
pub async fn count_exceptions(tx: &Tenant, period: BillingPeriodId) -> QueryResult<(i64, i64)> {
    let (desk, mut conn) = (Desk::here(tx)?, tx.shared());
    let counts: Vec<(String, i64)> = billing_exceptions::table
        .filter(
            billing_exceptions::organization_id
                .eq(desk.organization)
                .and(billing_exceptions::client_id.eq(desk.client)),
        )
        .filter(billing_exceptions::billing_period_id.eq(period))
        .group_by(billing_exceptions::severity)
        .select((billing_exceptions::severity, diesel::dsl::count_star()))
        .load(&mut conn)
        .await?;
    let of = |severity: &str| counts.iter().filter(|(known, _)| known == severity).map(|(_, count)| *count).sum();
    Ok((of("blocks"), of("warns")))
}

/// Waits for whoever else is billing this client, and keeps others out until the transaction ends.
async fn lock(conn: &mut AsyncPgConnection, desk: &Desk) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>(lock_name(desk))
        .execute(conn)
        .await?;
    Ok(())
}

/// As [`lock`], but waits for nobody: false while somebody else is billing this client.
async fn try_lock(conn: &mut AsyncPgConnection, desk: &Desk) -> QueryResult<bool> {
    let locked = sql_query("SELECT 1 WHERE pg_try_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>(lock_name(desk))
        .execute(conn)
        .await?;
    Ok(locked == 1)
}

fn lock_name(desk: &Desk) -> String {
    format!("billing {} {}", desk.organization, desk.client)
}

/// Locks the client's billing and reads a period.
async fn locked(conn: &mut AsyncPgConnection, desk: &Desk, id: BillingPeriodId) -> Result<BillingPeriod, BillingError> {
    lock(conn, desk).await?;
    // Locked before read: what another transaction has just committed must be seen.
    sql_query(
        "SELECT 1 FROM public.billing_periods WHERE organization_id = $1 AND client_id = $2 AND id = $3 FOR UPDATE",
    )
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<SqlUuid, _>(id)
    .execute(conn)
    .await?;
    one(conn, desk, id).await?.ok_or(BillingError::NotFound)
}

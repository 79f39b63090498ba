//! The steps that change a period without making or issuing anything: create, approve, reopen, delete. Each is on record.

use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use diesel::{dsl::now, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde_json::json;

use super::{
    BillingError, BillingPeriod, Desk, MOST_DAYS, Step, count_exceptions, lock, locked, log, order, stale, try_lock,
    write,
};
use crate::db::Tenant;
use crate::db::schema::{billing_periods, billing_runs};
use crate::ids::BillingPeriodId;
use crate::period::Period;
use crate::written::{Locale, many};
use crate::{audit, clients, days as bounds};

/// Makes a period of days that no other period of the client has.
///
/// # Errors
/// `TooLong`, `Unlikely` for its last day, `SameDays`, `Overlaps` or `OverlapsMeanwhile`.
pub async fn create(tx: &mut Tenant, days: Period) -> Result<BillingPeriodId, BillingError> {
    let desk = Desk::at(tx)?;
    if days.days() > MOST_DAYS {
        return Err(BillingError::TooLong);
    }
    if let Some(unlikely) = bounds::planned(days.last(), clients::current(tx).await?.today()) {
        return Err(BillingError::Unlikely(unlikely));
    }
    lock(tx, &desk).await?;
    let other: Option<BillingPeriod> = billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::from_on.lt(days.to()).and(billing_periods::to_on.gt(days.from())))
        .select(BillingPeriod::as_select())
        .order(billing_periods::from_on)
        .first(&mut **tx)
        .await
        .optional()?;
    match other {
        Some(other) if other.days() == days => return Err(BillingError::SameDays),
        Some(other) => return Err(BillingError::Overlaps(other.days())),
        None => {}
    }
    let id = BillingPeriodId::fresh();
    insert(tx, &desk, id, days, 1).await?;
    let details = audit::created(json!({ "from": days.from(), "last_day": days.last(), "status": "open" }));
    audit::note(tx, log::entry("create", id, format!("Created billing period {days}"), details)).await?;
    Ok(id)
}

/// Writes an open period.
pub(super) async fn insert(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    id: BillingPeriodId,
    days: Period,
    part: i16,
) -> QueryResult<()> {
    let row = (
        billing_periods::organization_id.eq(desk.organization),
        billing_periods::client_id.eq(desk.client),
        billing_periods::id.eq(id),
        billing_periods::from_on.eq(days.from()),
        billing_periods::to_on.eq(days.to()),
        billing_periods::part.eq(part),
        billing_periods::created_by.eq(desk.by.map(|user| user.0)),
    );
    diesel::insert_into(billing_periods::table).values(row).execute(conn).await?;
    Ok(())
}

/// Approves a rated period as it is; gives the period as it was. Tariff versions that its drafts use never change from
/// here on.
///
/// # Errors
/// `NotHere` when it is not rated, `NothingToApprove`, `EarlierFirst`, or `Stale`.
pub async fn approve(tx: &mut Tenant, id: BillingPeriodId) -> Result<BillingPeriod, BillingError> {
    let (desk, client) = (Desk::at(tx)?, clients::current(tx).await?);
    let period = locked(tx, &desk, id).await?;
    match period.status.as_str() {
        "rated" if period.invoices == 0 => return Err(BillingError::NothingToApprove),
        "rated" => {}
        _ => return BillingError::not_here(Step::Approve, &period),
    }
    order::in_turn(tx, &desk, &period).await?;
    stale::refuse_stale(tx, &desk, &client, &period, Step::Approve).await?;
    use_tariffs(tx, &desk, id).await?;
    let fields = (
        billing_periods::status.eq("approved"),
        billing_periods::approved_at.eq(now),
        billing_periods::approved_by.eq(desk.by.map(|user| user.0)),
    );
    set(tx, &desk, id, fields).await?;
    let invoices = many(period.invoices.into(), "invoice", "invoices", Locale::default());
    let details = json!({
        "before": { "status": period.status }, "after": { "status": "approved" },
        "invoices": period.invoices, "exceptions": period.exceptions, "total": period.total,
    });
    let summary = format!("Approved {invoices} of billing period {}", period.days());
    audit::note(tx, log::entry("approve", id, summary, details)).await?;
    Ok(period)
}

/// Takes an approved or rated period back to open; its drafts and exceptions are dropped. Gives the period as it was.
///
/// # Errors
/// `NotHere` when its invoices are issued, or there is nothing to take back.
pub async fn reopen(tx: &mut Tenant, id: BillingPeriodId) -> Result<BillingPeriod, BillingError> {
    let desk = Desk::at(tx)?;
    let period = locked(tx, &desk, id).await?;
    if !matches!(period.status.as_str(), "rated" | "approved") {
        return BillingError::not_here(Step::Reopen, &period);
    }
    write::drop_drafts(tx, &desk, id).await?;
    let none = Decimal::ZERO;
    let fields = (
        billing_periods::status.eq("open"),
        billing_periods::invoices.eq(0),
        billing_periods::exceptions.eq(0),
        (
            billing_periods::kwh.eq(none),
            billing_periods::net.eq(none),
            billing_periods::tax.eq(none),
            billing_periods::total.eq(none),
        ),
        billing_periods::approved_at.eq(None::<chrono::DateTime<chrono::Utc>>),
        billing_periods::approved_by.eq(None::<uuid::Uuid>),
    );
    set(tx, &desk, id, fields).await?;
    let details = audit::changed(
        json!({ "status": period.status, "invoices": period.invoices, "total": period.total }),
        json!({ "status": "open", "invoices": 0, "total": none }),
    );
    audit::note(tx, log::entry("reopen", id, format!("Reopened billing period {}", period.days()), details)).await?;
    Ok(period)
}

/// What went with a period that was deleted.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// The period as it was.
    pub period: BillingPeriod,
    /// Exceptions of its latest rating.
    pub exceptions: i64,
    /// Records of its ratings.
    pub runs: usize,
}

/// Deletes a period in which nothing was issued, with its drafts, exceptions and runs.
///
/// # Errors
/// `NotHere` when its invoices are issued, `UnderWay` when somebody is billing the client just now.
pub async fn delete(tx: &mut Tenant, id: BillingPeriodId) -> Result<Deleted, BillingError> {
    let desk = Desk::at(tx)?;
    if !try_lock(tx, &desk).await? {
        return Err(BillingError::UnderWay);
    }
    let period = locked(tx, &desk, id).await?;
    if period.is_issued() {
        return BillingError::not_here(Step::Delete, &period);
    }
    let (blocking, warning) = count_exceptions(tx, id).await?;
    write::drop_drafts(tx, &desk, id).await?;
    let runs = billing_runs::table
        .filter(billing_runs::organization_id.eq(desk.organization).and(billing_runs::client_id.eq(desk.client)))
        .filter(billing_runs::billing_period_id.eq(id));
    let runs = diesel::delete(runs).execute(&mut **tx).await?;
    let one = billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::id.eq(id));
    if diesel::delete(one).execute(&mut **tx).await? != 1 {
        // Found in this transaction: what may not be deleted is not told as deleted.
        return Err(diesel::result::Error::NotFound.into());
    }
    let gone = Deleted { period, exceptions: blocking + warning, runs };
    let days = gone.period.days();
    let details = audit::removed(json!({
        "from": days.from(), "last_day": days.last(), "status": gone.period.status, "invoices": gone.period.invoices,
        "total": gone.period.total, "exceptions": gone.exceptions, "runs": gone.runs,
    }));
    audit::note(tx, log::entry("delete", id, format!("Deleted billing period {days}"), details)).await?;
    Ok(gone)
}

/// Marks the tariff versions behind a period's invoices as used.
async fn use_tariffs(conn: &mut AsyncPgConnection, desk: &Desk, id: BillingPeriodId) -> QueryResult<()> {
    sql_query(
        "UPDATE public.tariff_rates SET rated = true WHERE organization_id = $1 AND client_id = $2 AND NOT rated AND id IN ( \
         SELECT unnest(i.tariff_rate_ids) FROM public.invoices i \
         WHERE i.organization_id = $1 AND i.client_id = $2 AND i.billing_period_id = $3)",
    )
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<SqlUuid, _>(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes fields of a period.
pub(super) async fn set<F>(conn: &mut AsyncPgConnection, desk: &Desk, id: BillingPeriodId, fields: F) -> QueryResult<()>
where
    F: AsChangeset<Target = billing_periods::table>,
    F::Changeset: diesel::query_builder::QueryFragment<diesel::pg::Pg> + Send,
{
    let one = billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::id.eq(id));
    match diesel::update(one).set(fields).execute(conn).await? {
        1 => Ok(()),
        // The caller found the period in this transaction: what it may not write is not told as written.
        _ => Err(diesel::result::Error::NotFound),
    }
}

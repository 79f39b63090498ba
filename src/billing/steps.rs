//! The steps that change a period without making or issuing anything: create, approve, reopen, delete.

use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use diesel::{dsl::now, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{BillingError, BillingPeriod, Desk, count_exceptions, lock, locked, order, stale, try_lock, write, wrong};
use crate::clients::Client;
use crate::db::here;
use crate::db::schema::{billing_periods, billing_runs};
use crate::ids::BillingPeriodId;
use crate::period::Period;

/// Makes a period of days that no other period of the client has.
///
/// # Errors
/// [`BillingError::Wrong`] when days overlap, saying which period has them.
pub async fn create(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    id: BillingPeriodId,
    days: Period,
) -> Result<(), BillingError> {
    lock(conn, desk).await?;
    let other: Option<BillingPeriod> = billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::from_on.lt(days.to()).and(billing_periods::to_on.gt(days.from())))
        .select(BillingPeriod::as_select())
        .order(billing_periods::from_on)
        .first(conn)
        .await
        .optional()?;
    match other {
        Some(other) if other.days() == days => {
            return wrong("There is a billing period of exactly these days already. Open it from the list.");
        }
        Some(other) => {
            return wrong(format!(
                "The days overlap the billing period {}. A day can be billed once: choose others, or delete that period if \
                 nothing was issued in it.",
                other.days()
            ));
        }
        None => {}
    }
    insert(conn, desk, id, days, 1).await?;
    Ok(())
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

/// Approves a rated period as it is. Tariff versions that its drafts use never change from here on.
///
/// # Errors
/// [`BillingError::Wrong`] when it is not rated, there is nothing to bill, or a draft is stale.
pub async fn approve(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    id: BillingPeriodId,
) -> Result<BillingPeriod, BillingError> {
    let period = locked(conn, desk, id).await?;
    match period.status.as_str() {
        "rated" if period.invoices == 0 => {
            return wrong("No invoice was made, so there is nothing to approve. Mend the exceptions and rate again.");
        }
        "rated" => {}
        "approved" => return wrong("The period is approved already."),
        "open" => return wrong("Rate the period first."),
        _ => return wrong("The invoices of this period are issued already."),
    }
    order::in_turn(conn, desk, &period).await?;
    stale::refuse_stale(conn, desk, client, &period, "Rate again, then approve.").await?;
    use_tariffs(conn, desk, id).await?;
    let fields = (
        billing_periods::status.eq("approved"),
        billing_periods::approved_at.eq(now),
        billing_periods::approved_by.eq(desk.by.map(|user| user.0)),
    );
    set(conn, desk, id, fields).await?;
    Ok(period)
}

/// Takes an approved or rated period back to open; its drafts and exceptions are dropped.
///
/// # Errors
/// [`BillingError::Wrong`] when its invoices are issued, or there is nothing to take back.
pub async fn reopen(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    id: BillingPeriodId,
) -> Result<BillingPeriod, BillingError> {
    let period = locked(conn, desk, id).await?;
    match period.status.as_str() {
        "rated" | "approved" => {}
        "open" => return wrong("The period is open already."),
        _ => return wrong("The invoices of this period are issued; an issued invoice is corrected by a credit note."),
    }
    write::drop_drafts(conn, desk, id).await?;
    let none = rust_decimal::Decimal::ZERO;
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
    set(conn, desk, id, fields).await?;
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
/// [`BillingError::Wrong`] when its invoices are issued, or somebody is billing the client just now.
pub async fn delete(conn: &mut AsyncPgConnection, desk: &Desk, id: BillingPeriodId) -> Result<Deleted, BillingError> {
    if !try_lock(conn, desk).await? {
        return wrong("Billing is under way. Wait until it is done, look at the period again, then delete it.");
    }
    let period = locked(conn, desk, id).await?;
    if period.is_issued() {
        return wrong(
            "The invoices of this period are issued, so it stays; an issued invoice is corrected by a credit note.",
        );
    }
    let (blocking, warning) = count_exceptions(conn, desk, id).await?;
    write::drop_drafts(conn, desk, id).await?;
    let runs = billing_runs::table
        .filter(billing_runs::organization_id.eq(desk.organization).and(billing_runs::client_id.eq(desk.client)))
        .filter(billing_runs::billing_period_id.eq(id));
    let runs = diesel::delete(runs).execute(conn).await?;
    let one = billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::id.eq(id));
    match diesel::delete(one).execute(conn).await? {
        1 => Ok(Deleted { period, exceptions: blocking + warning, runs }),
        // Found in this transaction: what may not be deleted is not told as deleted.
        _ => Err(diesel::result::Error::NotFound.into()),
    }
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
        .filter(billing_periods::organization_id.eq(desk.organization))
        .filter(billing_periods::organization_id.eq(here!()).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::id.eq(id));
    match diesel::update(one).set(fields).execute(conn).await? {
        1 => Ok(()),
        // The caller found the period in this transaction: what it may not write is not told as written.
        _ => Err(diesel::result::Error::NotFound),
    }
}

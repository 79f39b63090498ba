//! The steps that change a run without rating or issuing anything: create, approve, reopen, delete. Each is on record.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_types::Uuid as SqlUuid;
use diesel::{dsl::now, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde_json::json;

use super::{BillingError, BillingRun, Step, count_exceptions, due, locked, log, stale, try_locked, write};
use crate::audit;
use crate::db::AtClient;
use crate::db::Tenant;
use crate::db::schema::{billing_periods, billing_runs};
use crate::parties::clients;
use crate::parties::clients::Client;
use crate::parties::contracts;
use crate::values::days as bounds;
use crate::values::ids::BillingRunId;
use crate::values::written::{Locale, many};

/// Makes a run of what is due by a day: of each contract the first days that no bill covers and that are over by then, of
/// those with this cycle alone, if one is given. Contracts that another run has stay there; what is held in a run that goes on
/// without it is taken over, and a run of which nothing else is left goes.
///
/// # Errors
/// `Unlikely` for the day, `Cycle`, `NothingDue`.
pub async fn create(tx: &mut Tenant, due_on: NaiveDate, cycle: Option<i16>) -> Result<BillingRunId, BillingError> {
    let here = AtClient::at(tx)?;
    if let Some(unlikely) = bounds::planned(due_on, clients::current(tx).await?.today()) {
        return Err(BillingError::Unlikely(unlikely));
    }
    if let Some(months) = cycle.filter(|months| !contracts::CYCLES.contains(months)) {
        return Err(BillingError::Cycle(months));
    }
    let (id, contracts) = take_on(tx, &here, due_on, cycle).await?;
    let emptied = due::drop_emptied(tx, &here).await?;
    let details = audit::created(json!({
        "due_on": due_on, "cycle": cycle, "contracts": contracts, "status": "open", "emptied_runs": emptied,
    }));
    let many = many(contracts.into(), "contract", "contracts", Locale::default());
    audit::note(tx, log::entry("create", id, format!("Created a billing run of {many} due by {due_on}"), details))
        .await?;
    Ok(id)
}

/// As [`create`], without bounds and without a record; the run, and how many contracts it has.
pub(crate) async fn take_on(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    due_on: NaiveDate,
    cycle: Option<i16>,
) -> Result<(BillingRunId, i32), BillingError> {
    let id = BillingRunId::fresh();
    let row = (
        billing_runs::organization_id.eq(here.organization),
        billing_runs::client_id.eq(here.client),
        billing_runs::id.eq(id),
        billing_runs::due_on.eq(due_on),
        billing_runs::cycle.eq(cycle),
        billing_runs::created_by.eq(here.by.map(|user| user.0)),
    );
    diesel::insert_into(billing_runs::table).values(row).execute(conn).await?;
    let taken = due::take_on(conn, here, id, due_on, cycle).await?;
    if taken == 0 {
        return Err(BillingError::NothingDue);
    }
    let contracts = i32::try_from(taken).unwrap_or(i32::MAX);
    set(conn, here, id, billing_runs::contracts.eq(contracts)).await?;
    Ok((id, contracts))
}

/// Approves a rated run as it is; gives the run as it was. Tariff versions that its drafts use never change from here on.
/// What is held stays so.
///
/// # Errors
/// `NotHere` when it is not rated, `NothingToApprove`, or `Stale`.
pub async fn approve(tx: &mut Tenant, id: BillingRunId) -> Result<BillingRun, BillingError> {
    let (here, client) = (AtClient::at(tx)?, clients::current(tx).await?);
    let run = approve_as(tx, &here, &client, id, Checked::Now).await?;
    let invoices = many(run.invoices.into(), "invoice", "invoices", Locale::default());
    let details = json!({
        "before": { "status": run.status }, "after": { "status": "approved" },
        "invoices": run.invoices, "exceptions": run.exceptions, "total": run.total,
    });
    let summary = format!("Approved {invoices} of the billing run due by {}", run.due_on);
    audit::note(tx, log::entry("approve", id, summary, details)).await?;
    Ok(run)
}

/// Whether drafts are held against what they were rated from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checked {
    /// They are, now.
    Now,
    /// They were rated in this very transaction, which alone knows of them (demo data).
    JustNow,
}

/// As [`approve`], without a record.
pub(crate) async fn approve_as(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    id: BillingRunId,
    checked: Checked,
) -> Result<BillingRun, BillingError> {
    let run = locked(conn, here, id).await?;
    match run.status.as_str() {
        "rated" if run.invoices == 0 => return Err(BillingError::NothingToApprove),
        "rated" => {}
        _ => return BillingError::not_here(Step::Approve, &run),
    }
    if checked == Checked::Now {
        stale::refuse_stale(conn, here, client, &run, Step::Approve).await?;
    }
    use_tariffs(conn, here, id).await?;
    let periods = billing_periods::table
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::billing_run_id.eq(id).and(billing_periods::status.eq("rated")));
    diesel::update(periods).set(billing_periods::status.eq("approved")).execute(conn).await?;
    let fields = (
        billing_runs::status.eq("approved"),
        billing_runs::approved_at.eq(now),
        billing_runs::approved_by.eq(here.by.map(|user| user.0)),
    );
    set(conn, here, id, fields).await?;
    Ok(run)
}

/// Takes an approved or rated run back to open; its drafts and exceptions are dropped. Gives the run as it was.
///
/// # Errors
/// `NotHere` when some of it is issued, or there is nothing to take back.
pub async fn reopen(tx: &mut Tenant, id: BillingRunId) -> Result<BillingRun, BillingError> {
    let here = AtClient::at(tx)?;
    let run = locked(tx, &here, id).await?;
    if !matches!(run.status.as_str(), "rated" | "approved") || issued_some(tx, &here, id).await? {
        return BillingError::not_here(Step::Reopen, &run);
    }
    write::drop_drafts(tx, &here, id).await?;
    let none = Decimal::ZERO;
    let fields = (
        billing_runs::status.eq("open"),
        billing_runs::invoices.eq(0),
        billing_runs::exceptions.eq(0),
        (
            billing_runs::kwh.eq(none),
            billing_runs::net.eq(none),
            billing_runs::tax.eq(none),
            billing_runs::total.eq(none),
        ),
        billing_runs::rated_at.eq(None::<chrono::DateTime<chrono::Utc>>),
        billing_runs::approved_at.eq(None::<chrono::DateTime<chrono::Utc>>),
        billing_runs::approved_by.eq(None::<uuid::Uuid>),
    );
    set(tx, &here, id, fields).await?;
    let details = audit::changed(
        json!({ "status": run.status, "invoices": run.invoices, "total": run.total }),
        json!({ "status": "open", "invoices": 0, "total": none }),
    );
    let summary = format!("Reopened the billing run due by {}", run.due_on);
    audit::note(tx, log::entry("reopen", id, summary, details)).await?;
    Ok(run)
}

/// Whether some of a run is issued.
pub(super) async fn issued_some(conn: &mut AsyncPgConnection, here: &AtClient, id: BillingRunId) -> QueryResult<bool> {
    let issued = billing_periods::table
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::billing_run_id.eq(id).and(billing_periods::status.eq_any(["issued", "credited"])));
    diesel::select(diesel::dsl::exists(issued)).get_result(conn).await
}

/// What went with a run that was deleted.
#[derive(Debug, Clone)]
pub struct Deleted {
    /// The run as it was.
    pub run: BillingRun,
    /// Exceptions of its latest rating.
    pub exceptions: i64,
    /// Billing periods that are due again.
    pub periods: usize,
}

/// Deletes a run of which nothing was issued, with its drafts and exceptions; what it had is due again.
///
/// # Errors
/// `NotHere` when some of it is issued, `UnderWay` when somebody works on it just now.
pub async fn delete(tx: &mut Tenant, id: BillingRunId) -> Result<Deleted, BillingError> {
    let here = AtClient::at(tx)?;
    let run = try_locked(tx, &here, id).await?;
    if run.is_issued() || issued_some(tx, &here, id).await? {
        return BillingError::not_here(Step::Delete, &run);
    }
    let (blocking, warning) = count_exceptions(tx, id).await?;
    write::drop_drafts(tx, &here, id).await?;
    let periods = billing_periods::table
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::billing_run_id.eq(id));
    let periods = diesel::delete(periods).execute(&mut **tx).await?;
    let one = billing_runs::table
        .filter(billing_runs::organization_id.eq(here.organization).and(billing_runs::client_id.eq(here.client)))
        .filter(billing_runs::id.eq(id));
    if diesel::delete(one).execute(&mut **tx).await? != 1 {
        // Found in this transaction: what may not be deleted is not told as deleted.
        return Err(diesel::result::Error::NotFound.into());
    }
    let gone = Deleted { run, exceptions: blocking + warning, periods };
    let details = audit::removed(json!({
        "due_on": gone.run.due_on, "status": gone.run.status, "invoices": gone.run.invoices,
        "total": gone.run.total, "exceptions": gone.exceptions, "contracts": gone.periods,
    }));
    let summary = format!("Deleted the billing run due by {}", gone.run.due_on);
    audit::note(tx, log::entry("delete", id, summary, details)).await?;
    Ok(gone)
}

/// Marks the tariff versions behind a run's drafts as used.
async fn use_tariffs(conn: &mut AsyncPgConnection, here: &AtClient, id: BillingRunId) -> QueryResult<()> {
    sql_query(
        "UPDATE public.tariff_rates SET rated = true WHERE organization_id = $1 AND client_id = $2 AND NOT rated AND id IN ( \
         SELECT unnest(p.tariff_rate_ids) FROM public.billing_periods p \
         WHERE p.organization_id = $1 AND p.client_id = $2 AND p.billing_run_id = $3 AND p.status = 'rated')",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(id)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes fields of a run.
pub(super) async fn set<F>(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: BillingRunId,
    fields: F,
) -> QueryResult<()>
where
    F: AsChangeset<Target = billing_runs::table>,
    F::Changeset: diesel::query_builder::QueryFragment<diesel::pg::Pg> + Send,
{
    let one = billing_runs::table
        .filter(billing_runs::organization_id.eq(here.organization).and(billing_runs::client_id.eq(here.client)))
        .filter(billing_runs::id.eq(id));
    match diesel::update(one).set(fields).execute(conn).await? {
        1 => Ok(()),
        // The caller found the run in this transaction: what it may not write is not told as written.
        _ => Err(diesel::result::Error::NotFound),
    }
}

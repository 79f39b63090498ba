//! Drafts that are no longer what rating would make: something they were rated from has changed.

use std::collections::{HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Jsonb, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use super::inputs::{Inputs, unhashable};
use super::load;
use super::run::{BATCH, accounts};
use super::tariffs::Tariffs;
use super::{BillingError, BillingPeriod, Desk, Step};
use crate::clients::Client;
use crate::db::schema::invoices;
use crate::db::{Tenant, Unreadable};
use crate::ids::{BillingPeriodId, ContractId, CustomerId, InvoiceId};
use crate::period::Period;

/// A draft that must be rated again.
#[derive(Debug, Clone)]
pub struct Stale {
    /// The draft.
    pub invoice: InvoiceId,
    /// Its customer's account.
    pub account_number: String,
    /// Its customer's name.
    pub customer_name: String,
    /// What changed: `usage`, `tariff`, `meters`, `customer`, `earlier bills`.
    pub why: Vec<&'static str>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = invoices)]
struct DraftRow {
    id: InvoiceId,
    contract_id: ContractId,
    account_number: String,
    customer_name: String,
    inputs: Option<Value>,
}

impl DraftRow {
    /// What it was rated from; a draft that does not say is never up to date.
    fn inputs(&self) -> Result<Inputs, Unreadable> {
        let kept = self.inputs.as_ref().map(|kept| Unreadable::json(kept, "invoices", self.id, "inputs"));
        Ok(kept.transpose()?.unwrap_or_default())
    }
}

/// The drafts of a period whose usage, tariff, meters, customer or earlier bills have changed since they were
/// rated, by account number; `only` these drafts, if given.
///
/// # Errors
/// When the database fails.
pub async fn stale(
    tx: &Tenant,
    client: &Client,
    period: &BillingPeriod,
    only: Option<&HashSet<InvoiceId>>,
) -> QueryResult<Vec<Stale>> {
    stale_of(tx.shared(), &Desk::here(tx)?, client, period, only).await
}

async fn stale_of(
    conn: &AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    period: &BillingPeriod,
    only: Option<&HashSet<InvoiceId>>,
) -> QueryResult<Vec<Stale>> {
    let mut drafts = drafts(conn, desk, period.id).await?;
    drafts.retain(|draft| only.is_none_or(|only| only.contains(&draft.id)));
    let now = current(conn, desk, client, period.days(), &drafts).await?;
    let mut stale = vec![];
    for draft in drafts {
        let why = match now.get(&draft.contract_id) {
            Some(now) => draft.inputs()?.changed(now),
            None => vec!["customer"],
        };
        let DraftRow { id: invoice, account_number, customer_name, .. } = draft;
        if !why.is_empty() {
            stale.push(Stale { invoice, account_number, customer_name, why });
        }
    }
    Ok(stale)
}

async fn drafts(conn: &AsyncPgConnection, desk: &Desk, period: BillingPeriodId) -> QueryResult<Vec<DraftRow>> {
    let mut conn = conn;
    invoices::table
        .filter(invoices::organization_id.eq(desk.organization).and(invoices::client_id.eq(desk.client)))
        .filter(invoices::billing_period_id.eq(period).and(invoices::status.eq("draft")))
        .select(DraftRow::as_select())
        .order((invoices::account_number, invoices::id))
        .load(&mut conn)
        .await
}

/// What the customers of some drafts would be rated from now.
async fn current(
    conn: &AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    days: Period,
    drafts: &[DraftRow],
) -> QueryResult<HashMap<ContractId, Inputs>> {
    let wanted: HashSet<ContractId> = drafts.iter().map(|draft| draft.contract_id).collect();
    let mut contracts = load::contracts(conn, desk, days).await?;
    contracts.retain(|contract| wanted.contains(&contract.id));
    let tariffs = Tariffs::new(load::versions(conn, desk, days).await?, client)?;
    let mut now = HashMap::new();
    for chunk in contracts.chunks(BATCH) {
        let ids: Vec<CustomerId> = chunk.iter().map(|contract| contract.customer_id).collect();
        let batch = load::batch(conn, desk, &ids, days).await?;
        for account in accounts(chunk, &batch) {
            now.insert(account.contract.id, account.inputs(&tariffs, days)?);
            tokio::task::yield_now().await;
        }
    }
    Ok(now)
}

/// Refuses a step while a draft of the period is stale.
pub(super) async fn refuse_stale(
    conn: &AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    period: &BillingPeriod,
    step: Step,
) -> Result<(), BillingError> {
    let drafts = stale_of(conn, desk, client, period, None).await?;
    if drafts.is_empty() { Ok(()) } else { Err(BillingError::Stale { step, drafts }) }
}

/// Says of a client's drafts that were written otherwise than by [`super::rate`] (demo and test data) that they were
/// rated from what is there now.
///
/// # Errors
/// When the database fails.
pub async fn stamp(conn: &mut AsyncPgConnection, desk: &Desk, client: &Client) -> QueryResult<()> {
    for period in super::all(conn, desk, None, i64::MAX).await? {
        let drafts = drafts(conn, desk, period.id).await?;
        let now = current(conn, desk, client, period.days(), &drafts).await?;
        for draft in drafts {
            // One whose customer is not there stays without, and is never up to date.
            let Some(inputs) = now.get(&draft.contract_id) else { continue };
            sql_query(
                "UPDATE public.invoices SET inputs = $4 WHERE organization_id = $1 AND client_id = $2 AND id = $3",
            )
            .bind::<SqlUuid, _>(desk.organization)
            .bind::<SqlUuid, _>(desk.client)
            .bind::<SqlUuid, _>(draft.id)
            .bind::<Jsonb, _>(serde_json::to_value(inputs).map_err(unhashable)?)
            .execute(conn)
            .await?;
        }
    }
    Ok(())
}

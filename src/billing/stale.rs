//! Drafts that are no longer what rating would make: something they were rated from has changed.

use std::collections::{BTreeMap, HashMap, HashSet};

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Jsonb, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use super::digest::unhashable;
use super::gather::{BATCH, accounts, by_days};
use super::inputs::Inputs;
use super::load::{self, ContractRow, InRun};
use super::tariffs::Tariffs;
use super::{BillingError, BillingRun, Step};
use crate::db::AtClient;
use crate::db::schema::{billing_periods, invoices};
use crate::db::{Tenant, Unreadable};
use crate::parties::clients::Client;
use crate::values::ids::{BillingPeriodId, BillingRunId, CustomerId, InvoiceId};

/// A draft that must be rated again.
#[derive(Debug, Clone)]
pub struct Stale {
    /// The draft.
    pub invoice: InvoiceId,
    /// Its account.
    pub account_number: String,
    /// Its customer's name.
    pub customer_name: String,
    /// What changed: `usage`, `tariff`, `meters`, `customer`, `earlier bills`.
    pub why: Vec<&'static str>,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = billing_periods)]
struct DraftRow {
    id: BillingPeriodId,
    #[diesel(select_expression = invoices::id)]
    invoice: InvoiceId,
    #[diesel(select_expression = invoices::account_number)]
    account_number: String,
    #[diesel(select_expression = invoices::customer_name)]
    customer_name: String,
    inputs: Option<Value>,
}

impl DraftRow {
    /// What it was rated from; a draft that does not say is never up to date.
    fn inputs(&self) -> Result<Inputs, Unreadable> {
        let kept = self.inputs.as_ref().map(|kept| Unreadable::json(kept, "billing_periods", self.id, "inputs"));
        Ok(kept.transpose()?.unwrap_or_default())
    }
}

/// The drafts of a run whose usage, tariff, meters, customer or earlier bills have changed since they were rated, by account
/// number; `only` these drafts, if given.
///
/// # Errors
/// When the database fails.
pub async fn stale(
    tx: &Tenant,
    client: &Client,
    run: &BillingRun,
    only: Option<&HashSet<InvoiceId>>,
) -> QueryResult<Vec<Stale>> {
    let wanted = only.map(|only| only.iter().copied().collect::<Vec<_>>());
    stale_of(tx.shared(), &AtClient::here(tx)?, client, run.id, wanted.as_deref()).await
}

/// As [`stale`], of these drafts alone.
pub(super) async fn of_drafts(
    conn: &AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    run: &BillingRun,
    drafts: &[InvoiceId],
) -> QueryResult<Vec<Stale>> {
    stale_of(conn, here, client, run.id, Some(drafts)).await
}

async fn stale_of(
    conn: &AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    run: BillingRunId,
    only: Option<&[InvoiceId]>,
) -> QueryResult<Vec<Stale>> {
    let drafts = drafts(conn, here, run, only).await?;
    let now = current(conn, here, client, run, &drafts).await?;
    // By invoice: of a bill of several periods what changed of any.
    let mut stale: BTreeMap<(String, InvoiceId), Stale> = BTreeMap::new();
    for draft in drafts {
        let why = match now.get(&draft.id) {
            Some(now) => draft.inputs()?.changed(now),
            None => vec!["customer"],
        };
        if why.is_empty() {
            continue;
        }
        let DraftRow { invoice, account_number, customer_name, .. } = draft;
        let known = stale.entry((account_number.clone(), invoice)).or_insert_with(|| Stale {
            invoice,
            account_number,
            customer_name,
            why: vec![],
        });
        known.why.extend(why);
        known.why.dedup();
    }
    Ok(stale.into_values().collect())
}

async fn drafts(
    conn: &AsyncPgConnection,
    here: &AtClient,
    run: BillingRunId,
    only: Option<&[InvoiceId]>,
) -> QueryResult<Vec<DraftRow>> {
    let mut conn = conn;
    let bill = invoices::organization_id
        .eq(billing_periods::organization_id)
        .and(invoices::client_id.eq(billing_periods::client_id))
        .and(invoices::id.nullable().eq(billing_periods::invoice_id));
    let mut query = billing_periods::table
        .inner_join(invoices::table.on(bill))
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::billing_run_id.eq(run).and(billing_periods::status.eq_any(["rated", "approved"])))
        .select(DraftRow::as_select())
        .into_boxed();
    if let Some(only) = only {
        query = query.filter(billing_periods::invoice_id.eq_any(only.to_vec()));
    }
    query.load(&mut conn).await
}

/// What the periods of some drafts would be rated from now.
async fn current(
    conn: &AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    run: BillingRunId,
    drafts: &[DraftRow],
) -> QueryResult<HashMap<BillingPeriodId, Inputs>> {
    let wanted: Vec<BillingPeriodId> = drafts.iter().map(|draft| draft.id).collect();
    let all: Vec<InRun> = load::of_run(conn, here, run, &["rated", "approved"], Some(wanted)).await?;
    let mut now = HashMap::new();
    for (days, group) in by_days(all) {
        let tariffs = Tariffs::new(load::versions(conn, here, days).await?, client)?;
        for chunk in group.chunks(BATCH) {
            let contracts: Vec<ContractRow> = chunk.iter().map(|one| one.contract.clone()).collect();
            let ids: Vec<CustomerId> = contracts.iter().map(|contract| contract.customer_id).collect();
            let batch = load::batch(conn, here, &ids, days).await?;
            for (account, one) in accounts(&contracts, &batch).iter().zip(chunk) {
                now.insert(one.id, account.inputs(&tariffs, days)?);
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(now)
}

/// Refuses a step while a draft of the run is stale.
pub(super) async fn refuse_stale(
    conn: &AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    run: &BillingRun,
    step: Step,
) -> Result<(), BillingError> {
    let drafts = stale_of(conn, here, client, run.id, None).await?;
    if drafts.is_empty() { Ok(()) } else { Err(BillingError::Stale { step, drafts }) }
}

/// Says of a client's drafts that were written otherwise than by [`super::rate`] (demo and test data) that they were
/// rated from what is there now.
///
/// # Errors
/// When the database fails.
pub async fn stamp(conn: &mut AsyncPgConnection, here: &AtClient, client: &Client) -> QueryResult<()> {
    for run in super::all(conn, here, None, i64::MAX).await? {
        let drafts = drafts(conn, here, run.id, None).await?;
        let now = current(conn, here, client, run.id, &drafts).await?;
        for draft in drafts {
            // One whose contract is not there stays without, and is never up to date.
            let Some(inputs) = now.get(&draft.id) else { continue };
            sql_query(
                "UPDATE public.billing_periods SET inputs = $4 WHERE organization_id = $1 AND client_id = $2 AND id = $3",
            )
            .bind::<SqlUuid, _>(here.organization)
            .bind::<SqlUuid, _>(here.client)
            .bind::<SqlUuid, _>(draft.id)
            .bind::<Jsonb, _>(serde_json::to_value(inputs).map_err(unhashable)?)
            .execute(conn)
            .await?;
        }
    }
    Ok(())
}

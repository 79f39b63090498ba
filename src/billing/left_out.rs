//! Customers that an issued period left without a bill: they are billed in a further part of it, a period of the same
//! days in which only those are rated who have no invoice of these days. It goes the way of any period, so that what is
//! issued stays as it is, and bills keep their order.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Date, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;

use super::run::{self, Rated};
use super::{BillingError, BillingPeriod, Desk, Step, locked, log, steps};
use crate::db::Tenant;
use crate::db::schema::billing_periods;
use crate::ids::{BillingPeriodId, ContractId};
use crate::period::Period;
use crate::{audit, clients};

/// The parts of the period of some days, the first first.
///
/// # Errors
/// When the database fails.
pub async fn parts(tx: &Tenant, days: Period) -> QueryResult<Vec<BillingPeriod>> {
    let (desk, mut conn) = (Desk::here(tx)?, tx.shared());
    billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::from_on.eq(days.from()).and(billing_periods::to_on.eq(days.to())))
        .select(BillingPeriod::as_select())
        .order(billing_periods::part)
        .load(&mut conn)
        .await
}

/// Issued periods that left customers without a bill, the earliest first, as long as no further part was made for them.
///
/// # Errors
/// When the database fails.
pub async fn left_out(tx: &Tenant, limit: i64) -> QueryResult<Vec<BillingPeriod>> {
    let (desk, mut conn) = (Desk::here(tx)?, tx.shared());
    let further = diesel::alias!(billing_periods as further);
    let same = further
        .filter(further.field(billing_periods::organization_id).eq(desk.organization))
        .filter(further.field(billing_periods::client_id).eq(desk.client))
        .filter(further.field(billing_periods::from_on).eq(billing_periods::from_on))
        .filter(further.field(billing_periods::to_on).eq(billing_periods::to_on))
        .filter(further.field(billing_periods::part).gt(billing_periods::part));
    let periods = billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::status.eq("invoiced").and(billing_periods::exceptions.gt(0)))
        .filter(diesel::dsl::not(diesel::dsl::exists(same)))
        .select(BillingPeriod::as_select())
        .order(billing_periods::from_on)
        .limit(limit);
    periods.load(&mut conn).await
}

/// Makes the next part of an issued period that left customers without a bill, and rates it, on record.
///
/// # Errors
/// `NotHere` when it is not issued, `EverybodyBilled`, `FurtherPart`, `EarlierFirst`.
pub async fn bill_left_out(tx: &mut Tenant, id: BillingPeriodId) -> Result<(BillingPeriod, Rated), BillingError> {
    let (desk, client) = (Desk::at(tx)?, clients::current(tx).await?);
    let issued = locked(tx, &desk, id).await?;
    if !issued.is_issued() {
        return BillingError::not_here(Step::BillLeftOut, &issued);
    }
    if issued.exceptions == 0 {
        return Err(BillingError::EverybodyBilled);
    }
    if parts(tx, issued.days()).await?.last().is_some_and(|last| last.part > issued.part) {
        return Err(BillingError::FurtherPart);
    }
    let next = BillingPeriodId::fresh();
    steps::insert(tx, &desk, next, issued.days(), issued.part.saturating_add(1)).await?;
    let (_, rated) = run::rate_now(tx, &desk, &client, next).await?;
    let made = super::find(tx, next).await?.ok_or(BillingError::NotFound)?;
    let days = made.days();
    let details = audit::created(json!({
        "from": days.from(), "last_day": days.last(), "part": made.part, "status": made.status,
        "invoices": made.invoices, "total": made.total, "blocked": rated.blocked,
    }));
    let summary = format!("Created and rated billing period {days} for those left out");
    audit::note(tx, log::entry("create", next, summary, details)).await?;
    Ok((made, rated))
}

#[derive(QueryableByName)]
struct Billed {
    #[diesel(sql_type = SqlUuid)]
    contract_id: ContractId,
}

/// The contracts that have an invoice of the period of some days, in any of its parts. One that was credited counts: a
/// correction brings its own new invoice.
pub(super) async fn billed(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    days: Period,
) -> QueryResult<HashSet<ContractId>> {
    let rows: Vec<Billed> = sql_query(
        "SELECT DISTINCT i.contract_id FROM public.invoices i JOIN public.billing_periods p ON p.organization_id = i.organization_id \
             AND p.client_id = i.client_id AND p.id = i.billing_period_id \
         WHERE p.organization_id = $1 AND p.client_id = $2 AND p.from_on = $3 AND p.to_on = $4 \
             AND i.kind = 'invoice' AND i.status <> 'draft'",
    )
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<Date, _>(days.from())
    .bind::<Date, _>(days.to())
    .load(conn)
    .await?;
    Ok(rows.into_iter().map(|row| row.contract_id).collect())
}

//! Customers that an issued period left without a bill: they are billed in a further part of it, a period of the same
//! days in which only those are rated who have no invoice of these days. It goes the way of any period, so that what is
//! issued stays as it is, and bills keep their order.

use std::collections::HashSet;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Date, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::run::{self, Rated};
use super::{BillingError, BillingPeriod, Desk, locked, steps, wrong};
use crate::clients::Client;
use crate::db::schema::billing_periods;
use crate::ids::{BillingPeriodId, ContractId};
use crate::period::Period;

/// The parts of the period of some days, the first first.
///
/// # Errors
/// When the database fails.
pub async fn parts(conn: &AsyncPgConnection, desk: &Desk, days: Period) -> QueryResult<Vec<BillingPeriod>> {
    let mut conn = conn;
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
pub async fn left_out(conn: &AsyncPgConnection, desk: &Desk, limit: i64) -> QueryResult<Vec<BillingPeriod>> {
    let mut conn = conn;
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

/// Makes the next part of an issued period that left customers without a bill, and rates it.
///
/// # Errors
/// [`BillingError::Wrong`] when it is not issued, everybody has a bill, there is a further part already, or an earlier
/// period is to be issued first.
pub async fn bill_left_out(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    id: BillingPeriodId,
) -> Result<(BillingPeriod, Rated), BillingError> {
    let issued = locked(conn, desk, id).await?;
    if !issued.is_issued() {
        return wrong("The period is not issued yet: mend the exceptions and rate it again.");
    }
    if issued.exceptions == 0 {
        return wrong("Every customer of this period has a bill.");
    }
    if parts(conn, desk, issued.days()).await?.last().is_some_and(|last| last.part > issued.part) {
        return wrong("There is a billing period for those left out already. Open it from the list.");
    }
    let next = BillingPeriodId::fresh();
    steps::insert(conn, desk, next, issued.days(), issued.part.saturating_add(1)).await?;
    let rated = run::rate(conn, desk, client, next).await?;
    let made = super::find(conn, desk, next).await?.ok_or(BillingError::NotFound)?;
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

//! The order of periods. A bill takes over what the bills before it left (credit, energy fed in, peaks), so the
//! bills of earlier days are issued first: what is left is then granted once, to the bill that comes next.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Date, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{BillingError, BillingPeriod, Desk};
use crate::db::{DbError, Unreadable};
use crate::ids::BillingPeriodId;
use crate::period::Period;

#[derive(QueryableByName)]
struct Days {
    #[diesel(sql_type = SqlUuid)]
    id: BillingPeriodId,
    #[diesel(sql_type = Date)]
    from_on: NaiveDate,
    #[diesel(sql_type = Date)]
    to_on: NaiveDate,
}

/// Refuses a step while an earlier period of the client still has bills to issue.
pub(super) async fn in_turn(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    period: &BillingPeriod,
) -> Result<(), BillingError> {
    // A period that was rated and came to no bill at all has nothing to issue, and holds nobody up.
    let earlier: Option<Days> = sql_query(
        "SELECT p.id, p.from_on, p.to_on FROM public.billing_periods p \
         WHERE p.organization_id = $1 AND p.client_id = $2 AND p.from_on < $3 AND (p.status = 'open' \
             OR p.status IN ('rated', 'approved') AND EXISTS (SELECT 1 FROM public.invoices i WHERE i.organization_id = $1 \
                 AND i.client_id = $2 AND i.billing_period_id = p.id AND i.status = 'draft')) \
         ORDER BY p.from_on LIMIT 1",
    )
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<Date, _>(period.from_on)
    .get_result(conn)
    .await
    .optional()?;
    let Some(days) = earlier else { return Ok(()) };
    let days = Period::new(days.from_on, days.to_on)
        .map_err(|fault| DbError::from(Unreadable::new("billing_periods", days.id, "to_on", fault)))?;
    Err(BillingError::EarlierFirst(days))
}

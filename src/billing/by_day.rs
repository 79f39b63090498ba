//! A period by the day on which it begins, as the terminal names it.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use super::{BillingPeriod, Desk};
use crate::db::schema::billing_periods;
use crate::db::{DbError, Tenant};

/// The period that begins on a day; of several parts, the last.
///
/// # Errors
/// When the database fails.
pub async fn beginning_on(tx: &mut Tenant, day: NaiveDate) -> Result<Option<BillingPeriod>, DbError> {
    let (organization, client) = tx.client()?;
    let desk = Desk { organization, client, by: None };
    Ok(billing_periods::table
        .filter(billing_periods::organization_id.eq(desk.organization).and(billing_periods::client_id.eq(desk.client)))
        .filter(billing_periods::from_on.eq(day))
        .select(BillingPeriod::as_select())
        .order(billing_periods::part.desc())
        .first(&mut **tx)
        .await
        .optional()?)
}

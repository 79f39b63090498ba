//! Credit of accounts at issue: what a bill leaves in the customer's favour is kept, and what is kept pays bills of the
//! same account.
//!
//! An account's credit is what the payments on it have left over: their amounts less their allocations. A bill that comes
//! to less than nothing leaves its credit as a payment of its own, of method `credit`, with the invoice's id.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Date, Nullable, Numeric, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use super::Desk;
use crate::ids::BillingPeriodId;

/// Keeps the credit of the bills of a period that come to less than nothing.
pub(super) async fn keep(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    period: BillingPeriodId,
    day: chrono::NaiveDate,
) -> QueryResult<()> {
    sql_query(
        "INSERT INTO public.payments (organization_id, client_id, id, customer_id, account_id, received_on, amount, currency, method, reference, created_by) \
         SELECT i.organization_id, i.client_id, i.id, i.customer_id, i.account_id, $4, -i.total, i.currency, 'credit', i.label, $5 \
         FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = $2 AND i.billing_period_id = $3 \
             AND i.status = 'paid' AND i.total < 0",
    )
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<SqlUuid, _>(period)
    .bind::<Date, _>(day)
    .bind::<Nullable<SqlUuid>, _>(desk.by)
    .execute(conn)
    .await?;
    Ok(())
}

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

/// The customers of a period: $1 organization, $2 client, $3 period.
const CUSTOMERS: &str = "SELECT c.customer_id FROM public.invoices c \
     WHERE c.organization_id = $1 AND c.client_id = $2 AND c.billing_period_id = $3";

/// Lets the credit of a period's customers pay their open bills: the oldest money first, the bills by due date.
/// Every share is an allocation; what is paid of the bills follows from them (`allocations_pay`). Returns the sum of
/// the shares.
///
/// Both are laid end to end, payments and bills: a share is where two of them lie side by side.
pub(super) async fn apply(conn: &mut AsyncPgConnection, desk: &Desk, period: BillingPeriodId) -> QueryResult<Decimal> {
    // First, and in the order in which recording a payment locks them: what is open must not change under our hands.
    let locked = format!(
        "SELECT 1 FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = $2 AND i.status IN ('issued', 'part_paid') \
             AND i.customer_id IN ({CUSTOMERS}) ORDER BY i.customer_id, i.due_on, i.number FOR UPDATE"
    );
    sql_query(locked)
        .bind::<SqlUuid, _>(desk.organization)
        .bind::<SqlUuid, _>(desk.client)
        .bind::<SqlUuid, _>(period)
        .execute(conn)
        .await?;
    let shares = format!(
        "WITH used AS (SELECT a.payment_id, sum(a.amount) AS amount FROM public.allocations a \
             WHERE a.organization_id = $1 AND a.client_id = $2 GROUP BY a.payment_id), \
         free AS (SELECT p.id, p.customer_id, p.account_id, p.currency, p.amount - coalesce(u.amount, 0) AS rest, \
             sum(p.amount - coalesce(u.amount, 0)) OVER (PARTITION BY p.account_id, p.currency ORDER BY p.received_on, p.id) AS upto \
             FROM public.payments p LEFT JOIN used u ON u.payment_id = p.id \
             WHERE p.organization_id = $1 AND p.client_id = $2 AND p.amount > coalesce(u.amount, 0) AND p.customer_id IN ({CUSTOMERS})), \
         due AS (SELECT i.id, i.account_id, i.currency, i.total - i.paid AS rest, \
             sum(i.total - i.paid) OVER (PARTITION BY i.account_id, i.currency ORDER BY i.due_on, i.number) AS upto \
             FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = $2 AND i.status IN ('issued', 'part_paid') \
                 AND i.total > i.paid AND i.customer_id IN ({CUSTOMERS})), \
         made AS (INSERT INTO public.allocations (organization_id, client_id, payment_id, invoice_id, customer_id, account_id, amount, created_by) \
             SELECT $1, $2, f.id, d.id, f.customer_id, f.account_id, least(f.upto, d.upto) - greatest(f.upto - f.rest, d.upto - d.rest), $4 \
             FROM free f JOIN due d ON (d.account_id, d.currency) = (f.account_id, f.currency) \
             WHERE least(f.upto, d.upto) > greatest(f.upto - f.rest, d.upto - d.rest) RETURNING amount) \
         SELECT coalesce(sum(amount), 0) AS amount FROM made"
    );
    let applied: Applied = sql_query(shares)
        .bind::<SqlUuid, _>(desk.organization)
        .bind::<SqlUuid, _>(desk.client)
        .bind::<SqlUuid, _>(period)
        .bind::<Nullable<SqlUuid>, _>(desk.by)
        .get_result(conn)
        .await?;
    Ok(applied.amount)
}

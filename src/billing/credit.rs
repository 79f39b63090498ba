//! Credit of accounts at issue: it pays what is open on the same account.
//!
//! An account's credit is what payments, bills of less than nothing and credit notes have left over: their amounts less
//! their allocations. It is the balance of `unapplied` in the [ledger](crate::receivables::ledger).

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Nullable, Numeric, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use crate::db::AtClient;
use crate::db::schema::invoices;
use crate::values::ids::{CustomerId, InvoiceId};

#[derive(QueryableByName)]
struct Applied {
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

/// Lets the credit of some invoices' customers pay their open bills: the oldest money first, the bills by due date.
/// Every share is an allocation; what is paid of the bills follows from them (`allocations_pay`). Returns the sum of
/// the shares.
///
/// Both are laid end to end, payments and bills: a share is where two of them lie side by side.
pub(super) async fn apply(conn: &mut AsyncPgConnection, here: &AtClient, issued: &[InvoiceId]) -> QueryResult<Decimal> {
    let customers: Vec<CustomerId> = invoices::table
        .filter(invoices::organization_id.eq(here.organization).and(invoices::client_id.eq(here.client)))
        .filter(invoices::id.eq_any(issued))
        .select(invoices::customer_id)
        .load(conn)
        .await?;
    // First, and in the order in which recording a payment locks them: what is open must not change under our hands.
    let locked = "SELECT 1 FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = $2 AND i.status IN ('issued', 'part_paid') \
             AND i.customer_id = ANY ($3) ORDER BY i.customer_id, i.due_on, i.number FOR UPDATE";
    sql_query(locked)
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<Array<SqlUuid>, _>(&customers)
        .execute(conn)
        .await?;
    let shares = "WITH used AS (SELECT a.source_id, sum(a.amount) AS amount FROM public.allocations a \
             WHERE a.organization_id = $1 AND a.client_id = $2 AND a.customer_id = ANY ($3) GROUP BY a.source_id), \
         source AS (SELECT p.id, p.id AS payment, NULL::uuid AS bill, p.customer_id, p.account_id, p.currency, p.received_on AS since, p.amount \
             FROM public.payments p WHERE p.organization_id = $1 AND p.client_id = $2 AND p.customer_id = ANY ($3) \
             UNION ALL SELECT i.id, NULL, i.id, i.customer_id, i.account_id, i.currency, i.issued_on, -i.total \
             FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = $2 AND i.customer_id = ANY ($3) \
                 AND i.total < 0 AND i.status <> 'draft'), \
         free AS (SELECT s.*, s.amount - coalesce(u.amount, 0) AS rest, \
             sum(s.amount - coalesce(u.amount, 0)) OVER (PARTITION BY s.account_id, s.currency ORDER BY s.since, s.id) AS upto \
             FROM source s LEFT JOIN used u ON u.source_id = s.id WHERE s.amount > coalesce(u.amount, 0)), \
         due AS (SELECT i.id, i.account_id, i.currency, i.total - i.paid AS rest, \
             sum(i.total - i.paid) OVER (PARTITION BY i.account_id, i.currency ORDER BY i.due_on, i.number) AS upto \
             FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = $2 AND i.status IN ('issued', 'part_paid') \
                 AND i.total > i.paid AND i.customer_id = ANY ($3)), \
         made AS (INSERT INTO public.allocations (organization_id, client_id, payment_id, credit_id, invoice_id, customer_id, account_id, amount, created_by) \
             SELECT $1, $2, f.payment, f.bill, d.id, f.customer_id, f.account_id, least(f.upto, d.upto) - greatest(f.upto - f.rest, d.upto - d.rest), $4 \
             FROM free f JOIN due d ON (d.account_id, d.currency) = (f.account_id, f.currency) \
             WHERE least(f.upto, d.upto) > greatest(f.upto - f.rest, d.upto - d.rest) RETURNING amount) \
         SELECT coalesce(sum(amount), 0) AS amount FROM made";
    let applied: Applied = sql_query(shares)
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<Array<SqlUuid>, _>(&customers)
        .bind::<Nullable<SqlUuid>, _>(here.by)
        .get_result(conn)
        .await?;
    Ok(applied.amount)
}

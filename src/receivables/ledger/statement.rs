//! A customer's account statement: what changed what is owed, with the balance after each.

use chrono::NaiveDate;
use diesel::sql_types::{Date, Nullable, Numeric, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{Cursor, OF_WHAT, WHAT, What};
use crate::db::{Cached, Tenant};
use crate::values::ids::{CustomerId, LedgerEntryId};

/// A row of the statement.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Row {
    /// The entry.
    #[diesel(sql_type = SqlUuid)]
    pub id: LedgerEntryId,
    /// The day on which it stands in the books.
    #[diesel(sql_type = Date)]
    pub booked_on: NaiveDate,
    /// The day from which it counts.
    #[diesel(sql_type = Date)]
    pub value_on: NaiveDate,
    /// What happened.
    #[diesel(embed)]
    pub what: What,
    /// What it adds to what is owed; below zero: what it takes off.
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    /// What is owed after it; below zero: in credit.
    #[diesel(sql_type = Numeric)]
    pub balance: Decimal,
}

/// The statement of a customer, the latest first, from after a place on. Credit that pays a bill changes nothing of what
/// is owed and is left out.
///
/// # Errors
/// When the database fails.
pub async fn statement(tx: &Tenant, customer: CustomerId, after: Option<Cursor>, limit: i64) -> QueryResult<Vec<Row>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    // Balances are sums over the customer's whole account; the page is cut from them.
    let query = sql_query(format!(
        "SELECT e.id, e.booked_on, e.value_on, {WHAT}, e.amount, e.balance \
         FROM (SELECT b.* FROM (SELECT n.*, sum(n.amount) OVER (ORDER BY n.booked_on, n.id) AS balance \
                 FROM (SELECT n.*, (SELECT coalesce(sum(l.amount), 0) FROM public.ledger_lines l WHERE l.organization_id = $1 \
                         AND l.client_id = $2 AND l.customer_id = $3 AND l.entry_id = n.id \
                         AND l.ledger_account IN ('receivable', 'unapplied')) AS amount \
                     FROM public.ledger_entries n WHERE n.organization_id = $1 AND n.client_id = $2 AND n.customer_id = $3 \
                         AND n.cause <> 'allocation') n) b \
             WHERE $4 IS NULL OR (b.booked_on, b.id) < ($4, $5) ORDER BY b.booked_on DESC, b.id DESC LIMIT $6) e \
         {OF_WHAT} ORDER BY e.booked_on DESC, e.id DESC"
    ))
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(client)
    .bind::<SqlUuid, _>(customer)
    .bind::<Nullable<Date>, _>(after.map(|place| place.0))
    .bind::<Nullable<SqlUuid>, _>(after.map(|place| place.1))
    .bind::<diesel::sql_types::BigInt, _>(limit);
    Cached(query).load(&mut conn).await
}

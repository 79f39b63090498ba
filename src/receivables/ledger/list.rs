//! The entries of a client, the latest first: one round trip, whatever their number.

use chrono::NaiveDate;
use diesel::sql_types::{Array, Date, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use super::{Cursor, LedgerAccount, Line, OF_WHAT, WHAT, What};
use crate::db::{Cached, Tenant, literal};
use crate::values::ids::{CustomerId, LedgerEntryId};

/// Which entries to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// An account number or the beginning of a customer's name; empty: all customers.
    pub customer: String,
    /// The first day of booking.
    pub from: Option<NaiveDate>,
    /// The last day of booking.
    pub to: Option<NaiveDate>,
    /// The entries after this place.
    pub after: Option<Cursor>,
}

/// An entry with its lines.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: LedgerEntryId,
    /// The day on which it stands in the books.
    pub booked_on: NaiveDate,
    /// The day from which it counts.
    pub value_on: NaiveDate,
    /// What happened.
    pub what: What,
    /// Whose.
    pub customer_id: CustomerId,
    /// The customer's name.
    pub customer_name: String,
    /// The customer's account.
    pub account_number: String,
    /// ISO 4217.
    pub currency: String,
    /// Its lines; they sum to zero.
    pub lines: Vec<Line>,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: LedgerEntryId,
    #[diesel(sql_type = Date)]
    booked_on: NaiveDate,
    #[diesel(sql_type = Date)]
    value_on: NaiveDate,
    #[diesel(embed)]
    what: What,
    #[diesel(sql_type = SqlUuid)]
    customer_id: CustomerId,
    #[diesel(sql_type = Text)]
    customer_name: String,
    #[diesel(sql_type = Text)]
    account_number: String,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Array<Text>)]
    accounts: Vec<LedgerAccount>,
    #[diesel(sql_type = Array<Numeric>)]
    amounts: Vec<Decimal>,
}

impl From<Found> for Entry {
    fn from(found: Found) -> Self {
        let lines = found.accounts.into_iter().zip(found.amounts);
        Self {
            id: found.id,
            booked_on: found.booked_on,
            value_on: found.value_on,
            what: found.what,
            customer_id: found.customer_id,
            customer_name: found.customer_name,
            account_number: found.account_number,
            currency: found.currency,
            lines: lines.map(|(account, amount)| Line { account, amount }).collect(),
        }
    }
}

/// $1 organization, $2 client, $3 name prefix, $4 account number, $5 and $6 days, $7 and $8 place.
fn sql(filter: &Filter, limit: i64) -> String {
    let searched = !filter.customer.trim().is_empty();
    let mut page = String::from(
        "SELECT * FROM public.ledger_entries WHERE organization_id = $1 AND client_id = $2 \
         AND booked_on >= coalesce($5, '-infinity') AND booked_on <= coalesce($6, 'infinity')",
    );
    if searched {
        // As the list of invoices does: the few customers first, by the index of their names.
        page.push_str(
            " AND customer_id = ANY(ARRAY(SELECT c.id FROM public.customers c WHERE c.organization_id = $1 \
             AND c.client_id = $2 AND lower(c.name) LIKE $3 LIMIT 5000) || ARRAY(SELECT n.customer_id FROM public.accounts n \
             WHERE n.organization_id = $1 AND n.client_id = $2 AND lower(n.account_number) = lower($4))) OFFSET 0",
        );
    }
    let place = if filter.after.is_some() { "WHERE (booked_on, id) < ($7, $8) " } else { "" };
    format!(
        "SELECT e.id, e.booked_on, e.value_on, {WHAT}, e.customer_id, c.name AS customer_name, n.account_number, e.currency, \
             l.accounts, l.amounts \
         FROM (SELECT * FROM ({page}) found {place}ORDER BY booked_on DESC, id DESC LIMIT {limit}) e \
         JOIN public.customers c ON c.organization_id = $1 AND c.client_id = $2 AND c.id = e.customer_id \
         JOIN public.accounts n ON n.organization_id = $1 AND n.client_id = $2 AND n.customer_id = e.customer_id AND n.is_main \
         CROSS JOIN LATERAL (SELECT coalesce(array_agg(l.ledger_account ORDER BY l.amount DESC, l.ledger_account), '{{}}') AS accounts, \
             coalesce(array_agg(l.amount ORDER BY l.amount DESC, l.ledger_account), '{{}}') AS amounts \
             FROM public.ledger_lines l WHERE l.organization_id = $1 AND l.client_id = $2 AND l.customer_id = e.customer_id \
                 AND l.entry_id = e.id) l \
         {OF_WHAT} ORDER BY e.booked_on DESC, e.id DESC"
    )
}

/// The entries of a client, the latest first, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, filter: &Filter, limit: i64) -> QueryResult<Vec<Entry>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let customer = filter.customer.trim();
    let query = sql_query(sql(filter, limit))
        .bind::<SqlUuid, _>(organization)
        .bind::<SqlUuid, _>(client)
        .bind::<Text, _>(format!("{}%", literal(&customer.to_lowercase())))
        .bind::<Text, _>(customer.to_owned())
        .bind::<Nullable<Date>, _>(filter.from)
        .bind::<Nullable<Date>, _>(filter.to)
        .bind::<Nullable<Date>, _>(filter.after.map(|place| place.0))
        .bind::<Nullable<SqlUuid>, _>(filter.after.map(|place| place.1));
    let found: Vec<Found> = Cached(query).load(&mut conn).await?;
    Ok(found.into_iter().map(Entry::from).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_read_in_the_order_of_its_index() {
        let mut filter = Filter::default();
        assert!(sql(&filter, 26).contains(") found ORDER BY booked_on DESC, id DESC LIMIT 26) e"));
        filter.after = Some(Cursor(NaiveDate::MIN, LedgerEntryId::fresh()));
        assert!(sql(&filter, 26).contains(") found WHERE (booked_on, id) < ($7, $8) ORDER BY booked_on DESC"));
        filter.customer = "Maria".into();
        assert!(sql(&filter, 26).contains("lower(n.account_number) = lower($4))) OFFSET 0) found"));
    }
}

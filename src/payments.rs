//! Payments: money received on customers' accounts, and which invoices it pays. What a payment has left over is the
//! account's credit; [`crate::billing::issue`] lets it pay the next bills.

use chrono::NaiveDate;
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use crate::db::DbError;
use crate::db::schema::{allocations, invoices, payments};
use crate::ids::{AccountId, ClientId, CustomerId, InvoiceId, OrganizationId, PaymentId, UserId};
use crate::money::Money;

/// How money came: as the database spells it, and as people read it.
pub const METHODS: [(&str, &str); 5] = [
    ("bank_transfer", "Bank transfer"),
    ("direct_debit", "Direct debit"),
    ("card", "Card"),
    ("cash", "Cash"),
    ("other", "Other"),
];

/// How people read a method.
#[must_use]
pub fn method_label(code: &str) -> &'static str {
    if code == "credit" {
        return "Credit of an earlier bill";
    }
    METHODS.iter().find(|(known, _)| *known == code).map_or("Other", |(_, label)| label)
}

/// Money received.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = payments)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// From whom.
    pub customer_id: CustomerId,
    /// On which day.
    pub received_on: NaiveDate,
    /// How much.
    pub amount: Decimal,
    /// ISO 4217.
    pub currency: String,
    /// How: one of [`METHODS`], or `credit` that an invoice left.
    pub method: String,
    /// What the payer wrote; of a credit, the invoice's number.
    pub reference: String,
}

/// What makes a payment.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NewPayment {
    /// Its id, made with the form: what is sent twice is one payment.
    pub id: PaymentId,
    /// From whom.
    pub customer: CustomerId,
    /// On which account.
    pub account: AccountId,
    /// How much; more than nothing.
    pub amount: Money,
    /// ISO 4217.
    pub currency: String,
    /// On which day.
    pub received_on: NaiveDate,
    /// How; see [`METHODS`].
    pub method: String,
    /// What the payer wrote.
    pub reference: String,
}

/// What recording a payment did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Which invoices it pays, and how much of each.
    pub allocated: Vec<(InvoiceId, Money)>,
    /// What is left over: credit of the account.
    pub left: Money,
}

/// Shares a payment out: what each open amount gets, in the order given.
fn share(amount: Money, open: impl IntoIterator<Item = (InvoiceId, Money)>) -> (Vec<(InvoiceId, Money)>, Money) {
    let mut left = amount;
    let mut shares = vec![];
    for (id, open) in open {
        let part = open.min(left);
        if part > Money::ZERO {
            shares.push((id, part));
            left -= part;
        }
    }
    (shares, left)
}

/// Lets payments of a customer be recorded one after the other: of two at once, the second waits here until the first has
/// ended, and then finds it with [`is_recorded_alike`].
///
/// # Errors
/// When the database fails; `NotFound` for a customer that the context does not see.
pub async fn in_turn(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    customer: CustomerId,
) -> QueryResult<()> {
    crate::customers::locked(conn, organization, client, customer)
        .await?
        .ok_or(diesel::result::Error::NotFound)
        .map(|_| ())
}

/// Whether the very same was recorded already under another id: on the account, as much, that day, in the same way, with
/// the same reference. It may be one payment recorded twice.
///
/// # Errors
/// When the database fails.
pub async fn is_recorded_alike(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    payment: &NewPayment,
) -> QueryResult<bool> {
    let alike = payments::table
        .filter(payments::organization_id.eq(organization).and(payments::client_id.eq(client)))
        .filter(payments::customer_id.eq(payment.customer).and(payments::account_id.eq(payment.account)))
        .filter(payments::id.ne(payment.id))
        .filter(payments::received_on.eq(payment.received_on).and(payments::amount.eq(payment.amount.amount())))
        .filter(payments::method.eq(&payment.method).and(payments::reference.eq(&payment.reference)));
    diesel::select(diesel::dsl::exists(alike)).get_result(conn).await
}

/// Records a payment and lets it pay `chosen` first, if given, and then the account's oldest open invoices.
/// The invoices' `paid` and status follow from the allocations in the same transaction (`allocations_pay`). `None`: it was recorded before, and nothing is
/// done again.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    by: Option<UserId>,
    payment: &NewPayment,
    chosen: Option<InvoiceId>,
) -> Result<Option<Recorded>, DbError> {
    let id = payment.id;
    let keys = (payments::organization_id.eq(organization), payments::client_id.eq(client), payments::id.eq(id));
    let fields = (
        payments::customer_id.eq(payment.customer),
        payments::account_id.eq(payment.account),
        payments::received_on.eq(payment.received_on),
        payments::amount.eq(payment.amount.amount()),
        payments::currency.eq(&payment.currency),
        payments::method.eq(&payment.method),
        payments::reference.eq(&payment.reference),
        payments::created_by.eq(by.map(|user| user.0)),
    );
    // First of all: of two that come at once, one waits here and then finds it recorded.
    let written =
        diesel::insert_into(payments::table).values((keys, fields)).on_conflict_do_nothing().execute(conn).await?;
    if written == 0 {
        return Ok(None);
    }
    let open: Vec<(InvoiceId, Decimal, Decimal)> = invoices::table
        .filter(invoices::organization_id.eq(organization).and(invoices::client_id.eq(client)))
        .filter(invoices::customer_id.eq(payment.customer).and(invoices::account_id.eq(payment.account)))
        .filter(invoices::status.eq_any(["issued", "part_paid"]))
        .filter(invoices::currency.eq(&payment.currency))
        .select((invoices::id, invoices::total, invoices::paid))
        .order((invoices::due_on.asc(), invoices::number.asc()))
        .for_update()
        .load(conn)
        .await?;
    let (first, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(|(id, ..)| Some(*id) == chosen);
    let open: Vec<(InvoiceId, Money, Money)> =
        first.into_iter().chain(rest).map(|(id, total, paid)| (id, Money::new(total), Money::new(paid))).collect();
    let (allocated, left) = share(payment.amount, open.iter().map(|(id, total, paid)| (*id, *total - *paid)));
    for (invoice, amount) in &allocated {
        let keys = (allocations::organization_id.eq(organization), allocations::client_id.eq(client));
        let row = (
            allocations::payment_id.eq(id),
            allocations::invoice_id.eq(*invoice),
            allocations::customer_id.eq(payment.customer),
            allocations::account_id.eq(payment.account),
            allocations::amount.eq(amount.amount()),
            allocations::created_by.eq(by.map(|user| user.0)),
        );
        diesel::insert_into(allocations::table).values((keys, row)).execute(conn).await?;
    }
    Ok(Some(Recorded { allocated, left }))
}

/// The payment of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    id: PaymentId,
) -> QueryResult<Option<Payment>> {
    let mut conn = conn;
    payments::table
        .filter(payments::organization_id.eq(organization).and(payments::client_id.eq(client)).and(payments::id.eq(id)))
        .select(Payment::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// A payment with what it pays of one invoice.
#[derive(Debug, Clone)]
pub struct Paid {
    /// The payment.
    pub payment: Payment,
    /// How much of it pays this invoice.
    pub amount: Decimal,
}

/// What paid an invoice, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn of_invoice(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    invoice: InvoiceId,
) -> QueryResult<Vec<Paid>> {
    let mut conn = conn;
    let same = allocations::organization_id
        .eq(payments::organization_id)
        .and(allocations::client_id.eq(payments::client_id))
        .and(allocations::payment_id.eq(payments::id));
    let rows: Vec<(Payment, Decimal)> = allocations::table
        .inner_join(payments::table.on(same))
        .filter(allocations::organization_id.eq(organization).and(allocations::client_id.eq(client)))
        .filter(allocations::invoice_id.eq(invoice))
        .select((Payment::as_select(), allocations::amount))
        .order((payments::received_on.desc(), payments::id.desc()))
        .load(&mut conn)
        .await?;
    Ok(rows.into_iter().map(|(payment, amount)| Paid { payment, amount }).collect())
}

/// The latest payments, of one customer or of all.
///
/// # Errors
/// When the database fails.
pub async fn recent(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    customer: Option<CustomerId>,
    limit: i64,
) -> QueryResult<Vec<Payment>> {
    let mut conn = conn;
    let query = payments::table
        .filter(payments::organization_id.eq(organization).and(payments::client_id.eq(client)))
        .select(Payment::as_select())
        .order((payments::received_on.desc(), payments::id.desc()))
        .limit(limit);
    match customer {
        None => query.load(&mut conn).await,
        Some(customer) => query.filter(payments::customer_id.eq(customer)).load(&mut conn).await,
    }
}

/// Money received from a day (included) to a day (excluded).
///
/// # Errors
/// When the database fails.
pub async fn received(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<Decimal> {
    let mut conn = conn;
    let total: Option<Decimal> = payments::table
        .filter(payments::organization_id.eq(organization).and(payments::client_id.eq(client)))
        .filter(payments::received_on.ge(from).and(payments::received_on.lt(to)).and(payments::method.ne("credit")))
        .select(sum(payments::amount))
        .first(&mut conn)
        .await?;
    Ok(total.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_payment_pays_the_oldest_first_and_keeps_the_rest_as_credit() {
        let (one, two) = (InvoiceId::fresh(), InvoiceId::fresh());
        let open = [(one, Money::from_cents(5000)), (two, Money::from_cents(3000))];
        let (shares, left) = share(Money::from_cents(6000), open);
        assert_eq!(shares, [(one, Money::from_cents(5000)), (two, Money::from_cents(1000))]);
        assert_eq!(left, Money::ZERO);
        let (shares, left) = share(Money::from_cents(9000), open);
        assert_eq!((shares.len(), left), (2, Money::from_cents(1000)));
    }

    #[test]
    fn an_invoice_that_is_in_credit_takes_nothing() {
        let (shares, left) = share(Money::from_cents(100), [(InvoiceId::fresh(), Money::from_cents(-200))]);
        assert_eq!((shares.len(), left), (0, Money::from_cents(100)));
    }
}

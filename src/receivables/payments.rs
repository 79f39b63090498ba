//! Payments: money received on customers' accounts, and which invoices it pays. What a payment has left over is the
//! account's credit; [`crate::billing::issue`] lets it pay the next bills. Each payment and allocation books itself
//! in the [ledger](crate::receivables::ledger).

use chrono::NaiveDate;
use diesel::dsl::sum;
use diesel::prelude::*;
use diesel::sql_types::{Date, Numeric, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde_json::json;

use crate::audit::{self, Entry};
use crate::db::schema::{allocations, invoices as invoice_rows, payments};
use crate::db::{Cached, DbError, Tenant};
use crate::parties::clients::{self, Client};
use crate::receivables::invoices::{self, Invoice};
use crate::values::days::{self, Unlikely};
use crate::values::ids::{AccountId, CustomerId, InvoiceId, PaymentId};
use crate::values::money::Money;
use crate::values::written::amount;

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
    /// How: one of [`METHODS`].
    pub method: String,
    /// What the payer wrote.
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

/// What recording a payment came to.
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

/// Why a payment was not recorded: codes with their figures; the words are the web's.
#[derive(Debug, thiserror::Error)]
pub enum PaymentError {
    /// The invoice is not there, or not to be seen.
    #[error("there is no such invoice")]
    NotFound,
    /// A draft cannot be paid.
    #[error("the invoice is a draft")]
    Draft,
    /// Nothing, or less.
    #[error("the amount is not more than nothing")]
    Nothing,
    /// The day is hardly meant.
    #[error("the day is hardly meant: {0:?}")]
    Unlikely(Unlikely),
    /// None of [`METHODS`].
    #[error("no such method")]
    NoSuchMethod,
    /// The very same was recorded already under another id. It may be one payment recorded twice.
    #[error("the same payment is recorded already")]
    Alike,
    /// It was recorded before, as this; nothing was done again.
    #[error("this payment was recorded before")]
    RecordedBefore(Box<Payment>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for PaymentError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Money that came in for an invoice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// The payment's id, made with the form: what is sent twice is one payment.
    pub id: PaymentId,
    /// How much, in the invoice's currency.
    pub amount: Money,
    /// On which day.
    pub received_on: NaiveDate,
    /// How; see [`METHODS`].
    pub method: String,
    /// What the payer wrote.
    pub reference: String,
    /// It came once more although the very same is recorded already.
    pub another: bool,
}

impl Received {
    fn check(&self, today: NaiveDate) -> Result<(), PaymentError> {
        if self.amount <= Money::ZERO {
            return Err(PaymentError::Nothing);
        }
        if let Some(unlikely) = days::received(self.received_on, today) {
            return Err(PaymentError::Unlikely(unlikely));
        }
        let known = METHODS.iter().any(|(code, _)| *code == self.method);
        if known { Ok(()) } else { Err(PaymentError::NoSuchMethod) }
    }

    /// As the payment of an invoice's customer.
    fn by_customer_of(&self, invoice: &Invoice) -> NewPayment {
        NewPayment {
            id: self.id,
            customer: invoice.customer_id,
            account: invoice.account_id,
            amount: self.amount,
            currency: invoice.currency.clone(),
            received_on: self.received_on,
            method: self.method.clone(),
            reference: self.reference.clone(),
        }
    }
}

/// Records money that came in for an invoice, on record: it pays that invoice first, and then its customer's oldest.
///
/// # Errors
/// [`PaymentError`].
pub async fn record(tx: &mut Tenant, invoice: InvoiceId, received: &Received) -> Result<Recorded, PaymentError> {
    let owner = clients::current(tx).await?;
    let invoice = invoices::find(tx, invoice).await?.ok_or(PaymentError::NotFound)?;
    if invoice.status == "draft" {
        return Err(PaymentError::Draft);
    }
    received.check(owner.today())?;
    let payment = received.by_customer_of(&invoice);
    in_turn(tx, payment.customer).await?;
    if !received.another && is_recorded_alike(tx, &payment).await? {
        return Err(PaymentError::Alike);
    }
    let Some(recorded) = allocate(tx, &payment, Some(invoice.id)).await? else {
        let before = find(tx, payment.id).await?.ok_or(PaymentError::NotFound)?;
        return Err(PaymentError::RecordedBefore(Box::new(before)));
    };
    audit::note(tx, entry(&payment, &recorded, &invoice, &owner)).await?;
    Ok(recorded)
}

/// What the log says of a payment, as the client writes figures.
fn entry(payment: &NewPayment, recorded: &Recorded, invoice: &Invoice, owner: &Client) -> Entry<'static> {
    let amount = amount(payment.amount.amount(), &payment.currency, &owner.locale);
    let shares = recorded.allocated.iter().map(|(invoice, part)| format!("{} to {invoice}", part.amount()));
    let mut details = audit::created(payment);
    details["allocated"] = shares.collect();
    details["left"] = json!(recorded.left);
    Entry {
        action: "record",
        entity: "payment",
        entity_id: Some(payment.id.0),
        customer: Some(payment.customer),
        summary: format!("Recorded a payment of {amount} by {}", invoice.customer_name),
        details,
    }
}

/// Lets payments of a customer be recorded one after the other: of two at once, the second waits here until the first has
/// ended, and then finds it with [`is_recorded_alike`]. `NotFound` for a customer that the context does not see.
async fn in_turn(tx: &mut Tenant, customer: CustomerId) -> QueryResult<()> {
    crate::parties::customers::locked(tx, customer).await?.ok_or(diesel::result::Error::NotFound).map(|_| ())
}

/// Whether the very same was recorded already under another id: on the account, as much, that day, in the same way, with
/// the same reference.
async fn is_recorded_alike(tx: &Tenant, payment: &NewPayment) -> QueryResult<bool> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let alike = payments::table
        .filter(payments::organization_id.eq(organization).and(payments::client_id.eq(client)))
        .filter(payments::customer_id.eq(payment.customer).and(payments::account_id.eq(payment.account)))
        .filter(payments::id.ne(payment.id))
        .filter(payments::received_on.eq(payment.received_on).and(payments::amount.eq(payment.amount.amount())))
        .filter(payments::method.eq(&payment.method).and(payments::reference.eq(&payment.reference)));
    diesel::select(diesel::dsl::exists(alike)).get_result(&mut conn).await
}

/// Records a payment and lets it pay `chosen` first, if given, and then the account's oldest open invoices.
/// The invoices' `paid` and status follow from the allocations in the same transaction (`allocations_pay`). `None`: it was recorded before, and nothing is
/// done again.
async fn allocate(
    tx: &mut Tenant,
    payment: &NewPayment,
    chosen: Option<InvoiceId>,
) -> Result<Option<Recorded>, DbError> {
    let ((organization, client), by) = (tx.client()?, tx.author()?.user);
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
        diesel::insert_into(payments::table).values((keys, fields)).on_conflict_do_nothing().execute(&mut **tx).await?;
    if written == 0 {
        return Ok(None);
    }
    let open: Vec<(InvoiceId, Decimal, Decimal)> = invoice_rows::table
        .filter(invoice_rows::organization_id.eq(organization).and(invoice_rows::client_id.eq(client)))
        .filter(invoice_rows::customer_id.eq(payment.customer))
        .filter(invoice_rows::account_id.eq(payment.account).and(invoice_rows::status.eq_any(["issued", "part_paid"])))
        .filter(invoice_rows::currency.eq(&payment.currency))
        .select((invoice_rows::id, invoice_rows::total, invoice_rows::paid))
        .order((invoice_rows::due_on.asc(), invoice_rows::number.asc()))
        .for_update()
        .load(&mut **tx)
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
        diesel::insert_into(allocations::table).values((keys, row)).execute(&mut **tx).await?;
    }
    Ok(Some(Recorded { allocated, left }))
}

/// The payment of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, id: PaymentId) -> QueryResult<Option<Payment>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    payments::table
        .filter(payments::organization_id.eq(organization).and(payments::client_id.eq(client)).and(payments::id.eq(id)))
        .select(Payment::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// What pays a part of an invoice.
#[derive(Debug, Clone)]
pub struct Paid {
    /// The payment; of credit, the bill that left it, told as a payment of method `credit` with the bill's number.
    pub payment: Payment,
    /// How much of it pays this invoice.
    pub amount: Decimal,
}

/// What paid an invoice, the latest first: payments, and credit of other bills.
///
/// # Errors
/// When the database fails.
pub async fn of_invoice(tx: &Tenant, invoice: InvoiceId) -> QueryResult<Vec<Paid>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    // One round trip: what it is paid with, whichever it is.
    let rows: Vec<PaidRow> = Cached(
        diesel::sql_query(
            "SELECT s.id, s.customer_id, s.received_on, s.whole, s.currency, s.method, s.reference, a.amount \
             FROM (SELECT * FROM public.allocations WHERE organization_id = $1 AND client_id = $2 AND invoice_id = $3 OFFSET 0) a \
             CROSS JOIN LATERAL (SELECT p.id, p.customer_id, p.received_on, p.amount AS whole, p.currency, p.method, p.reference \
                 FROM public.payments p WHERE p.organization_id = $1 AND p.client_id = $2 AND p.id = a.payment_id \
                 UNION ALL SELECT i.id, i.customer_id, i.issued_on, -i.total, i.currency, 'credit', i.label \
                 FROM public.invoices i WHERE i.organization_id = $1 AND i.client_id = $2 AND i.id = a.credit_id) s \
             ORDER BY s.received_on DESC, s.id DESC",
        )
        .bind::<SqlUuid, _>(organization)
        .bind::<SqlUuid, _>(client)
        .bind::<SqlUuid, _>(invoice),
    )
    .load(&mut conn)
    .await?;
    Ok(rows.into_iter().map(Paid::from).collect())
}

#[derive(QueryableByName)]
struct PaidRow {
    #[diesel(sql_type = SqlUuid)]
    id: PaymentId,
    #[diesel(sql_type = SqlUuid)]
    customer_id: CustomerId,
    #[diesel(sql_type = Date)]
    received_on: NaiveDate,
    #[diesel(sql_type = Numeric)]
    whole: Decimal,
    #[diesel(sql_type = Text)]
    currency: String,
    #[diesel(sql_type = Text)]
    method: String,
    #[diesel(sql_type = Text)]
    reference: String,
    #[diesel(sql_type = Numeric)]
    amount: Decimal,
}

impl From<PaidRow> for Paid {
    fn from(row: PaidRow) -> Self {
        let payment = Payment {
            id: row.id,
            customer_id: row.customer_id,
            received_on: row.received_on,
            amount: row.whole,
            currency: row.currency,
            method: row.method,
            reference: row.reference,
        };
        Self { payment, amount: row.amount }
    }
}

/// The latest payments, of one customer or of all.
///
/// # Errors
/// When the database fails.
pub async fn recent(tx: &Tenant, customer: Option<CustomerId>, limit: i64) -> QueryResult<Vec<Payment>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
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
pub async fn received(tx: &Tenant, from: NaiveDate, to: NaiveDate) -> QueryResult<Decimal> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let total: Option<Decimal> = payments::table
        .filter(payments::organization_id.eq(organization).and(payments::client_id.eq(client)))
        .filter(payments::received_on.ge(from).and(payments::received_on.lt(to)))
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

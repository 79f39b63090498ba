//! What a customer owes, on all accounts together, and the bills of one customer.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date, Nullable, Numeric, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::db::schema::invoices;
use crate::db::{Cached, Tenant};
use crate::receivables::invoices::Invoice;
use crate::values::ids::{CustomerId, InvoiceId};

/// What a customer owes.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Owed {
    /// The balance of the [ledger](crate::receivables::ledger): what is open on bills, less the credit kept; negative: in credit.
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    /// Credit kept: what payments have left over, and what bills left in the customer's favour.
    #[diesel(sql_type = Numeric)]
    pub credit: Decimal,
    /// Of the open past its day.
    #[diesel(sql_type = Numeric)]
    pub overdue: Decimal,
    /// Invoices that are open.
    #[diesel(sql_type = BigInt)]
    pub invoices: i64,
    /// The earliest day by which something open is to be paid.
    #[diesel(sql_type = Nullable<Date>)]
    pub due_on: Option<NaiveDate>,
}

/// What a customer owes on a day.
///
/// # Errors
/// When the database fails.
pub async fn owed(tx: &Tenant, customer: CustomerId, today: NaiveDate) -> QueryResult<Owed> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let query = sql_query(
        "SELECT min(kept.balance) AS amount, min(kept.credit) AS credit,
            coalesce(sum(total - paid) FILTER (WHERE total > paid AND due_on < $4), 0) AS overdue,
            count(*) FILTER (WHERE total > paid) AS invoices,
            min(due_on) FILTER (WHERE total > paid) AS due_on
         FROM (SELECT coalesce(sum(l.amount), 0) AS balance,
                 coalesce(-sum(l.amount) FILTER (WHERE l.ledger_account = 'unapplied'), 0) AS credit
             FROM public.ledger_lines l WHERE l.organization_id = $1 AND l.client_id = $2 AND l.customer_id = $3
                 AND l.ledger_account IN ('receivable', 'unapplied')) kept
         LEFT JOIN public.invoices ON organization_id = $1 AND client_id = $2 AND customer_id = $3
             AND status IN ('issued', 'part_paid')",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(client)
    .bind::<SqlUuid, _>(customer)
    .bind::<Date, _>(today);
    Cached(query).get_result(&mut conn).await
}

/// What a kWh of a bill came to, all charges and tax included; `None` without usage.
#[must_use]
pub fn price(bill: &Invoice) -> Option<Decimal> {
    (bill.kwh > Decimal::ZERO).then(|| bill.total / bill.kwh)
}

/// Whether money is open on a bill.
#[must_use]
pub fn is_open(bill: &Invoice) -> bool {
    matches!(bill.status.as_str(), "issued" | "part_paid") && bill.open() > Decimal::ZERO
}

/// Where a page of bills begins: after this one, going back in time.
pub type Cursor = (NaiveDate, InvoiceId);

/// The issued bills of a customer, the latest first, from before `before` on.
///
/// # Errors
/// When the database fails.
pub async fn bills(tx: &Tenant, customer: CustomerId, before: Option<Cursor>, limit: i64) -> QueryResult<Vec<Invoice>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let mut query = invoices::table
        .filter(invoices::organization_id.eq(organization))
        .filter(invoices::client_id.eq(client).and(invoices::customer_id.eq(customer)))
        .filter(invoices::status.ne("draft"))
        .select(Invoice::as_select())
        .order((invoices::issued_on.desc(), invoices::id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some((on, id)) = before {
        query = query.filter(invoices::issued_on.lt(on).or(invoices::issued_on.eq(on).and(invoices::id.lt(id))));
    }
    query.load(&mut conn).await
}

/// A bill beside the one before it and the one of a year ago.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The latest.
    pub now: Invoice,
    /// The one before.
    pub before: Option<Invoice>,
    /// The one that holds the same day a year ago.
    pub last_year: Option<Invoice>,
}

/// Finds the latest invoice that stands among bills, and what to compare it with. Credit notes and credited
/// invoices are left out.
#[must_use]
pub fn compare(bills: &[Invoice]) -> Option<Compared> {
    let mut standing: Vec<&Invoice> =
        bills.iter().filter(|bill| bill.kind == "invoice" && bill.status != "credited").collect();
    standing.sort_by(|a, b| b.period_from.cmp(&a.period_from).then_with(|| b.issued_on.cmp(&a.issued_on)));
    let [now, ..] = standing.as_slice() else { return None };
    let now = (*now).clone();
    let before = standing.iter().find(|bill| bill.period_to <= now.period_from).map(|bill| (*bill).clone());
    let middle = now.period_from + (now.period_to - now.period_from) / 2;
    let day = middle.checked_sub_months(chrono::Months::new(12))?;
    let last_year =
        standing.iter().find(|bill| bill.period_from <= day && day < bill.period_to).map(|bill| (*bill).clone());
    Some(Compared { now, before, last_year })
}

/// Why one bill differs from another: the part that comes from usage, and the part that comes from the price of
/// a kWh. Both sum to the difference.
#[must_use]
pub fn why(now: &Invoice, before: &Invoice) -> Option<(Decimal, Decimal)> {
    let each = price(before)?;
    let usage = crate::values::money::Rounding::HalfAwayFromZero.apply((now.kwh - before.kwh) * each, 2);
    Some((usage, now.total - before.total - usage))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(from: &str, to: &str, kwh: i64, cents: i64, status: &str) -> Invoice {
        Invoice {
            id: InvoiceId::fresh(),
            customer_id: CustomerId::fresh(),
            account_id: crate::values::ids::AccountId::fresh(),
            billing_run_id: None,
            kind: "invoice".into(),
            status: status.into(),
            label: from.into(),
            customer_name: String::new(),
            account_number: String::new(),
            billing_address: String::new(),
            period_from: from.parse().unwrap(),
            period_to: to.parse().unwrap(),
            issued_on: Some(to.parse().unwrap()),
            due_on: None,
            currency: "USD".into(),
            tariff_name: String::new(),
            kwh: Decimal::from(kwh),
            estimated: false,
            net: Decimal::new(cents, 2),
            tax: Decimal::ZERO,
            total: Decimal::new(cents, 2),
            paid: Decimal::ZERO,
            created_at: chrono::DateTime::UNIX_EPOCH,
        }
    }

    #[test]
    fn a_bill_is_compared_with_the_one_before_and_the_one_of_a_year_ago() {
        let bills = [
            bill("2026-10-01", "2026-11-01", 100, 2000, "credited"),
            bill("2026-09-01", "2026-10-01", 120, 2400, "issued"),
            bill("2026-08-01", "2026-09-01", 100, 1900, "paid"),
            bill("2025-09-01", "2025-10-01", 90, 1700, "paid"),
        ];
        let compared = compare(&bills).unwrap();
        assert_eq!(compared.now.label, "2026-09-01");
        assert_eq!(compared.before.unwrap().label, "2026-08-01");
        assert_eq!(compared.last_year.unwrap().label, "2025-09-01");
        assert!(compare(&[]).is_none());
    }

    #[test]
    fn usage_and_price_explain_the_whole_difference() {
        let now = bill("2026-09-01", "2026-10-01", 120, 2500, "issued");
        let before = bill("2026-08-01", "2026-09-01", 100, 1900, "paid");
        let (usage, price) = why(&now, &before).unwrap();
        assert_eq!((usage, price), (Decimal::new(380, 2), Decimal::new(220, 2)));
        assert_eq!(usage + price, now.total - before.total);
    }
}

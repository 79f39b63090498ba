//! The account as its customer reads it: what is owed, and the bills of one customer.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date, Nullable, Numeric, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use crate::db::schema::invoices;
use crate::ids::{ClientId, CustomerId, InvoiceId, OrganizationId};

/// Which account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// Its organization.
    pub organization: OrganizationId,
    /// Its client.
    pub client: ClientId,
    /// The customer.
    pub customer: CustomerId,
}

/// What is owed on an account.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Owed {
    /// Open on all issued invoices, less what credit notes leave; negative: in credit.
    #[diesel(sql_type = Numeric)]
    pub amount: Decimal,
    /// Of it past its day.
    #[diesel(sql_type = Numeric)]
    pub overdue: Decimal,
    /// Invoices that are open.
    #[diesel(sql_type = BigInt)]
    pub invoices: i64,
    /// The earliest day by which something open is to be paid.
    #[diesel(sql_type = Nullable<Date>)]
    pub due_on: Option<NaiveDate>,
}

/// What is owed on an account on a day.
///
/// # Errors
/// When the database fails.
pub async fn owed(conn: &mut AsyncPgConnection, key: Key, today: NaiveDate) -> QueryResult<Owed> {
    sql_query(
        "SELECT coalesce(sum(total - paid), 0) AS amount,
            coalesce(sum(total - paid) FILTER (WHERE total > paid AND due_on < $4), 0) AS overdue,
            count(*) FILTER (WHERE total > paid) AS invoices,
            min(due_on) FILTER (WHERE total > paid) AS due_on
         FROM public.invoices
         WHERE organization_id = $1 AND client_id = $2 AND customer_id = $3 AND status IN ('issued', 'part_paid')",
    )
    .bind::<SqlUuid, _>(key.organization)
    .bind::<SqlUuid, _>(key.client)
    .bind::<SqlUuid, _>(key.customer)
    .bind::<Date, _>(today)
    .get_result(conn)
    .await
}

/// A bill in the list of an account: an issued invoice or credit note.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = invoices)]
pub struct Bill {
    /// Its id.
    pub id: InvoiceId,
    /// `invoice` or `credit_note`.
    pub kind: String,
    /// `issued`, `part_paid`, `paid`, `credited`.
    pub status: String,
    /// The number as printed.
    pub label: String,
    /// First day.
    pub period_from: NaiveDate,
    /// The day after the last.
    pub period_to: NaiveDate,
    /// When it was issued.
    pub issued_on: Option<NaiveDate>,
    /// By when it is to be paid.
    pub due_on: Option<NaiveDate>,
    /// The tariff's name.
    pub tariff_name: String,
    /// Energy.
    pub kwh: Decimal,
    /// Whether a part was estimated.
    pub estimated: bool,
    /// What it comes to, with tax.
    pub total: Decimal,
    /// What was paid of it.
    pub paid: Decimal,
}

impl Bill {
    /// How many days it is for.
    #[must_use]
    pub fn days(&self) -> i64 {
        (self.period_to - self.period_from).num_days()
    }

    /// What is open on it.
    #[must_use]
    pub fn open(&self) -> Decimal {
        if matches!(self.status.as_str(), "issued" | "part_paid") { self.total - self.paid } else { Decimal::ZERO }
    }

    /// What a kWh came to, all charges and tax included; `None` without usage.
    #[must_use]
    pub fn price(&self) -> Option<Decimal> {
        (self.kwh > Decimal::ZERO).then(|| self.total / self.kwh)
    }
}

/// Where a page of bills begins: after this one, going back in time.
pub type Cursor = (NaiveDate, InvoiceId);

/// The issued bills of an account, the latest first, from before `before` on.
///
/// # Errors
/// When the database fails.
pub async fn bills(
    conn: &mut AsyncPgConnection,
    key: Key,
    before: Option<Cursor>,
    limit: i64,
) -> QueryResult<Vec<Bill>> {
    let mut query = invoices::table
        .filter(invoices::organization_id.eq(key.organization))
        .filter(invoices::client_id.eq(key.client).and(invoices::customer_id.eq(key.customer)))
        .filter(invoices::status.ne("draft"))
        .select(Bill::as_select())
        .order((invoices::issued_on.desc(), invoices::id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some((on, id)) = before {
        query = query.filter(invoices::issued_on.lt(on).or(invoices::issued_on.eq(on).and(invoices::id.lt(id))));
    }
    query.load(conn).await
}

/// A bill beside the one before it and the one of a year ago.
#[derive(Debug, Clone)]
pub struct Compared {
    /// The latest.
    pub now: Bill,
    /// The one before.
    pub before: Option<Bill>,
    /// The one that holds the same day a year ago.
    pub last_year: Option<Bill>,
}

/// Finds the latest invoice that stands among bills, and what to compare it with. Credit notes and credited
/// invoices are left out.
#[must_use]
pub fn compare(bills: &[Bill]) -> Option<Compared> {
    let mut standing: Vec<&Bill> =
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
pub fn why(now: &Bill, before: &Bill) -> Option<(Decimal, Decimal)> {
    let price = before.price()?;
    let usage = crate::money::Rounding::HalfAwayFromZero.apply((now.kwh - before.kwh) * price, 2);
    Some((usage, now.total - before.total - usage))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bill(from: &str, to: &str, kwh: i64, cents: i64, status: &str) -> Bill {
        Bill {
            id: InvoiceId::fresh(),
            kind: "invoice".into(),
            status: status.into(),
            label: from.into(),
            period_from: from.parse().unwrap(),
            period_to: to.parse().unwrap(),
            issued_on: Some(to.parse().unwrap()),
            due_on: None,
            tariff_name: String::new(),
            kwh: Decimal::from(kwh),
            estimated: false,
            total: Decimal::new(cents, 2),
            paid: Decimal::ZERO,
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

//! What needs attention at a client, in figures that are cheap to find.

use chrono::{DateTime, Datelike, Months, NaiveDate, Utc};
use diesel::sql_types::{BigInt, Date, Numeric, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::access::ClientSummary;
use crate::db::AtClient;
use crate::db::{Cached, Tenant};
use crate::usage::days::day_start;
use crate::values::ids::InvoiceId;
use crate::values::period::Period;

/// What needs attention, and money in and out this month.
#[derive(Debug, Clone, QueryableByName)]
pub struct Attention {
    /// Contracts that are held: rating made no bill of their days.
    #[diesel(sql_type = BigInt)]
    pub blocked: i64,
    /// Runs waiting for rating.
    #[diesel(sql_type = BigInt)]
    pub open_runs: i64,
    /// Runs waiting for approval: rated, with drafts to approve.
    #[diesel(sql_type = BigInt)]
    pub rated_runs: i64,
    /// Runs waiting for issue.
    #[diesel(sql_type = BigInt)]
    pub approved_runs: i64,
    /// Sum of the invoices issued this month.
    #[diesel(sql_type = Numeric)]
    pub invoiced: Decimal,
    /// Money received this month.
    #[diesel(sql_type = Numeric)]
    pub received: Decimal,
    /// Invoices overdue.
    #[diesel(sql_type = BigInt)]
    pub overdue: i64,
    /// What they have left to pay.
    #[diesel(sql_type = Numeric)]
    pub overdue_amount: Decimal,
    /// Customers with a running contract that has no tariff today.
    #[diesel(sql_type = BigInt)]
    pub without_tariff: i64,
    /// Customers with a running contract that has no meter today.
    #[diesel(sql_type = BigInt)]
    pub without_meter: i64,
    /// Invoices whose usage changed after they were issued, and that are not credited yet.
    #[diesel(sql_type = BigInt)]
    pub changed: i64,
    /// Imports of the last 30 days with lines refused.
    #[diesel(sql_type = BigInt)]
    pub imports_rejected: i64,
}

const ATTENTION: &str = "\
SELECT p.*, r.*, o.*, \
  (SELECT count(DISTINCT c.customer_id) FROM public.contracts c WHERE c.organization_id = $1 AND c.client_id = $2 AND c.status = 'agreed' AND c.from_on <= $3 AND (c.to_on IS NULL OR c.to_on > $3) \
     AND NOT EXISTS (SELECT 1 FROM public.tariff_agreements a WHERE a.organization_id = $1 AND a.client_id = $2 \
       AND a.customer_id = c.customer_id AND a.contract_id = c.id AND a.part = 'supply' AND a.valid_from <= $3 \
       AND (a.valid_to IS NULL OR a.valid_to > $3))) AS without_tariff, \
  (SELECT count(DISTINCT c.customer_id) FROM public.contracts c WHERE c.organization_id = $1 AND c.client_id = $2 AND c.status = 'agreed' AND c.from_on <= $3 AND (c.to_on IS NULL OR c.to_on > $3) \
     AND NOT EXISTS (SELECT 1 FROM public.contract_meters m WHERE m.organization_id = $1 AND m.client_id = $2 \
       AND m.customer_id = c.customer_id AND m.contract_id = c.id AND m.from_on <= $3 AND (m.to_on IS NULL OR m.to_on > $3))) AS without_meter, \
  (SELECT count(DISTINCT b.invoice_id) FROM public.billing_exceptions e JOIN public.billing_periods b ON b.organization_id = $1 AND b.client_id = $2 \
       AND b.customer_id = e.customer_id AND b.id = e.billing_period_id AND b.status = 'issued' \
     WHERE e.organization_id = $1 AND e.client_id = $2 AND e.kind = 'usage_changed') AS changed, \
  (SELECT count(*) FROM public.imports i WHERE i.organization_id = $1 AND i.client_id = $2 \
     AND i.created_at > now() - interval '30 days' AND i.rejected > 0) AS imports_rejected \
FROM (SELECT (SELECT count(*) FROM public.billing_periods h WHERE h.organization_id = $1 AND h.client_id = $2 AND h.status = 'held') AS blocked, \
        count(*) FILTER (WHERE status = 'open') AS open_runs, \
        count(*) FILTER (WHERE status = 'rated' AND invoices > 0) AS rated_runs, \
        count(*) FILTER (WHERE status = 'approved') AS approved_runs, \
        coalesce(sum(total) FILTER (WHERE issued_at >= $5), 0) AS invoiced \
      FROM public.billing_runs WHERE organization_id = $1 AND client_id = $2) p, \
     (SELECT coalesce(sum(amount), 0) AS received FROM public.payments \
      WHERE organization_id = $1 AND client_id = $2 AND received_on >= $4 AND received_on <= $3) r, \
     (SELECT count(*) AS overdue, coalesce(sum(total - paid), 0) AS overdue_amount FROM public.invoices \
      WHERE organization_id = $1 AND client_id = $2 AND status IN ('issued', 'part_paid') AND due_on < $3) o";

/// What needs attention at a client today.
///
/// # Errors
/// When the database fails.
pub async fn attention(tx: &Tenant, client: &ClientSummary) -> QueryResult<Attention> {
    let (here, mut conn) = (AtClient::here(tx)?, tx.shared());
    let today = client.today();
    let month = Period::month_of(today).from();
    let month_start: DateTime<Utc> = day_start(client.zone(), month);
    Cached(
        sql_query(ATTENTION)
            .bind::<SqlUuid, _>(here.organization)
            .bind::<SqlUuid, _>(here.client)
            .bind::<Date, _>(today)
            .bind::<Date, _>(month)
            .bind::<Timestamptz, _>(month_start),
    )
    .get_result(&mut conn)
    .await
}

/// An invoice whose usage changed after it was issued.
#[derive(Debug, Clone, QueryableByName)]
pub struct Changed {
    /// The invoice.
    #[diesel(sql_type = SqlUuid)]
    pub invoice: InvoiceId,
    /// Its number.
    #[diesel(sql_type = Text)]
    pub label: String,
    /// Its customer's account.
    #[diesel(sql_type = Text)]
    pub account_number: String,
    /// Its customer.
    #[diesel(sql_type = Text)]
    pub customer_name: String,
    /// What changed, as a sentence.
    #[diesel(sql_type = Text)]
    pub message: String,
    /// When the change came.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
}

/// The invoices whose usage changed after they were issued, the latest change first. They stay as they are: each is
/// corrected by a credit note and a new bill.
///
/// # Errors
/// When the database fails.
pub async fn changed_after_invoice(tx: &Tenant, limit: i64) -> QueryResult<Vec<Changed>> {
    let (here, mut conn) = (AtClient::here(tx)?, tx.shared());
    Cached(
        sql_query(
            "SELECT i.id AS invoice, i.label, i.account_number, i.customer_name, e.message, e.created_at AS at \
             FROM public.billing_exceptions e JOIN public.billing_periods p ON p.organization_id = e.organization_id \
                 AND p.client_id = e.client_id AND p.customer_id = e.customer_id AND p.id = e.billing_period_id \
             JOIN public.invoices i ON i.organization_id = p.organization_id AND i.client_id = p.client_id AND i.id = p.invoice_id \
             WHERE e.organization_id = $1 AND e.client_id = $2 AND e.kind = 'usage_changed' AND i.kind = 'invoice' \
                 AND i.status NOT IN ('draft', 'credited') ORDER BY e.created_at DESC, i.id LIMIT $3",
        )
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client)
        .bind::<BigInt, _>(limit),
    )
    .load(&mut conn)
    .await
}

/// Energy billed in a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MonthUsage {
    /// The first day of the month.
    pub month: NaiveDate,
    /// Energy of the runs whose days end in it.
    pub kwh: Decimal,
}

#[derive(QueryableByName)]
struct RunUsage {
    #[diesel(sql_type = Date)]
    from_on: NaiveDate,
    #[diesel(sql_type = Numeric)]
    kwh: Decimal,
}

/// Energy billed in each of the twelve months up to the latest that was rated; empty when none was.
///
/// # Errors
/// When the database fails.
pub async fn usage_by_month(tx: &Tenant) -> QueryResult<Vec<MonthUsage>> {
    let (here, mut conn) = (AtClient::here(tx)?, tx.shared());
    let runs: Vec<RunUsage> = Cached(
        sql_query(
            "SELECT date_trunc('month', due_on - 1)::date AS from_on, sum(kwh) AS kwh FROM public.billing_runs \
             WHERE organization_id = $1 AND client_id = $2 AND status <> 'open' GROUP BY 1 ORDER BY 1 DESC LIMIT 12",
        )
        .bind::<SqlUuid, _>(here.organization)
        .bind::<SqlUuid, _>(here.client),
    )
    .load(&mut conn)
    .await?;
    Ok(twelve_months(&runs))
}

fn twelve_months(periods: &[RunUsage]) -> Vec<MonthUsage> {
    let Some(last) = periods.iter().map(|period| period.from_on).max() else { return vec![] };
    let last = Period::month_of(last).from();
    let month = |back: u32| last.checked_sub_months(Months::new(back)).unwrap_or(last);
    let same = |one: NaiveDate, other: NaiveDate| (one.year(), one.month()) == (other.year(), other.month());
    (0..12)
        .rev()
        .map(month)
        .map(|month| {
            let kwh = periods.iter().filter(|period| same(period.from_on, month)).map(|period| period.kwh).sum();
            MonthUsage { month, kwh }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_without_a_run_shows_nothing_and_two_runs_add_up() {
        let of = |day: &str, kwh: i64| RunUsage { from_on: day.parse().unwrap(), kwh: kwh.into() };
        let months = twelve_months(&[of("2026-11-16", 5), of("2026-11-01", 4), of("2026-01-01", 3)]);
        assert_eq!(months.len(), 12);
        assert_eq!(months[11], MonthUsage { month: "2026-11-01".parse().unwrap(), kwh: 9.into() });
        assert_eq!((months[10].kwh, months[1].kwh), (Decimal::ZERO, 3.into()));
        assert!(twelve_months(&[]).is_empty());
    }
}

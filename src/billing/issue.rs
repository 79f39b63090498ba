//! Issuing a period: all its drafts get their numbers in one transaction, without gaps, or none does.

use chrono::{Datelike, Days, NaiveDate};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use super::{BillingError, Desk, credit, locked, order, run, stale, steps, wrong};
use crate::clients::Client;
use crate::db::schema::{billing_periods, invoice_counters};
use crate::ids::BillingPeriodId;

/// What issuing came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// How many invoices were issued now; 0 when they were issued before.
    pub invoices: i64,
    /// Their sum.
    pub total: Decimal,
    /// The first and the last number as printed.
    pub labels: Option<(String, String)>,
    /// How much of them customers' credit paid at once.
    pub from_credit: Decimal,
}

/// The number as printed: series, year of issue, number.
#[must_use]
fn label(series: &str, day: NaiveDate, number: i64) -> String {
    format!("{series}-{}-{number:06}", day.year())
}

/// Issues the drafts of an approved period on a day (today where the client is). Numbers are given in the
/// order of account numbers, from the counter of the client's series, which stays locked until the
/// transaction ends: a transaction that fails leaves no gap. Credit that customers have pays what it can of their
/// bills. Issuing again does nothing.
///
/// # Errors
/// [`BillingError::Wrong`] when the period is not approved, an earlier one comes first, or a draft is stale.
pub async fn issue(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    id: BillingPeriodId,
    day: NaiveDate,
) -> Result<Issued, BillingError> {
    let period = locked(conn, desk, id).await?;
    match period.status.as_str() {
        "approved" => {}
        "invoiced" | "closed" => {
            return Ok(Issued { invoices: 0, total: Decimal::ZERO, labels: None, from_credit: Decimal::ZERO });
        }
        _ => return wrong("Approve the period first, then issue its invoices."),
    }
    let terms = u64::try_from(client.payment_terms_days).ok().and_then(|terms| day.checked_add_days(Days::new(terms)));
    let Some(due) = terms else {
        return wrong("The client's payment terms give no day to pay by. Correct them, then issue.");
    };
    order::in_turn(conn, desk, &period).await?;
    hold_usage(conn, desk).await?;
    stale::refuse_stale(conn, desk, client, &period, "Reopen the period and rate it again.").await?;
    let series = client.invoice_series.as_str();
    let last = take_counter(conn, desk, series).await?;
    let count = number_drafts(conn, desk, client, id, (day, due), last).await?;
    credit::keep(conn, desk, id, day).await?;
    let from_credit = credit::apply(conn, desk, id).await?;
    let fields = (billing_periods::status.eq("invoiced"), billing_periods::issued_at.eq(diesel::dsl::now));
    steps::set(conn, desk, id, fields).await?;
    let done = i32::try_from(count).unwrap_or(i32::MAX);
    run::record_run(conn, desk, id, "issue", period.invoices, done, period.exceptions).await?;
    let labels = (count > 0).then(|| (label(series, day, last + 1), label(series, day, last + count)));
    Ok(Issued { invoices: count, total: period.total, labels, from_credit })
}

/// Lets nobody write usage of the client until the transaction ends, and waits for those who are at it: what is
/// looked at next is what is issued, and a change after it finds the invoices (`tell_changed_days`).
async fn hold_usage(conn: &mut AsyncPgConnection, desk: &Desk) -> QueryResult<()> {
    sql_query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))")
        .bind::<Text, _>(format!("usage {} {}", desk.organization, desk.client))
        .execute(conn)
        .await?;
    Ok(())
}

/// The last number given in a series, its row locked; made when it is the first.
async fn take_counter(conn: &mut AsyncPgConnection, desk: &Desk, series: &str) -> QueryResult<i64> {
    let row = (
        invoice_counters::organization_id.eq(desk.organization),
        invoice_counters::client_id.eq(desk.client),
        invoice_counters::series.eq(series),
        invoice_counters::created_by.eq(desk.by.map(|user| user.0)),
    );
    diesel::insert_into(invoice_counters::table).values(row).on_conflict_do_nothing().execute(conn).await?;
    invoice_counters::table
        .filter(
            invoice_counters::organization_id.eq(desk.organization).and(invoice_counters::client_id.eq(desk.client)),
        )
        .filter(invoice_counters::series.eq(series))
        .select(invoice_counters::last_number)
        .for_update()
        .first(conn)
        .await
}

/// Numbers the drafts after `last`; how many there were. An account's own days to pay go before the client's. What comes to nothing or less is settled: nobody has to pay it.
/// The database moves the counter, prints the numbers and marks the lines (`issuing_takes_numbers`).
async fn number_drafts(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    id: BillingPeriodId,
    (day, due): (NaiveDate, NaiveDate),
    last: i64,
) -> QueryResult<i64> {
    let count = sql_query(
        "UPDATE public.invoices i SET number = $4 + d.place, series = $5, \
             issued_on = $6, due_on = coalesce($6 + d.terms, $7), \
             status = CASE WHEN i.total <= 0 THEN 'paid' ELSE 'issued' END, paid = least(i.total, 0) \
         FROM (SELECT x.id, n.payment_terms_days::integer AS terms, row_number() OVER (ORDER BY x.account_number, x.id) AS place \
             FROM public.invoices x JOIN public.accounts n ON n.organization_id = $1 AND n.client_id = $2 \
                 AND n.customer_id = x.customer_id AND n.id = x.account_id \
             WHERE x.organization_id = $1 AND x.client_id = $2 AND x.billing_period_id = $3 AND x.status = 'draft') d \
         WHERE i.organization_id = $1 AND i.client_id = $2 AND i.id = d.id",
    )
    .bind::<SqlUuid, _>(desk.organization)
    .bind::<SqlUuid, _>(desk.client)
    .bind::<SqlUuid, _>(id)
    .bind::<BigInt, _>(last)
    .bind::<Text, _>(&client.invoice_series)
    .bind::<Date, _>(day)
    .bind::<Date, _>(due)
    .execute(conn)
    .await?;
    Ok(i64::try_from(count).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_printed_with_series_and_year_of_issue() {
        let day = "2026-12-01".parse().unwrap();
        assert_eq!(label("NW", day, 412), "NW-2026-000412");
        assert_eq!(label("NW", day, 1_234_567), "NW-2026-1234567");
    }
}

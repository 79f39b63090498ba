//! Issuing a run: its drafts get their numbers batch by batch, each in one transaction, without gaps, or none of it does.

use chrono::{Datelike, Days, NaiveDate};
use diesel::dsl::sum as sum_of;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Date, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use super::account::Finding;
use super::steps::Checked;
use super::{BillingError, BillingRun, Step, credit, locked, log, stale, steps, write};
use crate::audit;
use crate::db::AtClient;
use crate::db::Tenant;
use crate::db::schema::{billing_periods, billing_runs, contracts, invoice_counters, invoices, service_points};
use crate::parties::clients::{self, Client};
use crate::values::ids::{BillingPeriodId, BillingRunId, ContractId, CustomerId, InvoiceId, ServicePointId};

/// Invoices that are issued in one transaction, at most.
pub const AT_ONCE: i64 = 500;

/// What issuing came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Issued {
    /// How many invoices were issued now; 0 when they were issued before.
    pub invoices: i64,
    /// Their sum.
    pub total: Decimal,
    /// The first and the last number as printed.
    pub labels: Option<(String, String)>,
    /// How much of them customers' credit paid at once.
    pub from_credit: Decimal,
    /// How many drafts of the run are still to be issued: issue again.
    pub left: i64,
}

impl Issued {
    /// Both together, of one run.
    #[must_use]
    pub fn and(self, next: Self) -> Self {
        let labels = match (self.labels, next.labels) {
            (Some((first, _)), Some((_, last))) => Some((first, last)),
            (one, other) => one.or(other),
        };
        Self {
            invoices: self.invoices + next.invoices,
            total: self.total + next.total,
            labels,
            from_credit: self.from_credit + next.from_credit,
            left: next.left,
        }
    }
}

/// The number as printed: series, year of issue, number.
#[must_use]
fn label(series: &str, day: NaiveDate, number: i64) -> String {
    format!("{series}-{}-{number:06}", day.year())
}

/// Issues up to [`AT_ONCE`] drafts of an approved run today, where the client is, on record; call it again, in another
/// transaction, as long as some are left. Numbers are given in the order of account numbers, from the counter of the
/// client's series, which is locked last and until the transaction ends: a transaction that fails leaves no gap. Credit
/// that customers have pays what it can of their bills. Issuing a run that is issued does nothing.
///
/// A draft of which something has changed since it was rated refuses the step as long as nothing of the run is issued; after
/// that it is held by itself, for the next run.
///
/// # Errors
/// `NotHere` when the run is not approved, `NoDueDay`, or `Stale`.
pub async fn issue(tx: &mut Tenant, id: BillingRunId) -> Result<Issued, BillingError> {
    let (here, client) = (AtClient::at(tx)?, clients::current(tx).await?);
    let issued = issue_on(tx, &here, &client, id, client.today(), Checked::Now).await?;
    if let Some(summary) = log::issued(&issued, &client) {
        audit::note(tx, log::entry("issue", id, summary, log::of_issuing(&issued))).await?;
    }
    Ok(issued)
}

/// As [`issue`], on a day and without a record.
pub(crate) async fn issue_on(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    id: BillingRunId,
    day: NaiveDate,
    checked: Checked,
) -> Result<Issued, BillingError> {
    let run = locked(conn, here, id).await?;
    match run.status.as_str() {
        "approved" => {}
        "issued" => return Ok(Issued::default()),
        _ => return BillingError::not_here(Step::Issue, &run),
    }
    let terms = u64::try_from(client.payment_terms_days).ok().and_then(|terms| day.checked_add_days(Days::new(terms)));
    let Some(due) = terms else {
        return Err(BillingError::NoDueDay);
    };
    let mut batch = next_drafts(conn, here, id).await?;
    hold_usage(conn, here, &batch).await?;
    // Looked at now that nobody writes usage there.
    let held = match checked {
        Checked::Now => hold_back_stale(conn, here, client, &run, &mut batch).await?,
        Checked::JustNow => HeldBack::default(),
    };
    let series = client.invoice_series.as_str();
    let last = take_counter(conn, here, series).await?;
    let count = number_drafts(conn, here, client, &batch, (day, due), last).await?;
    let periods = billing_periods::table
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::billing_run_id.eq(id).and(billing_periods::invoice_id.eq_any(&batch)));
    diesel::update(periods).set(billing_periods::status.eq("issued")).execute(conn).await?;
    let from_credit = credit::apply(conn, here, &batch).await?;
    let total = sum(conn, here, &batch).await?;
    let left = drafts(conn, here, id).await?;
    if held.contracts > 0 {
        let less = (
            billing_runs::exceptions.eq(billing_runs::exceptions + held.contracts),
            billing_runs::invoices.eq(billing_runs::invoices - held.invoices),
            (billing_runs::kwh.eq(billing_runs::kwh - held.kwh), billing_runs::net.eq(billing_runs::net - held.net)),
            (
                billing_runs::tax.eq(billing_runs::tax - held.tax),
                billing_runs::total.eq(billing_runs::total - held.total),
            ),
        );
        steps::set(conn, here, id, less).await?;
    }
    if left == 0 {
        let fields = (billing_runs::status.eq("issued"), billing_runs::issued_at.eq(diesel::dsl::now));
        steps::set(conn, here, id, fields).await?;
    }
    let labels = (count > 0).then(|| (label(series, day, last + 1), label(series, day, last + count)));
    Ok(Issued { invoices: count, total, labels, from_credit, left })
}

/// The next drafts to issue, by account number.
async fn next_drafts(conn: &mut AsyncPgConnection, here: &AtClient, run: BillingRunId) -> QueryResult<Vec<InvoiceId>> {
    invoices::table
        .filter(invoices::organization_id.eq(here.organization).and(invoices::client_id.eq(here.client)))
        .filter(invoices::billing_run_id.eq(run).and(invoices::status.eq("draft")))
        .select(invoices::id)
        .order((invoices::account_number, invoices::id))
        .limit(AT_ONCE)
        .load(conn)
        .await
}

async fn drafts(conn: &mut AsyncPgConnection, here: &AtClient, run: BillingRunId) -> QueryResult<i64> {
    invoices::table
        .filter(invoices::organization_id.eq(here.organization).and(invoices::client_id.eq(here.client)))
        .filter(invoices::billing_run_id.eq(run).and(invoices::status.eq("draft")))
        .count()
        .get_result(conn)
        .await
}

async fn sum(conn: &mut AsyncPgConnection, here: &AtClient, of: &[InvoiceId]) -> QueryResult<Decimal> {
    let total: Option<Decimal> = invoices::table
        .filter(invoices::organization_id.eq(here.organization).and(invoices::client_id.eq(here.client)))
        .filter(invoices::id.eq_any(of))
        .select(diesel::dsl::sum(invoices::total))
        .first(conn)
        .await?;
    Ok(total.unwrap_or_default())
}

/// Lets nobody write usage at the places of some drafts until the transaction ends, and waits for those who are at it: what
/// is looked at next is what is issued, and a change after it finds the invoices (`tell_changed_days`).
async fn hold_usage(conn: &mut AsyncPgConnection, here: &AtClient, batch: &[InvoiceId]) -> QueryResult<()> {
    let of: Vec<ContractId> = billing_periods::table
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::invoice_id.eq_any(batch))
        .select(billing_periods::contract_id)
        .load(conn)
        .await?;
    let places: Vec<ServicePointId> = contracts::table
        .filter(contracts::organization_id.eq(here.organization).and(contracts::client_id.eq(here.client)))
        .filter(contracts::id.eq_any(of))
        .select(contracts::service_point_id)
        .load(conn)
        .await?;
    service_points::table
        .filter(service_points::organization_id.eq(here.organization).and(service_points::client_id.eq(here.client)))
        .filter(service_points::id.eq_any(places))
        .select(service_points::id)
        .order(service_points::id)
        .for_no_key_update()
        .load::<ServicePointId>(conn)
        .await?;
    Ok(())
}

/// What a run loses with drafts that are held back.
#[derive(Default)]
struct HeldBack {
    contracts: i32,
    invoices: i32,
    kwh: Decimal,
    net: Decimal,
    tax: Decimal,
    total: Decimal,
}

/// Holds the drafts of a batch back that are no longer what rating would make, and takes them out of it.
async fn hold_back_stale(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    run: &BillingRun,
    batch: &mut Vec<InvoiceId>,
) -> Result<HeldBack, BillingError> {
    let drafts = stale::of_drafts(conn, here, client, run, batch).await?;
    if drafts.is_empty() {
        return Ok(HeldBack::default());
    }
    if !steps::issued_some(conn, here, run.id).await? {
        return Err(BillingError::Stale { step: Step::Issue, drafts });
    }
    let gone: Vec<InvoiceId> = drafts.iter().map(|draft| draft.invoice).collect();
    batch.retain(|id| !gone.contains(id));
    let held: Vec<(CustomerId, BillingPeriodId)> = billing_periods::table
        .filter(billing_periods::organization_id.eq(here.organization).and(billing_periods::client_id.eq(here.client)))
        .filter(billing_periods::invoice_id.eq_any(&gone))
        .select((billing_periods::customer_id, billing_periods::id))
        .load(conn)
        .await?;
    let (kwh, net, tax, total): (Option<Decimal>, Option<Decimal>, Option<Decimal>, Option<Decimal>) = invoices::table
        .filter(invoices::organization_id.eq(here.organization).and(invoices::client_id.eq(here.client)))
        .filter(invoices::id.eq_any(&gone))
        .select((sum_of(invoices::kwh), sum_of(invoices::net), sum_of(invoices::tax), sum_of(invoices::total)))
        .first(conn)
        .await?;
    write::take_back(conn, here, &gone).await?;
    let changed = |(customer_id, billing_period_id): (CustomerId, BillingPeriodId)| Finding {
        customer_id,
        billing_period_id,
        kind: "changed",
        severity: "blocks",
        message: "What it was rated from has changed since. The next run rates it again.".to_owned(),
    };
    let findings: Vec<Finding> = held.into_iter().map(changed).collect();
    write::findings(conn, here, &findings).await?;
    let count = |len: usize| i32::try_from(len).unwrap_or(i32::MAX);
    let amount = |sum: Option<Decimal>| sum.unwrap_or_default();
    Ok(HeldBack {
        contracts: count(findings.len()),
        invoices: count(gone.len()),
        kwh: amount(kwh),
        net: amount(net),
        tax: amount(tax),
        total: amount(total),
    })
}

/// The last number given in a series, its row locked; made when it is the first.
async fn take_counter(conn: &mut AsyncPgConnection, here: &AtClient, series: &str) -> QueryResult<i64> {
    let row = (
        invoice_counters::organization_id.eq(here.organization),
        invoice_counters::client_id.eq(here.client),
        invoice_counters::series.eq(series),
        invoice_counters::created_by.eq(here.by.map(|user| user.0)),
    );
    diesel::insert_into(invoice_counters::table).values(row).on_conflict_do_nothing().execute(conn).await?;
    invoice_counters::table
        .filter(
            invoice_counters::organization_id.eq(here.organization).and(invoice_counters::client_id.eq(here.client)),
        )
        .filter(invoice_counters::series.eq(series))
        .select(invoice_counters::last_number)
        .for_update()
        .first(conn)
        .await
}

/// Numbers drafts after `last`; how many there were. An account's own days to pay go before the client's. What comes to
/// nothing or less is settled: nobody has to pay it. The database moves the counter, prints the numbers and marks the lines
/// (`issuing_takes_numbers`).
async fn number_drafts(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    batch: &[InvoiceId],
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
             WHERE x.organization_id = $1 AND x.client_id = $2 AND x.id = ANY ($3) AND x.status = 'draft') d \
         WHERE i.organization_id = $1 AND i.client_id = $2 AND i.id = d.id",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Array<SqlUuid>, _>(batch)
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

    #[test]
    fn two_batches_add_up() {
        let of = |invoices: i64, first: &str, last: &str, left: i64| Issued {
            invoices,
            total: Decimal::from(invoices),
            labels: Some((first.to_owned(), last.to_owned())),
            from_credit: Decimal::ZERO,
            left,
        };
        let both = of(500, "A-1", "A-500", 20).and(of(20, "A-501", "A-520", 0));
        assert_eq!(both, of(520, "A-1", "A-520", 0));
        assert_eq!(Issued::default().and(of(1, "A-1", "A-1", 0)), of(1, "A-1", "A-1", 0));
    }
}

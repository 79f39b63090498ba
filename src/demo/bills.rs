//! Billing: month by month the runs that people would have made, by the same commands; then what customers paid.

use chrono::{DateTime, Days, Utc};
use diesel::prelude::*;
use diesel::sql_types::Timestamptz;
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use serde_json::json;

use super::book::Book;
use super::cast::LastMonth;
use super::payments::{self, Issued};
use super::rows::Rows;
use super::write;
use crate::audit::grouped;
use crate::billing::{self, BillingError, BillingRun, Checked, Explained};
use crate::db::AtClient;
use crate::db::DbError;
use crate::db::schema::invoices;
use crate::parties::clients::Client;
use crate::values::ids::BillingRunId;
use crate::values::period::Period;

/// How many of the last months say why their bills differ: the one billed last and the one that customers see last.
const EXPLAINED: usize = 2;

/// Bills the months of a client's book, and writes what was paid. The bills of the `first` client tell the planner what they
/// are like: in one transaction nobody else does.
pub async fn fill(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    book: &mut Book<'_>,
    first: bool,
) -> Result<(), BillingError> {
    let months = book.months.clone();
    let last = months.len().saturating_sub(1);
    for (at, month) in months.into_iter().enumerate() {
        let state = if at == last { book.utility.last_month } else { LastMonth::Invoiced };
        if state == LastMonth::Missing || at + book.utility.billed <= last {
            continue;
        }
        let explained = if at + EXPLAINED > last { Explained::Yes } else { Explained::No };
        bill(conn, here, client, book, (month, state, explained)).await?;
        if first && (at + book.utility.billed == last + 1 || at + 6 == last) {
            conn.batch_execute(
                "ANALYZE public.billing_periods, public.invoices, public.invoice_lines, public.billing_runs",
            )
            .await?;
        }
    }
    let rows = Rows {
        payments: book.rows.payments.split_off(0),
        audit_log: book.rows.audit_log.split_off(0),
        ..Rows::default()
    };
    let allocations = book.rows.allocations.split_off(0);
    write::insert(conn, "payments", &rows.payments).await?;
    write::insert(conn, "allocations", &allocations).await?;
    write::insert(conn, "audit_log", &rows.audit_log).await?;
    Ok(())
}

async fn bill(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    book: &mut Book<'_>,
    (month, state, explained): (Period, LastMonth, Explained),
) -> Result<(), BillingError> {
    use LastMonth::{Approved, Invoiced, Open};
    let run = match billing::take_on(conn, here, month.to(), None).await {
        Ok((run, _)) => run,
        Err(BillingError::NothingDue) => return Ok(()),
        Err(other) => return Err(other),
    };
    let rated_at = book.at(month.to() + Days::new(1), 120);
    let (approved_at, issued_on) =
        (book.at(month.to() + Days::new(2), 200), (month.to() + Days::new(3)).min(book.as_of));
    let issued_at = book.at(issued_on, 210);
    if state != Open {
        billing::rate_as(conn, here, client, run, explained).await?;
        dated(conn, here, run, rated_at).await?;
        step(conn, here, book, run, (month, "rate", "Rated"), rated_at).await?;
    }
    if matches!(state, Approved | Invoiced) {
        match billing::approve_as(conn, here, client, run, Checked::JustNow).await {
            // Everybody is held: there is nothing to approve.
            Err(BillingError::NothingToApprove) => return times(conn, here, run, (rated_at, None, None)).await,
            other => other?,
        };
        step(conn, here, book, run, (month, "approve", "Approved"), approved_at).await?;
    }
    if state == Invoiced {
        while billing::issue_as(conn, here, client, run, issued_on, Checked::JustNow).await?.left > 0 {}
        step(conn, here, book, run, (month, "issue", "Issued"), issued_at).await?;
        for invoice in issued(conn, here, run).await? {
            payments::settle(book, &invoice);
        }
    }
    let approved = matches!(state, Approved | Invoiced).then_some(approved_at);
    times(conn, here, run, (rated_at, approved, (state == Invoiced).then_some(issued_at))).await
}

async fn issued(conn: &mut AsyncPgConnection, here: &AtClient, run: BillingRunId) -> QueryResult<Vec<Issued>> {
    invoices::table
        .filter(invoices::organization_id.eq(here.organization).and(invoices::client_id.eq(here.client)))
        .filter(invoices::billing_run_id.eq(run).and(invoices::status.ne("draft")))
        .select(Issued::as_select())
        .order(invoices::number)
        .load(conn)
        .await
}

/// The day on which drafts would have been made, as long as they are drafts.
async fn dated(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    run: BillingRunId,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    let drafts = invoices::table
        .filter(invoices::organization_id.eq(here.organization).and(invoices::client_id.eq(here.client)))
        .filter(invoices::billing_run_id.eq(run));
    diesel::update(drafts).set(invoices::created_at.eq(at)).execute(conn).await?;
    Ok(())
}

/// When the steps of a run would have been done.
async fn times(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    run: BillingRunId,
    (rated, approved, issued): (DateTime<Utc>, Option<DateTime<Utc>>, Option<DateTime<Utc>>),
) -> Result<(), BillingError> {
    use crate::db::schema::billing_runs as runs;
    let one = runs::table
        .filter(runs::organization_id.eq(here.organization).and(runs::client_id.eq(here.client)))
        .filter(runs::id.eq(run));
    let rated_at = diesel::dsl::case_when(runs::status.ne("open"), rated.into_sql::<Timestamptz>());
    let fields = (
        runs::created_at.eq(rated),
        runs::rated_at.eq(rated_at),
        runs::approved_at.eq(approved),
        runs::issued_at.eq(issued),
    );
    diesel::update(one).set(fields).execute(conn).await?;
    Ok(())
}

/// The record of a step, in the name of the client's admin.
async fn step(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    book: &mut Book<'_>,
    run: BillingRunId,
    (month, action, did): (Period, &'static str, &str),
    at: DateTime<Utc>,
) -> Result<(), BillingError> {
    let run: BillingRun = billing::run_of(conn, here, run).await?;
    let name = month.from().format("%B %Y").to_string();
    let summary = format!("{did} the run for {name}: {} invoices, {} kWh", grouped(run.invoices), grouped(run.kwh));
    let details = json!({ "invoices": run.invoices, "kwh": run.kwh, "total": run.total });
    book.record(at, action, ("billing_run", run.id.0), summary, details);
    Ok(())
}

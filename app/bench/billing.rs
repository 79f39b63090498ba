//! `portal bench billing`: a run of contracts with quarter-hour meters from what is due to issued, step by step, under every
//! policy, beside a raw COPY of the rows that it writes.

use std::time::{Duration, Instant};

use crate::{median, ms, text};
use diesel_async::SimpleAsyncConnection;
use eis::billing;
use eis::db::owner::Owner;
use eis::operate::connect::Settings;
use eis::values::ids::{BillingRunId, OrganizationId};

use crate::company::{self, Company, peak_megabytes};
use portal::out;

const NAME: &str = "portal_bench_billing";
/// Rating goes round so often; so does the COPY beside it.
const ROUNDS: usize = 3;

/// What was measured; milliseconds, medians where there are rounds.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    contracts: usize,
    /// Values that a rating reads.
    values: usize,
    create_ms: u64,
    rate_ms: u64,
    approve_ms: u64,
    issue_ms: u64,
    /// Rows of drafts, periods and lines copied into bare tables.
    copied_rows: u64,
    copy_ms: u64,
    /// Hundredths: rating against the COPY.
    rate_to_copy_percent: u64,
    invoices: i64,
    peak_megabytes: u64,
    optimised: bool,
}

/// Measures and prints.
///
/// # Errors
/// A sentence when something could not be measured.
pub async fn run(settings: &Settings, contracts: usize, json: bool) -> Result<(), String> {
    let name = format!("{NAME}_{contracts}");
    let company = Company::found(settings, &name, contracts).await?;
    begin(&company, contracts).await.map_err(text)?;
    let due_on = chrono::NaiveDate::from_ymd_opt(2026, 10, 1).ok_or("no such day")?;
    let start = Instant::now();
    let mut tx = company.write().await.map_err(text)?;
    let id = billing::create(&mut tx, due_on, None).await.map_err(text)?;
    tx.commit().await.map_err(text)?;
    let create = start.elapsed();
    let (mut rates, mut copies, mut copied) = (vec![], vec![], 0);
    for _ in 0..ROUNDS {
        let start = Instant::now();
        let mut tx = company.write().await.map_err(text)?;
        billing::rate(&mut tx, id).await.map_err(text)?;
        tx.commit().await.map_err(text)?;
        rates.push(start.elapsed());
        let (rows, time) = copy(&company, id).await?;
        copied = rows;
        copies.push(time);
    }
    let start = Instant::now();
    let mut tx = company.write().await.map_err(text)?;
    billing::approve(&mut tx, id).await.map_err(text)?;
    tx.commit().await.map_err(text)?;
    let approve = start.elapsed();
    let start = Instant::now();
    let mut issued = billing::Issued { left: 1, ..billing::Issued::default() };
    while issued.left > 0 {
        let mut tx = company.write().await.map_err(text)?;
        issued = issued.and(billing::issue(&mut tx, id).await.map_err(text)?);
        tx.commit().await.map_err(text)?;
    }
    let issue = start.elapsed();
    let (rate, copy) = (median(rates), median(copies));
    let report = Report {
        contracts,
        values: contracts * 30 * 96,
        create_ms: ms(create),
        rate_ms: ms(rate),
        approve_ms: ms(approve),
        issue_ms: ms(issue),
        copied_rows: copied,
        copy_ms: ms(copy),
        rate_to_copy_percent: ms(rate) * 100 / ms(copy).max(1),
        invoices: issued.invoices,
        peak_megabytes: peak_megabytes(),
        optimised: !cfg!(debug_assertions),
    };
    drop(company);
    company::discard(settings, &name).await?;
    if json { out::print(serde_json::to_string_pretty(&report).map_err(text)?) } else { print(&report) }
}

/// The rows that rating wrote, into bare tables.
async fn copy(company: &Company, run: BillingRunId) -> Result<(u64, Duration), String> {
    let client = company::client();
    let tables = [
        ("public.invoices", format!("t.client_id = '{client}' AND t.billing_run_id = '{run}'")),
        ("public.billing_periods", format!("t.client_id = '{client}' AND t.billing_run_id = '{run}'")),
        (
            "public.invoice_lines",
            format!(
                "t.client_id = '{client}' AND t.invoice_id IN (SELECT i.id FROM public.invoices i WHERE i.billing_run_id = '{run}')"
            ),
        ),
    ];
    let (mut rows, mut time) = (0, Duration::ZERO);
    for (table, of) in &tables {
        let (more, took) = company.copy(table, of).await?;
        (rows, time) = (rows + more, time + took);
    }
    Ok((rows, time))
}

/// A month of usage for each meter.
async fn begin(company: &Company, contracts: usize) -> Result<(), eis::db::DbError> {
    let (organization, client) = (company::organization(), company::client());
    let mut owner = Owner::begin(company.connected.admin_url()).await?;
    owner.stand_at(OrganizationId(organization)).await?;
    out::tell(format_args!("a month of quarter-hours for {contracts} meters …"));
    owner
        .batch_execute(&format!(
            "CREATE TEMP TABLE shapes ON COMMIT DROP AS
             SELECT n, (SELECT array_agg(((40 + (q * (n + 7)) % 90) * CASE WHEN q BETWEEN 28 AND 88 THEN 3 ELSE 1 END)::integer ORDER BY q)
                 FROM generate_series(0, 95) q) AS wh FROM generate_series(0, 63) n;
             INSERT INTO public.interval_days (organization_id, client_id, customer_id, meter_id, day, interval_minutes, wh, total_wh)
             SELECT '{organization}', '{client}', m.id, m.id, d::date, 15, s.wh, (SELECT sum(x) FROM unnest(s.wh) x)
             FROM public.meters m CROSS JOIN generate_series(timestamp '2026-09-01', timestamp '2026-09-30', interval '1 day') d
             JOIN shapes s ON s.n = (hashtext(m.serial) + extract(day FROM d)::integer) & 63
             WHERE m.client_id = '{client}'"
        ))
        .await?;
    owner.commit().await?;
    eis::operate::admin::vacuum_analyze(company.connected.admin_url()).await
}

fn print(report: &Report) -> Result<(), String> {
    if !report.optimised {
        out::print("This is a development build: build with --release (make release) to measure.")?;
    }
    out::print(format_args!(
        "A run of {} contracts, {} quarter-hours, time-of-use, under every policy:",
        report.contracts, report.values
    ))?;
    for (step, time) in [
        ("what is due", report.create_ms),
        ("rate", report.rate_ms),
        ("approve", report.approve_ms),
        ("issue", report.issue_ms),
        ("COPY of the rows that rating writes", report.copy_ms),
    ] {
        out::print(format_args!("{step:<36} {time:>7} ms"))?;
    }
    out::print(format_args!(
        "Rating takes {}.{:02} times as long as the COPY of its {} rows. {} invoices; at most {} MB resident.",
        report.rate_to_copy_percent / 100,
        report.rate_to_copy_percent % 100,
        report.copied_rows,
        report.invoices,
        report.peak_megabytes
    ))
}

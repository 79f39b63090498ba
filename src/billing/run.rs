//! Rating a run: load, rate, write, batch by batch, in the caller's transaction.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use rust_decimal::Decimal;

use super::account::{Account, Verdict};
use super::draft::{self, Draft, DraftInvoice};
use super::load::{self, Batch, ContractRow, DayRow, InRun, ReadRow};
use super::tariffs::Tariffs;
use super::{BillingError, BillingRun, Desk, Step, due, explain, locked, log, steps, write};
use crate::audit;
use crate::clients::{self, Client};
use crate::db::Tenant;
use crate::db::schema::billing_runs;
use crate::ids::{BillingRunId, ContractId, CustomerId, MeterId};
use crate::period::Period;

/// Contracts loaded, rated and written together.
pub(super) const BATCH: usize = 1_000;

/// What rating a run came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rated {
    /// Contracts of the run.
    pub contracts: i32,
    /// Drafts made.
    pub invoices: i32,
    /// Contracts that are held: there is no bill.
    pub blocked: i32,
    /// Contracts whose bills are to be looked at.
    pub warnings: i32,
    /// Energy.
    pub kwh: Decimal,
    /// Before tax.
    pub net: Decimal,
    /// Tax.
    pub tax: Decimal,
    /// Sum of the drafts: what is to be paid.
    pub total: Decimal,
}

impl Rated {
    fn add(&mut self, verdict: &Verdict) {
        self.contracts += 1;
        let severity = |severity: &str| verdict.findings.iter().any(|finding| finding.severity == severity);
        self.blocked += i32::from(severity("blocks"));
        self.warnings += i32::from(severity("warns"));
    }

    fn bill(&mut self, invoice: &DraftInvoice) {
        self.invoices += 1;
        self.kwh += invoice.kwh;
        self.net += invoice.net;
        self.tax += invoice.tax;
        self.total += invoice.total;
    }
}

/// Rates a run that is not approved yet, on record: former drafts go, what is due of its contracts is worked out anew, new
/// drafts and exceptions are written, the run's totals follow. A contract without a bill is held, and holds nobody else.
///
/// # Errors
/// `NotHere` when the run is approved or issued.
pub async fn rate(tx: &mut Tenant, id: BillingRunId) -> Result<Rated, BillingError> {
    let (desk, client) = (Desk::at(tx)?, clients::current(tx).await?);
    let (before, rated) = rate_as(tx, &desk, &client, id, Explained::Yes).await?;
    let entry = log::entry("rate", id, log::rated(&rated, &client), log::of_rating(&before, &rated));
    audit::note(tx, entry).await?;
    Ok(rated)
}

/// Whether bills say why they differ from the ones before, which takes most of the work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explained {
    /// They do.
    Yes,
    /// They do not: of demo data's older months nobody asks.
    No,
}

/// As [`rate`], without a record; gives the run as it was, too.
pub(crate) async fn rate_as(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    id: BillingRunId,
    explained: Explained,
) -> Result<(BillingRun, Rated), BillingError> {
    let run = locked(conn, desk, id).await?;
    if !matches!(run.status.as_str(), "open" | "rated") {
        return BillingError::not_here(Step::Rate, &run);
    }
    write::drop_drafts(conn, desk, id).await?;
    due::refresh(conn, desk, id, run.due_on).await?;
    let all = load::of_run(conn, desk, id, &["due"], None).await?;
    let mut rated = Rated::default();
    // Those whose account wants one bill for all, until all are rated.
    let mut together: Vec<Draft> = vec![];
    for (days, group) in by_days(all) {
        let tariffs = Tariffs::new(load::versions(conn, desk, days).await?, client)?;
        for chunk in group.chunks(BATCH) {
            rate_batch(conn, desk, client, (&run, explained), (days, chunk), &tariffs, &mut rated, &mut together)
                .await?;
        }
    }
    keep(conn, desk, id, &mut together, &mut rated).await?;
    let fields = (
        billing_runs::status.eq("rated"),
        billing_runs::contracts.eq(rated.contracts),
        billing_runs::invoices.eq(rated.invoices),
        billing_runs::exceptions.eq(rated.blocked),
        billing_runs::rated_at.eq(diesel::dsl::now),
        (billing_runs::kwh.eq(rated.kwh), billing_runs::net.eq(rated.net)),
        (billing_runs::tax.eq(rated.tax), billing_runs::total.eq(rated.total)),
    );
    steps::set(conn, desk, id, fields).await?;
    Ok((run, rated))
}

/// What is billed for the same days, together: they share tariffs and reach of usage.
pub(super) fn by_days(all: Vec<InRun>) -> Vec<(Period, Vec<InRun>)> {
    let mut groups: Vec<(Period, Vec<InRun>)> = vec![];
    for one in all {
        match groups.last_mut() {
            Some((days, group)) if *days == one.days => group.push(one),
            _ => groups.push((one.days, vec![one])),
        }
    }
    groups
}

#[expect(clippy::too_many_arguments, reason = "one step of rate_as, split off for its length")]
async fn rate_batch(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    (run, explained): (&BillingRun, Explained),
    (days, chunk): (Period, &[InRun]),
    tariffs: &Tariffs,
    rated: &mut Rated,
    together: &mut Vec<Draft>,
) -> QueryResult<()> {
    let contracts: Vec<ContractRow> = chunk.iter().map(|one| one.contract.clone()).collect();
    let mut ids: Vec<CustomerId> = contracts.iter().map(|contract| contract.customer_id).collect();
    ids.dedup();
    let batch = load::batch(conn, desk, &ids, days).await?;
    let (mut drafts, mut findings) = (vec![], vec![]);
    let accounts = accounts(&contracts, &batch);
    for (account, one) in accounts.iter().zip(chunk) {
        let verdict = account.judge(tariffs, one.id, days);
        rated.add(&verdict);
        drafts.extend(verdict.draft);
        findings.extend(verdict.findings);
        // Rating is computing: let other requests of this thread go on in between.
        tokio::task::yield_now().await;
    }
    if explained == Explained::Yes {
        explain::add(conn, desk, client, &accounts, tariffs, days, &mut drafts).await?;
    }
    write::findings(conn, desk, &findings).await?;
    let (shared, mut alone): (Vec<Draft>, Vec<Draft>) = drafts.into_iter().partition(|draft| draft.collective);
    together.extend(shared);
    keep(conn, desk, run.id, &mut alone, rated).await
}

/// Makes and writes the invoices of some drafts.
async fn keep(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    run: BillingRunId,
    drafts: &mut [Draft],
    rated: &mut Rated,
) -> QueryResult<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    let invoices = draft::invoices(drafts);
    invoices.iter().for_each(|invoice| rated.bill(invoice));
    write::drafts(conn, desk, run, &invoices, drafts).await
}

fn by<K: Eq + Hash, T>(rows: &[T], key: impl Fn(&T) -> Option<K>) -> HashMap<K, Vec<&T>> {
    let mut map: HashMap<K, Vec<&T>> = HashMap::new();
    for row in rows {
        if let Some(key) = key(row) {
            map.entry(key).or_default().push(row);
        }
    }
    map
}

/// The rows of a batch, sorted to their contracts. A meter may be in several contracts, one after the other: its days go to
/// the contract that has them, a read to each whose days it touches.
pub(super) fn accounts<'a>(contracts: &'a [ContractRow], batch: &'a Batch) -> Vec<Account<'a>> {
    let of_meter = by(&batch.meters, |row| Some(row.id));
    let within = |meter: MeterId, from: NaiveDate, to: NaiveDate| {
        let rows = of_meter.get(&meter).map(Vec::as_slice).unwrap_or_default();
        rows.iter().filter(move |row| row.valid_from < to && row.valid_to.is_none_or(|end| end > from))
    };
    let mut days: HashMap<ContractId, Vec<&DayRow>> = HashMap::new();
    for row in &batch.days {
        let next = row.day.succ_opt().unwrap_or(row.day);
        if let Some(meter) = within(row.meter_id, row.day, next).next() {
            days.entry(meter.contract_id).or_default().push(row);
        }
    }
    let mut reads: HashMap<ContractId, Vec<&ReadRow>> = HashMap::new();
    for row in &batch.reads {
        for meter in within(row.meter_id, row.from_on, row.to_on) {
            reads.entry(meter.contract_id).or_default().push(row);
        }
    }
    let mut meters = by(&batch.meters, |row| Some(row.contract_id));
    let mut agreements = by(&batch.agreements, |row| Some(row.contract_id));
    let mut past = by(&batch.past, |row| Some(row.contract_id));
    let mut later = by(&batch.later, |row| Some(row.contract_id));
    let account = |contract: &'a ContractRow| Account {
        contract,
        meters: meters.remove(&contract.id).unwrap_or_default(),
        agreements: agreements.remove(&contract.id).unwrap_or_default(),
        reads: reads.remove(&contract.id).unwrap_or_default(),
        days: days.remove(&contract.id).unwrap_or_default(),
        past: past.remove(&contract.id).unwrap_or_default(),
        later: later.remove(&contract.id).unwrap_or_default(),
    };
    contracts.iter().map(account).collect()
}

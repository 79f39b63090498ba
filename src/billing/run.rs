//! Rating a period: load, rate, write, batch by batch, in the caller's transaction.

use std::collections::HashMap;
use std::hash::Hash;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use super::account::{Account, Verdict};
use super::load::{self, Batch, ContractRow, DayRow, ReadRow};
use super::tariffs::Tariffs;
use super::{BillingError, BillingPeriod, Desk, Step, explain, left_out, locked, log, order, steps, write};
use crate::audit;
use crate::clients::{self, Client};
use crate::db::Tenant;
use crate::db::schema::{billing_periods, billing_runs};
use crate::ids::{BillingPeriodId, BillingRunId, ContractId, CustomerId, MeterId};

/// Customers loaded, rated and written together.
pub(super) const BATCH: usize = 1_000;

/// What rating a period came to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rated {
    /// Customers with supply in the period.
    pub customers: i32,
    /// Drafts made.
    pub invoices: i32,
    /// Customers without a bill.
    pub blocked: i32,
    /// Bills to look at.
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
        self.customers += 1;
        let severity = |severity: &str| verdict.findings.iter().any(|finding| finding.severity == severity);
        self.blocked += i32::from(severity("blocks"));
        self.warnings += i32::from(severity("warns"));
        if let Some(draft) = &verdict.draft {
            self.invoices += 1;
            self.kwh += draft.kwh;
            self.net += draft.net;
            self.tax += draft.tax;
            self.total += draft.total;
        }
    }
}

/// Rates a period that is not approved yet, on record: former drafts go, new ones and exceptions are written, the
/// period's totals follow. A customer who moves in or out inside the period is rated for the days supplied. In a later
/// part of a period only those are rated who have no invoice of its days.
///
/// # Errors
/// `NotHere` when the period is approved or issued, `EarlierFirst`.
pub async fn rate(tx: &mut Tenant, id: BillingPeriodId) -> Result<Rated, BillingError> {
    let (desk, client) = (Desk::at(tx)?, clients::current(tx).await?);
    let (before, rated) = rate_now(tx, &desk, &client, id).await?;
    let entry = log::entry("rate", id, log::rated(&rated, &client), log::of_rating(&before, &rated));
    audit::note(tx, entry).await?;
    Ok(rated)
}

/// As [`rate`], without a record; gives the period as it was, too.
pub(super) async fn rate_now(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    id: BillingPeriodId,
) -> Result<(BillingPeriod, Rated), BillingError> {
    let period = locked(conn, desk, id).await?;
    if !matches!(period.status.as_str(), "open" | "rated") {
        return BillingError::not_here(Step::Rate, &period);
    }
    order::in_turn(conn, desk, &period).await?;
    let days = period.days();
    write::drop_drafts(conn, desk, id).await?;
    let mut contracts = load::contracts(conn, desk, days).await?;
    if period.part > 1 {
        let billed = left_out::billed(conn, desk, days).await?;
        contracts.retain(|contract| !billed.contains(&contract.id));
    }
    let tariffs = Tariffs::new(load::versions(conn, desk, days).await?, client)?;
    let mut rated = Rated::default();
    for chunk in contracts.chunks(BATCH) {
        rate_batch(conn, desk, client, &period, chunk, &tariffs, &mut rated).await?;
    }
    let fields = (
        billing_periods::status.eq("rated"),
        billing_periods::invoices.eq(rated.invoices),
        billing_periods::exceptions.eq(rated.blocked),
        (billing_periods::kwh.eq(rated.kwh), billing_periods::net.eq(rated.net)),
        (billing_periods::tax.eq(rated.tax), billing_periods::total.eq(rated.total)),
    );
    steps::set(conn, desk, id, fields).await?;
    record_run(conn, desk, id, "rate", rated.customers, rated.invoices, rated.blocked).await?;
    Ok((period, rated))
}

async fn rate_batch(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    client: &Client,
    period: &BillingPeriod,
    contracts: &[ContractRow],
    tariffs: &Tariffs,
    rated: &mut Rated,
) -> QueryResult<()> {
    let days = period.days();
    let ids: Vec<CustomerId> = contracts.iter().map(|contract| contract.customer_id).collect();
    let batch = load::batch(conn, desk, &ids, days).await?;
    let (mut drafts, mut findings) = (vec![], vec![]);
    let accounts = accounts(contracts, &batch);
    for account in &accounts {
        let verdict = if period.part > 1 { account.judge_late(tariffs, days) } else { account.judge(tariffs, days) };
        rated.add(&verdict);
        drafts.extend(verdict.draft);
        findings.extend(verdict.findings);
        // Rating is computing: let other requests of this thread go on in between.
        tokio::task::yield_now().await;
    }
    explain::add(conn, desk, client, &accounts, tariffs, days, &mut drafts).await?;
    write::drafts(conn, desk, period.id, &drafts).await?;
    write::findings(conn, desk, period.id, &findings).await
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

/// Keeps on record that a step was done.
pub(super) async fn record_run(
    conn: &mut AsyncPgConnection,
    desk: &Desk,
    period: BillingPeriodId,
    step: &str,
    customers: i32,
    done: i32,
    exceptions: i32,
) -> QueryResult<()> {
    let keys = (
        billing_runs::organization_id.eq(desk.organization),
        billing_runs::client_id.eq(desk.client),
        billing_runs::id.eq(BillingRunId::fresh()),
        billing_runs::billing_period_id.eq(period),
        billing_runs::created_by.eq(desk.by.map(|user| user.0)),
    );
    let fields = (
        billing_runs::step.eq(step),
        billing_runs::status.eq("done"),
        billing_runs::customers.eq(customers),
        billing_runs::done.eq(done),
        billing_runs::exceptions.eq(exceptions),
        billing_runs::finished_at.eq(diesel::dsl::now),
    );
    diesel::insert_into(billing_runs::table).values((keys, fields)).execute(conn).await?;
    Ok(())
}

//! Rating a run: load, rate, write, batch by batch, in the caller's transaction.

use diesel::prelude::*;
use diesel_async::AsyncPgConnection;
use rust_decimal::Decimal;

use super::account::Verdict;
use super::draft::{self, Draft, DraftInvoice};
use super::gather::{BATCH, accounts, by_days};
use super::load::{self, ContractRow, InRun};
use super::tariffs::Tariffs;
use super::{BillingError, BillingRun, Step, due, explain, locked, log, steps, write};
use crate::audit;
use crate::db::AtClient;
use crate::db::Tenant;
use crate::db::schema::billing_runs;
use crate::parties::clients::{self, Client};
use crate::values::ids::{BillingRunId, CustomerId};
use crate::values::period::Period;

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
    let (here, client) = (AtClient::at(tx)?, clients::current(tx).await?);
    let (before, rated) = rate_as(tx, &here, &client, id, Explained::Yes).await?;
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
    here: &AtClient,
    client: &Client,
    id: BillingRunId,
    explained: Explained,
) -> Result<(BillingRun, Rated), BillingError> {
    let run = locked(conn, here, id).await?;
    if !matches!(run.status.as_str(), "open" | "rated") {
        return BillingError::not_here(Step::Rate, &run);
    }
    write::drop_drafts(conn, here, id).await?;
    due::refresh(conn, here, id, run.due_on).await?;
    let all = load::of_run(conn, here, id, &["due"], None).await?;
    let mut rated = Rated::default();
    // Those whose account wants one bill for all, until all are rated.
    let mut together: Vec<Draft> = vec![];
    for (days, group) in by_days(all) {
        let tariffs = Tariffs::new(load::versions(conn, here, days).await?, client)?;
        for chunk in group.chunks(BATCH) {
            rate_batch(conn, here, client, (&run, explained), (days, chunk), &tariffs, &mut rated, &mut together)
                .await?;
        }
    }
    keep(conn, here, id, &mut together, &mut rated).await?;
    let fields = (
        billing_runs::status.eq("rated"),
        billing_runs::contracts.eq(rated.contracts),
        billing_runs::invoices.eq(rated.invoices),
        billing_runs::exceptions.eq(rated.blocked),
        billing_runs::rated_at.eq(diesel::dsl::now),
        (billing_runs::kwh.eq(rated.kwh), billing_runs::net.eq(rated.net)),
        (billing_runs::tax.eq(rated.tax), billing_runs::total.eq(rated.total)),
    );
    steps::set(conn, here, id, fields).await?;
    Ok((run, rated))
}

#[expect(clippy::too_many_arguments, reason = "one step of rate_as, split off for its length")]
async fn rate_batch(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
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
    let batch = load::batch(conn, here, &ids, days).await?;
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
        explain::add(conn, here, client, &accounts, tariffs, days, &mut drafts).await?;
    }
    write::findings(conn, here, &findings).await?;
    let (shared, mut alone): (Vec<Draft>, Vec<Draft>) = drafts.into_iter().partition(|draft| draft.collective);
    together.extend(shared);
    keep(conn, here, run.id, &mut alone, rated).await
}

/// Makes and writes the invoices of some drafts.
async fn keep(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    run: BillingRunId,
    drafts: &mut [Draft],
    rated: &mut Rated,
) -> QueryResult<()> {
    if drafts.is_empty() {
        return Ok(());
    }
    let invoices = draft::invoices(drafts);
    invoices.iter().for_each(|invoice| rated.bill(invoice));
    write::drafts(conn, here, run, &invoices, drafts).await
}

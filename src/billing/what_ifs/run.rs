//! The work behind a what-if: batch by batch, each read, rated, and written with the progress it makes. Whoever takes
//! the job up again goes on with the customers that have no results yet.

use std::collections::HashSet;

use diesel::sql_types::{Jsonb, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use super::results::{self, Row};
use super::totals::Totals;
use super::{Asked, CandidateSummary, NewWhatIf, customers, insert, lock};
use crate::billing::shadow::{self, Candidate};
use crate::db::AtClient;
use crate::db::worker::{self, Job, Worker};
use crate::db::{Access, DbError};
use crate::jobs::{Failure, LEASE};
use crate::parties::clients::{self, Client};
use crate::tariff_document::TariffDocument;
use crate::tariffs::Tariff;
use crate::values::ids::{CustomerId, WhatIfId};
use crate::values::period::Period;

/// What its jobs are called.
pub const KIND: &str = "what_if";
/// Customers loaded, rated and written together: a year of their quarter-hours is some thirty megabytes.
const BATCH: usize = 100;

fn told<T>(text: &str) -> Result<T, Failure> {
    Err(Failure::Told(text.to_owned()))
}

/// What a job works on.
struct Task {
    here: AtClient,
    id: WhatIfId,
    client: Client,
    months: Vec<Period>,
    candidates: Vec<Candidate>,
    left: Vec<CustomerId>,
    done: usize,
}

/// What is worked on: without its job, which the worker's login may not read.
#[derive(QueryableByName)]
struct Work {
    #[diesel(embed)]
    asked: Asked,
    #[diesel(sql_type = Jsonb)]
    documents: Value,
}

/// Said of a what-if that was deleted while it ran; nobody reads it there.
const GONE: &str = "The what-if was deleted.";

/// Works a what-if through and sums it up. The transaction of the totals ends the job.
///
/// # Errors
/// A sentence for whoever asked, or the database's failure.
pub async fn work(worker: &Worker, job: &Job) -> Result<Value, Failure> {
    let mut task = Task::open(worker, job).await?;
    let left = std::mem::take(&mut task.left);
    task.keep(worker, job, &[], Some(task.done + left.len())).await?;
    for batch in left.chunks(BATCH) {
        let tx = worker.as_job(job, Access::Read).await?;
        let (here, client) = (&task.here, &task.client);
        let accounts = shadow::accounts(tx.shared(), here, client, batch, &task.months, &task.candidates).await?;
        drop(tx);
        task.done += batch.len();
        let rows: Vec<Row> = accounts.iter().map(|account| Row::of(account, task.candidates.len())).collect();
        task.keep(worker, job, &rows, None).await?;
    }
    task.finish(worker, job).await
}

impl Task {
    async fn open(worker: &Worker, job: &Job) -> Result<Self, Failure> {
        let id = serde_json::from_value(job.payload.get("what_if").cloned().unwrap_or_default());
        let (Some(client), Ok(id)) = (job.client, id) else {
            return told("The job does not say which what-if it is.");
        };
        let here = AtClient { organization: job.organization, client, by: Some(job.user) };
        let tx = worker.as_job(job, Access::Read).await?;
        let Some(client) = clients::find(&tx, here.organization, client).await? else {
            return told("The client is not there any more.");
        };
        let Some(Work { asked, documents }) = find(&tx, &here, id).await? else { return told(GONE) };
        let (chosen, months, faces) = asked.read(id).map_err(DbError::from)?;
        let candidates = candidates(&faces, &documents, &client)?;
        let done: HashSet<CustomerId> = results::done(&tx, &here, id).await?.into_iter().collect();
        let mut left = customers(&tx, &here, &chosen, months).await?;
        left.retain(|customer| !done.contains(customer));
        Ok(Self { here, id, client, months: months.months().collect(), candidates, left, done: done.len() })
    }

    /// Writes a batch and how far it got, both or neither.
    async fn keep(&self, worker: &Worker, job: &Job, rows: &[Row], total: Option<usize>) -> Result<(), Failure> {
        let mut tx = worker.as_job(job, Access::Write).await?;
        if !lock(&mut tx, &self.here, self.id).await? {
            return told(GONE);
        }
        if !rows.is_empty() {
            results::write(&mut tx, &self.here, self.id, rows).await?;
        }
        let count = |customers: usize| i32::try_from(customers).unwrap_or(i32::MAX);
        if !worker::keep(&mut tx, job, Some(count(self.done)), total.map(count), LEASE).await? {
            return Err(DbError::SessionEnded.into());
        }
        Ok(tx.commit().await?)
    }

    async fn finish(&self, worker: &Worker, job: &Job) -> Result<Value, Failure> {
        let mut tx = worker.as_job(job, Access::Write).await?;
        if !lock(&mut tx, &self.here, self.id).await? {
            return told(GONE);
        }
        let totals = conclude(&mut tx, &self.here, self.id, self.candidates.len()).await?;
        let result = json!({ "customers": totals.customers });
        if !worker::finish(&mut tx, job, Ok(result.clone())).await? {
            return Err(DbError::SessionEnded.into());
        }
        tx.commit().await?;
        Ok(result)
    }
}

/// Works a small what-if through in the caller's transaction, without a job: the demo's.
///
/// # Errors
/// When the database fails, or a tariff cannot be tried.
pub(crate) async fn at_once(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    client: &Client,
    id: WhatIfId,
    user_name: &str,
    new: &NewWhatIf,
) -> Result<(), DbError> {
    let unfit = |fault: String| DbError::Query(diesel::result::Error::SerializationError(fault.into()));
    let ready = |row: &Tariff| candidate(&row.code, &row.document, client).map_err(unfit);
    let candidates = new.candidates.iter().map(ready).collect::<Result<Vec<_>, _>>()?;
    let months: Vec<Period> = new.months.months().collect();
    insert(conn, here, id, None, user_name, new).await?;
    for batch in customers(conn, here, &new.chosen, new.months).await?.chunks(BATCH) {
        let accounts = shadow::accounts(conn, here, client, batch, &months, &candidates).await?;
        let rows: Vec<Row> = accounts.iter().map(|account| Row::of(account, candidates.len())).collect();
        results::write(conn, here, id, &rows).await?;
    }
    conclude(conn, here, id, candidates.len()).await?;
    Ok(())
}

async fn find(conn: &AsyncPgConnection, here: &AtClient, id: WhatIfId) -> QueryResult<Option<Work>> {
    let mut conn = conn;
    sql_query(
        "SELECT chosen, tariff_code, accounts, from_on, to_on, candidates, documents FROM public.what_ifs \
         WHERE organization_id = $1 AND client_id = $2 AND id = $3",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(id)
    .get_result(&mut conn)
    .await
    .optional()
}

/// The versions as they were when it was asked.
fn candidates(faces: &[CandidateSummary], documents: &Value, client: &Client) -> Result<Vec<Candidate>, Failure> {
    let documents = documents.as_array().filter(|documents| documents.len() == faces.len());
    let Some(documents) = documents else {
        return told("The what-if does not hold a document for each version. Delete it and ask again.");
    };
    let ready = |(of, document): (&CandidateSummary, &Value)| {
        candidate(&of.code, document, client).map_err(|fault| format!("{}: {fault}", of.label()))
    };
    Ok(faces.iter().zip(documents).map(ready).collect::<Result<_, String>>()?)
}

/// Makes a version ready to be tried.
///
/// # Errors
/// A sentence that names its faults.
pub fn candidate(code: &str, document: &Value, client: &Client) -> Result<Candidate, String> {
    let document: TariffDocument =
        serde_json::from_value(document.clone()).map_err(|fault| format!("The tariff cannot be read: {fault}."))?;
    Candidate::new(code, &document, client)
}

/// Sums a what-if's results up and says that it is done.
async fn conclude(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: WhatIfId,
    candidates: usize,
) -> QueryResult<Totals> {
    let rows = results::after_of(conn, here, id, None, i64::MAX).await?;
    let rows: Vec<_> = rows.into_iter().map(|row| row.compared).collect();
    let totals = Totals::of(&rows, candidates);
    sql_query(
        "UPDATE public.what_ifs SET totals = $4, finished_at = now() WHERE organization_id = $1 AND client_id = $2 AND id = $3",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(id)
    .bind::<Jsonb, _>(json!(totals))
    .execute(conn)
    .await?;
    Ok(totals)
}

//! Work in the background: queued by a person in a tenant's context, done later as that person, at that level
//! (`db/worker.rs`). A job whose worker goes away is taken up by another, at most three times.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::access::{Actor, SessionSecret};
use crate::db::DbError;
use crate::db::worker::{Job, Worker};
use crate::values::ids::{ClientId, JobId, OrganizationId, UserId};

/// How long a job is a worker's without a sign of life.
pub const LEASE: Duration = Duration::from_secs(60);

/// A job as its tenant sees it.
#[derive(Debug, Clone, QueryableByName)]
pub struct JobRow {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: JobId,
    /// At which client; `None`: of the organization.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub client_id: Option<ClientId>,
    /// What kind of work.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// What was asked.
    #[diesel(sql_type = Jsonb)]
    pub payload: Value,
    /// `queued`, `running`, `done` or `failed`.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// How much is done, of [`Self::total`].
    #[diesel(sql_type = Integer)]
    pub progress: i32,
    /// How much there is, once known.
    #[diesel(sql_type = Nullable<Integer>)]
    pub total: Option<i32>,
    /// What came of it.
    #[diesel(sql_type = Jsonb)]
    pub result: Value,
    /// Why it failed, a sentence.
    #[diesel(sql_type = Text)]
    pub problem: String,
    /// Who queued it.
    #[diesel(sql_type = SqlUuid)]
    pub user_id: UserId,
    /// How often it was begun.
    #[diesel(sql_type = SmallInt)]
    pub attempts: i16,
    /// When it was queued.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it ended.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub finished_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "id, client_id, kind, payload, status, progress, total, result, problem, user_id, attempts, created_at, finished_at";

/// Queues work to be done in the context that is open, as the actor. Write the audit record beside it.
///
/// # Errors
/// `reading_only` in a context that does not write; `not_yours` in one of another session.
pub async fn queue(conn: &mut AsyncPgConnection, actor: &Actor, kind: &str, payload: &Value) -> Result<JobId, DbError> {
    queue_by(conn, actor.secret, kind, payload).await
}

/// As [`queue`], as the person of a session.
///
/// # Errors
/// As [`queue`].
pub(crate) async fn queue_by(
    conn: &mut AsyncPgConnection,
    secret: SessionSecret,
    kind: &str,
    payload: &Value,
) -> Result<JobId, DbError> {
    let id = JobId::fresh();
    sql_query("SELECT public.queue_job($1, $2, $3, $4)")
        .bind::<Binary, _>(secret.bytes().to_vec())
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(kind)
        .bind::<Jsonb, _>(payload)
        .execute(conn)
        .await?;
    Ok(id)
}

/// A job that the context sees.
///
/// # Errors
/// When the database fails.
pub async fn find(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    id: JobId,
) -> QueryResult<Option<JobRow>> {
    sql_query(format!("SELECT {COLUMNS} FROM public.jobs WHERE organization_id = $1 AND id = $2"))
        .bind::<SqlUuid, _>(organization)
        .bind::<SqlUuid, _>(id)
        .get_result(conn)
        .await
        .optional()
}

/// The latest jobs of a kind that the context sees.
///
/// # Errors
/// When the database fails.
pub async fn latest(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    kind: &str,
    limit: i64,
) -> QueryResult<Vec<JobRow>> {
    let order = "ORDER BY created_at DESC, id DESC LIMIT $3";
    sql_query(format!("SELECT {COLUMNS} FROM public.jobs WHERE organization_id = $1 AND kind = $2 {order}"))
        .bind::<SqlUuid, _>(organization)
        .bind::<Text, _>(kind)
        .bind::<BigInt, _>(limit)
        .load(conn)
        .await
}

/// Why a job was not done.
#[derive(Debug)]
pub enum Failure {
    /// A sentence for the person who asked: the job has failed.
    Told(String),
    /// The database, not the job: it is taken up again when its lease has run out.
    Db(DbError),
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self::Told(text)
    }
}

impl From<DbError> for Failure {
    fn from(error: DbError) -> Self {
        match error {
            // Where another worker has the job meanwhile, this sentence goes nowhere.
            DbError::SessionEnded | DbError::Refused => {
                Self::Told("Whoever asked for this may no longer act here.".to_owned())
            }
            other => Self::Db(other),
        }
    }
}

impl From<diesel::result::Error> for Failure {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// Takes up the next job of these kinds and does it, giving a sign of life all the while. The id of what was done;
/// `None`: nothing waits. A job that another worker took over meanwhile is dropped where it stands.
///
/// # Errors
/// When the database fails; the job is then taken up again when its lease has run out.
pub async fn work_once(
    worker: &Worker,
    kinds: &[&str],
    work: impl AsyncFnOnce(&Job) -> Result<Value, Failure>,
) -> Result<Option<JobId>, DbError> {
    work_until(worker, kinds, std::future::pending(), work).await
}

/// How the time with a job ended.
enum End {
    Worked(Result<Value, Failure>),
    Lost(Result<(), DbError>),
    Stopped,
}

/// As [`work_once`]; when `stop` comes first, the job is put down, and whoever comes next goes on with it. Work may
/// have ended the job itself, in the transaction of its last writes.
///
/// # Errors
/// As [`work_once`].
pub async fn work_until(
    worker: &Worker,
    kinds: &[&str],
    stop: impl Future<Output = ()>,
    work: impl AsyncFnOnce(&Job) -> Result<Value, Failure>,
) -> Result<Option<JobId>, DbError> {
    let Some(job) = worker.claim(kinds, LEASE).await? else { return Ok(None) };
    // All three go on together: work may hold the row that a sign of life waits for.
    let end = {
        let (doing, beating, stop) = (std::pin::pin!(work(&job)), std::pin::pin!(beat(worker, &job)), stop);
        tokio::select! {
            biased;
            outcome = doing => End::Worked(outcome),
            lost = beating => End::Lost(lost),
            () = stop => End::Stopped,
        }
    };
    match end {
        End::Worked(Ok(result)) => worker.finish(&job, Ok(result)).await?,
        End::Worked(Err(Failure::Told(problem))) => worker.finish(&job, Err(problem)).await?,
        End::Worked(Err(Failure::Db(error))) | End::Lost(Err(error)) => return Err(error),
        End::Lost(Ok(())) => false,
        End::Stopped => worker.put_down(&job).await?,
    };
    Ok(Some(job.id))
}

/// Signs of life, until another worker has the job.
async fn beat(worker: &Worker, job: &Job) -> Result<(), DbError> {
    let mut beat = tokio::time::interval(LEASE / 3);
    loop {
        beat.tick().await;
        if !worker.keep(job, None, None, LEASE).await? {
            return Ok(());
        }
    }
}

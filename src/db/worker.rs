//! The door of background work: `eis_worker`, which sees nothing but under the secret of a job that it claimed.

use std::time::Duration;

use diesel::sql_types::{Array, Binary, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;

use super::tenant::refused;
use super::{Access, Author, Cached, Db, DbError, Scope, Tenant};
use crate::values::ids::{ClientId, JobId, OrganizationId, UserId};

/// What the database checks before a job's context opens; another with each claim.
#[derive(Clone, PartialEq, Eq)]
pub struct JobSecret(Vec<u8>);

impl std::fmt::Debug for JobSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JobSecret(…)")
    }
}

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = SqlUuid)]
    id: JobId,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Binary)]
    secret: Vec<u8>,
    #[diesel(sql_type = SmallInt)]
    attempt: i16,
    #[diesel(sql_type = Jsonb)]
    payload: Value,
    #[diesel(sql_type = SqlUuid)]
    organization_id: OrganizationId,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    client_id: Option<ClientId>,
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Text)]
    user_name: String,
    #[diesel(sql_type = Text)]
    role: String,
}

/// A job that this worker has.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// What kind of work.
    pub kind: String,
    /// What the database checks.
    pub secret: JobSecret,
    /// The how manieth time it is begun.
    pub attempt: i16,
    /// What was asked.
    pub payload: Value,
    /// Where.
    pub organization: OrganizationId,
    /// At which client; `None`: at the organization.
    pub client: Option<ClientId>,
    /// Whose work it is.
    pub user: UserId,
    /// That person's name.
    pub user_name: String,
    /// The role it was queued as.
    pub role: String,
}

impl From<Claimed> for Job {
    fn from(row: Claimed) -> Self {
        Self {
            id: row.id,
            kind: row.kind,
            secret: JobSecret(row.secret),
            attempt: row.attempt,
            payload: row.payload,
            organization: row.organization_id,
            client: row.client_id,
            user: row.user_id,
            user_name: row.user_name,
            role: row.role,
        }
    }
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    value: bool,
}

/// Connections as `eis_worker`.
#[derive(Debug, Clone)]
pub struct Worker {
    db: Db,
}

fn seconds(lease: Duration) -> i32 {
    i32::try_from(lease.as_secs()).unwrap_or(i32::MAX)
}

impl Worker {
    /// A pool of at most `size` connections by the connection string of `eis_worker`; none is opened yet.
    ///
    /// # Errors
    /// When the pool cannot be built from these settings.
    pub fn new(worker_url: &str, size: usize) -> Result<Self, DbError> {
        Ok(Self { db: Db::of_login(worker_url, size, false)? })
    }

    /// Takes up the next job of these kinds, or one whose worker let its lease run out; `None`: nothing waits.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn claim(&self, kinds: &[&str], lease: Duration) -> Result<Option<Job>, DbError> {
        let mut connection = self.db.connection().await?;
        let query = sql_query("SELECT * FROM public.claim_job($1, $2)")
            .bind::<Array<Text>, _>(kinds.to_vec())
            .bind::<Integer, _>(seconds(lease));
        let row: Option<Claimed> = Cached(query).get_result(&mut connection).await.optional()?;
        Ok(row.map(Job::from))
    }

    /// A transaction as the person who queued the job, where and at the level at which it was queued.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`] when the job was finished or taken up by another, or its person may no longer act.
    pub async fn as_job(&self, job: &Job, access: Access) -> Result<Tenant, DbError> {
        let mut tenant = Tenant::around(self.db.connection().await?);
        tenant.batch_execute(access.begin()).await?;
        let query = sql_query("SELECT public.open_job_context($1)").bind::<Binary, _>(&job.secret.0);
        Cached(query).execute(&mut *tenant).await.map_err(refused)?;
        let author = Author {
            user: Some(job.user),
            name: job.user_name.clone(),
            role: job.role.clone(),
            address: String::new(),
            secret: None,
        };
        let scope = Scope::at(job.organization).at_client(job.client);
        Ok(tenant.standing(scope, (access == Access::Write).then_some(author)))
    }

    /// Keeps the job for another lease and says how far it is (`None`: as before); false: another worker has it, stop.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn keep(
        &self,
        job: &Job,
        progress: Option<i32>,
        total: Option<i32>,
        lease: Duration,
    ) -> Result<bool, DbError> {
        let mut connection = self.db.connection().await?;
        keep(&mut connection, job, progress, total, lease).await
    }

    /// Gives the job back unfinished: this worker stops, and whoever comes next goes on at once. False: another
    /// worker has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_down(&self, job: &Job) -> Result<bool, DbError> {
        let mut connection = self.db.connection().await?;
        let query = sql_query("SELECT public.put_down_job($1) AS value").bind::<Binary, _>(&job.secret.0);
        let flag: Flag = Cached(query).get_result(&mut connection).await?;
        Ok(flag.value)
    }

    /// Ends the job: with its result, or with a problem as a sentence. False: another worker has it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn finish(&self, job: &Job, outcome: Result<Value, String>) -> Result<bool, DbError> {
        let mut connection = self.db.connection().await?;
        finish(&mut connection, job, outcome).await
    }
}

/// As [`Worker::keep`], within the transaction of the writes that got it so far: either both stand or neither. False:
/// another worker has it; drop the transaction.
///
/// # Errors
/// When the database fails.
pub async fn keep(
    conn: &mut AsyncPgConnection,
    job: &Job,
    progress: Option<i32>,
    total: Option<i32>,
    lease: Duration,
) -> Result<bool, DbError> {
    let query = sql_query("SELECT public.keep_job($1, $2, $3, $4) AS value")
        .bind::<Binary, _>(&job.secret.0)
        .bind::<Nullable<Integer>, _>(progress)
        .bind::<Nullable<Integer>, _>(total)
        .bind::<Integer, _>(seconds(lease));
    let flag: Flag = Cached(query).get_result(conn).await?;
    Ok(flag.value)
}

/// Ends the job within the transaction of its last writes: either both stand or neither. False: another worker has
/// it; drop the transaction.
///
/// # Errors
/// When the database fails.
pub async fn finish(conn: &mut AsyncPgConnection, job: &Job, outcome: Result<Value, String>) -> Result<bool, DbError> {
    let (result, problem) = match outcome {
        Ok(result) => (result, String::new()),
        Err(problem) => (Value::Object(serde_json::Map::new()), problem),
    };
    let query = sql_query("SELECT public.finish_job($1, $2, $3) AS value")
        .bind::<Binary, _>(&job.secret.0)
        .bind::<Jsonb, _>(result)
        .bind::<Text, _>(problem);
    let flag: Flag = Cached(query).get_result(conn).await?;
    Ok(flag.value)
}

//! The proof that lives in the database (`operate/scripts/after/34_proof.sql`): its test of every table as every role, the record of
//! past runs, and the views of what stands. Asked as `eis_monitor`, which sees no tenant's rows.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension, QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;
use uuid::Uuid;

use crate::db::DbError;
use crate::db::link::connect;

/// One attempt of `test_rls_isolation()` and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, QueryableByName)]
pub struct Verdict {
    /// The table, with its schema.
    #[diesel(sql_type = Text)]
    pub table_name: String,
    /// As whom.
    #[diesel(sql_type = Text)]
    pub role: String,
    /// What was tried.
    #[diesel(sql_type = Text)]
    pub attempt: String,
    /// How it should end.
    #[diesel(sql_type = Text)]
    pub expected: String,
    /// How it ended.
    #[diesel(sql_type = Text)]
    pub found: String,
    /// Whether these are the same.
    #[diesel(sql_type = Bool)]
    pub passed: bool,
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { table_name, role, attempt, expected, found, .. } = self;
        write!(f, "{table_name}, {role}, {attempt}: {found}; it should be: {expected}.")
    }
}

/// A run of the test that was put on record.
#[derive(Debug, Clone, serde::Serialize, QueryableByName)]
pub struct Run {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// When.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Who asked for it.
    #[diesel(sql_type = Text)]
    pub asked_by: String,
    /// How long it took.
    #[diesel(sql_type = Integer)]
    pub milliseconds: i32,
    /// Attempts.
    #[diesel(sql_type = Integer)]
    pub tried: i32,
    /// Attempts that ended as they should.
    #[diesel(sql_type = Integer)]
    pub passed: i32,
    /// Tables.
    #[diesel(sql_type = Integer)]
    pub tables: i32,
    /// `[{"table","role","tried","passed"}]`.
    #[diesel(sql_type = Jsonb)]
    pub summary: Value,
    /// `[{"table","role","attempt","expected","found"}]`.
    #[diesel(sql_type = Jsonb)]
    pub faults: Value,
    /// `[{"fault","line"}]`: what stood otherwise than the migrations left it.
    #[diesel(sql_type = Jsonb)]
    pub drift: Value,
}

impl Run {
    /// Whether nothing was found.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.tried == self.passed && self.drift.as_array().is_some_and(Vec::is_empty)
    }
}

/// The latest runs, for EIS staff and the organization's admin; nobody else sees any.
///
/// # Errors
/// When the database fails.
pub async fn runs(conn: &mut AsyncPgConnection, limit: i64) -> QueryResult<Vec<Run>> {
    sql_query("SELECT * FROM public.isolation_runs ORDER BY at DESC LIMIT $1").bind::<BigInt, _>(limit).load(conn).await
}

/// One run.
///
/// # Errors
/// When the database fails.
pub async fn run(conn: &mut AsyncPgConnection, id: Uuid) -> QueryResult<Option<Run>> {
    let query = sql_query("SELECT * FROM public.isolation_runs WHERE id = $1").bind::<SqlUuid, _>(id);
    query.get_result(conn).await.optional()
}

/// A table as it stands.
#[derive(Debug, Clone, serde::Serialize, QueryableByName)]
pub struct TableState {
    /// With its schema.
    #[diesel(sql_type = Text)]
    pub table_name: String,
    /// Its owner.
    #[diesel(sql_type = Text)]
    pub owner: String,
    /// Row-level security is on.
    #[diesel(sql_type = Bool)]
    pub row_security: bool,
    /// For its owner too.
    #[diesel(sql_type = Bool)]
    pub forced: bool,
    /// Whether it has a tenant column.
    #[diesel(sql_type = Bool)]
    pub names_tenants: bool,
    /// Whether it is part of another.
    #[diesel(sql_type = Bool)]
    pub is_partition: bool,
    /// How many policies it has.
    #[diesel(sql_type = BigInt)]
    pub policies: i64,
    /// Logins that may read some column.
    #[diesel(sql_type = Array<Text>)]
    pub readers: Vec<String>,
    /// Logins that may write.
    #[diesel(sql_type = Array<Text>)]
    pub writers: Vec<String>,
}

/// A policy as it stands.
#[derive(Debug, Clone, serde::Serialize, QueryableByName)]
pub struct PolicyState {
    /// With its schema.
    #[diesel(sql_type = Text)]
    pub table_name: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub policy: String,
    /// SELECT, INSERT, UPDATE, DELETE or ALL.
    #[diesel(sql_type = Text)]
    pub command: String,
    /// For whom.
    #[diesel(sql_type = Array<Text>)]
    pub roles: Vec<String>,
    /// Which rows.
    #[diesel(sql_type = Nullable<Text>)]
    pub using_expression: Option<String>,
    /// Which new rows.
    #[diesel(sql_type = Nullable<Text>)]
    pub check_expression: Option<String>,
}

/// A function that runs with its owner's rights.
#[derive(Debug, Clone, serde::Serialize, QueryableByName)]
pub struct FunctionState {
    /// With its arguments' types.
    #[diesel(sql_type = Text)]
    pub function: String,
    /// Whose rights.
    #[diesel(sql_type = Text)]
    pub owner: String,
    /// Whether names in it cannot be shadowed.
    #[diesel(sql_type = Bool)]
    pub search_path_fixed: bool,
    /// Who may call it.
    #[diesel(sql_type = Array<Text>)]
    pub callers: Vec<String>,
    /// What for.
    #[diesel(sql_type = Nullable<Text>)]
    pub purpose: Option<String>,
}

/// What stands otherwise than the migrations left it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, QueryableByName)]
pub struct Drift {
    /// `missing` or `unexpected`.
    #[diesel(sql_type = Text)]
    pub fault: String,
    /// The line of `isolation_state`.
    #[diesel(sql_type = Text)]
    pub line: String,
}

/// Why the test was not run.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Another run is under way.
    #[error("the test of isolation runs already")]
    Runs,
    /// It ran within the pause.
    #[error("the test of isolation ran just now")]
    Ran,
    /// The database.
    #[error(transparent)]
    Db(DbError),
}

impl From<DbError> for ProofError {
    fn from(error: DbError) -> Self {
        match error {
            error if error.violates("runs_already") => Self::Runs,
            error if error.violates("ran_just_now") => Self::Ran,
            error => Self::Db(error),
        }
    }
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

#[derive(QueryableByName)]
struct Standby {
    #[diesel(sql_type = Bool)]
    standby: bool,
}

/// The door of `eis_monitor`: a connection for each question, since they are rare.
#[derive(Clone)]
pub struct Monitor {
    url: String,
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Monitor(…)")
    }
}

impl Monitor {
    /// By the connection string of `eis_monitor` (`Connected::url(Login::Monitor)`).
    #[must_use]
    pub const fn new(url: String) -> Self {
        Self { url }
    }

    /// Runs the test and puts it on record; a second or two. `asked_by` stands in the record. It runs once at a time in the
    /// whole database, and not again within `pause` seconds of the last run.
    ///
    /// # Errors
    /// [`ProofError::Runs`], [`ProofError::Ran`], and when the database cannot be reached or takes no writes.
    pub async fn prove(&self, asked_by: &str, pause: i32) -> Result<Run, ProofError> {
        let mut connection = connect(&self.url).await?;
        connection.batch_execute("BEGIN READ WRITE").await.map_err(DbError::from)?;
        let done: Id = sql_query("SELECT public.prove_isolation($1, make_interval(secs => $2)) AS id")
            .bind::<Text, _>(asked_by)
            .bind::<Double, _>(f64::from(pause))
            .get_result(&mut connection)
            .await
            .map_err(DbError::from)?;
        connection.batch_execute("COMMIT").await.map_err(DbError::from)?;
        let run = run(&mut connection, done.id).await.map_err(DbError::from)?;
        Ok(run.ok_or(DbError::Query(diesel::result::Error::NotFound))?)
    }

    /// Every table and whether its row-level security stands.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn tables(&self) -> Result<Vec<TableState>, DbError> {
        let query = sql_query("SELECT * FROM public.isolation_tables ORDER BY table_name");
        Ok(query.load(&mut connect(&self.url).await?).await?)
    }

    /// Every policy.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn policies(&self) -> Result<Vec<PolicyState>, DbError> {
        let query = sql_query("SELECT * FROM public.isolation_policies ORDER BY table_name, policy");
        Ok(query.load(&mut connect(&self.url).await?).await?)
    }

    /// Every function that runs with its owner's rights.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn functions(&self) -> Result<Vec<FunctionState>, DbError> {
        let query = sql_query("SELECT * FROM public.isolation_functions ORDER BY function");
        Ok(query.load(&mut connect(&self.url).await?).await?)
    }

    /// What stands otherwise than the migrations left it.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub async fn drift(&self) -> Result<Vec<Drift>, DbError> {
        let query = sql_query("SELECT * FROM public.isolation_drift ORDER BY fault, line");
        Ok(query.load(&mut connect(&self.url).await?).await?)
    }
}

/// Runs `test_rls_isolation()` as the owner and puts nothing on record; `None` on a standby, which takes no writes.
///
/// # Errors
/// When the database cannot be reached or the test cannot be run.
pub(super) async fn verdicts(admin_url: &str) -> Result<Option<Vec<Verdict>>, DbError> {
    let mut connection = connect(admin_url).await?;
    let place: Standby =
        sql_query("SELECT pg_catalog.pg_is_in_recovery() AS standby").get_result(&mut connection).await?;
    if place.standby {
        return Ok(None);
    }
    connection.batch_execute("SET ROLE eis_owner; BEGIN READ WRITE").await?;
    Ok(Some(sql_query("SELECT * FROM public.test_rls_isolation()").load(&mut connection).await?))
}

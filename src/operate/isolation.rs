//! The isolation report: what was tried against this database and found, and how what decides who may see what stands
//! now. Nothing in it is a tenant's.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::access::Role;
use crate::db::{DbError, Tenant};
use crate::operate::proof::{self, Drift, Monitor, ProofError, Run, TableState};

/// What any login may know of the server it speaks to.
#[derive(Debug, Clone, QueryableByName)]
pub struct Server {
    /// `15.18`.
    #[diesel(sql_type = Text)]
    pub version: String,
    /// Since when contexts are signed with the key in use.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub key_since: Option<DateTime<Utc>>,
    /// Roles of the portal that could pass row-level security by; none, as it should be.
    #[diesel(sql_type = Array<Text>)]
    pub too_mighty: Vec<String>,
}

/// All that the report shows.
#[derive(Debug, Clone)]
pub struct Report {
    /// The latest runs, the last first.
    pub runs: Vec<Run>,
    /// Every table as it stands.
    pub tables: Vec<TableState>,
    /// What stands otherwise than the migrations left it.
    pub drift: Vec<Drift>,
    /// The server.
    pub server: Server,
}

impl Report {
    /// Why isolation is in doubt, a sentence each; empty when all that is known holds.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let mut doubts = Vec::new();
        if let [run, ..] = self.runs.as_slice()
            && run.tried != run.passed
        {
            let failed = run.tried - run.passed;
            doubts.push(match failed {
                1 => "One attempt of the last run ended otherwise than it should.".to_owned(),
                n => format!("{n} attempts of the last run ended otherwise than they should."),
            });
        }
        let open = self.tables.iter().filter(|table| !(table.row_security && table.forced));
        doubts
            .extend(open.map(|table| format!("The table {} is without forced row-level security.", table.table_name)));
        doubts
            .extend(self.server.too_mighty.iter().map(|role| format!("The role {role} passes row-level security by.")));
        match self.drift.len() {
            0 => {}
            1 => doubts
                .push("One policy, right or function stands otherwise than the portal's migrations left it.".into()),
            n => doubts.push(format!(
                "{n} policies, rights or functions stand otherwise than the portal's migrations left them."
            )),
        }
        doubts
    }
}

/// How many runs the report lists.
const RUNS: i64 = 10;

/// What the report shows: the record of runs by the context of a reader, the rest by the monitor, which sees no
/// tenant's rows.
///
/// # Errors
/// When the database fails.
pub async fn report(conn: &mut AsyncPgConnection, monitor: &Monitor) -> Result<Report, DbError> {
    let runs = proof::runs(conn, RUNS).await?;
    let server = server(conn).await?;
    Ok(Report { runs, server, tables: monitor.tables().await?, drift: monitor.drift().await? })
}

/// Puts a run that the asker had done just now into the log of the organization of the context, which may be one that reads.
///
/// # Errors
/// [`DbError::Refused`] when there is no such run, or it stands there already; when the context may not, or the database fails.
pub async fn put_on_record(conn: &mut AsyncPgConnection, run: Uuid, address: &str) -> Result<(), DbError> {
    let query = sql_query("SELECT public.record_isolation_run($1, $2) AS done")
        .bind::<SqlUuid, _>(run)
        .bind::<Text, _>(address);
    let put: Put = query.get_result(conn).await?;
    if put.done { Ok(()) } else { Err(DbError::Refused) }
}

#[derive(QueryableByName)]
struct Put {
    #[diesel(sql_type = Bool)]
    done: bool,
}

/// Runs the test of isolation, `pause` seconds after the last run at the earliest, and puts it on record.
///
/// # Errors
/// As [`Monitor::prove`], and when the record is refused.
pub async fn run(tx: &mut Tenant, monitor: &Monitor, pause: i32) -> Result<Run, ProofError> {
    // The record of runs is for every organization to read: it names nobody.
    let author = tx.author().map_err(ProofError::Db)?.clone();
    let staff = author.role == Role::EisStaff.code();
    let asked_by = if staff { "EIS staff" } else { "An organisation's admin" };
    let run = monitor.prove(asked_by, pause).await?;
    put_on_record(tx, run.id, &author.address).await.map_err(ProofError::Db)?;
    Ok(run)
}

async fn server(conn: &mut AsyncPgConnection) -> QueryResult<Server> {
    sql_query(
        "SELECT split_part(current_setting('server_version'), ' ', 1) AS version, public.signing_key_made_at() AS key_since, ARRAY(
            SELECT r.rolname::text FROM pg_catalog.pg_roles r WHERE r.rolname LIKE 'eis\\_%' AND (r.rolsuper OR r.rolbypassrls) ORDER BY 1) AS too_mighty",
    )
    .get_result(conn)
    .await
}

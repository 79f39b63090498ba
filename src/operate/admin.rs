//! What is done once per database before its first migration: roles, logins, the database itself.
//!
//! Runs with an administrator's connection (the private server's superuser, or `DATABASE_URL`).

use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use super::logins::LoginPasswords;
use super::{closed, own};
use crate::db::DbError;
use crate::db::link::connect;

/// Roles that every database on the server shares. Logins are members of nothing, so that no `SET ROLE`
/// leads anywhere; the owner may act as the gate to hand functions over, and inherits none of its sight; the
/// probe has what the portal's login has and nothing else, for `test_rls_isolation()`; timeouts keep a stuck transaction from holding locks.
const ROLES: &str = "
DO $$ BEGIN
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'eis_owner') THEN CREATE ROLE eis_owner NOLOGIN; END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'eis_gate') THEN CREATE ROLE eis_gate NOLOGIN; END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'eis_app') THEN CREATE ROLE eis_app LOGIN; END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'eis_worker') THEN CREATE ROLE eis_worker LOGIN; END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'eis_monitor') THEN CREATE ROLE eis_monitor LOGIN; END IF;
    IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = 'eis_probe') THEN CREATE ROLE eis_probe NOLOGIN; END IF;
END $$;
ALTER ROLE eis_owner NOINHERIT;
GRANT eis_gate TO eis_owner;
ALTER ROLE eis_probe INHERIT;
GRANT eis_app TO eis_probe;
GRANT eis_probe TO eis_owner;
ALTER ROLE eis_app SET plan_cache_mode = force_generic_plan;
ALTER ROLE eis_app SET statement_timeout = '60s';
ALTER ROLE eis_app SET lock_timeout = '2s';
ALTER ROLE eis_app SET idle_in_transaction_session_timeout = '60s';
ALTER ROLE eis_app SET jit = off;
ALTER ROLE eis_app SET enable_bitmapscan = off;
ALTER ROLE eis_worker SET idle_in_transaction_session_timeout = '300s';
ALTER ROLE eis_worker SET jit = off;
ALTER ROLE eis_monitor SET statement_timeout = '30s';
ALTER ROLE eis_monitor SET default_transaction_read_only = on;
";

/// What the database's PUBLIC loses: temporary tables would let a login shadow names; functions are those of [`closed`].
fn ground() -> String {
    format!(
        "ALTER SCHEMA public OWNER TO eis_owner;
         REVOKE ALL ON SCHEMA public FROM PUBLIC;
         DO $$
         DECLARE f regprocedure;
         BEGIN
             FOR f IN SELECT p.oid::regprocedure FROM pg_catalog.pg_proc p WHERE {}
             LOOP EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', f); END LOOP;
         END $$;
         GRANT EXECUTE ON FUNCTION pg_catalog.set_config(text, text, boolean) TO eis_gate;
         GRANT EXECUTE ON FUNCTION pg_catalog.pg_advisory_lock(bigint), pg_catalog.pg_advisory_unlock(bigint) TO CURRENT_USER;",
        closed::FUNCTIONS
    )
}

/// How long a start waits for a lock that somebody holds.
const PATIENCE: &str = "SET lock_timeout = '10s'";

/// What a login had done to itself (`operate/own.rs`), told after it was mended.
pub type Mended = Vec<String>;

/// Makes roles and logins, and in the database of `admin_url` the ground for the migrations. Idempotent.
///
/// # Errors
/// When the administrator lacks a right: the message of PostgreSQL says which.
pub async fn prepare(admin_url: &str, passwords: &LoginPasswords) -> Result<Mended, DbError> {
    let (mut left, mut mended) = (TIMES, Mended::new());
    loop {
        match prepare_once(admin_url, passwords, &mut mended).await {
            // Roles are the server's: a portal on another of its databases changes the same ones at this moment.
            Err(error) if error.is_overtaken() && left > 0 => {
                left -= 1;
                tokio::time::sleep(PAUSE).await;
            }
            done => return done.map(|()| mended),
        }
    }
}

/// How often it is tried again where another changed a role at the same moment, and after which pause.
const TIMES: usize = 20;
const PAUSE: std::time::Duration = std::time::Duration::from_millis(150);

/// What is mended is kept also where the rest has to be tried again.
async fn prepare_once(admin_url: &str, passwords: &LoginPasswords, mended: &mut Mended) -> Result<(), DbError> {
    let mut connection = connect(admin_url).await?;
    connection.batch_execute(PATIENCE).await?;
    connection.batch_execute("SELECT pg_advisory_lock(4711001)").await?;
    mended.extend(own::of_passwords(&mut connection, admin_url, passwords).await?);
    let strange = own::of_settings(&mut connection).await?;
    let first = if strange.is_empty() { "" } else { own::RESET };
    mended.extend(strange);
    connection.batch_execute(&format!("{first}{ROLES}")).await?;
    for (login, password) in
        [("eis_app", &passwords.app), ("eis_worker", &passwords.worker), ("eis_monitor", &passwords.monitor)]
    {
        let sql =
            format!("ALTER ROLE {login} NOINHERIT NOCREATEDB NOCREATEROLE PASSWORD '{}'", password.replace('\'', "''"));
        connection.batch_execute(&sql).await?;
    }
    let database: String = diesel::select(diesel::dsl::sql::<diesel::sql_types::Text>("current_database()::text"))
        .get_result(&mut connection)
        .await?;
    let quoted = format!("\"{}\"", database.replace('"', "\"\""));
    connection
        .batch_execute(&format!(
            "GRANT eis_owner TO CURRENT_USER;
             GRANT CREATE ON DATABASE {quoted} TO eis_owner;
             REVOKE ALL ON DATABASE {quoted} FROM PUBLIC;
             GRANT CONNECT ON DATABASE {quoted} TO eis_app, eis_worker, eis_monitor;
             {}",
            ground()
        ))
        .await?;
    mended.extend(own::of_default_rights(&mut connection).await?);
    connection.batch_execute("SELECT pg_advisory_unlock(4711001)").await?;
    Ok(())
}

/// Makes a database of this name if it is missing.
///
/// # Errors
/// When the administrator may not create databases.
pub async fn ensure_database(admin_url: &str, name: &str) -> Result<bool, DbError> {
    use diesel::sql_types::{Bool, Text};
    let mut connection = connect(admin_url).await?;
    let exists: bool = diesel::select(
        diesel::dsl::sql::<Bool>("EXISTS (SELECT 1 FROM pg_database WHERE datname = ").bind::<Text, _>(name).sql(")"),
    )
    .get_result(&mut connection)
    .await?;
    if !exists {
        connection.batch_execute(&format!("CREATE DATABASE \"{}\"", name.replace('"', "\"\""))).await?;
    }
    Ok(!exists)
}

/// Statistics and visibility maps after a bulk load.
///
/// # Errors
/// When the database fails.
pub async fn vacuum_analyze(admin_url: &str) -> Result<(), DbError> {
    Ok(connect(admin_url).await?.batch_execute("VACUUM ANALYZE").await?)
}

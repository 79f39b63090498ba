//! Migrations, and the scripts that go with them (`operate/scripts.rs`): what is applied, what is pending, up and down. They run
//! as `eis_owner`.

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::expected;
use super::scripts::{self, Scripts};
use crate::db::{Db, DbError, link};

/// The migrations of this program.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// One migration or script and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MigrationState {
    /// A migration's directory, or a script's stage and file: `after/40_views`.
    pub name: String,
    /// Whether it is applied; a script: as its text is now.
    pub applied: bool,
}

/// What [`apply`] did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Applied {
    /// Versions of migrations, oldest first.
    pub migrations: Vec<String>,
    /// Names of scripts, in their order.
    pub scripts: Vec<String>,
}

fn failed(error: impl std::fmt::Display) -> DbError {
    DbError::Query(diesel::result::Error::QueryBuilderError(error.to_string().into()))
}

async fn owner(admin_url: &str) -> Result<AsyncPgConnection, DbError> {
    let mut connection = link::connect(admin_url).await?;
    connection.batch_execute("SET ROLE eis_owner; SET lock_timeout = '10s'; SET statement_timeout = '10min'").await?;
    Ok(connection)
}

/// Versions of the migrations that are applied.
async fn versions(admin_url: &str) -> Result<Vec<String>, DbError> {
    let applied = harness(admin_url).await?.applied_migrations().map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).collect())
}

fn run_pending(mut harness: AsyncMigrationHarness<AsyncPgConnection>) -> Result<Vec<String>, DbError> {
    let versions = harness.run_pending_migrations(MIGRATIONS).map_err(failed)?;
    Ok(versions.iter().map(ToString::to_string).collect())
}

fn revert(mut harness: AsyncMigrationHarness<AsyncPgConnection>, steps: usize) -> Result<Vec<String>, DbError> {
    let mut names = Vec::new();
    while names.len() < steps && !harness.applied_migrations().map_err(failed)?.is_empty() {
        names.push(harness.revert_last_migration(MIGRATIONS).map_err(failed)?.to_string());
    }
    Ok(names)
}

async fn harness(admin_url: &str) -> Result<AsyncMigrationHarness<AsyncPgConnection>, DbError> {
    Ok(AsyncMigrationHarness::new(owner(admin_url).await?))
}

/// Leaves in the database what its state should be, for `isolation_drift`.
async fn write_expected_state(admin_url: &str) -> Result<(), DbError> {
    let mut connection = link::connect(admin_url).await?;
    connection.batch_execute("SET ROLE eis_owner").await?;
    let lines: Vec<&str> = expected::STATE.lines().collect();
    diesel::sql_query(
        "WITH gone AS (DELETE FROM public.expected_state WHERE line <> ALL ($1))
         INSERT INTO public.expected_state SELECT unnest($1) ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Text>, _>(lines)
    .execute(&mut connection)
    .await?;
    Ok(())
}

/// Brings the database to this program's state; the versions of the migrations that were pending.
///
/// # Errors
/// As [`apply`].
pub async fn up(admin_url: &str) -> Result<Vec<String>, DbError> {
    Ok(apply(admin_url, &Scripts::ours()).await?.migrations)
}

/// Applies the scripts before the migrations that differ, what is pending, and the scripts after them that differ. A
/// database that is newer than this program keeps the newer one's scripts: this one works with them.
///
/// # Errors
/// When a migration or a stage of scripts fails: it is rolled back, what came before it stays.
pub async fn apply(admin_url: &str, scripts: &Scripts) -> Result<Applied, DbError> {
    let newer = !unknown(admin_url).await?.is_empty();
    let mut applied = Applied::default();
    if !newer {
        applied.scripts = scripts::before(&mut owner(admin_url).await?, scripts).await?;
    }
    applied.migrations = run_pending(harness(admin_url).await?)?;
    if !newer {
        applied.scripts.extend(scripts::after(&mut owner(admin_url).await?, scripts).await?);
        write_expected_state(admin_url).await?;
    }
    Ok(applied)
}

/// Takes back the latest `steps` migrations; the names of what was taken back. What the scripts after them made goes
/// first, whichever program's they were: the next `up`, this program's or an older one's, applies its own.
///
/// # Errors
/// When a migration's way back fails: it is rolled back itself.
pub async fn down(admin_url: &str, steps: usize) -> Result<Vec<String>, DbError> {
    if steps == 0 || versions(admin_url).await?.is_empty() {
        return Ok(Vec::new());
    }
    // With migrations that this program does not know it can take nothing back, and is told so below.
    if unknown(admin_url).await?.is_empty() {
        scripts::take_back_after(&mut owner(admin_url).await?).await?;
    }
    let names = revert(harness(admin_url).await?, steps)?;
    if versions(admin_url).await?.is_empty() {
        scripts::take_back_before(&mut owner(admin_url).await?).await?;
    }
    Ok(names)
}

/// Every script and migration of this program, in the order in which `up` applies them, with whether the database has it;
/// then scripts that are another program's, which `up` takes back. Scripts are left out where the database is newer than
/// this program: it has the newer one's, rightly.
///
/// # Errors
/// When the database cannot be read.
pub async fn status(admin_url: &str) -> Result<Vec<MigrationState>, DbError> {
    let applied = versions(admin_url).await?;
    let migrations =
        names()?.into_iter().map(|(version, name)| MigrationState { applied: applied.contains(&version), name });
    if !unknown(admin_url).await?.is_empty() {
        return Ok(migrations.collect());
    }
    let record = scripts::read(&mut owner(admin_url).await?).await?;
    let state = |script: &scripts::Script| MigrationState {
        name: script.name.to_string(),
        applied: record.get(script.name.as_ref()).is_some_and(|there| script.is(there)),
    };
    let ours = Scripts::ours();
    let others = record.keys().filter(|name| ours.all().all(|script| script.name != name.as_str()));
    let others = others.map(|name| MigrationState { name: format!("{name} (another program's)"), applied: false });
    Ok(ours.before.iter().map(state).chain(migrations).chain(ours.after.iter().map(state)).chain(others).collect())
}

/// Versions of migrations that are applied and that this program does not have: the database is newer.
///
/// # Errors
/// When the database cannot be read.
pub async fn unknown(admin_url: &str) -> Result<Vec<String>, DbError> {
    let known: Vec<String> = names()?.into_iter().map(|(version, _)| version).collect();
    Ok(versions(admin_url).await?.into_iter().filter(|version| !known.contains(version)).collect())
}

/// Version and name of every migration of this program, oldest first.
///
/// # Errors
/// Never in practice: the embedded list is well formed.
pub fn names() -> Result<Vec<(String, String)>, DbError> {
    let mut all: Vec<Box<dyn Migration<Pg>>> = MIGRATIONS.migrations().map_err(failed)?;
    all.sort_by_key(|m| m.name().version().as_owned());
    Ok(all.iter().map(|m| (m.name().version().to_string(), m.name().to_string())).collect())
}

/// Names of the migrations of this program that a database lacks, asked with the portal's own login.
///
/// # Errors
/// When the database cannot be reached.
pub async fn lacking(db: &Db) -> Result<Vec<String>, DbError> {
    let applied = db.applied_migrations().await?;
    let lacks = |(version, name): (String, String)| (!applied.contains(&version)).then_some(name);
    Ok(names()?.into_iter().filter_map(lacks).collect())
}

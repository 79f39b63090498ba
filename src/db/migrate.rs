//! Migrations: what is applied, what is pending, up and down. They run as `eis_owner`.

use diesel::migration::{Migration, MigrationSource};
use diesel::pg::Pg;
use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncMigrationHarness, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::{DbError, check, link};

/// The migrations of this program.
pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations");

/// One migration and whether the database has it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct MigrationState {
    /// Its directory's name.
    pub name: String,
    /// Whether it is applied.
    pub applied: bool,
}

fn failed(error: impl std::fmt::Display) -> DbError {
    DbError::Query(diesel::result::Error::QueryBuilderError(error.to_string().into()))
}

async fn harness(admin_url: &str) -> Result<AsyncMigrationHarness<AsyncPgConnection>, DbError> {
    let mut connection = link::connect(admin_url).await?;
    connection.batch_execute("SET ROLE eis_owner; SET lock_timeout = '10s'; SET statement_timeout = '10min'").await?;
    Ok(AsyncMigrationHarness::new(connection))
}

/// Leaves in the database what its state should be, for `isolation_drift`.
async fn write_expected_state(admin_url: &str) -> Result<(), DbError> {
    let mut connection = link::connect(admin_url).await?;
    connection.batch_execute("SET ROLE eis_owner").await?;
    let lines: Vec<&str> = check::EXPECTED.lines().collect();
    diesel::sql_query(
        "WITH gone AS (DELETE FROM public.expected_state WHERE line <> ALL ($1))
         INSERT INTO public.expected_state SELECT unnest($1) ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Text>, _>(lines)
    .execute(&mut connection)
    .await?;
    Ok(())
}

/// Applies what is pending; the names of what was applied.
///
/// # Errors
/// When a migration fails: it is rolled back, those before it stay.
pub async fn up(admin_url: &str) -> Result<Vec<String>, DbError> {
    let mut harness = harness(admin_url).await?;
    let versions = harness.run_pending_migrations(MIGRATIONS).map_err(failed)?;
    if unknown(admin_url).await?.is_empty() {
        write_expected_state(admin_url).await?;
    }
    Ok(versions.iter().map(ToString::to_string).collect())
}

/// Takes back the latest `steps` migrations; the names of what was taken back.
///
/// # Errors
/// When a migration's way back fails: it is rolled back itself.
pub async fn down(admin_url: &str, steps: usize) -> Result<Vec<String>, DbError> {
    let mut harness = harness(admin_url).await?;
    let mut names = Vec::new();
    for _ in 0..steps {
        if harness.applied_migrations().map_err(failed)?.is_empty() {
            break;
        }
        names.push(harness.revert_last_migration(MIGRATIONS).map_err(failed)?.to_string());
    }
    Ok(names)
}

/// Every migration of this program, oldest first, with whether it is applied.
///
/// # Errors
/// When the database cannot be read.
pub async fn status(admin_url: &str) -> Result<Vec<MigrationState>, DbError> {
    let mut harness = harness(admin_url).await?;
    let applied = harness.applied_migrations().map_err(failed)?;
    let applied: Vec<String> = applied.iter().map(ToString::to_string).collect();
    Ok(names()?
        .into_iter()
        .map(|(version, name)| MigrationState { applied: applied.contains(&version), name })
        .collect())
}

/// Versions of migrations that are applied and that this program does not have: the database is newer.
///
/// # Errors
/// When the database cannot be read.
pub async fn unknown(admin_url: &str) -> Result<Vec<String>, DbError> {
    let mut harness = harness(admin_url).await?;
    let known: Vec<String> = names()?.into_iter().map(|(version, _)| version).collect();
    let applied = harness.applied_migrations().map_err(failed)?;
    Ok(applied.iter().map(ToString::to_string).filter(|version| !known.contains(version)).collect())
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

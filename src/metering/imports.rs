//! Imports: files of usage, what was taken of them and what was refused.
//!
//! A file is read twice. [`survey`] finds out what is in it (no database); [`import_usage`] matches its
//! series to meters, sorts the values into the meters' own local days and writes what is new or changed,
//! in the caller's transaction. The same value again changes nothing; a changed one supersedes, and the
//! day as it was is kept. A file that was imported before only fills in what is still missing, so that an
//! old file sent again by mistake never undoes a correction.

mod apply;
mod matching;
mod refused;
mod survey;
mod take;

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::db::schema::{import_rejections, imports};
use crate::db::{DbError, Tenant};
use crate::values::ids::{ImportId, MeterId};
use crate::values::names;
pub use survey::{SeriesSurvey, Survey, survey};

/// Rejected lines that are kept of one file; more are only counted.
pub const REJECTIONS_KEPT: usize = 10_000;

/// Why a file was not imported; nothing was written then.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The file as a whole cannot be used; a sentence that says why and what to do.
    #[error("{0}")]
    File(String),
    /// The meter chosen does not fit; a sentence that says why and what to do.
    #[error("{0}")]
    Meter(String),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for ImportError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

/// What a person said about a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// The serial of the one meter that the file is from; `None`: the file says so itself.
    pub serial: Option<String>,
}

/// What became of a file. Counts are values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportResult {
    /// The import.
    pub id: ImportId,
    /// New values.
    pub accepted: u64,
    /// Values that were there already.
    pub unchanged: u64,
    /// Values that replaced other ones.
    pub superseded: u64,
    /// Values and lines refused.
    pub rejected: u64,
    /// Energy of the values taken.
    pub kwh: Decimal,
    /// When the very same file was imported before.
    pub before: Option<DateTime<Utc>>,
}

/// Imports a file of usage: matches, compares, writes, records; all in the caller's transaction.
///
/// # Errors
/// [`ImportError`]; then the caller drops the transaction and nothing was written.
pub async fn import_usage(
    tx: &mut Tenant,
    survey: Survey,
    options: &ImportOptions,
) -> Result<ImportResult, ImportError> {
    let serial = options.serial.as_deref().map(str::trim).filter(|serial| !serial.is_empty());
    let matched = matching::find(tx, &survey, serial).await?;
    apply::apply(tx, Arc::new(survey), matched).await
}

/// A file of usage.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = imports)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// The file's name on the sender's disk.
    pub file_name: String,
    /// Its size.
    pub file_bytes: i64,
    /// `green_button`, `csv` or `nem12`.
    pub format: String,
    /// `applied` or `failed`.
    pub status: String,
    /// The meter, where all values went to one.
    pub meter_id: Option<MeterId>,
    /// New values.
    pub accepted: i32,
    /// Values that were there already.
    pub unchanged: i32,
    /// Values that replaced other ones.
    pub superseded: i32,
    /// Values and lines refused.
    pub rejected: i32,
    /// Start of the first interval taken.
    pub first_at: Option<DateTime<Utc>>,
    /// End of the last interval taken.
    pub last_at: Option<DateTime<Utc>>,
    /// Energy of the values taken.
    pub kwh: Decimal,
    /// What to know about it, in sentences; may be empty.
    pub problem: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A line, or a run of values, that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = import_rejections)]
pub struct Rejection {
    /// 1, 2, … in the order of the file.
    pub position: i32,
    /// Line of the file, from 1.
    pub line: i32,
    /// Column, from 1.
    #[diesel(column_name = column_)]
    pub column: i32,
    /// The line, or what it says.
    pub content: String,
    /// What is wrong and what to do.
    pub reason: String,
}

/// A client's imports, the latest first; one page, and how many there are in all.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, offset: i64, limit: i64) -> QueryResult<(Vec<Import>, i64)> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let own = || imports::table.filter(imports::organization_id.eq(organization).and(imports::client_id.eq(client)));
    let total = own().count().get_result(&mut conn).await?;
    let rows = own()
        .select(Import::as_select())
        .order((imports::created_at.desc(), imports::id.desc()))
        .offset(offset)
        .limit(limit)
        .load(&mut conn)
        .await?;
    Ok((rows, total))
}

/// The import of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, id: ImportId) -> QueryResult<Option<Import>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    imports::table
        .filter(imports::organization_id.eq(organization).and(imports::client_id.eq(client)).and(imports::id.eq(id)))
        .select(Import::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// What was refused of an import, in the order of the file; one page, and how many there are in all.
///
/// # Errors
/// When the database fails.
pub async fn rejections(tx: &Tenant, id: ImportId, offset: i64, limit: i64) -> QueryResult<(Vec<Rejection>, i64)> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let own = || {
        import_rejections::table.filter(
            import_rejections::organization_id
                .eq(organization)
                .and(import_rejections::client_id.eq(client))
                .and(import_rejections::import_id.eq(id)),
        )
    };
    let total = own().count().get_result(&mut conn).await?;
    let rows = own()
        .select(Rejection::as_select())
        .order(import_rejections::position)
        .offset(offset)
        .limit(limit)
        .load(&mut conn)
        .await?;
    Ok((rows, total))
}

/// A file as the person named it, without the folders that some browsers send.
#[must_use]
pub fn clean_name(name: &str) -> String {
    let base = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let base: String = base.chars().filter(|c| !c.is_control()).take(200).collect();
    let base = names::shown(&base).into_owned();
    if base.trim().is_empty() { "usage".to_owned() } else { base }
}

/// A file to import. It may have no name on the disk.
#[derive(Debug, Clone)]
pub struct ImportFile {
    file: Arc<File>,
    /// What the person calls it.
    name: String,
}

impl ImportFile {
    /// An open file, and what the person calls it.
    #[must_use]
    pub fn new(file: File, name: &str) -> Self {
        Self { file: Arc::new(file), name: clean_name(name) }
    }

    /// What the person calls it, without the folders that some browsers send.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file from its start, however far others have read it.
    fn whole(&self) -> FromStart {
        FromStart { file: Arc::clone(&self.file), at: 0 }
    }
}

/// A file read from its start on, beside other readers of it.
struct FromStart {
    file: Arc<File>,
    at: u64,
}

impl Read for FromStart {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.file.read_at(into, self.at)?;
        self.at += u64::try_from(read).unwrap_or_default();
        Ok(read)
    }
}

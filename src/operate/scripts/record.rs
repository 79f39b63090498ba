//! Which scripts a database has: `public.applied_scripts`. The runner makes it; no login may look at it.

use std::collections::BTreeMap;

use diesel::sql_types::{Array, Binary, Bool, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::Script;
use crate::db::DbError;

const TABLE: &str = "
CREATE TABLE public.applied_scripts (
    name        text PRIMARY KEY,
    sha256      bytea NOT NULL CHECK (octet_length(sha256) = 32),
    makes       text[] NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE public.applied_scripts IS 'The scripts that made functions and views here: kept by `portal migrate up`, so that another program''s can take their place.';
COMMENT ON COLUMN public.applied_scripts.makes IS 'What its text makes, in its order; of a script before the migrations also what another text made and policies may still ask.';
ALTER TABLE public.applied_scripts ENABLE ROW LEVEL SECURITY;
ALTER TABLE public.applied_scripts FORCE ROW LEVEL SECURITY;
REVOKE ALL ON public.applied_scripts FROM PUBLIC;
CREATE POLICY owner_all ON public.applied_scripts FOR ALL TO eis_owner USING (true) WITH CHECK (true);
";

/// What the database has of a script.
#[derive(Debug, Clone, QueryableByName)]
pub struct Applied {
    #[diesel(sql_type = Text)]
    name: String,
    /// Of its text.
    #[diesel(sql_type = Binary)]
    pub sha256: Vec<u8>,
    /// As in [`Script::makes`].
    #[diesel(sql_type = Array<Text>)]
    pub makes: Vec<String>,
}

/// The record by names.
pub type Record = BTreeMap<String, Applied>;

#[derive(QueryableByName)]
struct There {
    #[diesel(sql_type = Bool)]
    there: bool,
}

async fn is_there(connection: &mut AsyncPgConnection) -> Result<bool, DbError> {
    let table: There =
        sql_query("SELECT to_regclass('public.applied_scripts') IS NOT NULL AS there").get_result(connection).await?;
    Ok(table.there)
}

/// The record; empty where there is none.
///
/// # Errors
/// When the database fails.
pub async fn read(connection: &mut AsyncPgConnection) -> Result<Record, DbError> {
    if !is_there(connection).await? {
        return Ok(Record::new());
    }
    let rows: Vec<Applied> =
        sql_query("SELECT name, sha256, makes FROM public.applied_scripts").load(connection).await?;
    Ok(rows.into_iter().map(|row| (row.name.clone(), row)).collect())
}

/// As [`read`], made where it is missing and held until the transaction ends: two programs come one after the other.
pub(super) async fn hold(connection: &mut AsyncPgConnection) -> Result<Record, DbError> {
    if !is_there(connection).await? {
        connection.batch_execute(TABLE).await?;
    }
    connection.batch_execute("LOCK TABLE public.applied_scripts IN EXCLUSIVE MODE").await?;
    read(connection).await
}

/// Writes down that a script was applied, and what stands because of it.
pub(super) async fn write(
    connection: &mut AsyncPgConnection,
    script: &Script,
    makes: &[String],
) -> Result<(), DbError> {
    sql_query(
        "INSERT INTO public.applied_scripts AS s (name, sha256, makes) VALUES ($1, $2, $3)
         ON CONFLICT (name) DO UPDATE SET sha256 = excluded.sha256, makes = excluded.makes, applied_at = now()",
    )
    .bind::<Text, _>(script.name.as_ref())
    .bind::<Binary, _>(script.sha256())
    .bind::<Array<Text>, _>(makes)
    .execute(connection)
    .await?;
    Ok(())
}

/// Strikes a script out.
pub(super) async fn strike(connection: &mut AsyncPgConnection, name: &str) -> Result<(), DbError> {
    sql_query("DELETE FROM public.applied_scripts WHERE name = $1").bind::<Text, _>(name).execute(connection).await?;
    Ok(())
}

//! Rows into the database: many at a time, as the owner, under the policies.

use diesel::sql_query;
use diesel::sql_types::Text;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;

use super::rows::Rows;
use crate::db::DbError;

/// Rows that go out in one statement.
const BATCH: usize = 4000;

fn unwritable(error: impl std::fmt::Display) -> DbError {
    DbError::Query(diesel::result::Error::SerializationError(error.to_string().into()))
}

/// Inserts rows; their fields name the columns.
pub async fn insert<T: Serialize>(conn: &mut AsyncPgConnection, table: &str, rows: &[T]) -> Result<(), DbError> {
    let Some(first) = rows.first() else { return Ok(()) };
    let first = serde_json::to_value(first).map_err(unwritable)?;
    let columns: Vec<String> =
        first.as_object().map(|fields| fields.keys().map(|key| format!("\"{key}\"")).collect()).unwrap_or_default();
    let columns = columns.join(", ");
    let sql = format!(
        "INSERT INTO public.{table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::public.{table}, $1::json)"
    );
    for batch in rows.chunks(BATCH) {
        let json = serde_json::to_string(batch).map_err(unwritable)?;
        sql_query(&sql).bind::<Text, _>(json).execute(conn).await?;
    }
    Ok(())
}

/// Inserts a client's customers, tariffs and usage, parents before children; its bills are made from them.
pub async fn client(conn: &mut AsyncPgConnection, rows: &Rows) -> Result<(), DbError> {
    insert(conn, "customers", &rows.customers).await?;
    insert(conn, "accounts", &rows.accounts).await?;
    insert(conn, "service_points", &rows.service_points).await?;
    insert(conn, "contracts", &rows.contracts).await?;
    insert(conn, "meters", &rows.meters).await?;
    insert(conn, "registers", &rows.registers).await?;
    insert(conn, "tariff_rates", &rows.tariff_rates).await?;
    insert(conn, "tariff_blocks", &rows.tariff_blocks).await?;
    insert(conn, "tariff_agreements", &rows.tariff_agreements).await?;
    insert(conn, "imports", &rows.imports).await?;
    insert(conn, "import_rejections", &rows.import_rejections).await?;
    insert(conn, "meter_readings", &rows.meter_readings).await?;
    insert(conn, "interval_days", &rows.interval_days).await
}

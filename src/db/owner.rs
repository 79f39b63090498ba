//! What runs as `eis_owner`: loading demo and scale data, `portal user create`. One organization at a time,
//! under the system's context, so that the policies hold here too.

use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};

use super::DbError;
use crate::ids::OrganizationId;

/// A connection as `eis_owner`.
///
/// # Errors
/// When the database cannot be reached, or the administrator may not act as `eis_owner`.
#[expect(clippy::disallowed_methods, reason = "this is the owner's door")]
pub async fn connect(admin_url: &str) -> Result<AsyncPgConnection, DbError> {
    let mut connection =
        AsyncPgConnection::establish(admin_url).await.map_err(|error| DbError::Unreachable(error.to_string()))?;
    connection.batch_execute("SET ROLE eis_owner").await?;
    Ok(connection)
}

/// Begins a transaction in the system's context of one organization; end it with [`commit`].
///
/// # Errors
/// When the database fails.
pub async fn begin(connection: &mut AsyncPgConnection, organization: OrganizationId) -> Result<(), DbError> {
    // A typed id: nothing can be injected.
    Ok(connection.batch_execute(&format!("BEGIN; SELECT public.open_system_context('{organization}')")).await?)
}

/// Makes what was written since [`begin`] last.
///
/// # Errors
/// When the database refuses; then nothing was written.
pub async fn commit(connection: &mut AsyncPgConnection) -> Result<(), DbError> {
    Ok(connection.batch_execute("COMMIT").await?)
}

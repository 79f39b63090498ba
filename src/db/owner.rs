//! A transaction of the administrator acting as `eis_owner`: for what is done at the terminal (demo data,
//! `portal user create`). Tenant rows are written under the system context of one organization, so that
//! the policies hold here too.

use std::ops::{Deref, DerefMut};

use diesel::sql_query;
use diesel::sql_types::Uuid as SqlUuid;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::DbError;
use crate::ids::OrganizationId;

/// An open transaction as `eis_owner`. Dropped without [`Owner::commit`], nothing of it was written.
pub struct Owner {
    connection: AsyncPgConnection,
}

impl std::fmt::Debug for Owner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Owner(…)")
    }
}

impl Owner {
    /// Connects as the administrator, becomes `eis_owner` and begins a transaction.
    ///
    /// # Errors
    /// When the database cannot be reached or the administrator may not become its owner.
    pub async fn begin(admin_url: &str) -> Result<Self, DbError> {
        let mut connection =
            AsyncPgConnection::establish(admin_url).await.map_err(|error| DbError::Unreachable(error.to_string()))?;
        connection.batch_execute("SET ROLE eis_owner; SET lock_timeout = '30s'; BEGIN").await?;
        Ok(Self { connection })
    }

    /// Stands at one organization from here on, as the system.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stand_at(&mut self, organization: OrganizationId) -> Result<(), DbError> {
        sql_query("SELECT public.open_system_context($1)")
            .bind::<SqlUuid, _>(organization)
            .execute(&mut self.connection)
            .await?;
        Ok(())
    }

    /// Makes what was written last.
    ///
    /// # Errors
    /// When the database refuses at the last moment; then nothing was written.
    pub async fn commit(mut self) -> Result<(), DbError> {
        Ok(self.connection.batch_execute("COMMIT").await?)
    }
}

impl Deref for Owner {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl DerefMut for Owner {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

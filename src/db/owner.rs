//! What runs as `eis_owner`: loading demo and scale data, `portal user create`. One organization at a time,
//! under the system's context, so that the policies hold here too.

use std::ops::{Deref, DerefMut};

use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::{DbError, link};
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
    /// Connects as the administrator, becomes `eis_owner` and begins a transaction, in no tenant's context yet.
    ///
    /// # Errors
    /// When the database cannot be reached, or the administrator may not act as `eis_owner`.
    pub async fn begin(admin_url: &str) -> Result<Self, DbError> {
        let mut connection = link::connect(admin_url).await?;
        connection.batch_execute("SET ROLE eis_owner; SET lock_timeout = '30s'; BEGIN").await?;
        Ok(Self { connection })
    }

    /// Stands at one organization from here on, as the system.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stand_at(&mut self, organization: OrganizationId) -> Result<(), DbError> {
        // A typed id: nothing can be injected.
        let sql = format!("SELECT public.open_system_context('{organization}')");
        Ok(self.connection.batch_execute(&sql).await?)
    }

    /// As [`Self::stand_at`], put on record in the organization's log: for what is no migration and loads no demo data.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stand_on_record(
        &mut self,
        organization: OrganizationId,
        operator: &str,
        reason: &str,
    ) -> Result<(), DbError> {
        let query = diesel::sql_query("SELECT public.open_operator_work($1, $2, $3)")
            .bind::<diesel::sql_types::Uuid, _>(organization)
            .bind::<diesel::sql_types::Text, _>(operator)
            .bind::<diesel::sql_types::Text, _>(reason);
        query.execute(&mut self.connection).await?;
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

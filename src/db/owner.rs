//! What runs as `eis_owner`: loading demo and scale data, `portal user create`. One organization at a time,
//! under the system's context, so that the policies hold here too.

use std::ops::{Deref, DerefMut};

use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::{Author, DbError, Scope, Tenant, link};
use crate::values::ids::{ClientId, OrganizationId};

/// An open transaction as `eis_owner`. Dropped without [`Owner::commit`], nothing of it was written.
pub struct Owner {
    tenant: Tenant,
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
        Ok(Self { tenant: Tenant::of_own(connection) })
    }

    /// Stands at one organization from here on, as the system.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn stand_at(&mut self, organization: OrganizationId) -> Result<(), DbError> {
        // A typed id: nothing can be injected.
        let sql = format!("SELECT public.open_system_context('{organization}')");
        self.tenant.batch_execute(&sql).await?;
        self.tenant.stand(Scope::at(organization), Some(Author::system()));
        Ok(())
    }

    /// Works for one client of the organization from here on, so that commands of a client's know where they stand. The
    /// context stays the organization's.
    pub fn stand_at_client(&mut self, client: ClientId) {
        let scope = self.tenant.scope().at_client(Some(client));
        self.tenant.stand(scope, Some(Author::system()));
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
        query.execute(&mut *self.tenant).await?;
        self.tenant.stand(Scope::at(organization), Some(Author::system()));
        Ok(())
    }

    /// The transaction as commands take it.
    pub const fn tenant(&mut self) -> &mut Tenant {
        &mut self.tenant
    }

    /// Makes what was written last.
    ///
    /// # Errors
    /// When the database refuses at the last moment; then nothing was written.
    pub async fn commit(self) -> Result<(), DbError> {
        self.tenant.commit().await
    }
}

impl Deref for Owner {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &Self::Target {
        &self.tenant
    }
}

impl DerefMut for Owner {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.tenant
    }
}

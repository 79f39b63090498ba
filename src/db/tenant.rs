//! A transaction under a tenant's context.

use std::ops::{Deref, DerefMut};

use diesel_async::pooled_connection::deadpool::Object;
use diesel_async::{AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;

use super::{Db, DbError};
use crate::access::Actor;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// `READ ONLY`: for pages.
    Read,
    /// For server functions that change something; ends with [`Tenant::commit`].
    Write,
}

/// A connection inside a transaction that stands under an actor's tenant context. Dropped without
/// [`Tenant::commit`] (an error, a panic, a request that went away), it rolls back.
pub struct Tenant {
    connection: Object<AsyncPgConnection>,
    open: bool,
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tenant(open: {})", self.open)
    }
}

impl Db {
    /// Opens a transaction under the actor's context: the only way to a connection.
    ///
    /// For reading, `BEGIN` and the context go out without waiting for their answer, so that they share
    /// one round trip with the first queries: the server works strictly in order, and when the context
    /// is refused the transaction is aborted and every query in it fails. It can never run without one.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`] and [`DbError::Refused`] when writing; for reading they show as a failed
    /// first query.
    pub async fn as_tenant(&self, actor: &Actor, access: Access) -> Result<Tenant, DbError> {
        let connection = self.connection().await?;
        let begin = if access == Access::Read { "BEGIN READ ONLY" } else { "BEGIN" };
        // Typed values only: hex of the secret and a UUID, so nothing can be injected here.
        let client = actor.at.map(|id| format!(", '{id}'")).unwrap_or_default();
        let sql = format!("{begin}; SELECT public.open_context('\\x{}'{client})", actor.secret.hex());
        let mut tenant = Tenant { connection, open: true };
        // Who may stand at several clients must hear at once whether this one is theirs.
        let certain = actor.at.is_none() || actor.at == actor.client;
        if access == Access::Read && certain {
            let mut shared: &AsyncPgConnection = &tenant.connection;
            if let Some(result) = shared.batch_execute(&sql).now_or_never() {
                result.map_err(refused)?;
            }
        } else {
            tenant.connection.batch_execute(&sql).await.map_err(refused)?;
        }
        Ok(tenant)
    }
}

/// Tells a refused context from a broken query, by the name that the gate gives its refusals.
pub(super) fn refused(error: diesel::result::Error) -> DbError {
    let name = match &error {
        diesel::result::Error::DatabaseError(_, info) => info.constraint_name(),
        _ => None,
    };
    match name {
        Some("session_ended") => DbError::SessionEnded,
        Some("not_yours") => DbError::Refused,
        _ => DbError::Query(error),
    }
}

impl Tenant {
    /// Makes what was written last. Mail and documents follow after this, never before.
    ///
    /// # Errors
    /// When the database refuses at the last moment; then nothing was written.
    pub async fn commit(mut self) -> Result<(), DbError> {
        self.open = false;
        Ok(self.connection.batch_execute("COMMIT").await?)
    }

    /// The connection for queries that go out together (pipelined): poll them with `try_join!`.
    #[must_use]
    pub fn shared(&self) -> &AsyncPgConnection {
        &self.connection
    }
}

impl Deref for Tenant {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl DerefMut for Tenant {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        if self.open {
            // Sent now, ahead of whatever the connection's next user sends; its answer needs no waiting.
            let mut shared: &AsyncPgConnection = &self.connection;
            let _ = shared.batch_execute("ROLLBACK").now_or_never();
        }
    }
}

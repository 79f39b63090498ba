//! A transaction under a tenant's context.

use std::cell::RefCell;
use std::future::Future;
use std::ops::{Deref, DerefMut};

use diesel::sql_types::{Binary, Nullable, Uuid as SqlUuid};
use diesel::{QueryResult, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use futures_util::FutureExt;

use super::turns::{self, Party};
use super::{Author, Cached, Db, DbError, Scope, Taken};
use crate::access::{Actor, SessionSecret};
use crate::values::ids::{ClientId, OrganizationId};

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// `READ ONLY`: for pages.
    Read,
    /// For server functions that change something; ends with [`Tenant::commit`].
    Write,
}

impl Access {
    /// How such a transaction begins.
    pub(super) fn begin(self) -> &'static str {
        match self {
            Self::Read => begin_reading(),
            Self::Write => "BEGIN",
        }
    }
}

/// A connection of the pool, or one of its own.
enum Line {
    Pooled(Taken),
    Own(AsyncPgConnection),
}

impl Deref for Line {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &Self::Target {
        match self {
            Self::Pooled(taken) => taken,
            Self::Own(connection) => connection,
        }
    }
}

impl DerefMut for Line {
    fn deref_mut(&mut self) -> &mut Self::Target {
        match self {
            Self::Pooled(taken) => taken,
            Self::Own(connection) => connection,
        }
    }
}

/// A connection inside a transaction that stands under an actor's tenant context. Dropped without
/// [`Tenant::commit`] (an error, a panic, a request that went away), it rolls back. It carries where it stands and, where
/// it writes, who writes.
pub struct Tenant {
    connection: Line,
    open: bool,
    scope: Scope,
    author: Option<Author>,
}

impl std::fmt::Debug for Tenant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Tenant(open: {})", self.open)
    }
}

/// The transaction in which a request's session was looked up, standing under that session's own context.
struct Entered {
    secret: SessionSecret,
    tenant: Tenant,
}

tokio::task_local! {
    static ENTERED: RefCell<Option<Entered>>;
}

/// Gives back the entered transaction of this request, if it was not taken: nobody waits for a second connection
/// while holding a first.
pub(super) fn leave() {
    let _ = ENTERED.try_with(|slot| slot.borrow_mut().take());
}

/// Whether this is a request that may enter: one inside [`Db::entering`].
pub(super) fn may_enter() -> bool {
    ENTERED.try_with(|_| ()).is_ok()
}

/// Keeps a transaction for this request's first [`Db::as_tenant`].
pub(super) fn keep(secret: SessionSecret, tenant: Tenant) {
    let _ = ENTERED.try_with(|slot| slot.replace(Some(Entered { secret, tenant })));
}

/// The transaction that was kept, when it is this session's.
fn take(secret: SessionSecret) -> Option<Tenant> {
    let kept = ENTERED.try_with(|slot| slot.borrow_mut().take()).ok().flatten();
    kept.filter(|entered| entered.secret == secret).map(|entered| entered.tenant)
}

impl Db {
    /// Runs a request that reads: looking its session up ([`Db::session_load`]) opens the session's context in the
    /// same transaction, and the first [`Db::as_tenant`] takes that transaction over. One look at the session
    /// instead of two, and one transaction.
    pub async fn entering<F: Future>(request: F) -> F::Output {
        ENTERED.scope(RefCell::new(None), request).await
    }

    /// Opens a transaction under the actor's context: the only way to a connection.
    ///
    /// For reading, `BEGIN` and the context go out without waiting for their answer, so that they share
    /// one round trip with the first queries: the server works strictly in order, and when the context
    /// is refused the transaction is aborted and every query in it fails. It can never run without one.
    ///
    /// The session's secret is a bound value, never text of a statement: other backends of the same login
    /// can read the text (`pg_stat_activity`), and so can whoever reads the server's log.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`] and [`DbError::Refused`] when writing; for reading they show as a failed
    /// first query.
    pub async fn as_tenant(&self, actor: &Actor, access: Access) -> Result<Tenant, DbError> {
        match self.as_tenant_once(actor, access).await {
            // A backend that was ended takes a moment to hang up; nothing was asked of it but to begin.
            Err(error) if error.was_cut_off() => self.as_tenant_once(actor, access).await,
            other => other,
        }
    }

    async fn as_tenant_once(&self, actor: &Actor, access: Access) -> Result<Tenant, DbError> {
        // Who may stand at several clients must hear at once whether this one is theirs.
        let certain = actor.at.is_none() || actor.at == actor.client;
        if access == Access::Read
            && let Some(tenant) = take(actor.secret)
        {
            if !certain {
                open_context(&tenant.connection, Some(actor.secret), actor.at).await.map_err(refused)?;
            }
            return Ok(tenant.standing(Scope::of(actor), None));
        }
        let author = (access == Access::Write).then(|| Author::from(actor));
        let tenant =
            Tenant::around(self.connection_of(Some(Party::of(actor))).await?).standing(Scope::of(actor), author);
        let begin = access.begin();
        let shared: &AsyncPgConnection = &tenant.connection;
        let mut first = shared;
        let context = open_context(shared, Some(actor.secret), actor.at);
        // Polled in this order, so that they are sent in this order. The context's statement was prepared when
        // the connection was made: sending it waits for nothing.
        let mut opening = Box::pin(async { tokio::try_join!(biased; first.batch_execute(begin), context) });
        if access == Access::Read && certain {
            if let Some(result) = (&mut opening).now_or_never() {
                result.map_err(refused)?;
            }
        } else {
            opening.as_mut().await.map_err(refused)?;
        }
        drop(opening);
        Ok(tenant)
    }
}

/// The call that checks a secret and signs the context; its statement is kept per connection.
async fn open_context(
    mut connection: &AsyncPgConnection,
    secret: Option<SessionSecret>,
    client: Option<ClientId>,
) -> QueryResult<usize> {
    let query = sql_query("SELECT public.open_context($1, $2)")
        .bind::<Nullable<Binary>, _>(secret.map(|secret| secret.bytes().to_vec()))
        .bind::<Nullable<SqlUuid>, _>(client);
    Cached(query).execute(&mut connection).await
}

/// How a transaction that reads begins. A page reads for ten seconds at most; the login's own limit holds for the rest.
pub(super) fn begin_reading() -> &'static str {
    match turns::is_short() {
        true => "BEGIN READ ONLY; SET LOCAL statement_timeout = '10s'",
        false => "BEGIN READ ONLY",
    }
}

/// Makes a new connection ready: on it a missing context is an error, not an empty result (`private.context()`).
pub(super) async fn require_context(connection: &AsyncPgConnection) -> QueryResult<()> {
    let mut first = connection;
    first.batch_execute("SET eis.required = 'yes'").await
}

/// As [`require_context`], and the context's statement is prepared, so that [`Db::as_tenant`] can send it without waiting.
pub(super) async fn make_ready(connection: &AsyncPgConnection) -> QueryResult<()> {
    require_context(connection).await?;
    open_context(connection, None, None).await.map(|_| ())
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
        Some("limited") => DbError::Limited,
        _ => DbError::Query(error),
    }
}

impl Tenant {
    /// A guard for a connection on which a transaction is about to begin.
    pub(super) fn around(connection: Taken) -> Self {
        Self { connection: Line::Pooled(connection), open: true, scope: Scope::default(), author: None }
    }

    /// The same for a connection that is nobody else's.
    pub(super) fn of_own(connection: AsyncPgConnection) -> Self {
        Self { connection: Line::Own(connection), open: true, scope: Scope::default(), author: None }
    }

    /// The same, standing here: as its context was opened.
    pub(super) fn standing(mut self, scope: Scope, author: Option<Author>) -> Self {
        self.stand(scope, author);
        self
    }

    /// Stands here from now on.
    pub(super) fn stand(&mut self, scope: Scope, author: Option<Author>) {
        self.scope = scope;
        self.author = author;
    }

    /// Where it stands.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// The organization in which it stands.
    ///
    /// # Errors
    /// [`DbError::Refused`] where none is open.
    pub fn organization(&self) -> Result<OrganizationId, DbError> {
        self.scope.organization()
    }

    /// The organization and the client at which it stands.
    ///
    /// # Errors
    /// [`DbError::Refused`] where it stands at none.
    pub fn client(&self) -> Result<(OrganizationId, ClientId), DbError> {
        self.scope.client()
    }

    /// As [`Self::client`], for a query: to ask one elsewhere is a fault of the program.
    pub(crate) fn here(&self) -> QueryResult<(OrganizationId, ClientId)> {
        let nowhere = "the transaction stands at no client";
        self.client().map_err(|_| diesel::result::Error::QueryBuilderError(nowhere.into()))
    }

    /// Who writes in it.
    ///
    /// # Errors
    /// [`DbError::Refused`] in one that only reads.
    pub fn author(&self) -> Result<&Author, DbError> {
        self.author.as_ref().ok_or(DbError::Refused)
    }

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

//! The only door to a connection: [`Db::as_tenant`] opens a transaction with the tenant context of a live
//! session. [`gate`] holds the few calls that come before there is an actor (sessions, signing in).

pub mod admin;
mod cached;
pub mod check;
pub mod cluster;
pub mod connect;
mod figure;
pub mod gate;
pub mod migrate;
pub mod owner;
pub mod password_resets;
pub mod proof;
pub mod schema;
pub mod second_factor;
pub mod system;
mod tenant;
mod unreadable;
pub mod worker;

diesel::define_sql_function! {
    /// The organization of the verified context.
    #[sql_name = "public.get_current_organization_id"]
    fn get_current_organization_id() -> diesel::sql_types::Nullable<diesel::sql_types::Uuid>;
}

/// The organization of the context, for a predicate on tenant columns: keys lead with it, and the planner does
/// not see through policies. Evaluated once a statement; safety is the policies' work.
macro_rules! here {
    () => {
        diesel::NullableExpressionMethods::assume_not_null(diesel::QueryDsl::single_value(diesel::select(
            crate::db::get_current_organization_id(),
        )))
    };
}
pub(crate) use here;

use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use futures_util::FutureExt;

pub use cached::Cached;
pub use figure::Figure;
pub use tenant::{Access, Tenant};
pub use unreadable::Unreadable;
pub(crate) use unreadable::zone_of_row;

/// What the database says where a transaction of the portal has no context.
const NO_CONTEXT: &str = "there is no tenant context in this transaction";

/// What was typed, as a part of a pattern for `LIKE` that stands for itself.
#[must_use]
pub(crate) fn literal(typed: &str) -> String {
    let mut pattern = String::with_capacity(typed.len() + 2);
    for letter in typed.chars() {
        if matches!(letter, '\\' | '%' | '_') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    pattern
}

diesel::define_sql_function! {
    /// In small letters, as the database's own indexes have it: identifiers are compared by it on both sides.
    fn lower(value: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

/// What can go wrong between the portal and its database.
#[derive(Debug, thiserror::Error)]
pub enum DbError {
    /// No connection within the time allowed.
    #[error("the database cannot be reached: {0}")]
    Unreachable(String),
    /// The session ended, or its user or assignment was taken away.
    #[error("this session has ended")]
    SessionEnded,
    /// The context may not be opened at this place.
    #[error("this is not yours to open")]
    Refused,
    /// Too many wrong passwords; not tried.
    #[error("too many attempts")]
    Limited,
    /// A query failed.
    #[error(transparent)]
    Query(#[from] diesel::result::Error),
}

impl DbError {
    /// Whether a query ran outside a tenant context: a fault of the program (`private.context()` of the migrations).
    #[must_use]
    pub fn lacks_context(&self) -> bool {
        matches!(self, Self::Query(diesel::result::Error::DatabaseError(_, info)) if info.message() == NO_CONTEXT)
    }

    /// The stored value that could not be read, where that is the fault.
    #[must_use]
    pub fn unreadable(&self) -> Option<&Unreadable> {
        let Self::Query(diesel::result::Error::DeserializationError(fault)) = self else { return None };
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(fault.as_ref());
        while let Some(fault) = cause {
            if let Some(found) = fault.downcast_ref::<Unreadable>() {
                return Some(found);
            }
            cause = fault.source();
        }
        None
    }

    /// Whether a constraint of this name refused the write.
    #[must_use]
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(self, Self::Query(diesel::result::Error::DatabaseError(_, info)) if info.constraint_name() == Some(constraint))
    }
}

/// The portal's connections, as the login `eis_app`.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Db({:?})", self.pool.status())
    }
}

impl Db {
    /// A pool of at most `size` connections; none is opened yet.
    ///
    /// # Errors
    /// When the pool cannot be built from these settings.
    pub fn new(app_url: &str, size: usize) -> Result<Self, DbError> {
        Self::of_login(app_url, size, true)
    }

    /// A pool of a login; `portal`: of the portal's, which opens contexts by sessions.
    fn of_login(app_url: &str, size: usize, portal: bool) -> Result<Self, DbError> {
        let mut config = ManagerConfig::default();
        // The tenant guard leaves no transaction behind, so taking a connection costs no query.
        config.recycling_method = RecyclingMethod::Fast;
        config.custom_setup = Box::new(move |url| {
            async move {
                #[expect(clippy::disallowed_methods, reason = "the pool's own connections")]
                let connection = AsyncPgConnection::establish(url).await?;
                let ready = match portal {
                    true => tenant::make_ready(&connection).await,
                    false => tenant::require_context(&connection).await,
                };
                ready.map_err(diesel::ConnectionError::CouldntSetupConfiguration)?;
                Ok(connection)
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(app_url, config);
        let pool = Pool::builder(manager)
            .max_size(size)
            .wait_timeout(Some(std::time::Duration::from_secs(10)))
            .create_timeout(Some(std::time::Duration::from_secs(10)))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| DbError::Unreachable(error.to_string()))?;
        Ok(Self { pool })
    }

    async fn connection(&self) -> Result<Object<AsyncPgConnection>, DbError> {
        tenant::leave();
        self.pool.get().await.map_err(|error| DbError::Unreachable(error.to_string()))
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), DbError> {
        use diesel_async::SimpleAsyncConnection;
        Ok(self.connection().await?.batch_execute("SELECT 1").await?)
    }
}

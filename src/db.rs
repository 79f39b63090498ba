//! The only door to a connection: [`Db::as_tenant`] opens a transaction with the tenant context of a live
//! session. [`gate`] holds the few calls that come before there is an actor (sessions, signing in).

mod cached;
mod figure;
pub mod gate;
pub mod link;
pub mod owner;
pub mod password_resets;
mod reach;
pub mod refused;
pub mod schema;
mod scope;
pub mod second_factor;
pub mod sent_forms;
pub mod service;
pub mod sessions;
pub mod system;
mod tenant;
pub mod turns;
mod unreadable;
pub mod worker;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool};
use diesel_async::pooled_connection::{AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod};
use futures_util::FutureExt;

pub use cached::Cached;
pub use figure::Figure;
use reach::Reach;
pub use reach::noticing;
pub use scope::{AtClient, Author, Scope};
pub use tenant::{Access, Tenant};
use turns::{Party, Place, Rules, Turns};
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
    /// No connection came free in time, or too many of the same party wait for one.
    #[error("too many wait for the database")]
    Busy,
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

    /// Whether another changed the same row of a catalogue at the same moment: the statement is to be tried again.
    #[must_use]
    pub fn is_overtaken(&self) -> bool {
        self.says(&["tuple concurrently updated", "tuple concurrently deleted"])
    }

    /// Whether the same may go well a moment later: no connection or no lock was free in time.
    ///
    /// By PostgreSQL's own words, since diesel does not tell the SQLSTATE. A server that speaks another language than
    /// English (`lc_messages`) makes it a fault like any other.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Busy) || self.says(&["canceling statement due to lock timeout", "deadlock detected"])
    }

    /// Whether a statement ran for longer than it may.
    #[must_use]
    pub fn took_too_long(&self) -> bool {
        self.says(&["canceling statement due to statement timeout"])
    }

    fn says(&self, messages: &[&str]) -> bool {
        matches!(self, Self::Query(diesel::result::Error::DatabaseError(_, info)) if messages.contains(&info.message()))
    }

    /// Whether the database is not there, or went while it was asked: what was asked may or may not be done.
    ///
    /// A connection that the server ends is known by PostgreSQL's own words, since diesel does not tell the SQLSTATE: of a
    /// server that speaks another language (`lc_messages`) the one request that is cut off is told as a fault of ours.
    #[must_use]
    pub fn is_away(&self) -> bool {
        use diesel::result::DatabaseErrorKind::{ClosedConnection, UnableToSendCommand};
        match self {
            Self::Unreachable(_) => true,
            Self::Query(diesel::result::Error::DatabaseError(ClosedConnection | UnableToSendCommand, _)) => true,
            Self::Query(diesel::result::Error::DatabaseError(_, info)) => {
                ["terminating connection ", "the database system is "]
                    .iter()
                    .any(|words| info.message().starts_with(words))
            }
            _ => false,
        }
    }

    /// Whether the connection was dead or died under the query: nothing was wrong with what was asked.
    fn was_cut_off(&self) -> bool {
        self.is_away() && !matches!(self, Self::Unreachable(_))
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

    /// Whether what was asked for is not there, or not to be seen.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        matches!(self, Self::Query(diesel::result::Error::NotFound))
    }

    /// Whether a policy refused the row that was written: whoever wrote it may not write it there.
    ///
    /// By PostgreSQL's own words, since diesel does not tell the SQLSTATE.
    #[must_use]
    pub fn is_refused_by_policy(&self) -> bool {
        matches!(self, Self::Query(diesel::result::Error::DatabaseError(_, info))
            if info.message().starts_with("new row violates row-level security policy"))
    }

    /// Whether a constraint of this name refused the write.
    #[must_use]
    pub fn violates(&self, constraint: &str) -> bool {
        matches!(self, Self::Query(diesel::result::Error::DatabaseError(_, info)) if info.constraint_name() == Some(constraint))
    }
}

/// What a query that failed says: the business hands it on, and the web makes a [`DbError`] of it.
pub type QueryError = diesel::result::Error;

/// How long a request waits for a connection.
const PATIENCE: Duration = Duration::from_secs(4);
/// Requests of one party that wait for a connection, for each connection there is; and at least [`FEWEST_WAITING`].
const WAITING: usize = 16;
const FEWEST_WAITING: usize = 64;

/// The portal's connections, as the login `eis_app`.
#[derive(Clone)]
pub struct Db {
    pool: Pool<AsyncPgConnection>,
    turns: Arc<Turns<Party>>,
    reach: Arc<Reach>,
}

/// A connection, and the place that it was taken in; the connection goes back first.
struct Taken {
    connection: Object<AsyncPgConnection>,
    _place: Place,
}

impl Deref for Taken {
    type Target = AsyncPgConnection;

    fn deref(&self) -> &Self::Target {
        &self.connection
    }
}

impl DerefMut for Taken {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.connection
    }
}

/// How the connections of a pool are shared: no party has more than three quarters of them, so that another always
/// finds one.
const fn rules(size: usize) -> Rules {
    let waiting = if size * WAITING > FEWEST_WAITING { size * WAITING } else { FEWEST_WAITING };
    let each = size.div_ceil(4) * 3;
    Rules { places: size, each, crowded: each, waiting, patience: PATIENCE }
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
                let connection =
                    link::connect(url).await.map_err(|e| diesel::ConnectionError::BadConnection(e.to_string()))?;
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
            .wait_timeout(Some(PATIENCE))
            .create_timeout(Some(Duration::from_secs(5)))
            .runtime(deadpool::Runtime::Tokio1)
            .build()
            .map_err(|error| DbError::Unreachable(error.to_string()))?;
        Ok(Self { pool, turns: Arc::new(Turns::new(rules(size))), reach: Arc::default() })
    }

    /// A connection, in turn with the other parties: for the party whose request runs here.
    async fn connection(&self) -> Result<Taken, DbError> {
        self.connection_of(turns::party()).await
    }

    /// A connection, in turn with the other parties.
    async fn connection_of(&self, party: Option<Party>) -> Result<Taken, DbError> {
        tenant::leave();
        let place = self.turns.take(party).await.map_err(|turns::Busy| DbError::Busy)?;
        Ok(Taken { connection: self.reach.get(&self.pool).await?, _place: place })
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

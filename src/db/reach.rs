//! Whether the database is there, as the portal's connections find it: said once when it goes and once when it is back,
//! and found out by one request at a time meanwhile, so that none waits for what is not there.

use std::cell::Cell;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use diesel_async::AsyncPgConnection;
use diesel_async::pooled_connection::deadpool::{Object, Pool, PoolError};

use super::DbError;

/// How long after a look that found nothing the next request looks again.
const PAUSE: Duration = Duration::from_secs(1);

tokio::task_local! {
    static MISSED: Cell<bool>;
}

/// Answers a request, and tells whether it found no database on the way: where the error became words meanwhile, its
/// answer can still be the right one.
pub async fn noticing<F: Future>(request: F) -> (F::Output, bool) {
    MISSED.scope(Cell::new(false), async { (request.await, MISSED.with(Cell::get)) }).await
}

/// What was found last.
#[derive(Debug, Default)]
pub(super) struct Reach {
    away: Mutex<Option<Away>>,
}

#[derive(Debug)]
struct Away {
    since: Instant,
    next: Instant,
    why: String,
}

impl Reach {
    /// A connection of the pool.
    ///
    /// # Errors
    /// [`DbError::Unreachable`], at once where another request found nothing within the last second.
    pub async fn get(&self, pool: &Pool<AsyncPgConnection>) -> Result<Object<AsyncPgConnection>, DbError> {
        // Where the pool has connections, one of them may live: only then is waiting for one sensible.
        let looked = match pool.status().size {
            0 => self.may_look(),
            _ => Ok(()),
        };
        let got = match looked {
            Ok(()) => pool.get().await.map_err(|error| self.missed(error)),
            Err(why) => Err(why),
        };
        if got.is_ok() {
            self.found();
        } else {
            let _ = MISSED.try_with(|missed| missed.set(true));
        }
        got.map_err(DbError::Unreachable)
    }

    fn away(&self) -> MutexGuard<'_, Option<Away>> {
        self.away.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn may_look(&self) -> Result<(), String> {
        match self.away().as_mut() {
            Some(away) if Instant::now() < away.next => Err(away.why.clone()),
            Some(away) => {
                away.next = Instant::now() + PAUSE;
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn found(&self) {
        if let Some(away) = self.away().take() {
            tracing::info!(seconds = away.since.elapsed().as_secs(), "the database is reached again");
        }
    }

    fn missed(&self, error: PoolError) -> String {
        let why = match error {
            PoolError::Backend(diesel_async::pooled_connection::PoolError::ConnectionError(
                diesel::ConnectionError::BadConnection(told),
            )) => told,
            // No connection came free: the database may well be there.
            PoolError::Timeout(deadpool::managed::TimeoutType::Wait) => {
                return error.to_string();
            }
            other => other.to_string(),
        };
        let now = Instant::now();
        let mut away = self.away();
        match away.as_mut() {
            Some(known) => known.why.clone_from(&why),
            None => {
                tracing::warn!(%why, "the database cannot be reached; requests are answered 503 until it is back");
                *away = Some(Away { since: now, next: now + PAUSE, why: why.clone() });
            }
        }
        why
    }
}

//! Keeps the private PostgreSQL running while the portal serves: where it dies, it is started again within seconds.
//!
//! A connection that asks nothing is held to it, by the monitor's login: what serves has no administrator's password. Its end is the news. Two portals on one data directory both look, and
//! the first one starts it (`Cluster::start` holds a lock). After `portal db stop` it stays stopped.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::cluster::{ClusterError, Server};
use crate::db::link;

/// Between two looks at a server that is just starting, or that somebody stopped.
const SHORT: Duration = Duration::from_millis(250);
/// The longest pause between two attempts to start it.
const LONGEST: Duration = Duration::from_secs(30);
/// How often the oldest files of its log are removed.
const PRUNE: Duration = Duration::from_secs(10);
/// A server that ran for so long is not in a loop of crashes.
const STEADY: Duration = Duration::from_secs(60);

/// The task that keeps it running.
#[derive(Debug)]
pub struct Keeper {
    task: JoinHandle<()>,
}

impl Keeper {
    /// Begins; `watched_by`: the connection string by which it is noticed.
    #[must_use]
    pub fn of(server: Server, watched_by: String) -> Self {
        let pruned = prune(server.clone());
        let both = async move {
            tokio::join!(keep(server, watched_by), pruned);
        };
        Self { task: tokio::spawn(both) }
    }

    /// Ends: from here on nobody starts it again.
    pub async fn stop(self) {
        self.task.abort();
        let _ = self.task.await;
    }
}

/// How often it was started or could not be, since it last ran steadily, and whether the last time it could not be.
#[derive(Debug, Default)]
struct Attempts {
    number: u32,
    failed: bool,
}

impl Attempts {
    /// None before the first, then 1, 2, 4 … seconds.
    fn pause(&self) -> Duration {
        match self.number {
            0 => Duration::ZERO,
            n => Duration::from_secs(1 << n.min(6).saturating_sub(1)).min(LONGEST),
        }
    }

    /// Whether the log is told of this one: the 1st, 2nd, 4th, 8th … so that a loop does not fill it.
    const fn is_told(&self) -> bool {
        self.number.is_power_of_two()
    }
}

/// Keeps its log within bounds.
async fn prune(server: Server) {
    let mut told = false;
    loop {
        let looked = server.clone();
        let done = tokio::task::spawn_blocking(move || looked.prune_logs()).await;
        if let (Ok(Err(error)), false) = (&done, told) {
            tracing::warn!(%error, "the oldest files of the private PostgreSQL's log cannot be removed; it grows");
        }
        told = matches!(done, Ok(Err(_)));
        tokio::time::sleep(PRUNE).await;
    }
}

async fn keep(server: Server, watched_by: String) {
    let mut attempts = Attempts::default();
    let mut stopped = false;
    loop {
        let since = Instant::now();
        if held(&watched_by).await && since.elapsed() >= STEADY {
            attempts = Attempts::default();
        }
        if server.is_to_stay_stopped() {
            if !stopped {
                tracing::warn!(
                    "the private PostgreSQL was stopped by `portal db stop`; start the portal again, or run `portal migrate up`, to have it back"
                );
            }
            stopped = true;
            tokio::time::sleep(SHORT * 4).await;
            continue;
        }
        stopped = false;
        start(&server, &mut attempts).await;
    }
}

/// Holds a connection until it ends; false: there was none.
async fn held(watched_by: &str) -> bool {
    match link::hold(watched_by).await {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!(%error, "the private PostgreSQL takes no connection");
            false
        }
    }
}

async fn start(server: &Server, attempts: &mut Attempts) {
    let again = server.clone();
    let running = tokio::task::spawn_blocking(move || again.runs_now()).await;
    if let Ok(Ok(true)) = running {
        // It recovers, or another portal has it started, or this connection alone was ended.
        return tokio::time::sleep(SHORT).await;
    }
    tokio::time::sleep(attempts.pause()).await;
    let (again, begun) = (server.clone(), Instant::now());
    let started = tokio::task::spawn_blocking(move || again.start_again()).await;
    let told = |result: Result<bool, ClusterError>, attempts: &mut Attempts| {
        attempts.number = attempts.number.saturating_add(1);
        let failed = std::mem::replace(&mut attempts.failed, result.is_err());
        match result {
            Ok(true) if failed || attempts.is_told() => {
                let milliseconds = begun.elapsed().as_millis();
                tracing::warn!(
                    times = attempts.number,
                    milliseconds,
                    "the private PostgreSQL had died and was started again; its log says why it died"
                );
            }
            Err(error) if attempts.is_told() => {
                tracing::error!(times = attempts.number, %error, "the private PostgreSQL has died and cannot be started; it is tried again and again, at most {} seconds apart", LONGEST.as_secs());
            }
            Ok(_) | Err(_) => {}
        }
    };
    match started {
        // Another started it, or it was stopped meanwhile.
        Ok(Ok(false)) => {}
        Ok(result) => told(result, attempts),
        Err(error) => tracing::error!(%error, "the private PostgreSQL cannot be looked after"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_come_further_apart_and_are_told_less_and_less() {
        let pauses: Vec<u64> = (0..9).map(|number| Attempts { number, failed: false }.pause().as_secs()).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 30, 30, 30]);
        assert_eq!(
            (1..=2880).filter(|n| Attempts { number: *n, failed: false }.is_told()).count(),
            12,
            "a day of them is a dozen lines"
        );
    }
}

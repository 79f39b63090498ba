//! Keeps the private PostgreSQL running while the portal serves: where it dies, it is started again within seconds.
//!
//! A connection that asks nothing is held to it; its end is the news. Two portals on one data directory both look, and
//! the first one starts it (`Cluster::start` holds a lock). After `portal db stop` it stays stopped.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;

use super::cluster::{Cluster, ClusterError};
use super::link;

/// Between two looks at a server that is just starting, or that somebody stopped.
const SHORT: Duration = Duration::from_millis(250);
/// The longest pause between two attempts to start it.
const LONGEST: Duration = Duration::from_secs(30);
/// A server that ran for so long is not in a loop of crashes.
const STEADY: Duration = Duration::from_secs(60);

/// The task that keeps it running.
#[derive(Debug)]
pub struct Keeper {
    task: JoinHandle<()>,
}

impl Keeper {
    /// Begins.
    #[must_use]
    pub fn of(cluster: Cluster) -> Self {
        Self { task: tokio::spawn(keep(cluster)) }
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

async fn keep(cluster: Cluster) {
    let mut attempts = Attempts::default();
    let mut stopped = false;
    loop {
        let since = Instant::now();
        if held(&cluster).await && since.elapsed() >= STEADY {
            attempts = Attempts::default();
        }
        if cluster.is_to_stay_stopped() {
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
        start(&cluster, &mut attempts).await;
    }
}

/// Holds a connection until it ends; false: there was none.
async fn held(cluster: &Cluster) -> bool {
    match link::hold(&cluster.admin_url("postgres")).await {
        Ok(()) => true,
        Err(error) => {
            tracing::debug!(%error, "the private PostgreSQL takes no connection");
            false
        }
    }
}

async fn start(cluster: &Cluster, attempts: &mut Attempts) {
    let again = cluster.clone();
    let running = tokio::task::spawn_blocking(move || again.runs_now()).await;
    if let Ok(Ok(true)) = running {
        // It recovers, or another portal has it started, or this connection alone was ended.
        return tokio::time::sleep(SHORT).await;
    }
    tokio::time::sleep(attempts.pause()).await;
    let (again, begun) = (cluster.clone(), Instant::now());
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

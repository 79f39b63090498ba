//! Background work inside the server: takes jobs up, does them, and puts them down when the server stops.
//!
//! Each worker has a thread of its own, so that its computing never makes a request wait for the thread. Whoever is
//! killed in the middle loses nothing but the batch in hand: when its lease has run out, another worker goes on, of this
//! server or of another on the same database; none does what another has.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use eis::billing::what_ifs;
use eis::db::worker::{Job, Worker};
use eis::db::{Db, DbError};
use eis::jobs::{self, Failure};
use futures_util::FutureExt;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How often ended sessions are swept.
const SWEEP: Duration = Duration::from_secs(60);

/// Sweeps ended sessions away once a minute, until it is aborted. Several servers on one database each do: it takes nobody's
/// turn.
pub fn sweep(db: Db) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            match db.sweep_sessions().await {
                Ok(0) => {}
                Ok(swept) => tracing::debug!(swept, "ended sessions swept"),
                Err(error) => tracing::warn!(%error, "ended sessions were not swept; tried again in a minute"),
            }
            tokio::time::sleep(SWEEP).await;
        }
    })
}

/// What this server knows how to do.
pub const KINDS: [&str; 1] = [what_ifs::KIND];
/// How long a worker that found nothing waits before it looks again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long it waits when the database fails.
const LONG_PAUSE: Duration = Duration::from_secs(10);

/// Does a job of one of [`KINDS`].
///
/// # Errors
/// As the work of its kind.
pub async fn work(worker: &Worker, job: &Job) -> Result<Value, Failure> {
    match job.kind.as_str() {
        what_ifs::KIND => what_ifs::work(worker, job).await,
        other => Err(Failure::Told(format!("This version of the portal does not know how to do “{other}”."))),
    }
}

/// Workers that run.
#[derive(Debug)]
pub struct Background {
    stop: watch::Sender<bool>,
    threads: Vec<JoinHandle<()>>,
}

impl Background {
    /// Starts so many workers by the connection string of `eis_worker`.
    ///
    /// # Errors
    /// When the pool cannot be built.
    pub fn start(worker_url: &str, workers: usize) -> Result<Self, DbError> {
        // One connection for the work, one for its sign of life.
        let worker = Worker::new(worker_url, (2 * workers).max(1))?;
        let (stop, stopped) = watch::channel(false);
        let threads = (0..workers)
            .map(|_| {
                let (worker, stopped) = (worker.clone(), stopped.clone());
                let runtime = tokio::runtime::Handle::current();
                tokio::task::spawn_blocking(move || runtime.block_on(run(&worker, stopped)))
            })
            .collect();
        Ok(Self { stop, threads })
    }

    /// Stops: jobs in hand are put down, and taken up again by whoever starts next.
    pub async fn stop(self) {
        let _ = self.stop.send(true);
        for thread in self.threads {
            let _ = thread.await;
        }
    }
}

/// Comes back when the server stops.
async fn told(mut stopped: watch::Receiver<bool>) {
    // Whoever would tell is gone: that is a stop too.
    let _ = stopped.wait_for(|stop| *stop).await;
}

async fn run(worker: &Worker, stopped: watch::Receiver<bool>) {
    while !*stopped.borrow() {
        let doing = jobs::work_until(worker, &KINDS, told(stopped.clone()), async |job| work(worker, job).await);
        // A panic ends the attempt, not the worker.
        let pause = match AssertUnwindSafe(doing).catch_unwind().await {
            Ok(Ok(Some(job))) => {
                tracing::info!(%job, "background work");
                continue;
            }
            Ok(Ok(None)) => PAUSE,
            // The log has it once, when it goes and when it is back.
            Ok(Err(error)) if error.is_away() => PAUSE,
            Ok(Err(error)) => {
                tracing::warn!(%error, "background work failed; it will be taken up again");
                LONG_PAUSE
            }
            Err(_) => {
                tracing::error!("background work panicked; it will be taken up again");
                PAUSE
            }
        };
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = told(stopped.clone()) => {}
        }
    }
}

//! Whether the database answers and has every migration. Anybody may ask, so it is asked once a second at most, whoever asks
//! how often: the others wait for that answer or are told the last one.

use std::time::{Duration, Instant};

use eis::db::Db;
use tokio::sync::Mutex;

/// For so long an answer holds.
const KEPT: Duration = Duration::from_secs(1);

/// What is said of readiness; the log says more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// It answers and has all.
    Ready,
    /// It lacks migrations.
    Pending,
    /// It is away.
    Away,
    /// It answers with an error.
    Failed,
}

/// The last answer, and when it was given. Locked while the database is asked.
#[derive(Debug, Default)]
pub struct Readiness(Mutex<Option<(Instant, Answer)>>);

impl Readiness {
    /// What is said now.
    pub async fn of(&self, db: &Db) -> Answer {
        let mut kept = self.0.lock().await;
        match *kept {
            Some((at, answer)) if at.elapsed() < KEPT => answer,
            last => {
                let answer = ask(db, last.map(|(_, answer)| answer)).await;
                *kept = Some((Instant::now(), answer));
                answer
            }
        }
    }
}

/// Asks the database. The log is told of what is new alone: this may be asked every second.
async fn ask(db: &Db, last: Option<Answer>) -> Answer {
    match eis::operate::migrate::lacking(db).await {
        Ok(pending) if pending.is_empty() => Answer::Ready,
        Ok(pending) => {
            if last != Some(Answer::Pending) {
                tracing::warn!(pending = pending.join(", "), "not ready: migrations are pending");
            }
            Answer::Pending
        }
        // That the database went is in the log once.
        Err(error) if error.is_away() => Answer::Away,
        Err(error) => {
            if last != Some(Answer::Failed) {
                tracing::warn!(%error, "not ready");
            }
            Answer::Failed
        }
    }
}

//! How many files are received and read at a time, so that memory and disk are bounded whoever sends them, and one
//! organization does not keep the others waiting.

mod pieces;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eis::ids::OrganizationId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::errors::AppError;
pub use pieces::{Pace, in_pieces};

/// How many, and how long others wait.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Files received or read at a time. Each lies on the disk, and none is larger than an upload may be.
    pub all: usize,
    /// Those of one organization.
    pub of_one: usize,
    /// Files of a few megabytes read at a time; a larger one is read alone.
    pub read: u32,
    /// How long a file waits for its turn to be received.
    pub to_be_received: Duration,
    /// How long a file that has arrived waits for its turn to be read.
    pub to_be_read: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            all: 8,
            of_one: 2,
            read: 2,
            to_be_received: Duration::from_secs(20),
            to_be_read: Duration::from_secs(120),
        }
    }
}

/// A file larger than this is read alone.
const LARGE: u64 = 8 << 20;

/// The turns of uploads.
#[derive(Debug, Clone)]
pub struct Uploads(Arc<Turns>);

#[derive(Debug)]
struct Turns {
    limits: Limits,
    all: Arc<Semaphore>,
    read: Arc<Semaphore>,
    of: Mutex<HashMap<OrganizationId, Arc<Semaphore>>>,
}

/// A turn; it ends when this is dropped.
#[derive(Debug)]
#[must_use]
pub struct Turn(#[expect(dead_code, reason = "held until dropped")] Vec<OwnedSemaphorePermit>);

impl Default for Uploads {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Uploads {
    /// With these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let (all, read) = (Semaphore::new(limits.all), Semaphore::new(limits.read as usize));
        Self(Arc::new(Turns { limits, all: Arc::new(all), read: Arc::new(read), of: Mutex::default() }))
    }

    /// Waits until a file of the organization may be received. The turn lasts until the file is read, too.
    ///
    /// # Errors
    /// When others take longer than it waits.
    pub async fn to_receive(&self, organization: OrganizationId) -> Result<Turn, AppError> {
        let Turns { limits, all, .. } = &*self.0;
        let own = self.of(organization);
        let both = async {
            // First its own: whoever waits for a file of theirs takes no place from others.
            let own = own.acquire_owned().await.ok()?;
            let all = Arc::clone(all).acquire_owned().await.ok()?;
            Some(Turn(vec![own, all]))
        };
        timeout(limits.to_be_received, both).await.ok().flatten().ok_or_else(busy)
    }

    /// Waits until a file of so many bytes may be read.
    ///
    /// # Errors
    /// When others take longer than it waits.
    pub async fn to_read(&self, bytes: u64) -> Result<Turn, AppError> {
        let Turns { limits, read, .. } = &*self.0;
        let places = if bytes > LARGE { limits.read } else { 1 };
        let turn = timeout(limits.to_be_read, Arc::clone(read).acquire_many_owned(places)).await;
        turn.ok().and_then(Result::ok).map(|turn| Turn(vec![turn])).ok_or_else(busy)
    }

    fn of(&self, organization: OrganizationId) -> Arc<Semaphore> {
        let new = || Arc::new(Semaphore::new(self.0.limits.of_one));
        match self.0.of.lock() {
            Ok(mut of) => Arc::clone(of.entry(organization).or_insert_with(new)),
            // Somebody panicked holding it: it only counts, and a file of this one's own is no more than it may send.
            Err(_) => new(),
        }
    }
}

/// Other files keep the server busy.
fn busy() -> AppError {
    AppError::Conflict(
        "Other files are being read now. Nothing was imported. Send the file again in a minute.".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(all: usize, of_one: usize) -> Uploads {
        let wait = Duration::from_millis(20);
        Uploads::new(Limits { all, of_one, read: 2, to_be_received: wait, to_be_read: wait })
    }

    #[tokio::test]
    async fn an_organization_at_its_limit_leaves_room_for_others() {
        let (uploads, one, other) = (short(3, 2), OrganizationId::fresh(), OrganizationId::fresh());
        let turns = [uploads.to_receive(one).await.unwrap(), uploads.to_receive(one).await.unwrap()];
        assert!(uploads.to_receive(one).await.unwrap_err().to_string().contains("Send the file again"));
        let others = uploads.to_receive(other).await.unwrap();
        assert!(uploads.to_receive(OrganizationId::fresh()).await.is_err(), "three in all");
        drop((turns, others));
        assert!(uploads.to_receive(one).await.is_ok());
    }

    #[tokio::test]
    async fn a_large_file_is_read_alone_and_small_ones_two_at_a_time() {
        let uploads = short(9, 9);
        let small = [uploads.to_read(1).await.unwrap(), uploads.to_read(LARGE).await.unwrap()];
        assert!(uploads.to_read(1).await.is_err());
        drop(small);
        let large = uploads.to_read(LARGE + 1).await.unwrap();
        assert!(uploads.to_read(1).await.is_err());
        drop(large);
        assert!(uploads.to_read(LARGE + 1).await.is_ok());
    }
}

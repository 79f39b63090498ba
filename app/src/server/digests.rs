//! The door before digests: each takes 19 MiB and some 30 ms of a core. So many at once and so many in line; whoever comes
//! beyond that is told to try again, and pages go on: a digest's thread gives way to everything else.

use std::sync::Arc;

use eis::access::passwords;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::auth_error::AuthError;
use super::guards::{Guard, refuses};

/// In line for each one at work: a second's wait at most, or so.
const WAITING: usize = 32;
/// How much a digest gives way, on the kernel's scale up to 19.
const NICE: i32 = 15;

/// The door.
#[derive(Debug, Clone)]
pub struct Digests {
    places: Arc<Semaphore>,
    at_work: Arc<Semaphore>,
}

/// A place in line or at work, given back when dropped.
#[derive(Debug)]
pub struct Place {
    _place: Option<OwnedSemaphorePermit>,
    at_work: Arc<Semaphore>,
}

impl Digests {
    /// A door for so many at once and so many who wait.
    #[must_use]
    pub fn new(at_once: usize, waiting: usize) -> Self {
        Self { places: Arc::new(Semaphore::new(at_once + waiting)), at_work: Arc::new(Semaphore::new(at_once)) }
    }

    /// The door of this machine: half of its cores stay free.
    #[must_use]
    pub fn of_machine() -> Self {
        let at_once = std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1));
        Self::new(at_once, at_once * WAITING)
    }

    /// A place, to be taken before an attempt is entered: who is sent away has not tried.
    ///
    /// # Errors
    /// [`AuthError::Busy`] when there is none.
    pub fn place(&self) -> Result<Place, AuthError> {
        let place = self.places.clone().try_acquire_owned().ok();
        if refuses(Guard::Digests, place.is_none()) {
            return Err(AuthError::Busy);
        }
        Ok(Place { _place: place, at_work: self.at_work.clone() })
    }
}

impl Place {
    /// The digest of something typed to prove who one is; what is nobody's password costs the same.
    ///
    /// # Errors
    /// As [`Self::fresh`].
    pub async fn attempted(&self, typed: &str, salt: String) -> Result<Vec<u8>, AuthError> {
        self.fresh(passwords::attempted(typed).to_owned(), salt).await
    }

    /// The digest of a new password, when it is its turn.
    ///
    /// # Errors
    /// When it is nobody's password, or the machine gives no thread.
    pub async fn fresh(&self, password: String, salt: String) -> Result<Vec<u8>, AuthError> {
        let turn = self.at_work.clone().acquire_owned().await.map_err(|_| AuthError::Digest)?;
        let (tell, told) = oneshot::channel();
        // A thread of its own, since a thread that gave way cannot take it back.
        let work = move || {
            if let Err(error) = rustix::process::nice(NICE) {
                tracing::warn!(%error, "a digest does not give way to pages");
            }
            let _ = tell.send(passwords::digest(&password, &salt));
            // Given back by the thread: a person who went away leaves it working.
            drop(turn);
        };
        std::thread::Builder::new().name("digest".to_owned()).spawn(work).map_err(|_| AuthError::Digest)?;
        let digest = told.await.map_err(|_| AuthError::Digest)?.map_err(|_| AuthError::Digest)?;
        Ok(digest.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: &str = "$argon2id$v=19$m=19456,t=2,p=1$00112233445566778899aabbccddeeff";

    #[tokio::test]
    async fn so_many_at_work_so_many_in_line_and_the_next_is_sent_away() {
        let door = Digests::new(1, 2);
        let places: Vec<Place> = (0..3).map(|_| door.place().unwrap()).collect();
        assert!(matches!(door.place(), Err(AuthError::Busy)));
        for place in places {
            // In turn, whoever comes: the positive control.
            assert_eq!(place.attempted("x", SALT.to_owned()).await.unwrap().len(), passwords::DIGEST_BYTES);
        }
        assert!(door.place().is_ok(), "places are given back");
    }

    #[tokio::test]
    async fn who_goes_away_leaves_no_more_at_work_than_there_may_be() {
        let door = Digests::new(1, 1);
        let place = door.place().unwrap();
        let gone = tokio::time::timeout(std::time::Duration::from_micros(1), place.attempted("x", SALT.to_owned()));
        let _ = gone.await;
        assert!(door.at_work.available_permits() <= 1);
        assert_eq!(place.attempted("y", SALT.to_owned()).await.unwrap().len(), passwords::DIGEST_BYTES);
    }

    #[tokio::test]
    async fn what_is_nobody_s_password_is_tried_and_never_set() {
        let door = Digests::new(1, 0);
        let place = door.place().unwrap();
        let long = "x".repeat(10_000);
        let nothing = place.attempted("", SALT.to_owned()).await.unwrap();
        assert_eq!(place.attempted(&long, SALT.to_owned()).await.unwrap(), nothing);
        assert!(place.fresh(long, SALT.to_owned()).await.is_err());
    }
}

//! Turns: a few places for many who ask, so that no party has them all and nobody waits for long.
//!
//! A party holds at most its own share of the places and has no more than that share in the common line. So whoever asks
//! a thousand times stands in the line as often as the share is large, and another's first request waits for few. All of
//! it is fairness, never rights: who a party is may be a guess (`app/src/server/shares.rs`).

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::access::Actor;

/// Parties that are forgotten only when there are so many.
const PARTIES: usize = 1_000;

/// Who shares: all people of an organization, a person with none open, or whoever comes from an address unknown.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Party {
    /// Everybody who has it open.
    Organization(Uuid),
    /// Somebody who has none open.
    Person(Uuid),
    /// Nobody knows yet who.
    Address(String),
}

impl Party {
    /// The party of somebody signed in.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        match &actor.organization {
            Some(open) => Self::Organization(open.id.0),
            None => Self::Person(actor.user.0),
        }
    }
}

/// How places are given.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Places in all.
    pub places: usize,
    /// The most that one party holds of them.
    pub each: usize,
    /// The most that it holds while others ask too.
    pub crowded: usize,
    /// The most of one party that wait.
    pub waiting: usize,
    /// How long one waits.
    pub patience: Duration,
}

/// No place: too many of the party wait already, or none came free in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("busy")]
pub struct Busy;

/// Others are there while somebody else asked within so long.
const RECENT: Duration = Duration::from_secs(5);

/// The turns of parties at some places.
#[derive(Debug)]
pub struct Turns<K> {
    rules: Rules,
    all: Arc<Semaphore>,
    parties: Mutex<Parties<K>>,
}

/// Those who ask.
#[derive(Debug)]
struct Parties<K> {
    shares: HashMap<K, Weak<Share>>,
    /// Who asked last, and when last it was another than before.
    last: Option<K>,
    changed: Option<Instant>,
}

/// What one party has.
#[derive(Debug)]
struct Share {
    places: Arc<Semaphore>,
    crowded: Arc<Semaphore>,
    /// Those who hold a place or wait.
    asked: AtomicUsize,
}

/// One who asked, counted until dropped.
#[derive(Debug)]
struct Asked(Arc<Share>);

impl Drop for Asked {
    fn drop(&mut self) {
        self.0.asked.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A place, given back when dropped.
#[derive(Debug)]
#[must_use = "a place is given back when dropped"]
pub struct Place {
    _all: OwnedSemaphorePermit,
    _share: Option<(OwnedSemaphorePermit, Option<OwnedSemaphorePermit>, Asked)>,
}

impl<K: Clone + Eq + Hash> Turns<K> {
    /// Nobody has a place yet. A rule of no places at all would be a portal that does nothing: there is one at least.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        let (places, each) = (rules.places.clamp(1, Semaphore::MAX_PERMITS), rules.each.max(1));
        let rules = Rules { places, each, crowded: rules.crowded.max(1), ..rules };
        let parties = Parties { shares: HashMap::new(), last: None, changed: None };
        Self { rules, all: Arc::new(Semaphore::new(places)), parties: Mutex::new(parties) }
    }

    /// How places are given.
    #[must_use]
    pub const fn rules(&self) -> Rules {
        self.rules
    }

    /// The share of a party that asks, and whether others ask too.
    fn share(&self, party: K) -> (Arc<Share>, bool) {
        let mut parties = self.parties.lock().unwrap_or_else(PoisonError::into_inner);
        if parties.last.as_ref() != Some(&party) {
            parties.changed = parties.last.replace(party.clone()).map(|_| Instant::now());
        }
        let crowded = parties.changed.is_some_and(|changed| changed.elapsed() < RECENT);
        if let Some(share) = parties.shares.get(&party).and_then(Weak::upgrade) {
            return (share, crowded);
        }
        if parties.shares.len() >= PARTIES {
            parties.shares.retain(|_, share| share.strong_count() > 0);
        }
        let semaphore = |places| Arc::new(Semaphore::new(places));
        let (places, crowded_places) = (semaphore(self.rules.each), semaphore(self.rules.crowded));
        let share = Arc::new(Share { places, crowded: crowded_places, asked: AtomicUsize::default() });
        parties.shares.insert(party, Arc::downgrade(&share));
        (share, crowded)
    }

    /// A place, after as long a wait as the rules allow. Without a party one stands in the common line alone: the
    /// program's own work.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn take(&self, party: Option<K>) -> Result<Place, Busy> {
        let asked = match party {
            Some(party) => Some(self.ask(party)?),
            None => None,
        };
        let place = async {
            let share = match asked {
                Some((asked, crowded)) => {
                    let place = Arc::clone(&asked.0.places).acquire_owned().await?;
                    let narrow = match crowded {
                        true => Some(Arc::clone(&asked.0.crowded).acquire_owned().await?),
                        false => None,
                    };
                    Some((place, narrow, asked))
                }
                None => None,
            };
            Ok::<_, tokio::sync::AcquireError>(Place {
                _all: Arc::clone(&self.all).acquire_owned().await?,
                _share: share,
            })
        };
        match tokio::time::timeout(self.rules.patience, place).await {
            Ok(Ok(place)) => Ok(place),
            // A semaphore of ours is never closed.
            Ok(Err(_)) | Err(_) => Err(Busy),
        }
    }

    fn ask(&self, party: K) -> Result<(Asked, bool), Busy> {
        let (share, crowded) = self.share(party);
        let before = share.asked.fetch_add(1, Ordering::Relaxed);
        // Counted first and compared then, so that of many at once none is let in beyond the limit.
        let asked = Asked(share);
        if before < self.rules.each.saturating_add(self.rules.waiting) { Ok((asked, crowded)) } else { Err(Busy) }
    }
}

/// Who asks, and how long a page of theirs may read.
#[derive(Debug, Clone)]
struct Asking {
    party: Party,
    heavy: bool,
}

tokio::task_local! {
    static ASKING: Asking;
}

/// Runs a request of a party. `heavy`: it holds a place for heavy work and may read for longer.
pub async fn asked_by<F: Future>(party: Party, heavy: bool, request: F) -> F::Output {
    ASKING.scope(Asking { party, heavy }, request).await
}

/// The party whose request runs here.
#[must_use]
pub fn party() -> Option<Party> {
    ASKING.try_with(|asking| asking.party.clone()).ok()
}

/// Whether this is a request for a page, which reads for a short time only.
pub(super) fn is_short() -> bool {
    ASKING.try_with(|asking| !asking.heavy).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(places: usize, each: usize, waiting: usize) -> Turns<&'static str> {
        Turns::new(Rules { places, each, crowded: each, waiting, patience: Duration::from_millis(50) })
    }

    #[tokio::test]
    async fn a_party_never_holds_more_than_its_share() {
        let turns = turns(4, 3, 1);
        let (one, two, three) = tokio::join!(turns.take(Some("a")), turns.take(Some("a")), turns.take(Some("a")));
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        assert_eq!(turns.take(Some("a")).await.err(), Some(Busy), "waits, and none comes free");
        let other = turns.take(Some("b")).await.unwrap();
        assert!(turns.take(None).await.is_err(), "all are taken");
        drop(one);
        let mine = turns.take(Some("a")).await;
        assert!(mine.is_ok(), "what is given back is taken again");
        drop((other, two, three, mine));
        assert_eq!(turns.all.available_permits(), 4);
        let asked = turns.share("a").0.asked.load(Ordering::Relaxed);
        assert_eq!(asked, 0, "nobody is counted for ever");
    }

    #[tokio::test]
    async fn who_is_alone_has_more_than_who_is_one_of_several() {
        let turns =
            Turns::new(Rules { places: 9, each: 3, crowded: 1, waiting: 0, patience: Duration::from_millis(50) });
        let alone = [turns.take(Some("a")).await, turns.take(Some("a")).await, turns.take(Some("a")).await];
        assert!(alone.iter().all(Result::is_ok));
        drop(alone);
        let other = turns.take(Some("b")).await;
        let one = turns.take(Some("a")).await;
        assert!(other.is_ok() && one.is_ok());
        assert_eq!(turns.take(Some("a")).await.err(), Some(Busy), "one place while another is there");
    }

    #[tokio::test]
    async fn beyond_those_who_wait_nobody_waits() {
        let turns = Arc::new(Turns::new(Rules {
            places: 1,
            each: 1,
            crowded: 1,
            waiting: 2,
            patience: Duration::from_secs(600),
        }));
        let held = turns.take(Some("a")).await.unwrap();
        let wait = |turns: &Arc<Turns<&'static str>>| {
            let turns = turns.clone();
            tokio::spawn(async move { turns.take(Some("a")).await.is_ok() })
        };
        let waiting = [wait(&turns), wait(&turns)];
        while turns.share("a").0.asked.load(Ordering::Relaxed) < 3 {
            tokio::task::yield_now().await;
        }
        // At once: with this patience a wait would never end here.
        assert_eq!(turns.take(Some("a")).await.err(), Some(Busy));
        drop(held);
        for waiting in waiting {
            assert!(waiting.await.unwrap(), "those who wait come in turn");
        }
    }

    #[tokio::test]
    async fn whoever_goes_away_while_waiting_is_not_counted_any_more() {
        let turns = turns(1, 1, 1);
        let held = turns.take(Some("a")).await.unwrap();
        let mut waiting = Box::pin(turns.take(Some("a")));
        assert!(futures_util::FutureExt::now_or_never(&mut waiting).is_none());
        drop(waiting);
        drop(held);
        assert!(turns.take(Some("a")).await.is_ok());
        assert_eq!(turns.share("a").0.asked.load(Ordering::Relaxed), 0);
    }
}

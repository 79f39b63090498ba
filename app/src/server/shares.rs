//! Shares: how much of the server one session and one organization may have at a time.
//!
//! All are taken before a connection is: requests of a session at once; requests of an organization that are worked on,
//! as many as there are cores while others ask too; files that arrive; and heavy work, one of each organization at a time.
//! Pages, files and heavy work have places of their own, so that none of them waits for another kind. Connections are
//! shared once more, in `eis::db`. Beyond all this people are told that the portal is busy.
//!
//! Whose a session is stands here as it was last told by the database. This decides about turns alone, never about
//! rights: a session that is not known yet shares with its address.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{MatchedPath, Request};
use axum::http::header::COOKIE;
use axum::http::{HeaderMap, Method};
use eis::db::turns::{Busy, Party, Place, Rules, Turns};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tower_sessions::session::Id;

use super::cookie::cookie_name;
use super::guards::{Guard, refuses};
use super::network::network;

/// Server functions that compute for long or change thousands of rows.
pub const HEAVY_FUNCTIONS: [&str; 7] = [
    "/api/approve_billing_run",
    "/api/create_billing_run",
    "/api/delete_billing_run",
    "/api/delete_what_if",
    "/api/issue_billing_run",
    "/api/rate_billing_run",
    "/api/run_isolation_test",
];

/// Pages and files that read thousands of rows, rate, or ask the catalogue. Uploads take their place by themselves, once
/// the file is here.
pub const HEAVY_PAGES: [&str; 9] = [
    "/account/price/compare",
    "/clients/{client}/audit.csv",
    "/clients/{client}/customers.csv",
    "/clients/{client}/imports/{import}/rejections.csv",
    "/clients/{client}/invoices.csv",
    "/clients/{client}/what-ifs/{what_if}/customers.csv",
    "/organization/audit.csv",
    "/organization/clients.csv",
    "/organization/isolation",
];

/// Sessions whose party is remembered; beyond that all are asked for again.
const REMEMBERED: usize = 20_000;
/// Heavy work of one organization that waits.
const HEAVY_WAITING: usize = 4;
/// Requests of one organization that wait for their turn.
const PAGES_WAITING: usize = 256;
/// How long they wait: longer than for a lock, so that those who hold a turn and wait for one give it back before.
const PAGES_PATIENCE: Duration = Duration::from_secs(4);
/// Files that arrive at a time, of all organizations and of one.
const FILES: usize = 8;
const FILES_EACH: usize = 2;
/// Files of a few megabytes that are read at a time; a larger one is read alone, so that memory is bounded.
const READ_AT_A_TIME: u32 = 2;
/// A file of more bytes than this is a large one.
const LARGE: u64 = 8 << 20;
/// How long a file that has arrived waits until it may be read.
const READING_PATIENCE: Duration = Duration::from_secs(120);
/// Who is told that the portal is busy is told after so long: asking again at once would be a load of its own.
const TOLD_AFTER: Duration = Duration::from_millis(500);

/// How much there is to share.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests of one session at a time.
    pub of_session: usize,
    /// Cores of this machine.
    pub cores: usize,
    /// Heavy work at a time, of all organizations.
    pub heavy: usize,
    /// How long heavy work waits for its turn.
    pub heavy_patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            of_session: 16,
            cores: super::args::cores(),
            heavy: super::args::workers(),
            heavy_patience: Duration::from_secs(10),
        }
    }
}

/// What the requests of a server share.
#[derive(Debug)]
pub struct Shares {
    sessions: Turns<i128>,
    pages: Turns<Party>,
    files: Turns<Party>,
    heavy: Turns<Party>,
    reading: Arc<Semaphore>,
    known: Mutex<HashMap<i128, Party>>,
}

/// Who asks, as far as it is known before the session is looked up.
#[derive(Debug, Clone)]
pub struct Asker {
    session: Option<i128>,
    /// With whom the request shares.
    pub party: Party,
}

impl Default for Shares {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Shares {
    /// Nobody asks yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let rules = |places, each, crowded, waiting, patience| Rules { places, each, crowded, waiting, patience };
        let (session, cores) = (limits.of_session, limits.cores);
        let patience = limits.heavy_patience;
        Self {
            sessions: Turns::new(rules(usize::MAX, session, session, 0, PAGES_PATIENCE)),
            pages: Turns::new(rules(usize::MAX, 4 * cores, cores, PAGES_WAITING, PAGES_PATIENCE)),
            files: Turns::new(rules(FILES, FILES_EACH, FILES_EACH, FILES, patience)),
            heavy: Turns::new(rules(limits.heavy, 1, 1, HEAVY_WAITING, patience)),
            reading: Arc::new(Semaphore::new(READ_AT_A_TIME as usize)),
            known: Mutex::default(),
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<i128, Party>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who asks with these headers from this address.
    #[must_use]
    pub fn asker(&self, headers: &HeaderMap, address: &str, https: bool) -> Asker {
        let session = session_of(headers, https);
        let party = session.and_then(|session| self.known().get(&session).cloned());
        Asker { session, party: party.unwrap_or_else(|| Party::Address(network(address))) }
    }

    /// Keeps whose a session is.
    pub fn belongs(&self, session: &Id, party: Party) {
        let mut known = self.known();
        if known.get(&session.0) == Some(&party) {
            return;
        }
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(session.0, party);
    }

    /// A place among the requests of a session.
    ///
    /// # Errors
    /// [`Busy`] at once when as many as may are under way.
    pub async fn begin(&self, asker: &Asker) -> Result<Option<Place>, Busy> {
        match asker.session {
            Some(session) => match self.sessions.take(Some(session)).await {
                Err(_) if !refuses(Guard::OfSession, true) => Ok(None),
                turn => told(turn).await.map(Some),
            },
            None => Ok(None),
        }
    }

    /// A turn to be worked on.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn page(&self, party: Party) -> Result<Place, Busy> {
        told(self.pages.take(Some(party)).await).await
    }

    /// A place for a file that arrives.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn file(&self, party: Party) -> Result<Place, Busy> {
        told(self.files.take(Some(party)).await).await
    }

    /// Waits until a file of so many bytes, which has arrived, may be read.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn reading(&self, bytes: u64) -> Result<OwnedSemaphorePermit, Busy> {
        let places = if bytes > LARGE { READ_AT_A_TIME } else { 1 };
        let turn = timeout(READING_PATIENCE, Arc::clone(&self.reading).acquire_many_owned(places)).await;
        turn.ok().and_then(Result::ok).ok_or(Busy)
    }

    /// A place for heavy work of a party, after a short wait. Whoever waits for it gives back the turn that they hold.
    ///
    /// # Errors
    /// [`Busy`].
    pub async fn heavy(&self, party: Party) -> Result<Place, Busy> {
        let _ = TURN.try_with(|turn| turn.borrow_mut().take());
        told(self.heavy.take(Some(party)).await).await
    }
}

async fn told(place: Result<Place, Busy>) -> Result<Place, Busy> {
    if place.is_err() {
        tokio::time::sleep(TOLD_AFTER).await;
    }
    place
}

tokio::task_local! {
    static TURN: RefCell<Option<Place>>;
}

/// Works on a request that holds a turn; the turn goes back with its end, or when it waits for heavy work.
pub async fn in_turn<F: Future>(turn: Place, request: F) -> F::Output {
    TURN.scope(RefCell::new(Some(turn)), request).await
}

/// Whether a request is for one of [`HEAVY_PAGES`].
#[must_use]
pub fn is_heavy_page(request: &Request) -> bool {
    let route = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    matches!(*request.method(), Method::GET | Method::HEAD) && route.is_some_and(|route| HEAVY_PAGES.contains(&route))
}

/// The session that a request names, whether there is one or not.
fn session_of(headers: &HeaderMap, https: bool) -> Option<i128> {
    let name = cookie_name(https);
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name)?;
    value.parse::<Id>().ok().map(|id| id.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn cookies(text: &str) -> HeaderMap {
        HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(text).unwrap())])
    }

    #[test]
    fn a_session_shares_with_its_address_until_it_is_known() {
        let shares = Shares::default();
        let headers = cookies(&format!("theme=dark; session={}", Id(7)));
        let unknown = shares.asker(&headers, "2001:db8::7", false);
        assert_eq!((unknown.session, unknown.party), (Some(7), Party::Address("2001:db8:0:0::/64".into())));
        let mine = Party::Organization(uuid::Uuid::max());
        shares.belongs(&Id(7), mine.clone());
        assert_eq!(shares.asker(&headers, "2001:db8::7", false).party, mine);
        let foreign = shares.asker(&headers, "2001:db8::7", true);
        assert_eq!(foreign.session, None, "the cookie of a portal with HTTPS has another name");
    }

    #[tokio::test]
    async fn a_large_file_is_read_alone_and_small_ones_two_at_a_time() {
        let shares = Shares::default();
        let at_once = async |bytes| timeout(Duration::from_millis(20), shares.reading(bytes)).await.ok()?.ok();
        let small = [at_once(1).await.unwrap(), at_once(LARGE).await.unwrap()];
        assert!(at_once(1).await.is_none());
        drop(small);
        let large = at_once(LARGE + 1).await.unwrap();
        assert!(at_once(1).await.is_none());
        drop(large);
        assert!(at_once(LARGE + 1).await.is_some());
    }

    #[tokio::test]
    async fn a_session_has_so_many_requests_and_another_has_its_own() {
        let shares = Shares::new(Limits { of_session: 2, ..Limits::default() });
        let [mine, other] = [1, 2].map(|n| shares.asker(&cookies(&format!("session={}", Id(n))), "", false));
        let held = (shares.begin(&mine).await.unwrap(), shares.begin(&mine).await.unwrap());
        assert_eq!(shares.begin(&mine).await.err(), Some(Busy));
        assert!(shares.begin(&other).await.is_ok());
        drop(held);
        assert!(shares.begin(&mine).await.is_ok());
    }
}

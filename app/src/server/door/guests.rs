//! All connections: how many there are, who makes room for whom, and the walk through them.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;
use tokio::time::timeout;

use super::limits::{Limits, RESERVE};
use super::visit::{Verdict, Visit};
use crate::server::guards::{Guard, refuses};
use crate::server::network::network;

/// What was cut is logged at most this often.
const LOG_EVERY: Duration = Duration::from_secs(1);
/// How long a cut connection may take to be gone.
const MOMENT: Duration = Duration::from_millis(500);

/// What was cut or refused since the log last said so.
#[derive(Debug, Default)]
struct Tally {
    half_heads: usize,
    half_bodies: usize,
    unread: usize,
    made_room: usize,
    beyond: usize,
    turned_away: usize,
    not_accepted: Option<String>,
    last_from: String,
}

impl Tally {
    fn is_empty(&self) -> bool {
        self.half_heads + self.half_bodies + self.unread + self.made_room + self.beyond + self.turned_away == 0
            && self.not_accepted.is_none()
    }
}

#[derive(Debug)]
struct Entry {
    visit: Arc<Visit>,
    network: String,
}

#[derive(Debug)]
struct Book {
    next: u64,
    all: HashMap<u64, Entry>,
    by_network: HashMap<String, usize>,
    stopping: Option<Instant>,
    tally: Tally,
    logged: Instant,
}

/// All connections of a server.
#[derive(Debug)]
pub struct Guests {
    limits: Limits,
    book: Mutex<Book>,
    gone: Notify,
}

/// A connection's place among all; given back when dropped.
#[derive(Debug)]
pub struct Guest {
    guests: Arc<Guests>,
    number: u64,
    visit: Arc<Visit>,
}

impl Guest {
    /// The connection.
    #[must_use]
    pub fn visit(&self) -> Arc<Visit> {
        self.visit.clone()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut book = self.guests.book();
        book.remove(self.number);
        if book.all.is_empty() {
            self.guests.gone.notify_one();
        }
    }
}

impl Book {
    fn insert(&mut self, visit: Arc<Visit>, network: String) -> u64 {
        self.next += 1;
        *self.by_network.entry(network.clone()).or_default() += 1;
        self.all.insert(self.next, Entry { visit, network });
        self.next
    }

    fn remove(&mut self, number: u64) {
        let Some(entry) = self.all.remove(&number) else { return };
        if let Some(open) = self.by_network.get_mut(&entry.network) {
            *open -= 1;
            if *open == 0 {
                self.by_network.remove(&entry.network);
            }
        }
    }

    /// Whether fewer than so many are here that were not told to go: in all, or of one network.
    fn has_room(&self, network: Option<&str>, most: usize) -> bool {
        let open = network.map_or(self.all.len(), |network| self.by_network.get(network).copied().unwrap_or_default());
        // Counting one by one is left for when it matters.
        open < most || self.of(network).filter(|entry| !entry.visit.is_reserve()).count() < most
    }

    fn of(&self, network: Option<&str>) -> impl Iterator<Item = &Entry> {
        self.all.values().filter(move |e| network.is_none_or(|n| n == e.network) && !e.visit.goes())
    }

    /// Has the one go that most readily makes room, if any does.
    fn make_room(&mut self, network: Option<&str>, reserve: bool) -> bool {
        let now = Instant::now();
        let claims = self.of(network).filter(|entry| entry.visit.is_reserve() == reserve);
        let first = claims.filter_map(|e| Some((e.visit.claim(now)?, &e.visit))).min_by_key(|(claim, _)| *claim);
        let Some(((rank, _), visit)) = first else { return false };
        // An idle one may be about to ask something.
        if rank == 1 {
            visit.leave()
        } else {
            visit.cut()
        }
        self.tally.last_from = visit.peer().ip().to_string();
        self.tally.made_room += 1;
        true
    }

    fn say(&mut self) {
        if self.tally.is_empty() || self.logged.elapsed() < LOG_EVERY {
            return;
        }
        self.logged = Instant::now();
        let t = std::mem::take(&mut self.tally);
        tracing::warn!(
            open = self.all.len(),
            half_heads = t.half_heads,
            half_bodies = t.half_bodies,
            unread = t.unread,
            made_room = t.made_room,
            beyond_limit = t.beyond,
            turned_away = t.turned_away,
            error = t.not_accepted,
            last_from = t.last_from,
            "connections were cut at the door"
        );
    }
}

impl Guests {
    /// Nobody yet.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        let book = Book {
            next: 0,
            all: HashMap::new(),
            by_network: HashMap::new(),
            stopping: None,
            tally: Tally::default(),
            logged: Instant::now().checked_sub(LOG_EVERY).unwrap_or_else(Instant::now),
        };
        Self { limits, book: Mutex::new(book), gone: Notify::new() }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The limits.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether no descriptor is left for another, until those that were told to go are gone.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.book().all.len() >= self.limits.connections + 2 * RESERVE
    }

    /// Lets a connection in. Where there are too many of its address or in all, the one that has kept the portal waiting
    /// longest makes room; where all are being answered it comes in on the reserve; `None` when that is full too.
    pub fn admit(self: &Arc<Self>, peer: SocketAddr) -> Option<Guest> {
        let network = network(&peer.ip().to_canonical().to_string());
        let mut book = self.book();
        let room = |book: &mut Book, guard, of: Option<&str>, most| {
            !refuses(guard, !book.has_room(of, most)) || book.make_room(of, false)
        };
        let inside = room(&mut book, Guard::OfOneAddress, Some(&network), self.limits.from_one_address)
            && room(&mut book, Guard::Connections, None, self.limits.connections);
        if !inside {
            let reserved = book.of(None).filter(|entry| entry.visit.is_reserve()).count();
            if reserved >= RESERVE && !book.make_room(None, true) {
                book.tally.turned_away += 1;
                return None;
            }
            book.tally.beyond += 1;
            book.tally.last_from = peer.ip().to_string();
        }
        let visit = Arc::new(Visit::new(peer, !inside, &self.limits));
        let number = book.insert(visit.clone(), network);
        drop(book);
        Some(Guest { guests: self.clone(), number, visit })
    }

    /// Accepting failed: what waits longest makes room, since descriptors are what it mostly lacks.
    pub fn not_accepted(&self, error: &std::io::Error) {
        let mut book = self.book();
        book.make_room(None, false);
        book.tally.not_accepted = Some(error.to_string());
        book.say();
    }

    /// Looks at every connection, and ends those beyond the limits.
    pub fn walk(&self) {
        let now = Instant::now();
        let mut guard = self.book();
        let book = &mut *guard;
        for visit in book.all.values().map(|entry| &entry.visit).filter(|visit| !visit.is_cut()) {
            let count = match visit.verdict(now, book.stopping) {
                Verdict::Stays => continue,
                Verdict::Leaves => {
                    visit.leave();
                    continue;
                }
                Verdict::HalfHead => {
                    visit.cut();
                    &mut book.tally.half_heads
                }
                Verdict::HalfBody(why) => {
                    visit.give_up(why);
                    &mut book.tally.half_bodies
                }
                Verdict::Unread => {
                    visit.cut();
                    &mut book.tally.unread
                }
            };
            *count += 1;
            book.tally.last_from = visit.peer().ip().to_string();
        }
        book.say();
    }

    /// The server stops: whoever asks nothing leaves, and whoever is being answered leaves with the answer.
    pub fn stop(&self) {
        let mut book = self.book();
        book.stopping = Some(Instant::now());
        for entry in book.all.values() {
            entry.visit.leave();
        }
    }

    /// Waits until all are gone.
    pub async fn gone(&self) {
        while !self.book().all.is_empty() {
            self.gone.notified().await;
        }
    }

    /// The deadline has passed: cuts all that are left, and logs what they asked for.
    pub async fn cut_all(&self) {
        let mut asked: BTreeMap<String, usize> = BTreeMap::new();
        for entry in self.book().all.values() {
            *asked.entry(entry.visit.standing()).or_default() += 1;
            entry.visit.cut();
        }
        let told: Vec<String> = asked.iter().map(|(what, times)| format!("{what}: {times}")).collect();
        tracing::warn!(
            connections = asked.values().sum::<usize>(),
            asked = told.join(", "),
            "the time for the last answers is over: cut"
        );
        // They roll back what they had begun.
        let _ = timeout(MOMENT, self.gone()).await;
    }
}

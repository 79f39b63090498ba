//! One connection: what it waits for and since when, and what the limits say to that.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::limits::Limits;
use crate::server::guards::{Guard, refuses};

/// Whose turn it is on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Nothing of a request is here. `first`: nothing ever was.
    Nothing { first: bool },
    /// The head of a request has begun.
    Head,
    /// A request is being answered.
    Portal,
}

/// Why a request's body is not waited for any longer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenUp {
    /// It came too slowly.
    Slow,
    /// The server stops.
    Stopping,
}

/// What is to be done with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Stays,
    /// It has nothing to say: it is closed, unless a request comes at this moment.
    Leaves,
    /// Its half head is not waited for.
    HalfHead,
    /// The body of its request is not waited for; it is told so.
    HalfBody(GivenUp),
    /// It does not take its answer.
    Unread,
}

/// Which connections make room first: the lowest, and of those the one that has waited longest.
pub type Claim = (u8, Instant);

const STAYS: u8 = 0;
const LEAVES: u8 = 1;
const CUT: u8 = 2;
/// From here on a half request is a slow one.
const SLOW: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct State {
    turn: Turn,
    since: Instant,
    /// More of the request's body may come.
    body_open: bool,
    /// The portal waits for more of the body, since when.
    awaiting: Option<Instant>,
    /// How long it may wait still.
    patience: Duration,
    /// The client takes nothing of the answer, since when.
    stuck: Option<Instant>,
    /// All of the answer was handed over; what is left of it is on its way.
    answered: bool,
    /// Bytes of a next request came before the answer had left.
    ahead: bool,
    given_up: Option<GivenUp>,
    route: String,
}

/// One connection.
#[derive(Debug)]
pub struct Visit {
    peer: SocketAddr,
    /// Let in beyond the limit, for the sake of `/healthz`.
    reserve: bool,
    limits: Limits,
    told: AtomicU8,
    called: Notify,
    half_body: Notify,
    state: Mutex<State>,
}

impl Visit {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(peer: SocketAddr, reserve: bool, limits: &Limits) -> Self {
        let state = State {
            turn: Turn::Nothing { first: true },
            since: Instant::now(),
            body_open: false,
            awaiting: None,
            patience: limits.body,
            stuck: None,
            answered: false,
            ahead: false,
            given_up: None,
            route: String::new(),
        };
        Self {
            peer,
            reserve,
            limits: limits.clone(),
            told: AtomicU8::new(STAYS),
            called: Notify::new(),
            half_body: Notify::new(),
            state: Mutex::new(state),
        }
    }

    /// A panic elsewhere leaves nothing half done here.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it comes from.
    #[must_use]
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Whether it was let in beyond the limit: it gets `/healthz`, and is told of the limit otherwise.
    #[must_use]
    pub const fn is_reserve(&self) -> bool {
        self.reserve
    }

    /// Bytes came.
    pub fn came(&self) {
        let mut state = self.state();
        match state.turn {
            Turn::Nothing { first } => {
                // Of a fresh connection the time counts from its accepting.
                if !first {
                    state.since = Instant::now();
                }
                state.turn = Turn::Head;
            }
            Turn::Portal if !state.body_open => state.ahead = true,
            Turn::Head | Turn::Portal => {}
        }
    }

    /// A request's head is here. `whole`: it has no body.
    pub fn asked(&self, whole: bool) {
        let mut state = self.state();
        state.turn = Turn::Portal;
        state.since = Instant::now();
        state.body_open = !whole;
        state.patience = self.limits.body;
        (state.awaiting, state.answered, state.ahead, state.given_up) = (None, false, false, None);
        state.route.clear();
    }

    /// What is being asked for.
    pub fn names(&self, route: &str) {
        route.clone_into(&mut self.state().route);
    }

    /// The portal waits for more of the body.
    pub fn body_awaited(&self) {
        self.state().awaiting.get_or_insert_with(Instant::now);
    }

    /// So many bytes of the body came, which earn it time, never more than it began with.
    pub fn body_came(&self, bytes: usize) {
        let mut state = self.state();
        let waited = state.awaiting.take().map_or(Duration::ZERO, |since| since.elapsed());
        let millis = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1000) / u64::from(self.limits.rate);
        let left = state.patience.saturating_sub(waited);
        state.patience = left.saturating_add(Duration::from_millis(millis)).min(self.limits.body);
    }

    /// No more of the body comes, or nobody wants it.
    pub fn body_over(&self) {
        let mut state = self.state();
        (state.body_open, state.awaiting) = (false, None);
    }

    /// The client took some of what was sent.
    pub fn took(&self) {
        self.state().stuck = None;
    }

    /// It takes no more for now.
    pub fn stuck(&self) {
        self.state().stuck.get_or_insert_with(Instant::now);
    }

    /// All of the answer was handed over.
    pub fn answered(&self) {
        self.state().answered = true;
    }

    /// All that was handed over has left.
    pub fn left(&self) {
        let mut state = self.state();
        state.stuck = None;
        if state.turn == Turn::Portal && state.answered {
            state.turn = if state.ahead { Turn::Head } else { Turn::Nothing { first: false } };
            state.since = Instant::now();
        }
    }

    /// What the limits say. `stopping`: since when the server stops.
    #[must_use]
    pub fn verdict(&self, now: Instant, stopping: Option<Instant>) -> Verdict {
        let state = self.state();
        let (limits, waited) = (&self.limits, now.saturating_duration_since(state.since));
        let last = stopping.is_some_and(|since| now.saturating_duration_since(since) >= limits.last_words());
        let beyond =
            |since: Option<Instant>, most: Duration| since.is_some_and(|s| now.saturating_duration_since(s) >= most);
        match state.turn {
            Turn::Nothing { first } => {
                let most = if first { limits.head } else { limits.idle };
                if stopping.is_some() || refuses(Guard::Idle, waited >= most) {
                    Verdict::Leaves
                } else {
                    Verdict::Stays
                }
            }
            Turn::Head if last || refuses(Guard::HalfHeads, waited >= limits.head) => Verdict::HalfHead,
            Turn::Portal if refuses(Guard::Unread, beyond(state.stuck, limits.answer)) => Verdict::Unread,
            Turn::Portal if state.given_up.is_some() => Verdict::Stays,
            Turn::Portal if last && state.awaiting.is_some() => Verdict::HalfBody(GivenUp::Stopping),
            Turn::Portal if refuses(Guard::HalfBodies, beyond(state.awaiting, state.patience)) => {
                Verdict::HalfBody(GivenUp::Slow)
            }
            Turn::Head | Turn::Portal => Verdict::Stays,
        }
    }

    /// How readily it makes room for another; `None` while it is being answered.
    #[must_use]
    pub fn claim(&self, now: Instant) -> Option<Claim> {
        let state = self.state();
        let slow = |since: Instant| now.saturating_duration_since(since) >= SLOW;
        match state.turn {
            Turn::Nothing { first: false } => Some((1, state.since)),
            Turn::Nothing { first: true } | Turn::Head => Some((if slow(state.since) { 0 } else { 2 }, state.since)),
            Turn::Portal => state.stuck.or(state.awaiting).filter(|since| slow(*since)).map(|since| (3, since)),
        }
    }

    /// Waits for a word of the walk.
    pub async fn called(&self) {
        self.called.notified().await;
    }

    /// Has it leave when it has nothing to say.
    pub fn leave(&self) {
        if self.told.compare_exchange(STAYS, LEAVES, Ordering::SeqCst, Ordering::SeqCst).is_ok() {
            self.called.notify_one();
        }
    }

    /// Ends it.
    pub fn cut(&self) {
        if self.told.swap(CUT, Ordering::SeqCst) != CUT {
            self.called.notify_one();
        }
    }

    /// Ends waiting for the body of its request.
    pub fn give_up(&self, why: GivenUp) {
        let mut state = self.state();
        if state.given_up.is_none() {
            state.given_up = Some(why);
            self.half_body.notify_one();
        }
    }

    /// Waits until the body of its request is given up.
    pub async fn given_up(&self) -> GivenUp {
        loop {
            if let Some(why) = self.state().given_up {
                return why;
            }
            self.half_body.notified().await;
        }
    }

    /// Whether it was told to go.
    #[must_use]
    pub fn goes(&self) -> bool {
        self.told.load(Ordering::SeqCst) != STAYS
    }

    /// Whether it is ended at once.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.told.load(Ordering::SeqCst) == CUT
    }

    /// Whether it closes now, since nothing of a request is here.
    #[must_use]
    pub fn closes(&self) -> bool {
        self.told.load(Ordering::Relaxed) == LEAVES && matches!(self.state().turn, Turn::Nothing { .. })
    }

    /// Whether the answer under way is its last.
    #[must_use]
    pub fn is_last(&self) -> bool {
        self.reserve || self.goes() || self.state().given_up.is_some()
    }

    /// Whether it ends in the middle of a head.
    #[must_use]
    pub fn is_half_head(&self) -> bool {
        self.state().turn == Turn::Head
    }

    /// Where it stands, in words for the log.
    #[must_use]
    pub fn standing(&self) -> String {
        let state = self.state();
        match state.turn {
            Turn::Nothing { .. } => "nothing asked".to_owned(),
            Turn::Head => "half a head".to_owned(),
            Turn::Portal if state.route.is_empty() => "a request".to_owned(),
            Turn::Portal => state.route.clone(),
        }
    }
}

//! The web's guards by name, so that a test can make one of them do nothing and see that the role walk notices
//! (`make mutate`). The switch exists in development builds alone and nothing from outside reaches it: no variable,
//! flag, header or address. A release build has no switch: there [`refuses`] is its argument, at compile time.

/// A guard of the web. What yields the actor itself (the session, a client's id that parses) cannot do nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// The role includes the permission that the page or function asks for.
    Permission = 1,
    /// Whoever belongs to one client asks for that client.
    Client,
    /// A role is chosen.
    Role,
    /// EIS staff have an organization open.
    Organization,
    /// The organization is not suspended.
    Suspended,
    /// A write comes from a page of the portal.
    SameOrigin,
    /// A form was rendered under the context that is open.
    SameContext,
    /// A head comes within its time.
    HalfHeads,
    /// A connection that asks nothing ends.
    Idle,
    /// A body comes within its time.
    HalfBodies,
    /// An answer is read.
    Unread,
    /// One address has so many connections.
    OfOneAddress,
    /// There are so many connections in all.
    Connections,
    /// The host by which a request asks is the portal's.
    ForeignHost,
    /// A request names one host.
    OneHost,
    /// So many digests are made or waited for.
    Digests,
    /// A session has so many requests at a time.
    OfSession,
}

impl Guard {
    /// Those that stand before every page: the role walk says nothing of them, an attack of its own does.
    pub const OF_THE_DOOR: [Self; 10] = [
        Self::HalfHeads,
        Self::Idle,
        Self::HalfBodies,
        Self::Unread,
        Self::OfOneAddress,
        Self::Connections,
        Self::ForeignHost,
        Self::OneHost,
        Self::Digests,
        Self::OfSession,
    ];
}

/// Whether a guard that finds something wrong refuses.
#[cfg(not(debug_assertions))]
#[must_use]
pub const fn refuses(_: Guard, wrong: bool) -> bool {
    wrong
}

#[cfg(not(debug_assertions))]
const _: () = assert!(refuses(Guard::Permission, true), "a release build has no switch");

/// Whether a guard that finds something wrong refuses.
#[cfg(debug_assertions)]
#[must_use]
pub fn refuses(guard: Guard, wrong: bool) -> bool {
    wrong && !switch::lets_through(guard)
}

/// The tests' switch.
#[cfg(debug_assertions)]
pub mod switch {
    use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

    use super::Guard;

    static OFF: AtomicU8 = AtomicU8::new(0);
    static LET_THROUGH: AtomicUsize = AtomicUsize::new(0);

    /// Makes one guard of this process do nothing, or none.
    pub fn off(guard: Option<Guard>) {
        LET_THROUGH.store(0, Ordering::SeqCst);
        OFF.store(guard.map_or(0, |guard| guard as u8), Ordering::SeqCst);
    }

    /// How often the guard that is off let something through since.
    pub fn let_through() -> usize {
        LET_THROUGH.load(Ordering::SeqCst)
    }

    pub(super) fn lets_through(guard: Guard) -> bool {
        let off = OFF.load(Ordering::Relaxed) == guard as u8;
        if off {
            LET_THROUGH.fetch_add(1, Ordering::SeqCst);
        }
        off
    }
}

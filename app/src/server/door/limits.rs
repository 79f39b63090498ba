//! How long and how many: the limits at the door, and the descriptors that they are made of.

use std::time::Duration;

use clap::Args;

/// The most connections where nothing else is said: a walk through them all takes less than a millisecond.
const CONNECTIONS: usize = 4096;
/// The most from one address where nothing else is said: an office behind one address, each browser with six.
const FROM_ONE_ADDRESS: usize = 256;
/// Connections beyond the limit that are let in to be told so, or to ask for `/healthz`.
pub const RESERVE: usize = 32;
/// Descriptors for files, logs, signals and connections that are about to end.
const SPARE: usize = 96;
/// More open files than this are never needed.
const FILES: u64 = 65_536;
/// Fewer descriptors than this are no server.
const LEAST: usize = 64;

/// Limits at the door.
#[derive(Debug, Clone, Args)]
pub struct DoorArgs {
    /// Seconds to the end of a request's headers.
    #[arg(long, env = "PORTAL_HEADER_SECONDS", default_value_t = 10, value_name = "S", value_parser = seconds())]
    pub header_seconds: u64,
    /// Seconds that a connection may stay open without a request.
    #[arg(long, env = "PORTAL_IDLE_SECONDS", default_value_t = 75, value_name = "S", value_parser = seconds())]
    pub idle_seconds: u64,
    /// Seconds that a body may be waited for in all, beyond what its bytes earn at the least rate.
    #[arg(long, env = "PORTAL_BODY_SECONDS", default_value_t = 10, value_name = "S", value_parser = seconds())]
    pub body_seconds: u64,
    /// The least rate of a body, in bytes a second.
    #[arg(long, env = "PORTAL_LEAST_RATE", default_value_t = 1000, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..))]
    pub least_rate: u32,
    /// Seconds that a client may take nothing of its answer.
    #[arg(long, env = "PORTAL_ANSWER_SECONDS", default_value_t = 30, value_name = "S", value_parser = seconds())]
    pub answer_seconds: u64,
    /// Seconds from SIGTERM to the end, whoever is still being answered.
    #[arg(long, env = "PORTAL_DRAIN_SECONDS", default_value_t = 20, value_name = "S", value_parser = seconds())]
    pub drain_seconds: u64,
    /// Connections in all [default: what the limit of open files allows, 4096 at most]
    #[arg(long, env = "PORTAL_CONNECTIONS", value_name = "N")]
    pub connections: Option<usize>,
    /// Connections from one address (an IPv6 network); behind a trusted proxy they are not counted [default: 256, or half of all]
    #[arg(long, env = "PORTAL_CONNECTIONS_PER_ADDRESS", value_name = "N")]
    pub connections_per_address: Option<usize>,
}

fn seconds() -> clap::builder::RangedU64ValueParser<u64> {
    clap::value_parser!(u64).range(1..=86_400)
}

/// The limits of a server that runs.
#[derive(Debug, Clone)]
pub struct Limits {
    /// To the end of a request's head.
    pub head: Duration,
    /// Without a request.
    pub idle: Duration,
    /// How long a body may be waited for beyond what it earned.
    pub body: Duration,
    /// The rate at which a body earns, in bytes a second.
    pub rate: u32,
    /// Without any taking of an answer.
    pub answer: Duration,
    /// From being told to stop to the end.
    pub drain: Duration,
    /// Connections in all.
    pub connections: usize,
    /// Connections from one address.
    pub from_one_address: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            idle: Duration::from_secs(75),
            body: Duration::from_secs(10),
            rate: 1000,
            answer: Duration::from_secs(30),
            drain: Duration::from_secs(20),
            connections: CONNECTIONS,
            from_one_address: FROM_ONE_ADDRESS,
        }
    }
}

impl Limits {
    /// The limits that were asked for, within the descriptors that there are beside `others`, those of the database's
    /// connections. Raises this process's limit of them as far as the system lets it.
    ///
    /// # Errors
    /// A sentence when there are too few of them.
    pub fn of(args: &DoorArgs, others: usize, trust_proxy: bool) -> Result<Self, String> {
        let files =
            rlimit::increase_nofile_limit(FILES).map_err(|e| format!("the limit of open files cannot be read: {e}"))?;
        let most = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(others + RESERVE + SPARE);
        let connections = args.connections.unwrap_or(most.min(CONNECTIONS));
        if most < LEAST || connections > most || connections == 0 {
            return Err(format!(
                "{files} open files are too few for {} connections, the database's {others} and what else is needed ({}): raise the limit (ulimit -n) or lower --connections or --db-connections",
                connections.max(LEAST),
                RESERVE + SPARE
            ));
        }
        let secs = Duration::from_secs;
        let counted = args.connections_per_address.unwrap_or(FROM_ONE_ADDRESS.min(connections.div_ceil(2)));
        Ok(Self {
            head: secs(args.header_seconds),
            idle: secs(args.idle_seconds),
            body: secs(args.body_seconds),
            rate: args.least_rate,
            answer: secs(args.answer_seconds),
            drain: secs(args.drain_seconds),
            connections,
            // All that comes by a proxy comes from one address.
            from_one_address: if trust_proxy { usize::MAX } else { counted },
        })
    }

    /// How often all connections are walked through: often enough that nobody is kept much longer than the shortest limit.
    #[must_use]
    pub fn tick(&self) -> Duration {
        let shortest = self.head.min(self.idle).min(self.body).min(self.answer);
        (shortest / 8).clamp(Duration::from_millis(10), Duration::from_millis(500))
    }

    /// How long half a request may still come in once the server was told to stop: what is on its way is not lost.
    #[must_use]
    pub fn last_words(&self) -> Duration {
        (self.drain / 4).min(Duration::from_secs(2))
    }
}

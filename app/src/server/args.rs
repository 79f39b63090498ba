//! How a server is told to behave, at the command line and by the environment.

use std::net::SocketAddr;

use clap::Args;
use eis::db::second_factor;

use super::door::limits::DoorArgs;

/// How to serve.
#[derive(Debug, Clone, Args)]
pub struct ServeArgs {
    /// Address and port to listen on.
    #[arg(long, env = "PORTAL_LISTEN", default_value = "127.0.0.1:3000")]
    pub listen: SocketAddr,
    /// The address people type, e.g. https://portal.example; with https the session cookie is Secure and __Host-.
    #[arg(long, env = "PORTAL_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Believe X-Forwarded-For: set this only behind a proxy of yours that overwrites it.
    #[arg(long, env = "PORTAL_TRUST_PROXY")]
    pub trust_proxy: bool,
    /// Connections to the database [default: four a core of this machine]
    #[arg(long, env = "PORTAL_DB_CONNECTIONS", default_value_t = connections(), hide_default_value = true)]
    pub db_connections: usize,
    /// Jobs done in the background at a time (comparisons of tariffs); 0: none by this server [default: half the cores]
    #[arg(long, env = "PORTAL_WORKERS", default_value_t = workers(), hide_default_value = true)]
    pub workers: usize,
    /// Days that EIS staff and energy admins may do without a second factor, from when they were first given such a role;
    /// 0: none. Kept in the database for every server on it; left out, what was set last holds (14 at first, 36500 with demo data)
    #[arg(long, env = "PORTAL_SECOND_FACTOR_GRACE", value_name = "DAYS", value_parser = clap::value_parser!(u16).range(0..=i64::from(second_factor::MOST_GRACE_DAYS)))]
    pub second_factor_grace: Option<u16>,
    /// Heavy work at a time (rating, issuing, imports, exports), one for each organisation [default: half the cores]
    #[arg(long, env = "PORTAL_HEAVY", default_value_t = workers(), hide_default_value = true)]
    pub heavy: usize,
    /// Requests of one session at a time; beyond that it is told to try again.
    #[arg(long, env = "PORTAL_SESSION_REQUESTS", default_value_t = 16)]
    pub session_requests: usize,
    /// Log lines as JSON instead of text.
    #[arg(long, env = "PORTAL_LOG_JSON")]
    pub log_json: bool,
    /// Limits at the door.
    #[command(flatten)]
    pub door: DoorArgs,
    /// Load the demo data first, unless it is there.
    #[arg(long)]
    pub demo: bool,
    /// Serve the demo's logins, whose password everybody knows, to others than this machine too.
    #[arg(long, env = "PORTAL_DEMO_PASSWORDS_ARE_KNOWN")]
    pub demo_passwords_are_known: bool,
}

/// Cores of this machine, two where it does not tell.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(2, std::num::NonZero::get)
}

/// Background work leaves half of the cores to requests.
#[must_use]
pub fn workers() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| (cores.get() / 2).max(1))
}

/// Connections that keep this machine's cores busy. More of them make requests wait for a core inside the database
/// instead of in line for a connection: fewer a second, and the slowest much slower.
#[must_use]
pub fn connections() -> usize {
    std::thread::available_parallelism().map_or(8, |cores| cores.get() * 4).min(64)
}

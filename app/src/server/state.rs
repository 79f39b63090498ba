//! What every request shares.

use std::sync::Arc;

use eis::db::Db;
use eis::operate::proof::Monitor;
use eis::values::clock::Clock;

use super::readiness::Readiness;
use super::shares::Shares;

/// How this server was told to behave.
#[derive(Debug, Clone)]
pub struct Options {
    /// The address people type, without a trailing slash; `None`: whatever host they came by.
    pub public_url: Option<String>,
    /// Believe X-Forwarded-For.
    pub trust_proxy: bool,
    /// What time it is: the machine's clock, but in tests.
    pub clock: Clock,
}

impl Options {
    /// Whether people come by HTTPS, so that cookies are Secure.
    #[must_use]
    pub fn https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}

/// The state of the axum router.
#[derive(Debug, Clone)]
pub struct AppState {
    /// The database.
    pub db: Db,
    /// The login that runs the proof of isolation and sees no tenant's rows.
    pub monitor: Monitor,
    /// How much one session and one organization may have at a time.
    pub shares: Arc<Shares>,
    /// How this server behaves.
    pub options: Arc<Options>,
    /// What `/readyz` said last.
    pub readiness: Arc<Readiness>,
}

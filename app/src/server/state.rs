//! What every request shares.

use std::sync::Arc;

use axum::response::Response;
use eis::access::Actor;
use eis::db::Db;
use eis::operate::proof::Monitor;
use eis::values::clock::Clock;
use futures_util::future::BoxFuture;

use super::ctx::Ctx;
use super::health::Readiness;
use super::shares::Shares;
use crate::forms::Typed;

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

/// What the server answers with a page of the portal's, which it does not know itself: whoever composes both says it.
#[derive(Debug, Clone, Copy)]
pub struct Pages {
    /// A form that was rendered under another organization or role than the one that is open: nothing is done, and what
    /// was typed is shown.
    pub of_another_context: fn(Ctx, Actor, Typed) -> BoxFuture<'static, Response>,
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
    /// Pages that the server answers with.
    pub pages: Pages,
    /// How this server behaves.
    pub options: Arc<Options>,
    /// What `/readyz` said last.
    pub readiness: Arc<Readiness>,
}

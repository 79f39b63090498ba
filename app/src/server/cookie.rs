//! The session's cookie.

use tower_sessions::cookie::SameSite;

/// Other sites' pages send the session's cookie with links alone.
pub const SAME_SITE: SameSite = SameSite::Lax;

/// The name of the session's cookie: `__Host-` binds it to this host and HTTPS; a browser refuses it without.
#[must_use]
pub const fn cookie_name(https: bool) -> &'static str {
    if https { "__Host-session" } else { "session" }
}

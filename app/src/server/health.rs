//! `/healthz`: this process is alive. `/readyz`: the database answers and has every migration.

use axum::extract::State;
use axum::http::StatusCode;

use super::state::AppState;

/// Alive.
pub async fn healthz() -> &'static str {
    "alive\n"
}

/// Ready to serve, or why not.
pub async fn readyz(State(state): State<AppState>) -> (StatusCode, String) {
    match state.db.pending_migrations().await {
        Ok(pending) if pending.is_empty() => (StatusCode::OK, "ready\n".to_owned()),
        Ok(pending) => (StatusCode::SERVICE_UNAVAILABLE, format!("pending migrations: {}\n", pending.join(", "))),
        Err(error) => {
            // That the database went is in the log once; this may be asked every second.
            if !error.is_away() {
                tracing::warn!(%error, "not ready");
            }
            (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached\n".to_owned())
        }
    }
}

//! `/healthz`: this process is alive. `/readyz`: the database answers and has every migration.

use axum::extract::State;
use axum::http::StatusCode;

use super::readiness::Answer;
use super::state::AppState;

/// Alive.
pub async fn healthz() -> &'static str {
    "alive\n"
}

/// Ready to serve, or not.
pub async fn readyz(State(state): State<AppState>) -> (StatusCode, &'static str) {
    match state.readiness.of(&state.db).await {
        Answer::Ready => (StatusCode::OK, "ready\n"),
        Answer::Pending => (StatusCode::SERVICE_UNAVAILABLE, "migrations are pending\n"),
        Answer::Away => (StatusCode::SERVICE_UNAVAILABLE, "the database cannot be reached\n"),
        Answer::Failed => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer as it should\n"),
    }
}

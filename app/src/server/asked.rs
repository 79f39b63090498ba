//! What a request asked for, as its route spells it: faults are named after it, in the log and on the page.

use axum::extract::{MatchedPath, Request};

tokio::task_local! {
    static ASKED: String;
}

/// The route of a request, without the ids of its address: `GET /clients/{client}/invoices`, `POST /api/issue_billing_period`.
#[must_use]
pub fn route(request: &Request) -> String {
    let matched = request.extensions().get::<MatchedPath>().map_or("-", MatchedPath::as_str);
    // Server functions share one route; the names of them are public.
    let function = matched.starts_with("/api/").then(|| request.uri().path());
    format!("{} {}", request.method(), function.unwrap_or(matched))
}

/// Runs a request under its name.
pub async fn answering<F: Future>(route: String, request: F) -> F::Output {
    ASKED.scope(route, request).await
}

/// The name of the request that is being answered; empty outside of one.
#[must_use]
pub fn asked() -> String {
    ASKED.try_with(Clone::clone).unwrap_or_default()
}

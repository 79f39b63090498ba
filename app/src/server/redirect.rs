//! Sending people on.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};

/// Percent-encodes a path for a query.
#[must_use]
pub fn encode(text: &str) -> String {
    serde_urlencoded::to_string([("", text)]).unwrap_or_default().trim_start_matches('=').to_owned()
}

/// A redirect after a form: the browser asks for the page with GET.
#[must_use]
pub fn see_other(to: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, to.to_owned())]).into_response()
}

/// An address of ours that a form may send people on to; anything else is `fallback`.
#[must_use]
pub fn own_path(path: &str, fallback: &str) -> String {
    let plain =
        path.starts_with('/') && !path.starts_with("//") && !path.contains(|c: char| c == '\\' || c.is_control());
    if plain { path.to_owned() } else { fallback.to_owned() }
}

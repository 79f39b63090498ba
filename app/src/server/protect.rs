//! What stands in front of every route: same-origin writes, security headers, the request's log line.

use std::time::Instant;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use eis::db::Db;
use tracing::Instrument;

use super::asked::Asked;
use super::errors::AppError;
use super::guards::{Guard, refuses};
use super::sessions::{complete_removal, remembering, take_failed};
use super::state::AppState;
use crate::pages::errors::page;

/// Everything from here, nothing inline, nothing framed.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; script-src 'self'; \
    connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// Whether an unsafe request comes from one of our own pages: `Sec-Fetch-Site` where the browser sends it,
/// `Origin` otherwise; neither is a refusal.
fn is_ours(headers: &HeaderMap, state: &AppState) -> bool {
    if let Some(site) = text(headers, &HeaderName::from_static("sec-fetch-site")) {
        return site == "same-origin";
    }
    let Some(origin) = text(headers, &ORIGIN) else { return false };
    match &state.options.public_url {
        Some(url) => origin == url,
        None => text(headers, &HOST).is_some_and(|host| origin.split_once("://").is_some_and(|(_, o)| o == host)),
    }
}

/// Around every route that knows sessions: reading requests look their session up in the transaction that their page
/// then reads in; others must come from a page of ours.
pub async fn sessions(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let answered = async {
        match *request.method() {
            Method::GET | Method::HEAD => Db::entering(next.run(request)).await,
            Method::OPTIONS => next.run(request).await,
            _ => same_origin(&state, request, next).await,
        }
    };
    let answered = async {
        let (response, missed) = eis::db::noticing(answered).await;
        explained(response, missed)
    };
    let mut response = state.options.clock.run(remembering(answered)).await;
    complete_removal(response.headers_mut(), state.options.https());
    response
}

/// Refuses unsafe requests that no page of ours sent, and bodies that no form sends.
async fn same_origin(state: &AppState, request: Request, next: Next) -> Response {
    if refuses(Guard::SameOrigin, !is_ours(request.headers(), state)) {
        let body = page(
            "This request did not come from the portal",
            "Nothing was changed. Open the page in the portal itself and send the form from there.",
            "",
            None,
        );
        return (StatusCode::FORBIDDEN, body).into_response();
    }
    let kind = text(request.headers(), &CONTENT_TYPE).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/form-data") {
        next.run(request).await
    } else {
        let body = page("This request cannot be read", "The portal takes forms only.", "", None);
        (StatusCode::UNSUPPORTED_MEDIA_TYPE, body).into_response()
    }
}

/// A fault where no database was found is that. A fault outside the pages, in the layer that looks sessions up, answers without words; people get our page all the same.
fn explained(response: Response, missed: bool) -> Response {
    if missed && response.status() == StatusCode::INTERNAL_SERVER_ERROR {
        return AppError::Unavailable.into_response();
    }
    if response.status() == StatusCode::INTERNAL_SERVER_ERROR && !response.headers().contains_key(CONTENT_TYPE) {
        let unknown = || AppError::Internal("a session could not be looked up or kept".to_owned());
        return take_failed().unwrap_or_else(unknown).into_response();
    }
    response
}

/// Headers of every answer. Pages are never kept by a cache.
fn secure(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-opener-policy", HeaderValue::from_static("same-origin"));
    headers.insert("cross-origin-resource-policy", HeaderValue::from_static("same-origin"));
    headers.insert("permissions-policy", HeaderValue::from_static("camera=(), microphone=(), geolocation=()"));
    headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
    // What is not an asset is somebody's: no cache on the way keeps it, and one that does all the same keeps it apart.
    if !headers.contains_key(CACHE_CONTROL) {
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store, private"));
        headers.append(VARY, HeaderValue::from_static("cookie"));
    }
}

/// Around everything: the answer's headers, and one line a request: method, route (not the address, which may carry ids and searches), status,
/// milliseconds and an id that the answer carries too.
pub async fn everything(request: Request, next: Next) -> Response {
    let id = format!("{:016x}", rand::random::<u64>());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let span = tracing::info_span!("request", id);
    let start = Instant::now();
    let asked = Asked::of(&request, &id);
    let mut response = asked.answering(next.run(request)).instrument(span.clone()).await;
    let milliseconds = start.elapsed().as_micros() / 1000;
    span.in_scope(|| {
        tracing::info!(%method, route = route.as_deref().unwrap_or("-"), status = response.status().as_u16(), milliseconds, "request");
    });
    secure(response.headers_mut());
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert("x-request-id", value);
    }
    response
}

/// The address is nobody's.
pub async fn not_found() -> AppError {
    AppError::NotFound
}

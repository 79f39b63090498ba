//! What stands in front of every route: same-origin writes, security headers, the request's log line.

use std::sync::Arc;
use std::time::Instant;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, ORIGIN, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use eis::db::Db;
use eis::db::turns::{Party, asked_by};
use tracing::Instrument;

use super::FORM_LIMIT;
use super::apart::{apart, apart_while_awaited, to_its_end};
use super::asked::Asked;
use super::ctx::peer_address;
use super::door::refusals;
use super::door::visit::Visit;
use super::errors::AppError;
use super::guards::{Guard, refuses};
use super::host;
use super::outside::Outside;
use super::sessions::{complete_removal, remembering, take_failed};
use super::shares::{in_turn, is_heavy_page};
use super::state::AppState;
use crate::components::refusal::{START, page};

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

/// Around every route that knows sessions: each request in turn with those of its session and its organization
/// (`shares`), and to its end.
pub async fn sessions(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let address = peer_address(request.headers(), request.extensions(), state.options.trust_proxy);
    let asker = state.shares.asker(request.headers(), &address, state.options.https());
    let Ok(place) = state.shares.begin(&asker).await else { return AppError::Busy.into_response() };
    // Of a form the body is here before the rest begins; of a file it comes while it is kept: what waits for it is given up
    // with it, and never holds the connection.
    let file = is_file(&request);
    let request = match file {
        true => request,
        false => match whole(request).await {
            Ok(request) => request,
            Err(error) => return error.into_response(),
        },
    };
    // On the heap, as all that a request keeps between its layers: a thread's stack is small for it.
    let work = Box::pin(async move {
        let response = in_its_place(state, asker.party, file, request, next).await;
        drop(place);
        response.unwrap_or_else(IntoResponse::into_response)
    });
    if file { work.await } else { to_its_end(work).await }
}

/// Works on a request when its turn has come, among pages, files or heavy work.
async fn in_its_place(
    state: AppState,
    party: Party,
    file: bool,
    request: Request,
    next: Next,
) -> Result<Response, AppError> {
    let (shares, clock, whose) = (state.shares.clone(), state.options.clock, party.clone());
    if file {
        let turn = shares.file(whose).await?;
        let response = apart_while_awaited(clock, asked_by(party, false, Box::pin(known(state, request, next)))).await;
        drop(turn);
        return Ok(response);
    }
    if is_heavy_page(&request) {
        let turn = shares.heavy(whose).await?;
        let response = apart(clock, asked_by(party, true, Box::pin(known(state, request, next)))).await;
        drop(turn);
        return Ok(response);
    }
    let turn = shares.page(whose).await?;
    Ok(in_turn(turn, asked_by(party, false, Box::pin(known(state, request, next)))).await)
}

/// Whether a request brings a file.
fn is_file(request: &Request) -> bool {
    text(request.headers(), &CONTENT_TYPE).is_some_and(|kind| kind.starts_with("multipart/"))
}

/// A request whose body has arrived.
async fn whole(request: Request) -> Result<Request, AppError> {
    let (parts, body) = request.into_parts();
    Ok(Request::from_parts(parts, Body::from(form_bytes(body).await?)))
}

/// The body of a form.
///
/// # Errors
/// When it is larger than forms are.
pub async fn form_bytes(body: Body) -> Result<Bytes, AppError> {
    let too_large = |_| AppError::BadRequest("The form is too large: half a megabyte at most.".into());
    to_bytes(body, FORM_LIMIT).await.map_err(too_large)
}

/// A request whose turn it is: reading requests look their session up in the transaction that their page then reads in;
/// others must come from a page of ours.
async fn known(state: AppState, mut request: Request, next: Next) -> Response {
    let https = state.options.https();
    let outside = Outside::of(request.headers(), https);
    request.extensions_mut().insert(outside.clone());
    let answered = Box::pin(async {
        match *request.method() {
            Method::GET | Method::HEAD => Db::entering(next.run(request)).await,
            Method::OPTIONS => next.run(request).await,
            _ => same_origin(&state, request, next).await,
        }
    });
    let answered = async {
        let (response, missed) = eis::db::noticing(answered).await;
        explained(response, missed)
    };
    let mut response = state.options.clock.run(remembering(answered)).await;
    complete_removal(response.headers_mut(), https);
    outside.answer(response.headers_mut(), https);
    response
}

/// Refuses unsafe requests that no page of ours sent, and bodies that no form sends.
async fn same_origin(state: &AppState, request: Request, next: Next) -> Response {
    if refuses(Guard::SameOrigin, !is_ours(request.headers(), state)) {
        let body = page(
            "This request did not come from the portal",
            "Nothing was changed. Open the page in the portal itself and send the form from there.",
            "",
            &[START],
        );
        return (StatusCode::FORBIDDEN, body).into_response();
    }
    let kind = text(request.headers(), &CONTENT_TYPE).unwrap_or_default();
    if kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/form-data") {
        next.run(request).await
    } else {
        let body = page("This request cannot be read", "The portal takes forms only.", "", &[START]);
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

/// Health is asked for by whoever watches this server, under any name and however full it is.
fn is_health(route: Option<&str>) -> bool {
    matches!(route, Some("/healthz" | "/readyz"))
}

/// Answers a request that the door let in: not beyond the limit, not under a foreign name, and no longer than its body
/// keeps coming.
async fn let_in(state: &AppState, health: bool, request: Request, next: Next) -> Response {
    let visit = request.extensions().get::<Arc<Visit>>().cloned();
    if !health {
        if visit.as_ref().is_some_and(|visit| visit.is_reserve()) {
            return refusals::full();
        }
        if let Err(refusal) = host::believed(&request, &state.options) {
            return refusal.into_response();
        }
    }
    match visit {
        Some(visit) if !hyper::body::Body::is_end_stream(request.body()) => tokio::select! {
            biased;
            response = next.run(request) => response,
            why = visit.given_up() => refusals::half_body(why),
        },
        _ => next.run(request).await,
    }
}

/// Around everything: the answer's headers, and one line a request: method, route (not the address, which may carry ids and searches), status,
/// milliseconds, who asked (ids alone), from where, and an id that the answer carries too.
pub async fn everything(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let id = format!("{:016x}", rand::random::<u64>());
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let from = peer_address(request.headers(), request.extensions(), state.options.trust_proxy);
    let span = tracing::info_span!("request", id);
    let start = Instant::now();
    let asked = Asked::of(&request, &id);
    if let Some(visit) = request.extensions().get::<Arc<Visit>>() {
        visit.names(asked.route());
    }
    let answered = let_in(&state, is_health(route.as_deref()), request, next);
    let mut response = asked.clone().answering(answered).instrument(span.clone()).await;
    let who = asked.who();
    let milliseconds = start.elapsed().as_micros() / 1000;
    span.in_scope(|| {
        let user = who.map(|who| tracing::field::display(who.user));
        let organization = who.and_then(|who| who.organization).map(tracing::field::display);
        let (route, status) = (route.as_deref().unwrap_or("-"), response.status().as_u16());
        tracing::info!(%method, route, status, milliseconds, from, user, organization, "request");
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

//! `portal bench pages`: signed-in pages on the scale data set, beside (a) a bare axum handler in the same
//! process that checks the session, runs the same SQL under the same context and returns a fixed page, and
//! (b) one that checks the session and opens the context only. Neither peer has the portal's layers around it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use axum::response::Html;
use axum::routing::get;
use diesel_async::SimpleAsyncConnection;
use eis::access::Actor;
use eis::db::connect::{Login, Settings};
use eis::db::{Access, Db};
use eis::invoices::{self, Filter};

use crate::pages::parts::PAGE_ROWS;
use tower_sessions::session::Id;

use super::load::{Figures, Shot, fire};
use super::scale::{self, Scale, Seat};
use crate::server::auth::Identity;
use crate::server::errors::AppError;
use crate::server::sessions::secret;
use crate::server::state::{AppState, Options};
use crate::server::{auth, router_with};

/// Organizations of the large data set.
const ORGANIZATIONS: usize = 200;
/// Each measurement, after a warm-up of a fifth of it.
const TIME: Duration = Duration::from_secs(8);
/// Rounds of page, (a), (b), in turn, so that a drift of the machine meets all alike.
const ROUNDS: usize = 3;

/// A page and its two peers.
#[derive(Debug, serde::Serialize)]
pub struct Case {
    /// Which page.
    pub page: &'static str,
    /// The portal's own page.
    pub portal: Figures,
    /// The same SQL under the same context, a fixed page.
    pub bare: Figures,
    /// Session and context only.
    pub context: Figures,
    /// Requests a second against (a); the goal is 0.8.
    pub ratio_bare: String,
    /// Requests a second against (b); the goal is 0.5.
    pub ratio_context: String,
}

/// All of a run.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    /// Rows in the large data set.
    pub invoices: usize,
    /// Connections at once.
    pub connections: usize,
    /// Signed-in sessions.
    pub sessions: usize,
    /// Pages on the large data set.
    pub cases: Vec<Case>,
    /// The invoice list in a database of one organization.
    pub one_organization: Figures,
    /// Requests a second with 200 organizations against one; the goal is 0.9 to 1.1.
    pub ratio_one_organization: String,
    /// Resident memory of this process before the first request, in MB.
    pub idle_megabytes: u64,
}

fn cookie(seat: &Seat) -> String {
    format!("session={}", Id(seat.secret.0))
}

/// The peers' check of a session: cookie, one query, actor.
async fn peer_actor(db: &Db, headers: &HeaderMap) -> Result<Actor, AppError> {
    let value = headers.get(COOKIE).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("session="));
    let id: Id = value.and_then(|v| v.parse().ok()).ok_or(AppError::SignedOut)?;
    let row = db.session_load(secret(&id)).await?.ok_or(AppError::SignedOut)?;
    let identity = Identity::of(id, row).ok_or(AppError::SignedOut)?;
    Ok(auth::User::of(identity).actor(id, String::new()))
}

/// Which page's SQL the bare handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sql {
    List,
}

/// (a): the page's SQL, and an answer as long as the page's.
async fn bare(state: AppState, headers: HeaderMap, sql: Sql, length: usize) -> Result<Html<String>, AppError> {
    let actor = peer_actor(&state.db, &headers).await?;
    let (client, organization) = actor.tenant()?;
    let actor = actor.at_client(client);
    let tx = state.db.as_tenant(&actor, Access::Read).await?;
    match sql {
        Sql::List => {
            let filter = Filter { status: "paid".to_owned(), ..Filter::default() };
            std::hint::black_box(invoices::list(&tx, organization, client, &filter, PAGE_ROWS).await?);
        }
    }
    drop(tx);
    Ok(Html("x".repeat(length)))
}

/// (b): the session and its context.
async fn context_only(state: AppState, headers: HeaderMap) -> Result<Html<&'static str>, AppError> {
    let actor = peer_actor(&state.db, &headers).await?;
    let mut tx = state.db.as_tenant(&actor, Access::Read).await?;
    SimpleAsyncConnection::batch_execute(&mut *tx, "").await.map_err(AppError::from)?;
    Ok(Html("fixed"))
}

/// Serves the portal over a database, with the peers beside it; its address.
async fn serve(scale: &Scale, length: usize) -> Result<SocketAddr, String> {
    let db = Db::new(&scale.connected.url(Login::App), 16).map_err(|e| e.to_string())?;
    let state = AppState { db, options: Arc::new(Options { public_url: None, trust_proxy: false }) };
    let peers = Router::new()
        .route(
            "/bench/list",
            get(move |State(state): State<AppState>, headers: HeaderMap| bare(state, headers, Sql::List, length)),
        )
        .route("/bench/context", get(|State(state): State<AppState>, headers: HeaderMap| context_only(state, headers)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let service = router_with(state, peers).into_make_service_with_connect_info::<SocketAddr>();
    tokio::spawn(async move { axum::serve(listener, service).await });
    Ok(address)
}

fn shots(seats: &[Seat], path: impl Fn(&Seat) -> String) -> Vec<Shot> {
    seats.iter().map(|seat| Shot { path: path(seat), cookie: cookie(seat) }).collect()
}

/// Runs.
///
/// # Errors
/// A sentence.
pub async fn run(settings: &Settings, json: bool) -> Result<(), String> {
    let scale = scale::open(settings, "portal_bench", ORGANIZATIONS).await?;
    let at = serve(&scale, 20_000).await?;
    for _ in 0..ROUNDS {
        for (name, shots) in [
            ("portal", shots(&scale.admins, |seat| format!("/clients/{}/customers", seat.client))),
            ("bare", shots(&scale.admins, |_| "/bench/list".to_owned())),
            ("context", shots(&scale.admins, |_| "/bench/context".to_owned())),
        ] {
            let figures = fire(at, shots, TIME / 4).await?;
            println!("{name} {figures:?} {json}");
        }
    }
    Ok(())
}

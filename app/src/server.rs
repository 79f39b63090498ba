//! The server: what stands around the routes (sessions, CSRF, headers, limits, logs), and its start and stop.

pub mod asked;
pub mod assets;
pub mod auth;
pub mod background;
pub mod ctx;
pub mod digests;
pub mod errors;
pub mod functions;
pub mod guards;
pub mod health;
pub mod nul;
pub mod protect;
pub mod query;
pub mod sessions;
pub mod state;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum_login::AuthManagerLayerBuilder;
use eis::clock::Clock;
use eis::db::Db;
use eis::db::connect::{Connected, Login};
use eis::db::proof::Monitor;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_sessions::{Expiry, SessionManagerLayer};

use crate::cli::ServeArgs;
use auth::Accounts;
use background::Background;
use sessions::PgSessions;
use state::{AppState, Options};

/// A session ends this long after signing in: a working day and a half.
const ABSOLUTE_SECONDS: i32 = 16 * 3600;
/// A session ends this long after its last use.
const IDLE_SECONDS: i32 = 2 * 3600;
/// Bodies of forms; uploads have their own limit.
pub const FORM_LIMIT: usize = 512 * 1024;
/// Uploaded files.
pub const UPLOAD_LIMIT: usize = 64 * 1024 * 1024;

/// The whole application over a database.
pub fn router(state: AppState) -> Router {
    router_with(state, Router::new())
}

/// The whole application with further routes outside its layers: a benchmark's peers.
pub fn router_with(state: AppState, beside: Router<AppState>) -> Router {
    let https = state.options.https();
    let store = PgSessions::new(state.db.clone(), ABSOLUTE_SECONDS, IDLE_SECONDS);
    let sessions = SessionManagerLayer::new(store)
        .with_name(sessions::cookie_name(https))
        .with_secure(https)
        .with_http_only(true)
        .with_same_site(sessions::SAME_SITE)
        .with_path("/")
        .with_expiry(Expiry::OnSessionEnd);
    let auth = AuthManagerLayerBuilder::new(Accounts::new(state.db.clone()), sessions).build();
    let compress = CompressionLayer::new()
        .gzip(true)
        .compress_when(SizeAbove::new(1024).and(NotForContentType::const_new("font/")));
    crate::routes::pages()
        .layer(auth)
        .layer(from_fn_with_state(state.clone(), protect::sessions))
        .layer(from_fn(nul::from_query))
        .merge(crate::routes::public())
        .layer(compress)
        .layer(CatchPanicLayer::custom(errors::panicked))
        .layer(from_fn(protect::everything))
        .merge(beside)
        .with_state(state)
}

/// The state of a server over a connected database.
///
/// # Errors
/// When the pool cannot be built.
pub fn state(connected: &Connected, args: &ServeArgs) -> Result<AppState, String> {
    let db = Db::new(&connected.url(Login::App), args.db_connections).map_err(|e| e.to_string())?;
    let public_url = args.public_url.as_ref().map(|url| url.trim_end_matches('/').to_owned());
    let monitor = Monitor::new(connected.url(Login::Monitor));
    Ok(AppState {
        db,
        monitor,
        options: Arc::new(Options { public_url, trust_proxy: args.trust_proxy, clock: Clock::System }),
    })
}

/// Serves until SIGTERM or Ctrl-C; requests in flight finish, background work is put down.
///
/// # Errors
/// When the address cannot be listened on.
pub async fn serve(connected: Connected, args: ServeArgs) -> Result<(), String> {
    start_log(args.log_json);
    let state = state(&connected, &args)?;
    state.db.ping().await.map_err(|e| e.to_string())?;
    let listener = tokio::net::TcpListener::bind(args.listen)
        .await
        .map_err(|e| format!("cannot listen on {}: {e}. Choose another with --listen", args.listen))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let background = Background::start(&connected.url(Login::Worker), args.workers).map_err(|e| e.to_string())?;
    crate::out::print(format_args!("EIS Power Portal: http://{address}"))?;
    let service = router(state).into_make_service_with_connect_info::<SocketAddr>();
    let stop = async {
        stop_asked().await;
        background.stop().await;
    };
    axum::serve(listener, service).with_graceful_shutdown(stop).await.map_err(|e| e.to_string())?;
    tracing::info!("stopped");
    if let (Some(cluster), true) = (&connected.cluster, connected.started) {
        cluster.stop().map_err(|e| e.to_string())?;
    }
    Ok(())
}

async fn stop_asked() {
    let mut terminate = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(signal) => signal,
        Err(error) => {
            tracing::error!(%error, "cannot listen for SIGTERM");
            return std::future::pending().await;
        }
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

/// Logs to standard error; `RUST_LOG` chooses what.
fn start_log(json: bool) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,tower_sessions=error,tower_sessions_core=error,axum_login=error"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false)
        // Its own complaint about a standard error that is gone would be a panic.
        .log_internal_errors(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // A second server in one process (tests) keeps the first one's log.
    let _ = if json { log.json().flatten_event(true).try_init() } else { log.try_init() };
}

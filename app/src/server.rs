//! The server: what stands around the routes (sessions, CSRF, headers, limits, logs), and its start and stop.

pub mod apart;
mod args;
pub mod asked;
pub mod auth;
mod auth_error;
pub mod background;
pub mod cookie;
pub mod ctx;
pub mod digests;
pub mod door;
pub mod errors;
pub mod flash;
pub mod functions;
pub mod guards;
pub mod health;
pub mod host;
pub mod identity;
mod log;
pub mod network;
pub mod nul;
pub mod outside;
pub mod paths;
pub mod pieces;
pub mod protect;
pub mod query;
pub mod readiness;
pub mod redirect;
pub mod sealed;
pub mod sessions;
pub mod shares;
pub mod state;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum_login::AuthManagerLayerBuilder;
use eis::db::Db;
use eis::operate::connect::{Connected, Login};
use eis::operate::keep::Keeper;
use eis::operate::proof::Monitor;
use eis::values::clock::Clock;
use tokio::sync::watch;
use tokio::time::timeout;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate, SizeAbove};
use tower_sessions::{Expiry, SessionManagerLayer};

pub use args::{ServeArgs, connections};
use auth::Accounts;
use background::Background;
use door::limits::Limits;
use sessions::PgSessions;
use shares::Shares;
use state::{AppState, Options};

/// A session ends this long after signing in: a working day and a half.
const ABSOLUTE_SECONDS: i32 = 16 * 3600;
/// A session ends this long after its last use.
const IDLE_SECONDS: i32 = 2 * 3600;
/// Bodies of forms; uploads have their own limit.
pub const FORM_LIMIT: usize = 512 * 1024;
/// Uploaded files.
pub const UPLOAD_LIMIT: usize = 64 * 1024 * 1024;

/// Pages and functions behind everything that stands before them: sessions, limits, headers. `public` needs no session;
/// `beside` stands outside of all of it, as a benchmark's peers do.
pub fn guarded(state: AppState, pages: Router<AppState>, public: Router<AppState>, beside: Router<AppState>) -> Router {
    let https = state.options.https();
    let store = PgSessions::new(state.db.clone(), state.shares.clone(), ABSOLUTE_SECONDS, IDLE_SECONDS);
    let sessions = SessionManagerLayer::new(store)
        .with_name(cookie::cookie_name(https))
        .with_secure(https)
        .with_http_only(true)
        .with_same_site(cookie::SAME_SITE)
        .with_path("/")
        .with_expiry(Expiry::OnSessionEnd);
    let auth = AuthManagerLayerBuilder::new(Accounts::new(state.db.clone()), sessions).build();
    let compress = CompressionLayer::new()
        .gzip(true)
        .compress_when(SizeAbove::new(1024).and(NotForContentType::const_new("font/")));
    pages
        .layer(auth)
        .layer(from_fn_with_state(state.clone(), protect::sessions))
        .layer(from_fn(nul::from_query))
        .merge(public)
        .layer(compress)
        .layer(CatchPanicLayer::custom(errors::panicked))
        .layer(from_fn_with_state(state.clone(), protect::everything))
        .merge(beside)
        .with_state(state)
}

/// The state of a server over a connected database.
///
/// # Errors
/// When the pool cannot be built.
pub fn state(connected: &Connected, args: &ServeArgs) -> Result<AppState, String> {
    let db = Db::new(&connected.url(Login::App), args.db_connections).map_err(|e| e.to_string())?;
    let public_url = args.public_url.as_deref().map(host::public_url).transpose()?;
    let monitor = Monitor::new(connected.url(Login::Monitor));
    let limits = shares::Limits { of_session: args.session_requests, heavy: args.heavy, ..shares::Limits::default() };
    Ok(AppState {
        db,
        monitor,
        shares: Arc::new(Shares::new(limits)),
        options: Arc::new(Options { public_url, trust_proxy: args.trust_proxy, clock: Clock::System }),
        readiness: Arc::default(),
    })
}

/// Serves until SIGTERM or Ctrl-C. Then requests that are here in whole are answered and background work is put down, until
/// the deadline; a second signal ends it at once.
///
/// # Errors
/// When the address cannot be listened on, or the limits do not fit into the limit of open files.
pub async fn serve(
    connected: Connected,
    args: ServeArgs,
    router: impl FnOnce(AppState) -> Router,
) -> Result<(), String> {
    start_log(args.log_json);
    let state = state(&connected, &args)?;
    // Two of each worker, one that watches the private server, one for the isolation test of each that may run.
    let connections = args.db_connections + 2 * args.workers + 1 + args.heavy;
    let limits = Limits::of(&args.door, connections, args.trust_proxy)?;
    state.db.ping().await.map_err(|e| e.to_string())?;
    if !args.listen.ip().is_loopback() && !state.options.https() {
        tracing::warn!(
            "others than this machine reach the portal, and no https is before it: passwords can be read on the way. Put a proxy with TLS before it and give --public-url https://…"
        );
    }
    let listener = door::listen(args.listen)
        .map_err(|e| format!("cannot listen on {}: {e}. Choose another with --listen", args.listen))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let background = Background::start(&connected.url(Login::Worker), args.workers).map_err(|e| e.to_string())?;
    // From here on nothing of the administrator's is needed: its connection string and the superuser's password go.
    let private = connected.into_private();
    let keeper = private.as_ref().map(|private| Keeper::of(private.server.clone(), private.watched_by.clone()));
    crate::out::print(format_args!("EIS Power Portal: http://{address}"))?;
    let sweeper = background::sweep(state.db.clone());
    let (stop, told) = watch::channel(false);
    let drain = limits.drain;
    let serving = async {
        tokio::join!(
            door::serve(listener, router(state), limits, stopping(told.clone())),
            put_down(background, drain, stopping(told.clone()))
        );
        tracing::info!("stopped");
    };
    tokio::select! {
        () = serving => {}
        () = asked_twice(stop) => tracing::warn!("stopped at once: asked a second time"),
    }
    sweeper.abort();
    if let Some(keeper) = keeper {
        keeper.stop().await;
    }
    if let Some(private) = private.filter(|private| private.started) {
        private.server.stop().map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// Comes back when the server was told to stop.
async fn stopping(mut told: watch::Receiver<bool>) {
    // Whoever would tell is gone: that is a stop too.
    let _ = told.wait_for(|stop| *stop).await;
}

/// Puts background work down once told to stop. What does not stop in time is taken up by another server when its lease ends.
async fn put_down(background: Background, drain: Duration, told: impl Future<Output = ()>) {
    told.await;
    if timeout(drain, background.stop()).await.is_err() {
        tracing::warn!("background work did not stop in time; its lease ends by itself");
    }
}

/// Tells to stop at the first signal; comes back at the second.
async fn asked_twice(stop: watch::Sender<bool>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
        (Ok(terminate), Ok(interrupt)) => (terminate, interrupt),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, "cannot listen for SIGTERM");
            return std::future::pending().await;
        }
    };
    for _ in 0..2 {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    }
}

/// Logs to standard error; `RUST_LOG` chooses what.
fn start_log(json: bool) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| EnvFilter::new("info,tower_sessions=error,tower_sessions_core=error,axum_login=error"));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| log::Lines(std::io::stderr()))
        .with_target(false)
        // Its own complaint about a standard error that is gone would be a panic.
        .log_internal_errors(false)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()));
    // A second server in one process (tests) keeps the first one's log.
    let _ = if json { log.json().flatten_event(true).try_init() } else { log.try_init() };
}

//! `portal bench pages`: signed-in pages on the scale data set, beside (a) a bare axum handler in the same
//! process that checks the session, runs the same SQL under the same context and returns a fixed page, and
//! (b) one that checks the session and opens the context only. Neither peer has the portal's layers around it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use axum::middleware::Next;
use axum::response::{Html, Response};
use axum::routing::get;
use eis::access::Actor;
use eis::db::{Access, Db, DbError};
use eis::operate::connect::{Login, Settings};
use eis::operate::proof::Monitor;
use eis::receivables::invoices::Filter;
use eis::values::clock::Clock;
use eis::values::ids::InvoiceId;

use tower_sessions::session::Id;

use crate::load::{CONNECTIONS, Figures, Shot, fire};
use crate::scale::{self, Scale, Seat};
use portal::out;
use portal::pages::account::{self, AtAccount};
use portal::pages::admin;
use portal::routes::router_with;
use portal::server::auth;
use portal::server::auth::Identity;
use portal::server::door::{self, limits::Limits};
use portal::server::errors::AppError;
use portal::server::identity::secret;
use portal::server::state::{AppState, Options};

/// The status that the list is filtered by.
const STATUS: &str = "paid";
/// Organizations of the large data set.
const ORGANIZATIONS: usize = 200;
/// Each measurement; before the first ones all are asked for as long.
const TIME: Duration = Duration::from_secs(1);
/// Rounds of page, (a), (b), in turn. They are short and each gives a ratio of its own, so that a drift of the machine
/// meets all alike; the median of the ratios counts.
const ROUNDS: usize = 15;

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

pub(super) fn cookie(seat: &Seat) -> String {
    format!("session={}", Id(seat.secret.0))
}

/// The peers' check of a session: cookie, one query, actor.
async fn peer_actor(db: &Db, headers: &HeaderMap) -> Result<Actor, AppError> {
    let value = headers.get(COOKIE).and_then(|v| v.to_str().ok()).and_then(|v| v.strip_prefix("session="));
    let id: Id = value.and_then(|v| v.parse().ok()).ok_or(AppError::SignedOut)?;
    let row = db.session_load(secret(&id)).await?.ok_or(AppError::SignedOut)?;
    let identity = Identity::of(row).map_err(DbError::from)?.ok_or(AppError::SignedOut)?;
    Ok(auth::User::of(identity).actor(id, String::new()))
}

/// As around the portal's own pages: the session is looked up in the transaction that reads.
async fn entering(request: Request, next: Next) -> Response {
    Db::entering(next.run(request)).await
}

/// Which page's SQL the bare handler runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sql {
    List,
    Home,
    Invoice,
}

/// What a bare handler does: whose SQL, and how long its fixed page is.
#[derive(Debug, Clone, Copy)]
struct Peer {
    sql: Sql,
    length: usize,
}

/// (a): the page's SQL, and an answer as long as the page's.
async fn bare(state: AppState, headers: HeaderMap, peer: Peer, invoice: String) -> Result<Html<String>, AppError> {
    let actor = peer_actor(&state.db, &headers).await?;
    let (client, _) = actor.tenant()?;
    let actor = actor.at_client(client);
    let tx = state.db.as_tenant(&actor, Access::Read).await?;
    match peer.sql {
        Sql::List => {
            let filter = Filter { status: STATUS.to_owned(), ..Filter::default() };
            std::hint::black_box(admin::invoices::read(&tx, &filter).await?);
        }
        Sql::Home => {
            let at = AtAccount::load(actor, &tx).await?;
            std::hint::black_box(account::home::read(&tx, &at).await?);
        }
        Sql::Invoice => {
            let id: InvoiceId = invoice.parse().map_err(|_| AppError::NotFound)?;
            let at = AtAccount::load(actor, &tx).await?;
            std::hint::black_box(account::invoices::read(&tx, &at, id).await?);
        }
    }
    drop(tx);
    Ok(Html("x".repeat(peer.length)))
}

/// (b): the session and its context.
async fn context_only(state: AppState, headers: HeaderMap) -> Result<Html<&'static str>, AppError> {
    let actor = peer_actor(&state.db, &headers).await?;
    state.db.as_tenant(&actor, Access::Read).await?;
    Ok(Html("fixed"))
}

/// Serves the portal over a database, with the peers beside it; its address.
async fn serve(scale: &Scale, db_connections: usize) -> Result<SocketAddr, String> {
    let db = Db::new(&scale.connected.url(Login::App), db_connections).map_err(|e| e.to_string())?;
    let monitor = Monitor::new(scale.connected.url(Login::Monitor));
    let state = AppState {
        db,
        monitor,
        shares: Arc::default(),
        options: Arc::new(Options { public_url: None, trust_proxy: false, clock: Clock::System }),
        readiness: Arc::default(),
    };
    let handler = |sql: Sql, length: usize| {
        get(move |State(state): State<AppState>, headers: HeaderMap, invoice: Option<Path<String>>| {
            bare(state, headers, Peer { sql, length }, invoice.map(|Path(id)| id).unwrap_or_default())
        })
    };
    let peers = Router::new()
        .route("/bench/list", handler(Sql::List, 16_000))
        .route("/bench/home", handler(Sql::Home, 12_000))
        .route("/bench/invoice/{invoice}", handler(Sql::Invoice, 12_000))
        .route("/bench/context", get(|State(state): State<AppState>, headers: HeaderMap| context_only(state, headers)))
        .layer(axum::middleware::from_fn(entering));
    let listener = door::listen(SocketAddr::from(([127, 0, 0, 1], 0))).map_err(|e| e.to_string())?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    tokio::spawn(door::serve(listener, router_with(state, peers), Limits::default(), std::future::pending()));
    Ok(address)
}

fn shots(seats: &[Seat], path: impl Fn(&Seat) -> String) -> Vec<Shot> {
    seats.iter().map(|seat| Shot { path: path(seat), cookie: cookie(seat) }).collect()
}

/// The rounds of one page: the median of each figure.
fn median(rounds: &[Figures]) -> Figures {
    let middle = |of: fn(&Figures) -> u64| middle(rounds.iter().map(of).collect());
    Figures {
        per_second: middle(|f| f.per_second),
        p50_us: middle(|f| f.p50_us),
        p99_us: middle(|f| f.p99_us),
        portal_us: middle(|f| f.portal_us),
        database_us: middle(|f| f.database_us),
        answers: rounds.iter().map(|f| f.answers).sum(),
        bytes: rounds.last().map_or(0, |f| f.bytes),
    }
}

fn middle(mut values: Vec<u64>) -> u64 {
    values.sort_unstable();
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The median of `a / b` of each round, with two decimals.
fn ratio(a: &[Figures], b: &[Figures]) -> String {
    let hundredths = middle(a.iter().zip(b).map(|(a, b)| a.per_second * 100 / b.per_second.max(1)).collect());
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

async fn case(
    at: SocketAddr,
    page: &'static str,
    portal: Vec<Shot>,
    bare: Vec<Shot>,
    context: Vec<Shot>,
) -> Result<Case, String> {
    let (mut a, mut b, mut c) = (Vec::new(), Vec::new(), Vec::new());
    for shots in [&portal, &bare, &context] {
        fire(at, shots.clone(), TIME).await?;
    }
    for _ in 0..ROUNDS {
        a.push(fire(at, portal.clone(), TIME).await?);
        b.push(fire(at, bare.clone(), TIME).await?);
        c.push(fire(at, context.clone(), TIME).await?);
    }
    Ok(Case {
        page,
        portal: median(&a),
        bare: median(&b),
        context: median(&c),
        ratio_bare: ratio(&a, &b),
        ratio_context: ratio(&a, &c),
    })
}

fn list_shots(seats: &[Seat]) -> Vec<Shot> {
    shots(seats, |seat| format!("/clients/{}/invoices?status={STATUS}", seat.client))
}

/// Resident memory of this process in MB (Linux).
fn resident_megabytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<u64>().ok()).unwrap_or_default() / 1024
}

/// Runs all of it, or the pages whose name begins with `only`, and prints the report.
///
/// # Errors
/// A sentence when a database cannot be made, or an answer is not 200.
pub async fn run(settings: &Settings, db_connections: usize, json: bool, only: &str) -> Result<(), String> {
    let one = scale::open(settings, "portal_bench_one", 1).await?;
    let many = scale::open(settings, "portal_bench", ORGANIZATIONS).await?;
    let (at_one, at) = (serve(&one, db_connections).await?, serve(&many, db_connections).await?);
    let idle_megabytes = resident_megabytes();
    let context = |seats: &[Seat]| shots(seats, |_| "/bench/context".to_owned());
    let invoice = |prefix: &'static str| move |seat: &Seat| format!("{prefix}/{}", seat.invoice);
    let (admins, customers) = (&many.admins, &many.customers);
    let asked = [
        ("invoice list", list_shots(admins), shots(admins, |_| "/bench/list".to_owned()), context(admins)),
        (
            "customer's home",
            shots(customers, |_| "/account".to_owned()),
            shots(customers, |_| "/bench/home".to_owned()),
            context(customers),
        ),
        (
            "one invoice",
            shots(customers, invoice("/account/invoices")),
            shots(customers, invoice("/bench/invoice")),
            context(customers),
        ),
    ];
    let mut cases = Vec::new();
    for (page, portal, bare, context) in asked {
        if page.starts_with(only) {
            cases.push(case(at, page, portal, bare, context).await?);
        }
    }
    // The same page where there is nobody else, in turn with where there are many.
    let (mut alone, mut among) = (Vec::new(), Vec::new());
    fire(at_one, list_shots(&one.admins), TIME).await?;
    for _ in 0..ROUNDS {
        alone.push(fire(at_one, list_shots(&one.admins), TIME).await?);
        among.push(fire(at, list_shots(admins), TIME).await?);
    }
    let report = Report {
        invoices: ORGANIZATIONS * scale::CUSTOMERS * scale::MONTHS,
        connections: CONNECTIONS,
        sessions: scale::SESSIONS,
        ratio_one_organization: ratio(&among, &alone),
        one_organization: median(&alone),
        cases,
        idle_megabytes,
    };
    print(&report, json)
}

fn print(report: &Report, json: bool) -> Result<(), String> {
    if json {
        out::print(serde_json::to_string_pretty(report).map_err(|e| e.to_string())?)?;
        return Ok(());
    }
    out::print(format_args!(
        "{} invoices of {ORGANIZATIONS} organisations, {} connections, {} sessions; medians of {ROUNDS} rounds of {} s",
        report.invoices,
        report.connections,
        report.sessions,
        TIME.as_secs()
    ))?;
    out::print(format_args!(
        "{:<16} {:>8} {:>8} {:>8} {:>6} {:>6} {:>17} {:>17} {:>17}",
        "page", "req/s", "p50 ms", "p99 ms", "/ (a)", "/ (b)", "µs of a processor", "for (a)", "for (b)"
    ))?;
    let millis = |us: u64| format!("{}.{}", us / 1000, us % 1000 / 100);
    let spent = |f: &Figures| format!("{} + {} db", f.portal_us, f.database_us);
    for c in &report.cases {
        out::print(format_args!(
            "{:<16} {:>8} {:>8} {:>8} {:>6} {:>6} {:>17} {:>17} {:>17}",
            c.page,
            c.portal.per_second,
            millis(c.portal.p50_us),
            millis(c.portal.p99_us),
            c.ratio_bare,
            c.ratio_context,
            spent(&c.portal),
            spent(&c.bare),
            spent(&c.context)
        ))?;
        out::print(format_args!("{:<16} {:>8} (a) {:>8} (b)", "", c.bare.per_second, c.context.per_second))?;
    }
    out::print(format_args!(
        "invoice list with 1 organisation: {} req/s; 200 against 1: {}",
        report.one_organization.per_second, report.ratio_one_organization
    ))?;
    out::print(format_args!("resident memory idle: {} MB", report.idle_megabytes))?;
    Ok(())
}

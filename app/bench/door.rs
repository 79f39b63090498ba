//! `portal bench door`: the portal as a process of its own with short limits, a signed-in page of a normal client beside 200
//! slow ones of each kind, how long those are held at most, and SIGTERM while all of them and a load are there.

mod served;
mod slow;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use eis::operate::connect::Settings;
use http::header::{COOKIE, HOST};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::load::Shot;
use crate::pages::cookie;
use crate::scale;
use portal::out;
use served::Served;
use slow::{KINDS, Kind, Slow};

/// Slow clients of each kind.
const SLOW: usize = 200;
/// How long each kind is measured: longer than every limit, so that each is met.
const TIME: Duration = Duration::from_secs(8);
/// A normal client asks so often: it waits, so that the machine's own load is not what is measured.
const PAUSE: Duration = Duration::from_millis(10);
/// Connections of the load when the server is told to stop.
const LOAD: usize = 16;

/// A page of a normal client, and what became of the slow ones.
#[derive(Debug, serde::Serialize)]
struct Beside {
    slow: &'static str,
    pages: usize,
    p50_us: u64,
    p99_us: u64,
    held_at_most_ms: u128,
    cut: usize,
}

/// What became of requests when the server was told to stop.
#[derive(Debug, serde::Serialize)]
struct Stop {
    ended_after_ms: u128,
    answered: usize,
    dropped: usize,
}

async fn connect(to: SocketAddr) -> Result<SendRequest<Empty<Bytes>>, String> {
    let stream = TcpStream::connect(to).await.map_err(|e| e.to_string())?;
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Asks for a page; how long that took.
async fn ask(sender: &mut SendRequest<Empty<Bytes>>, shot: &Shot) -> Result<Duration, String> {
    let request = Request::get(&shot.path).header(HOST, "localhost").header(COOKIE, &shot.cookie);
    let request = request.body(Empty::new()).map_err(|e| e.to_string())?;
    let start = Instant::now();
    let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
    let status = response.status();
    response.into_body().collect().await.map_err(|e| e.to_string())?;
    if status == StatusCode::OK { Ok(start.elapsed()) } else { Err(format!("{} answered {status}", shot.path)) }
}

async fn beside(to: SocketAddr, kind: Option<Kind>, shot: &Shot) -> Result<Beside, String> {
    let slow = Slow::begin(to, kind.as_slice(), SLOW);
    let mut sender = connect(to).await?;
    let (start, mut took) = (Instant::now(), Vec::new());
    while start.elapsed() < TIME {
        took.push(ask(&mut sender, shot).await?);
        tokio::time::sleep(PAUSE).await;
    }
    let (held, cut) = slow.end().await;
    took.sort_unstable();
    let at = |percent: usize| took.get(took.len() * percent / 100).map_or(0, Duration::as_micros);
    let us = |percent| u64::try_from(at(percent)).unwrap_or(u64::MAX);
    let name = kind.map_or("none", Kind::name);
    Ok(Beside { slow: name, pages: took.len(), p50_us: us(50), p99_us: us(99), held_at_most_ms: held.as_millis(), cut })
}

/// One connection of the load, until it is closed: how many were answered, and when the one that was not was sent.
async fn until_closed(to: SocketAddr, shot: Shot) -> (usize, Option<Instant>) {
    let Ok(mut sender) = connect(to).await else { return (0, None) };
    for answered in 0.. {
        // A connection that is closed in between was asked nothing.
        if sender.ready().await.is_err() {
            return (answered, None);
        }
        let sent = Instant::now();
        if ask(&mut sender, &shot).await.is_err() {
            return (answered, Some(sent));
        }
    }
    (0, None)
}

async fn stop(mut served: Served, shot: &Shot) -> Result<Stop, String> {
    let slow = Slow::begin(served.address, &KINDS, SLOW);
    // The slow ones are there first.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let mut load = JoinSet::new();
    for _ in 0..LOAD {
        load.spawn(until_closed(served.address, shot.clone()));
    }
    tokio::time::sleep(Duration::from_secs(1)).await;
    let told = Instant::now();
    served.terminate()?;
    served.ended().await?;
    let ended_after_ms = told.elapsed().as_millis();
    slow.end().await;
    // What was sent after the signal may cross with the closing; what was sent before was received.
    let load = load.join_all().await;
    let dropped = load.iter().filter(|(_, lost)| lost.is_some_and(|sent| sent < told)).count();
    Ok(Stop { ended_after_ms, answered: load.iter().map(|(answered, _)| answered).sum(), dropped })
}

/// Runs all of it and prints the report.
///
/// # Errors
/// A sentence when the database cannot be made, the portal does not start, or a page is not answered.
pub async fn run(settings: &Settings, json: bool) -> Result<(), String> {
    let scale = scale::open(settings, "portal_bench_one", 1).await?;
    let seat = scale.admins.first().ok_or("no seats")?;
    let shot = Shot { path: format!("/clients/{}/invoices", seat.client), cookie: cookie(seat) };
    let served = Served::start(scale.connected.admin_url(), &settings.data_dir).await?;
    let mut kinds = vec![beside(served.address, None, &shot).await?];
    for kind in KINDS {
        kinds.push(beside(served.address, Some(kind), &shot).await?);
    }
    let stop = stop(served, &shot).await?;
    if json {
        let report = serde_json::json!({ "limits": served::LIMITS.join(" "), "slow_clients": SLOW, "kinds": kinds, "stop": stop });
        return out::print(serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?);
    }
    out::print(format_args!("limits: {}; {SLOW} slow clients of a kind", served::LIMITS.join(" ")))?;
    out::print(format_args!(
        "{:<12} {:>6} {:>8} {:>8} {:>15} {:>6}",
        "slow", "pages", "p50 ms", "p99 ms", "held at most ms", "cut"
    ))?;
    let millis = |us: u64| format!("{}.{}", us / 1000, us % 1000 / 100);
    for k in &kinds {
        out::print(format_args!(
            "{:<12} {:>6} {:>8} {:>8} {:>15} {:>6}",
            k.slow,
            k.pages,
            millis(k.p50_us),
            millis(k.p99_us),
            k.held_at_most_ms,
            k.cut
        ))?;
    }
    out::print(format_args!(
        "SIGTERM under load with {} slow clients: ended after {} ms; {} pages answered, {} dropped",
        KINDS.len() * SLOW,
        stop.ended_after_ms,
        stop.answered,
        stop.dropped
    ))
}

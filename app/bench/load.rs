//! A bounded load on loopback: keep-alive connections that send one request after another.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::header::{COOKIE, HOST};
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::cpu::Used;

/// Connections at once.
pub const CONNECTIONS: usize = 32;

/// One request: its path and its session cookie's value.
#[derive(Debug, Clone)]
pub struct Shot {
    /// Path and query.
    pub path: String,
    /// `session=…`.
    pub cookie: String,
}

/// What came of a load.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Figures {
    /// Answers a second.
    pub per_second: u64,
    /// Median latency in microseconds.
    pub p50_us: u64,
    /// 99th percentile in microseconds.
    pub p99_us: u64,
    /// Processor time for each answer in this process, the load's included, in microseconds.
    pub portal_us: u64,
    /// Processor time for each answer in the database's processes, in microseconds.
    pub database_us: u64,
    /// Answers counted.
    pub answers: usize,
    /// Bytes of the last answer's body.
    pub bytes: usize,
}

/// Fires the shots in turn over all connections for a time; every answer must be 200.
///
/// # Errors
/// A sentence when a connection fails or an answer is not 200.
pub async fn fire(to: SocketAddr, shots: Vec<Shot>, time: Duration) -> Result<Figures, String> {
    let shots = Arc::new(shots);
    let next = Arc::new(AtomicUsize::new(0));
    let stop = Arc::new(AtomicBool::new(false));
    let used = Used::now();
    let start = Instant::now();
    let workers: Vec<_> =
        (0..CONNECTIONS).map(|_| tokio::spawn(worker(to, shots.clone(), next.clone(), stop.clone()))).collect();
    tokio::time::sleep(time).await;
    stop.store(true, Ordering::Relaxed);
    let mut latencies = Vec::new();
    let mut bytes = 0;
    for worker in workers {
        let (mine, last) = worker.await.map_err(|e| e.to_string())??;
        latencies.extend(mine);
        bytes = last;
    }
    let elapsed = start.elapsed();
    latencies.sort_unstable();
    let at = |percent: usize| latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default();
    let answers = latencies.len();
    let millis = u64::try_from(elapsed.as_millis()).unwrap_or(1).max(1);
    let per_second = u64::try_from(answers).unwrap_or_default() * 1000 / millis;
    let (portal_us, database_us) = used.since(answers);
    Ok(Figures { per_second, p50_us: at(50), p99_us: at(99), portal_us, database_us, answers, bytes })
}

async fn worker(
    to: SocketAddr,
    shots: Arc<Vec<Shot>>,
    next: Arc<AtomicUsize>,
    stop: Arc<AtomicBool>,
) -> Result<(Vec<u64>, usize), String> {
    let stream = TcpStream::connect(to).await.map_err(|e| e.to_string())?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    tokio::spawn(connection);
    let mut latencies = Vec::with_capacity(8192);
    let mut bytes = 0;
    while !stop.load(Ordering::Relaxed) {
        let shot = shots.get(next.fetch_add(1, Ordering::Relaxed) % shots.len().max(1)).ok_or("no shots")?;
        let request = Request::get(&shot.path)
            .header(HOST, "localhost")
            .header(COOKIE, &shot.cookie)
            .body(Empty::<Bytes>::new())
            .map_err(|e| e.to_string())?;
        let start = Instant::now();
        sender.ready().await.map_err(|e| e.to_string())?;
        let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
        let status = response.status();
        let body = response.into_body().collect().await.map_err(|e| e.to_string())?.to_bytes();
        if status != StatusCode::OK {
            return Err(format!("{} answered {status}", shot.path));
        }
        bytes = body.len();
        latencies.push(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
    }
    Ok((latencies, bytes))
}

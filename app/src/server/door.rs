//! The door: the portal's own accepting of connections, with limits in time and number, and the end of it.
//!
//! A connection is a [`Visit`], which knows what it waits for: the first word of a request, the rest of a head, more of a
//! body, or the client's taking of the answer. One walk through all of them, some times a second, ends those that
//! keep the portal waiting beyond the [`Limits`]. What is being worked on is never ended but at the deadline of a stop.

pub mod bodies;
pub mod guests;
pub mod limits;
pub mod refusals;
pub mod visit;
pub mod wire;

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CONNECTION, HeaderValue};
use axum::response::Response;
use futures_util::FutureExt;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{MissedTickBehavior, interval, sleep};
use tower::ServiceExt;

use bodies::{Answered, Awaited};
use guests::{Guest, Guests};
use limits::Limits;
use visit::Visit;
use wire::Wire;

/// Connections that wait to be accepted.
const LINE: u32 = 1024;
/// What the system keeps of an answer for a client that does not read it, in bytes (it doubles this). Whoever reads nothing
/// takes no more of the machine than this, and one that reads slowly is seen to.
const SEND_BUFFER: u32 = 128 * 1024;
/// The largest head of a request, in bytes; hyper answers 431 to a larger one.
const HEAD_LIMIT: usize = 16 * 1024;
/// The most that is read ahead of one connection, in bytes.
const READ_AHEAD: usize = 64 * 1024;
/// How long nothing is accepted after accepting failed, or where no descriptor is left.
const PAUSE: Duration = Duration::from_millis(20);

/// The address of this machine by which a request came.
#[derive(Debug, Clone, Copy)]
pub struct Here(pub IpAddr);

/// Listens on an address.
///
/// # Errors
/// When it cannot be listened on.
pub fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(LINE)
}

/// Serves until told to stop; then answers what was received in whole, until the deadline, and logs what was cut.
pub async fn serve(listener: TcpListener, router: Router, limits: Limits, stop: impl Future<Output = ()>) {
    let guests = Arc::new(Guests::new(limits.clone()));
    tokio::select! {
        () = let_in(&listener, &router, &guests) => {}
        () = watch_over(&guests) => {}
        () = stop => {}
    }
    // Who stood in line may have sent a request already.
    for _ in 0..LINE {
        match listener.accept().now_or_never() {
            Some(Ok((stream, peer))) => admit(stream, peer, &router, &guests),
            _ => break,
        }
    }
    drop(listener);
    guests.stop();
    tokio::select! {
        () = guests.gone() => {}
        () = watch_over(&guests) => {}
        () = sleep(limits.drain) => guests.cut_all().await,
    }
}

/// Accepts connections. What goes wrong with one, or with all for a while, ends nothing.
async fn let_in(listener: &TcpListener, router: &Router, guests: &Arc<Guests>) {
    loop {
        if guests.is_full() {
            sleep(PAUSE).await;
            continue;
        }
        match listener.accept().await {
            Ok((stream, peer)) => admit(stream, peer, router, guests),
            Err(error) => {
                guests.not_accepted(&error);
                sleep(PAUSE).await;
            }
        }
    }
}

/// Walks through all connections, again and again.
async fn watch_over(guests: &Guests) {
    let mut ticks = interval(guests.limits().tick());
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        guests.walk();
    }
}

fn admit(stream: TcpStream, peer: SocketAddr, router: &Router, guests: &Arc<Guests>) {
    if let Some(guest) = guests.admit(peer) {
        tokio::spawn(visited(stream, router.clone(), guest));
    }
}

/// One connection, from its accepting to its end.
async fn visited(stream: TcpStream, router: Router, guest: Guest) {
    // An answer leaves at once; where that cannot be said, it leaves a little later.
    let _ = stream.set_nodelay(true);
    let here = stream.local_addr().ok().map(|address| Here(address.ip().to_canonical()));
    let visit = guest.visit();
    let of = visit.clone();
    let service = service_fn(move |request| answer(router.clone(), of.clone(), here, request));
    let wire = TokioIo::new(Wire::new(stream, visit.clone()));
    // The limits in time are the walk's: hyper has one for heads and idle connections together, and none for bodies.
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_header_size(HEAD_LIMIT)
        .max_buf_size(READ_AHEAD)
        .serve_connection(wire, service);
    loop {
        tokio::select! {
            ended = &mut connection => {
                if let Err(error) = ended && error.is_parse() {
                    tracing::info!(from = %visit.peer().ip(), %error, "a request that cannot be read was refused");
                }
                return;
            }
            () = visit.called() => if visit.is_cut() {
                if visit.is_half_head() {
                    connection.into_parts().io.inner().farewell();
                }
                return;
            },
        }
    }
}

/// Hands a request to the pages, and the answer back.
async fn answer(
    router: Router,
    visit: Arc<Visit>,
    here: Option<Here>,
    request: Request<Incoming>,
) -> Result<Response<Answered>, Infallible> {
    let whole = request.body().is_end_stream();
    visit.asked(whole);
    let mut request =
        request.map(|body| if whole { Body::empty() } else { Body::new(Awaited::new(body, visit.clone())) });
    let known = request.extensions_mut();
    known.insert(ConnectInfo(visit.peer()));
    known.insert(visit.clone());
    if let Some(here) = here {
        known.insert(here);
    }
    let mut response = router.oneshot(request).await?;
    if visit.is_last() {
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    Ok(response.map(|body| Answered::new(body, visit)))
}

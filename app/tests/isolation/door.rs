//! Attacks 69, 70, 84, 86 and 87: at the door, in bytes as no browser sends them.

mod child;
mod log;
pub mod names;
pub mod slow;
mod stop;

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Far longer than anything here takes: what is not over by then is never over.
const LONG: Duration = Duration::from_secs(40);

/// A connection on which something was sent.
async fn begun(to: SocketAddr, what: &str) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    stream.write_all(what.as_bytes()).await.unwrap();
    stream
}

/// What comes until the other side ends it; a reset is an end too.
async fn to_the_end(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let read = timeout(LONG, stream.read_to_end(&mut bytes)).await;
    let _ = read.expect("the connection is ended");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The answer to a request, whose connection ends with it.
async fn asked(to: SocketAddr, what: &str) -> String {
    to_the_end(&mut begun(to, what).await).await
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or_default()
}

/// A page that answers without a session, as a client asks that wants nothing else.
fn plain(path: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
}

//! Clients that keep a server waiting, each in its way, again and again.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;

use portal::assets::font_href;

/// Between two bytes of one that sends at all.
const DRIP: Duration = Duration::from_millis(200);

/// What a slow client's system keeps for it, in bytes.
const RECEIVE_BUFFER: u32 = 8 * 1024;

/// How a client is slow.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// It sends its head byte by byte.
    HalfHead,
    /// It sends its body byte by byte.
    HalfBody,
    /// It asks once and stays.
    Idle,
    /// It asks and asks, and reads nothing.
    Unread,
}

/// Every kind.
pub const KINDS: [Kind; 4] = [Kind::HalfHead, Kind::HalfBody, Kind::Idle, Kind::Unread];

impl Kind {
    /// Its name in the report.
    pub const fn name(self) -> &'static str {
        match self {
            Self::HalfHead => "half heads",
            Self::HalfBody => "half bodies",
            Self::Idle => "idle",
            Self::Unread => "unread",
        }
    }

    /// What it sends at first.
    fn first(self) -> String {
        let page = "GET /healthz HTTP/1.1\r\nhost: localhost\r\n";
        match self {
            Self::HalfHead => format!("{page}x: "),
            Self::HalfBody => "POST /api/sign_in HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 9999\r\n\r\n".to_owned(),
            Self::Idle => format!("{page}\r\n"),
            Self::Unread => Self::asset().repeat(50),
        }
    }

    /// A request for a file that is much longer than the request.
    fn asset() -> String {
        format!("GET {} HTTP/1.1\r\nhost: localhost\r\n\r\n", font_href())
    }

    /// Whether it goes on sending.
    const fn drips(self) -> bool {
        matches!(self, Self::HalfHead | Self::HalfBody)
    }
}

/// Until the server ends it.
async fn held(to: SocketAddr, kind: Kind) -> std::io::Result<()> {
    let socket = TcpSocket::new_v4()?;
    // What a client's own system takes for it is no answer that it reads.
    socket.set_recv_buffer_size(RECEIVE_BUFFER)?;
    let mut stream = socket.connect(to).await?;
    stream.write_all(kind.first().as_bytes()).await?;
    let mut answer = [0; 1024];
    loop {
        tokio::select! {
            read = stream.read(&mut answer), if !matches!(kind, Kind::Unread) => if read? == 0 { return Ok(()) },
            () = tokio::time::sleep(DRIP) => {
                if kind.drips() {
                    stream.write_all(b"x").await?;
                } else if matches!(kind, Kind::Unread) {
                    // What cannot be written any more was ended.
                    stream.write_all(Kind::asset().as_bytes()).await?;
                }
            }
        }
    }
}

/// One after another until told to stop: the longest that one was held, and how many were ended.
async fn again(to: SocketAddr, kind: Kind, mut stop: watch::Receiver<bool>) -> (Duration, usize) {
    let (mut longest, mut ended) = (Duration::ZERO, 0);
    loop {
        let start = Instant::now();
        tokio::select! {
            done = held(to, kind) => {
                // Nobody listens any more.
                if done.is_err_and(|e| e.kind() == std::io::ErrorKind::ConnectionRefused) {
                    return (longest, ended);
                }
                ended += 1;
            }
            _ = stop.wait_for(|stop| *stop) => return (longest.max(start.elapsed()), ended),
        }
        longest = longest.max(start.elapsed());
    }
}

/// Slow clients at work.
#[derive(Debug)]
pub struct Slow {
    stop: watch::Sender<bool>,
    clients: JoinSet<(Duration, usize)>,
}

impl Slow {
    /// So many of each kind.
    pub fn begin(to: SocketAddr, kinds: &[Kind], times: usize) -> Self {
        let (stop, told) = watch::channel(false);
        let mut clients = JoinSet::new();
        for kind in kinds.iter().flat_map(|kind| std::iter::repeat_n(*kind, times)) {
            clients.spawn(again(to, kind, told.clone()));
        }
        Self { stop, clients }
    }

    /// Ends them: the longest that one was held, and how many were ended by the server.
    pub async fn end(self) -> (Duration, usize) {
        let _ = self.stop.send(true);
        let all = self.clients.join_all().await;
        (all.iter().map(|(held, _)| *held).max().unwrap_or_default(), all.iter().map(|(_, ended)| ended).sum())
    }
}

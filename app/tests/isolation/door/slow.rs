//! Attack 69: clients that keep the portal waiting, each kind alone and a crowd of them.

use std::net::SocketAddr;
use std::time::Duration;

use portal::server::door::limits::Limits;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::child::Served;
use super::{LONG, asked, begun, plain, status, to_the_end};
use crate::support::database::Case;
use crate::support::world::{Who, client};

const HALF_HEAD: &str = "GET /login HTTP/1.1\r\nhost: local";

fn short() -> Limits {
    let limit = Duration::from_millis(400);
    Limits { head: limit, idle: limit, body: 5 * limit, answer: limit, ..Limits::default() }
}

/// A form that says it is so long, without its end.
fn form(length: usize) -> String {
    format!(
        "POST /api/sign_in HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\nconnection: close\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: {length}\r\n\r\npage=%2Flogin&email=a%40eis.example&password="
    )
}

/// Sends piece by piece until all is sent or the other side has had enough; whether all was.
async fn drip(stream: &mut TcpStream, piece: &str, times: usize, pause: u64) -> bool {
    for _ in 0..times {
        if stream.write_all(piece.as_bytes()).await.is_err() {
            return false;
        }
        sleep(Duration::from_millis(pause)).await;
    }
    true
}

#[tokio::test]
pub async fn attack_69_half_heads_and_idle_connections() {
    let case = Case::world().await;
    let portal = case.portal_limited(short()).await;
    let mut halves = Vec::new();
    for _ in 0..50 {
        halves.push(begun(portal.address, HALF_HEAD).await);
    }
    assert_eq!(portal.browser_of(Who::Client(1, 1)).get("/profile").await.status, 200, "others are answered meanwhile");
    for half in &mut halves {
        let told = to_the_end(half).await;
        assert_eq!(status(&told), "408", "{told}");
        let (head, body) = told.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{told}");
    }
    // A letter now and then gains nothing.
    let mut slow = begun(portal.address, HALF_HEAD).await;
    assert!(!drip(&mut slow, "x", 400, 50).await, "it goes on for ever");
    // Nor does saying nothing at all, nor after an answer.
    assert_eq!(asked(portal.address, "").await, "");
    let mut idle = begun(portal.address, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    assert!(to_the_end(&mut idle).await.ends_with("alive\n"));
    // Half a head behind a whole request is half a head.
    let told = asked(portal.address, &format!("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n{HALF_HEAD}")).await;
    assert!(told.contains("alive\n"), "{told}");
}

#[tokio::test]
pub async fn attack_69_half_bodies() {
    let case = Case::world().await;
    let portal = case.portal_limited(short()).await;
    let told = asked(portal.address, &form(60_000)).await;
    assert_eq!(status(&told), "408", "{told}");
    assert!(told.contains("Nothing was changed"), "a sentence says what to do: {told}");
    // Slower than the least rate.
    let mut slow = begun(portal.address, &form(60_000)).await;
    drip(&mut slow, "xxxx", 400, 50).await;
    assert!(!to_the_end(&mut slow).await.contains(" 303 "), "it is not waited for");
    // The positive control: slower than anybody's line, far beyond the grace in all, and taken.
    let text = "x".repeat(400);
    let mut steady = begun(portal.address, &form(45 + 400 * 30)).await;
    assert!(drip(&mut steady, &text, 30, 100).await);
    assert_eq!(status(&to_the_end(&mut steady).await), "303");
}

#[tokio::test]
pub async fn attack_69_answers_that_nobody_reads() {
    let case = Case::world().await;
    let portal = case.portal_limited(short()).await;
    let request = "GET /login HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let mut deaf = begun(portal.address, request).await;
    let asking = async { while deaf.write_all(request.repeat(100).as_bytes()).await.is_ok() {} };
    assert!(timeout(LONG, asking).await.is_ok(), "it is held for ever");
    // The positive control: whoever reads in between is answered as often as they ask.
    let mut keen = begun(portal.address, &(request.repeat(30) + &plain("/login"))).await;
    assert_eq!(to_the_end(&mut keen).await.matches("HTTP/1.1 200").count(), 31);
}

/// A connection from an address of this machine's own network.
async fn from(last: u8, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, last], 0))).unwrap();
    let mut stream = socket.connect(to).await.unwrap();
    // Who was made to go already hears nothing.
    let _ = stream.write_all(HALF_HEAD.as_bytes()).await;
    stream
}

#[tokio::test]
async fn attack_69_more_connections_than_there_is_room_for() {
    let case = Case::world().await;
    let served = Served::start(&case, 320, &["--db-connections", "4"]).await;
    let page = format!(
        "GET /clients/{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncookie: session={}\r\n\r\n",
        client(1, 1),
        tower_sessions::session::Id(Who::Client(1, 1).secret().0)
    );
    let mut crowd = Vec::new();
    // All from one address, then from many, none of them beyond its own limit: more than there are descriptors.
    for (address, times) in [(1, 150), (2, 60), (3, 60), (4, 60), (5, 60), (6, 60)] {
        for _ in 0..times {
            crowd.push(from(address, served.address).await);
        }
        for _ in 0..3 {
            assert_eq!(status(&asked(served.address, &plain("/healthz")).await), "200", "{}", served.log());
            assert_eq!(status(&asked(served.address, &plain("/readyz")).await), "200", "{}", served.log());
            assert_eq!(status(&asked(served.address, &page).await), "200", "{}", served.log());
        }
    }
    let log = served.log_with("connections were cut at the door").await;
    assert!(!log.contains("Too many open files"), "{log}");
}

#[tokio::test]
pub async fn attack_69_when_all_are_being_answered() {
    all_are_answered(Limits { connections: 3, from_one_address: 100, ..Limits::default() }).await;
}

#[tokio::test]
pub async fn attack_69_when_all_of_one_address_are_being_answered() {
    all_are_answered(Limits { connections: 100, from_one_address: 3, ..Limits::default() }).await;
}

/// Three pages of one address wait for the database, and a limit of three is reached.
async fn all_are_answered(limits: Limits) {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let portal = case.portal_limited(limits).await;
    truth.must("BEGIN; LOCK TABLE clients IN ACCESS EXCLUSIVE MODE").await;
    let page = format!(
        "GET /clients/{} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\ncookie: session={}\r\n\r\n",
        client(1, 1),
        tower_sessions::session::Id(Who::Client(1, 1).secret().0)
    );
    let mut waiting = Vec::new();
    for _ in 0..3 {
        waiting.push(begun(portal.address, &page).await);
    }
    // They are on their way into the pages: from now on nobody makes room.
    sleep(Duration::from_millis(300)).await;
    let told = asked(portal.address, &plain("/login")).await;
    assert_eq!(status(&told), "503", "{told}");
    assert!(told.to_lowercase().contains("retry-after") && told.contains("try again"), "{told}");
    assert_eq!(status(&asked(portal.address, &plain("/healthz")).await), "200");
    truth.must("ROLLBACK").await;
    for one in &mut waiting {
        assert_eq!(status(&to_the_end(one).await), "200", "the positive control: they are answered");
    }
    assert_eq!(status(&asked(portal.address, &plain("/login")).await), "200");
}

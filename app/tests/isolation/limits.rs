//! Attacks 60 and 63: more than there should be.

use axum::http::Method;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::database::Case;
use crate::support::http::{Browser, FILE_FORM, Portal, file_form};
use crate::support::world::{Who, client};
use crate::targets::FUNCTIONS;
use crate::writes::fingerprint;

const FORM: &str = "application/x-www-form-urlencoded";

async fn attempt(portal: &Portal, email: &str, forwarded: &[&str]) -> String {
    let body =
        serde_urlencoded::to_string([("page", "/login"), ("email", email), ("password", "a wrong one")]).unwrap();
    let mut headers = vec![("sec-fetch-site", "same-origin"), ("content-type", FORM)];
    headers.extend(forwarded.iter().map(|value| ("x-forwarded-for", *value)));
    let browser = portal.browser();
    browser.send(Method::POST, "/api/sign_in", &headers, body).await;
    browser.get("/login").await.body
}

fn limited(page: &str) -> bool {
    assert!(page.contains("Too many attempts") || page.contains("password is wrong"), "{page}");
    page.contains("Too many attempts")
}

#[tokio::test]
async fn attack_60_rotating_x_forwarded_for() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let almost = |address: &str| {
        format!(
            "DELETE FROM sign_ins; INSERT INTO sign_ins (account, address, outcome) SELECT sha256(n::text::bytea), '{address}', 'wrong' FROM generate_series(1, 49) n"
        )
    };
    // Straight to the portal: what the header says counts for nothing.
    truth.must(&almost("127.0.0.1")).await;
    assert!(!limited(&attempt(&portal, "a@eis.example", &["198.51.100.1"]).await), "the fiftieth is tried");
    for n in 2..=6 {
        let pretended = format!("198.51.100.{n}");
        assert!(limited(&attempt(&portal, &format!("b{n}@eis.example"), &[&pretended]).await), "{n}");
    }
    let told = truth.rows("SELECT DISTINCT address FROM sign_ins").await.unwrap();
    assert_eq!(told, [[Some("127.0.0.1".to_owned())]], "and what is on record is where it came from");
    // Behind a proxy of ours the last word counts, which is the proxy's; what stands before it was sent to it.
    let portal = case.portal_behind(true).await;
    truth.must(&almost("192.0.2.9")).await;
    assert!(!limited(&attempt(&portal, "c@eis.example", &["10.0.0.1, 192.0.2.9"]).await));
    for (n, forwarded) in
        [vec!["10.0.0.2, 192.0.2.9"], vec!["10.0.0.3,10.0.0.4,192.0.2.9"], vec!["10.0.0.5", "192.0.2.9"]]
            .iter()
            .enumerate()
    {
        assert!(limited(&attempt(&portal, &format!("d{n}@eis.example"), forwarded).await), "{forwarded:?}");
    }
    assert!(
        !limited(&attempt(&portal, "e@eis.example", &["192.0.2.9, 192.0.2.10"]).await),
        "the positive control: another address is tried"
    );
    // One customer's IPv6 network is one address, however it is written.
    truth.must(&almost("2001:db8:0:7::/64")).await;
    assert!(!limited(&attempt(&portal, "f@eis.example", &["2001:db8:0:7::1"]).await));
    for n in 2..=4 {
        assert!(limited(&attempt(&portal, &format!("g{n}@eis.example"), &[&format!("2001:db8:0:7:{n}::{n}")]).await));
    }
    assert!(!limited(&attempt(&portal, "h@eis.example", &["2001:db8:0:8::1"]).await), "the positive control");
    assert_eq!(portal.browser().sign_in("admin1@eis.example").await.location(), "/", "and people sign in");
}

/// Files of a megabyte and more that uploads left: those of other tests at the same time are small.
fn leftovers() -> usize {
    let folder = std::fs::read_dir(std::env::temp_dir()).unwrap();
    let large = folder.filter_map(Result::ok).filter(|entry| {
        entry.file_name().to_string_lossy().starts_with("portal-import-")
            && entry.metadata().is_ok_and(|file| file.len() > 1 << 20)
    });
    large.count()
}

fn file(token: &str, bytes: usize) -> String {
    let rows = "interval_start,kwh\r\n2026-11-02T00:00:00+01:00,0.5\r\n2026-11-02T01:00:00+01:00,0.5\r\n";
    file_form(token, "M-1", &(rows.to_owned() + &"x".repeat(bytes)))
}

async fn send_file(browser: &Browser, path: &str, form: String) -> u16 {
    browser.upload_from("same-origin", path, form).await.status.as_u16()
}

/// Sends a body without an end in pieces, until the portal has had enough: how many bytes it took.
async fn pour(portal: &Portal, path: &str, cookie: &str, head: &str, most: usize) -> usize {
    let mut stream = tokio::net::TcpStream::connect(portal.address).await.unwrap();
    let kind = if head.is_empty() { FORM } else { FILE_FORM };
    let begin = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\nsec-fetch-site: same-origin\r\ncookie: {cookie}\r\ncontent-type: {kind}\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{head}\r\n",
        portal.address,
        head.len()
    );
    let begin = if head.is_empty() { begin.replace("\r\n\r\n0\r\n\r\n", "\r\n\r\n") } else { begin };
    stream.write_all(begin.as_bytes()).await.unwrap();
    let (mut read, mut write) = stream.split();
    let piece = format!("{:x}\r\n{}\r\n", 1 << 20, "a".repeat(1 << 20));
    let mut answer = [0; 1024];
    let mut poured = 0;
    while poured < most {
        tokio::select! {
            biased;
            got = read.read(&mut answer) => {
                let _ = got;
                break;
            }
            sent = write.write_all(piece.as_bytes()) => {
                if sent.is_err() {
                    break;
                }
                poured += 1 << 20;
            }
        }
    }
    poured
}

#[tokio::test]
async fn attack_63_bodies_without_bounds() {
    const MB: usize = 1 << 20;
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let me = Who::Client(1, 1);
    let (browser, token) = (portal.browser_of(me), me.context_token());
    let path = format!("/clients/{}/imports", client(1, 1));
    let (before, files) = (fingerprint(&truth).await, leftovers());
    // A file beyond the limit is refused, and so is a form, whoever sends it.
    send_file(&browser, &path, file(&token, 65 * MB)).await;
    let told = browser.get(&format!("{path}/new")).await.body;
    assert!(told.contains("64 MB"), "it says what is the most: {told}");
    for function in FUNCTIONS {
        for browser in [&browser, &portal.browser()] {
            let body = format!("context={token}&page=/login&name={}", "x".repeat(MB));
            let headers = [("content-type", FORM), ("sec-fetch-site", "same-origin")];
            let status = browser.send(Method::POST, function.path, &headers, body).await.status.as_u16();
            assert!([303, 400, 403, 413].contains(&status), "{}: {status}", function.path);
        }
    }
    assert_eq!(fingerprint(&truth).await, before, "nothing was written");
    // A body that never ends, with no length said: the portal stops listening.
    let cookie = browser.cookie();
    let head = file(&token, 0).replace("\r\n--edge--\r\n", "");
    let poured = pour(&portal, &path, &cookie, &head, 200 * MB).await;
    assert!(poured < 90 * MB, "{poured} bytes of a file");
    let poured = pour(&portal, "/api/create_customer", &cookie, "", 50 * MB).await;
    assert!(poured < 10 * MB, "{poured} bytes of a form");
    for who in ["", "session=AAAAAAAAAAAAAAAAAAAAAA"] {
        let poured = pour(&portal, &path, who, &head, 200 * MB).await;
        assert!(poured < 20 * MB, "{poured} bytes from nobody");
    }
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(leftovers(), files, "and keeps nothing of it");
    assert_eq!(fingerprint(&truth).await, before);
    // The positive control: a file within the limit is taken.
    assert_eq!(send_file(&browser, &path, file(&token, 10)).await, 303);
    assert_ne!(fingerprint(&truth).await, before);
}

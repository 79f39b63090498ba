//! Attack 70: SIGTERM while requests are half here, and while one that is here in whole takes its time.

use std::time::Duration;

use tokio::time::sleep;

use super::child::Served;
use super::{begun, status, to_the_end};
use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Who, client};

const HALF_BODY: &str = "POST /api/sign_in HTTP/1.1\r\nhost: localhost\r\nsec-fetch-site: same-origin\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 1000\r\n\r\npage=";

fn list() -> String {
    let session = tower_sessions::session::Id(Who::Client(1, 1).secret().0);
    let path = format!("/clients/{}/invoices", client(1, 1));
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\ncookie: session={session}\r\n\r\n")
}

/// Until somebody waits for the lock.
async fn waited_for(truth: &Sql) {
    while truth.count("SELECT count(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database WHERE NOT l.granted AND d.datname = current_database()").await == 0 {
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn attack_70_sigterm_with_half_requests_open() {
    let case = Case::world().await;
    let (truth, lock) = (case.superuser().await, case.superuser().await);
    let mut served = Served::start(&case, 1024, &["--drain-seconds", "20"]).await;
    let mut head = begun(served.address, "GET /login HTTP/1.1\r\nhost: local").await;
    let mut body = begun(served.address, HALF_BODY).await;
    let mut idle = begun(served.address, "GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    let mut fresh = begun(served.address, "").await;
    lock.must("BEGIN; LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE").await;
    let mut whole = begun(served.address, &list()).await;
    waited_for(&truth).await;
    served.terminate();
    assert!(to_the_end(&mut idle).await.ends_with("alive\n"), "it is closed, and was answered");
    assert_eq!(to_the_end(&mut fresh).await, "");
    assert_eq!(status(&to_the_end(&mut head).await), "408");
    let told = to_the_end(&mut body).await;
    assert!(status(&told) == "503" && told.contains("Nothing was changed"), "{told}");
    lock.must("ROLLBACK").await;
    // The positive control: what was here in whole is answered in whole.
    let told = to_the_end(&mut whole).await;
    assert_eq!(status(&told), "200", "{told}");
    assert!(told.contains("connection: close") && told.contains("</html>"), "{told}");
    assert_eq!(served.ended().await, Some(0));
    assert!(!served.log().contains("the time for the last answers is over"), "{}", served.log());
}

#[tokio::test]
async fn attack_70_sigterm_ends_within_its_deadline() {
    let case = Case::world().await;
    let (truth, lock) = (case.superuser().await, case.superuser().await);
    let mut served = Served::start(&case, 1024, &["--drain-seconds", "1"]).await;
    lock.must("BEGIN; LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE").await;
    let mut whole = begun(served.address, &list()).await;
    waited_for(&truth).await;
    served.terminate();
    assert_eq!(served.ended().await, Some(0));
    assert_eq!(to_the_end(&mut whole).await, "");
    let log = served.log_with("the time for the last answers is over").await;
    assert!(log.contains("GET /clients/{client}/invoices: 1"), "it says what was cut: {log}");
}

#[tokio::test]
async fn a_second_sigterm_ends_it_at_once() {
    let case = Case::world().await;
    let (truth, lock) = (case.superuser().await, case.superuser().await);
    let mut served = Served::start(&case, 1024, &["--drain-seconds", "3600"]).await;
    lock.must("BEGIN; LOCK TABLE invoices IN ACCESS EXCLUSIVE MODE").await;
    let _whole = begun(served.address, &list()).await;
    let mut idle = begun(served.address, "").await;
    waited_for(&truth).await;
    served.terminate();
    // The first was heard.
    assert_eq!(to_the_end(&mut idle).await, "");
    served.terminate();
    assert_eq!(served.ended().await, Some(0));
    served.log_with("asked a second time").await;
}

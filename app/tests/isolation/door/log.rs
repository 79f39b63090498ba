//! Attack 87: a refusal's line in the log says who was refused and from where, by ids alone.

use super::child::Served;
use super::{asked, status};
use crate::support::database::Case;
use crate::support::world::{Who, client, organization};

/// The log's lines of a route.
fn lines(log: &str, status: u16) -> Vec<&str> {
    log.lines().filter(|line| line.contains(&format!("status={status}"))).collect()
}

#[tokio::test]
async fn attack_87_refusals_say_who_and_from_where() {
    let case = Case::world().await;
    let who = Who::Client(1, 1);
    let session = tower_sessions::session::Id(who.secret().0);
    for (flags, from) in [(vec!["--header-seconds", "10"], "127.0.0.1"), (vec!["--trust-proxy"], "198.51.100.7")] {
        let served = Served::start(&case, 1024, &flags).await;
        let get = |path: &str, more: &str| {
            format!(
                "GET {path} HTTP/1.1\r\nhost: localhost\r\nx-forwarded-for: 10.0.0.1, 198.51.100.7\r\nconnection: close\r\n{more}\r\n"
            )
        };
        let cookie = format!("cookie: session={session}\r\n");
        let foreign = format!("/clients/{}", client(2, 1));
        assert_eq!(status(&asked(served.address, &get(&foreign, &cookie)).await), "403");
        let absent = format!("/clients/{}/invoices/{}", client(1, 1), uuid::Uuid::nil());
        assert_eq!(status(&asked(served.address, &get(&absent, &cookie)).await), "404");
        assert_eq!(
            status(&asked(served.address, &get("/login", "").replace("localhost", "evil.example")).await),
            "421"
        );
        assert_eq!(status(&asked(served.address, &get("/login", "host: localhost\r\n")).await), "400");
        let forged = get("/api/create_customer", &cookie).replacen("GET", "POST", 1);
        assert_eq!(status(&asked(served.address, &forged).await), "403");
        // The positive control: what is allowed is told in the same way.
        let own = format!("/clients/{}", client(1, 1));
        assert_eq!(status(&asked(served.address, &get(&own, &cookie)).await), "200");
        let log = served.log_with("status=200").await;
        let from = format!("from=\"{from}\"");
        for status in [403, 404, 421, 400, 200] {
            let told = lines(&log, status);
            assert!(!told.is_empty() && told.iter().all(|line| line.contains(&from)), "{status}: {log}");
        }
        for status in [404, 200] {
            for line in lines(&log, status) {
                assert!(line.contains(&format!("user={}", who.user())), "{line}");
                assert!(line.contains(&format!("organization={}", organization(1))), "{line}");
            }
        }
        let refused = lines(&log, 403);
        assert!(refused[0].contains(&format!("user={}", who.user())), "{}", refused[0]);
        assert!(!log.contains(&who.email()) && !log.contains(&session.to_string()), "{log}");
    }
}

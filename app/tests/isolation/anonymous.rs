//! Attack 71: requests of nobody that make the database keep what they sent.

use crate::support::database::Case;
use crate::support::http::Portal;
use crate::support::sql::Sql;
use crate::support::world::{DIGEST, Who, client};
use crate::writes::fingerprint;

/// What the database keeps for who is not signed in: sessions and tickets.
async fn kept(truth: &Sql) -> i64 {
    truth.count("SELECT (SELECT count(*) FROM sessions) + (SELECT count(*) FROM session_tickets)").await
}

/// Sends a form of nobody's and tells what cookies come back.
async fn sent(portal: &Portal, path: &str, page: &str, long: &str) -> Vec<String> {
    let form = [("page", page), ("email", long), ("password", long), ("token", long), ("name", long), ("next", page)];
    let answer = portal.browser().post(path, &form).await;
    let cookies = answer.headers.get_all("set-cookie").iter();
    cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn attack_71_what_nobody_sends_is_kept_by_their_own_browser_at_most() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let (before, rows) = (kept(&truth).await, fingerprint(&truth).await);
    let long = "0123456789".repeat(9_000);
    let customer = format!("/clients/{}/customers/new", client(1, 1));
    for (path, page) in [
        ("/api/sign_in", "/login"),
        ("/api/second_factor", "/login/code"),
        ("/api/accept_invitation", "/login"),
        ("/api/create_customer", customer.as_str()),
        ("/api/change_password", "/profile"),
        ("/api/end_session", "/profile"),
        ("/api/switch", "/switch"),
        ("/api/sign_out", "/"),
    ] {
        for text in [long.as_str(), "short"] {
            for cookie in sent(&portal, path, page, text).await {
                assert!(cookie.starts_with("kept=") && cookie.len() < 4096, "{path}: {cookie}");
            }
        }
    }
    for page in ["/", "/login", "/login?next=%2Fprofile&kept=true", "/login/code", "/profile"] {
        assert_eq!(portal.browser().get(page).await.header("set-cookie"), "", "{page}");
    }
    assert_eq!(kept(&truth).await, before, "no session, no ticket");
    assert_eq!(fingerprint(&truth).await, rows, "and no row elsewhere");
    let attempts = "SELECT count(*) FROM sign_ins WHERE octet_length(address) > 64 OR octet_length(account) > 32";
    assert_eq!(truth.count(attempts).await, 0, "an attempt is kept as a digest and an address");
    // The positive control: signing in keeps one session.
    let browser = portal.browser();
    assert_eq!(browser.sign_in(&Who::Admin(1).email()).await.location(), "/");
    assert_eq!(kept(&truth).await, before + 1);
}

#[tokio::test]
async fn attack_71_the_database_begins_no_session_without_a_ticket_and_sweeps_what_has_ended() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let before = kept(&truth).await;
    let create = |ticket: &str, data: &str| {
        format!("SELECT made FROM session_create('\\x71', {ticket}, {data}, '', '', 3600, 3600)")
    };
    for ticket in ["NULL", "''", "'\\x00'"] {
        assert_eq!(app.value(&create(ticket, "repeat('x', 90000)")).await, "f", "{ticket}");
    }
    assert_eq!(kept(&truth).await, before);
    let nobodys = "INSERT INTO sessions (secret_hash, expires_at, idle_seconds) VALUES (sha256(''), now(), 1)";
    assert_eq!(truth.refused(nobodys).await, "23502", "not even the owner makes one of nobody's");
    let sign_in = format!("SELECT ticket FROM sign_in('{}', '\\x{}', 'x')", Who::Admin(1).email(), DIGEST.trim());
    let ticket = format!("'{}'", app.value(&sign_in).await);
    assert_eq!(app.refused(&create(&ticket, "repeat('x', 200000)")).await, "23514", "nor does one keep without end");
    assert_eq!(app.value(&create(&ticket, "'{}'")).await, "t", "the positive control; the ticket was good still");
    let secret = Who::Client(1, 1).secret().hex();
    let save = |size: u32| format!("SELECT session_save('\\x{secret}', repeat('x', {size}))");
    assert_eq!(app.refused(&save(200_000)).await, "23514");
    assert_eq!(app.value(&save(90_000)).await, "t", "the positive control");
    // Swept by time, whoever comes or does not: ended, idled away, and a ticket that nobody used.
    app.value(&sign_in).await;
    truth.must("UPDATE session_tickets SET expires_at = now() - interval '1 second'").await;
    truth
        .must("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE secret_hash = sha256('\\x71')")
        .await;
    let idled =
        "UPDATE sessions SET seen_at = now() - interval '3 hours', idle_seconds = 7200 WHERE secret_hash = sha256";
    truth.must(&format!("{idled}('\\x{secret}')")).await;
    assert_eq!(app.value("SELECT sweep_sessions()").await, "2");
    assert_eq!(kept(&truth).await, before - 1, "the others go on");
    assert_eq!(app.value("SELECT sweep_sessions()").await, "0");
}

#[tokio::test]
async fn what_was_typed_comes_back_after_signing_in_where_the_browser_could_keep_it() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let page = format!("/clients/{}/customers/new", client(1, 1));
    let me = Who::Client(1, 1);
    for (length, told) in [(40, "It comes back after signing in"), (3000, "sign in in another tab")] {
        let browser = portal.browser();
        let (name, token) = ("N".repeat(length), me.context_token());
        let company = client(1, 1).to_string();
        let form = [
            ("context", token.as_str()),
            ("page", &page),
            ("client", &company),
            ("account_number", "OUT-1"),
            ("kind", "person"),
            ("name", &name),
            ("service_address", "4 Kept Lane"),
            ("moved_in_on", "2026-01-01"),
        ];
        let answer = browser.post("/api/create_customer", &form).await;
        let login = browser.get(answer.location()).await;
        assert!(login.body.contains(told), "{}", login.body);
        browser.sign_in(&me.email()).await;
        assert_eq!(browser.get(&page).await.body.contains(&name), length == 40, "{length}");
    }
    // What was wrong with the sign-in form comes back at once, and only once.
    let browser = portal.browser();
    let form = [("page", "/login"), ("email", "some.body@eis.example"), ("password", "a wrong one")];
    let login = browser.post("/api/sign_in", &form).await;
    let again = browser.get(login.location()).await.body;
    assert!(again.contains("value=\"some.body@eis.example\"") && again.contains("password is wrong"), "{again}");
    assert!(!browser.get("/login").await.body.contains("some.body@eis.example"));
    assert_eq!(browser.cookie(), "", "nothing is left to keep");
}

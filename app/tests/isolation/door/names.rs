//! Attacks 84 and 86: the name by which the portal is asked.

use eis::values::clock::Clock;
use portal::server::state::Options;

use super::{asked, status};
use crate::support::database::Case;
use crate::support::http::Portal;
use crate::support::world::{Who, client};

/// The status of a page for a request with these lines as its hosts.
async fn with(portal: &Portal, path: &str, version: &str, hosts: &str) -> String {
    let told = asked(portal.address, &format!("GET {path} HTTP/{version}\r\n{hosts}connection: close\r\n\r\n")).await;
    if status(&told) != "200" {
        assert!(told.contains("<h1") && told.contains("</html>"), "a page with a sentence: {told}");
    }
    status(&told).to_owned()
}

fn told(url: &str) -> Options {
    Options { public_url: Some(url.to_owned()), trust_proxy: false, clock: Clock::System }
}

#[tokio::test]
pub async fn attack_84_foreign_hosts() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let own = portal.address.to_string();
    for host in [own.as_str(), "localhost", "LocalHost:3000", "127.0.0.1", "[::1]:80"] {
        assert_eq!(with(&portal, "/login", "1.1", &format!("host: {host}\r\n")).await, "200", "{host}");
    }
    let foreign =
        ["evil.example", "evil.example:3000", "localhost.evil.example", "x@localhost", "192.0.2.1", "localhost/", ""];
    for host in foreign {
        let host = format!("host: {host}\r\n");
        assert_eq!(with(&portal, "/login", "1.1", &host).await, "421", "{host}");
        assert_eq!(with(&portal, "/healthz", "1.1", &host).await, "200", "whoever watches the server asks by any name");
    }
    // A first line that names the host counts as much as the header.
    let absolute = "http://evil.example/login";
    assert_eq!(with(&portal, absolute, "1.1", "host: localhost\r\n").await, "400");
    assert_eq!(with(&portal, absolute, "1.1", "host: evil.example\r\n").await, "421");
    assert_eq!(with(&portal, "http://localhost/login", "1.1", "host: localhost\r\n").await, "200");
    // Nor does another header name it.
    let forwarded = "host: localhost\r\nx-forwarded-host: evil.example\r\nforwarded: host=evil.example\r\n";
    assert_eq!(with(&portal, "/login", "1.1", forwarded).await, "200");

    let portal = case.portal_told(told("https://portal.example")).await;
    for host in ["portal.example", "PORTAL.example", "portal.example:443"] {
        assert_eq!(with(&portal, "/login", "1.1", &format!("host: {host}\r\n")).await, "200", "{host}");
    }
    for host in [own.as_str(), "localhost", "portal.example:80", "portal.example.evil.example", "evil.example"] {
        assert_eq!(with(&portal, "/login", "1.1", &format!("host: {host}\r\n")).await, "421", "{host}");
    }
}

#[tokio::test]
async fn attack_84_links_name_the_public_address() {
    let case = Case::world().await;
    for (portal, origin) in [
        (case.portal_told(told("http://portal.example")).await, "http://portal.example".to_owned()),
        (case.portal().await, String::new()),
    ] {
        let origin = if origin.is_empty() { format!("http://{}", portal.address) } else { origin };
        let who = Who::Client(1, 1);
        let browser = portal.browser_of(who);
        let (context, at) = (who.context_token(), client(1, 1).to_string());
        let page = format!("/clients/{at}/users/invite");
        let form = [
            ("context", context.as_str()),
            ("page", &page),
            ("client", &at),
            ("name", "New"),
            ("email", if origin.contains("example") { "new1@eis.example" } else { "new2@eis.example" }),
            ("role", "customer_user"),
            ("account_number", "A-1"),
        ];
        let evil = [
            ("x-forwarded-host", "evil.example"),
            ("sec-fetch-site", "same-origin"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        let body = serde_urlencoded::to_string(form).unwrap();
        let answer = browser.send(http::Method::POST, "/api/invite_user", &evil, body).await;
        let page = if answer.location().is_empty() { answer.body } else { browser.get(answer.location()).await.body };
        assert!(page.contains(&format!("{origin}/invitation/")), "{page}");
        assert!(!page.contains("evil.example"));
    }
}

#[tokio::test]
pub async fn attack_86_double_and_missing_hosts() {
    let case = Case::world().await;
    for portal in [case.portal().await, case.portal_told(told("http://localhost")).await] {
        for hosts in ["", "host: localhost\r\nhost: localhost\r\n", "host: localhost\r\nHost: evil.example\r\n"] {
            for version in ["1.1", "1.0"] {
                assert_eq!(with(&portal, "/login", version, hosts).await, "400", "{version} {hosts}");
                assert_eq!(with(&portal, "/healthz", version, hosts).await, "200", "{version} {hosts}");
            }
        }
        assert_eq!(with(&portal, "/login", "1.1", "host: localhost\r\n").await, "200", "the positive control");
        assert_eq!(with(&portal, "/login", "1.0", "host: localhost\r\n").await, "200");
    }
}

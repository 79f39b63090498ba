//! The real router, over a database that is not there: what every answer carries, whatever it is.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use clap::Parser;
use eis::operate::connect::Settings;
use http_body_util::BodyExt;
use portal::server::ServeArgs;
use portal::server::functions::own_path;
use portal::{assets, routes, server};
use tower::ServiceExt;

/// `portal serve` with nothing said.
#[derive(Parser)]
struct Serve {
    #[command(flatten)]
    args: ServeArgs,
}

fn portal() -> Router {
    let data_dir = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("asvs-{}", std::process::id()));
    let settings =
        Settings { database_url: Some("postgresql://127.0.0.1:1/nowhere".to_owned()), data_dir: data_dir.clone() };
    let connected = settings.connect().unwrap();
    std::fs::remove_dir_all(data_dir).unwrap();
    routes::router(server::state(&connected, &Serve::parse_from(["serve"]).args).unwrap())
}

struct Answer {
    asked: String,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

async fn ask(portal: &Router, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let asked = format!("{method} {path} {headers:?}");
    let mut request = Request::builder().method(method).uri(path).header("host", "localhost");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (parts, body) = portal.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { asked, status: parts.status, headers: parts.headers, body }
}

/// Answers of every kind: pages, assets, redirects, refusals, faults.
async fn answers() -> Vec<Answer> {
    let portal = portal();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let ours = ("sec-fetch-site", "same-origin");
    let mut answers = vec![];
    for path in [
        "/login",
        "/healthz",
        "/readyz",
        "/nowhere",
        "/profile",
        "/account/usage.csv",
        "/favicon.ico",
        "/login?out=perhaps",
    ] {
        answers.push(ask(&portal, Method::GET, path, &[]).await);
    }
    for path in
        [assets::css_href(), assets::script_href(), assets::logo_href(), assets::icon_href(), assets::font_href()]
    {
        answers.push(ask(&portal, Method::GET, path, &[]).await);
    }
    answers.push(ask(&portal, Method::POST, "/api/sign_in", &[form]).await);
    answers.push(ask(&portal, Method::POST, "/api/sign_in", &[ours, ("content-type", "application/json")]).await);
    answers.push(ask(&portal, Method::GET, "/api/sign_in", &[]).await);
    answers.push(ask(&portal, Method::GET, "/profile", &[("cookie", "session=AAAAAAAAAAAAAAAAAAAAAA")]).await);
    answers
}

#[tokio::test]
async fn every_answer_carries_its_headers_of_protection() {
    let answers = answers().await;
    for answer in &answers {
        let policy = answer.header("content-security-policy");
        for word in [
            "default-src 'none'",
            "script-src 'self'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.split(';').any(|one| one.trim() == word), "{}: {policy} lacks {word}", answer.asked);
        }
        assert!(!policy.contains("unsafe") && !policy.contains('*'), "{}: {policy}", answer.asked);
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{}", answer.asked);
        assert_eq!(answer.header("referrer-policy"), "same-origin", "{}", answer.asked);
        let https = answer.header("strict-transport-security");
        let seconds = https.strip_prefix("max-age=").and_then(|rest| rest.split(';').next()?.parse::<u32>().ok());
        assert!(seconds >= Some(365 * 86400) && https.contains("includeSubDomains"), "{}: {https}", answer.asked);
        assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control-")), "{}", answer.asked);
    }
    let seen: std::collections::BTreeSet<u16> = answers.iter().map(|answer| answer.status.as_u16() / 100).collect();
    assert_eq!(seen, [2, 3, 4, 5].into(), "the positive control: answers of every kind");
    assert!(String::from_utf8_lossy(&answers[0].body).contains("Sign in"), "and a page among them");
}

#[tokio::test]
async fn every_text_of_ours_says_its_characters() {
    let (mut texts, mut others) = (0, 0);
    for answer in answers().await.iter().filter(|answer| !answer.body.is_empty()) {
        let kind = answer.header("content-type");
        assert!(!kind.is_empty(), "{} says not what it is", answer.asked);
        let is_text = kind.starts_with("text/") || kind.contains("+xml");
        assert!(!is_text || kind.ends_with("; charset=utf-8"), "{}: {kind}", answer.asked);
        if is_text { texts += 1 } else { others += 1 }
    }
    assert!(texts > 8 && others > 0, "the positive control: {texts} and {others}");
}

#[tokio::test]
async fn trace_is_refused_everywhere() {
    let portal = portal();
    for path in ["/login", "/healthz", "/nowhere", "/api/sign_in", assets::css_href()] {
        for headers in [&[][..], &[("sec-fetch-site", "same-origin")]] {
            let answer = ask(&portal, Method::TRACE, path, headers).await;
            assert!(answer.status.is_client_error(), "{}: {}", answer.asked, answer.status);
            assert!(
                !String::from_utf8_lossy(&answer.body).contains("sec-fetch-site"),
                "{} is not given back",
                answer.asked
            );
        }
    }
    assert_eq!(ask(&portal, Method::GET, "/healthz", &[]).await.status, 200, "the positive control");
}

#[test]
fn nobody_is_led_on_to_another_site() {
    for address in [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "evil.example",
        " //evil.example",
        "",
    ] {
        assert_eq!(own_path(address, "/"), "/", "{address:?}");
    }
    for own in ["/", "/clients/1/invoices?status=paid", "/login?next=//evil.example"] {
        assert_eq!(own_path(own, "/"), own, "the positive control");
    }
}

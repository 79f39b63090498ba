//! What people type, in forms and addresses, is never a fault of ours: an empty list, or the field's own error.

use axum::http::Method;

use crate::roles::{OWN, form_of};
use crate::support::database::Case;
use crate::support::http::{Answer, Browser};
use crate::support::world::{Who, client};
use crate::targets::{FUNCTIONS, PAGES, fill};

const FORM: &str = "application/x-www-form-urlencoded";
/// What addresses ask with, anywhere in the portal.
const NAMES: [&str; 22] = [
    "account", "action", "after", "again", "before", "by", "client", "code", "dir", "entity", "from", "meter", "month",
    "next", "offset", "q", "role", "sort", "status", "tariff", "to", "who",
];
/// NUL alone and within a word, days before PostgreSQL's first and after its last, and places of such days.
const ODD: [&str; 7] = [
    "%00",
    "a%00b",
    "-4713-01-01",
    "%2B262142-12-31",
    "-4713-01-01_00000013-0001-7001-8001-000000000001",
    "-4713-01-01.00000013-0001-7001-8001-000000000001",
    "-300000000000000000.00000013-0001-7001-8001-000000000001",
];

async fn send(browser: &Browser, path: &str, body: String) -> Answer {
    let headers = [("content-type", FORM), ("sec-fetch-site", "same-origin")];
    browser.send(Method::POST, path, &headers, body).await
}

#[tokio::test]
async fn no_address_makes_a_page_fail() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let mut faults = vec![];
    for who in Who::ROLES {
        let browser = portal.browser_of(who);
        for page in PAGES.iter().filter(|page| page.opens.contains(&who.role())) {
            let path = fill(page.path, OWN, OWN).replace("{token}", "%00");
            for odd in ODD {
                let query: Vec<String> = NAMES.iter().map(|name| format!("{name}={odd}")).collect();
                let status = browser.get(&format!("{path}?{}", query.join("&"))).await.status;
                if status.is_server_error() {
                    faults.push(format!("{who:?} {path} {odd}: {status}"));
                }
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
    let browser = portal.browser_of(Who::Client(1, 1));
    let base = format!("/clients/{}", client(1, 1));
    for (query, shown) in [("customers?q=A-%001", "Customer 111"), ("audit?from=-4713-01-01", "Made client 11")] {
        let answer = browser.get(&format!("{base}/{query}")).await;
        assert_eq!(answer.status, 200, "{query}");
        assert!(answer.body.contains(shown), "{query}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_form_is_read_without_its_nul_characters() {
    let case = Case::world().await;
    let portal = case.portal().await;
    for nul in ["%00", "\0"] {
        let browser = portal.browser();
        let answer = send(&browser, "/api/sign_in", format!("page=/login&email=a{nul}b@x.y&password=x{nul}")).await;
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/login"));
        assert!(browser.get("/login").await.body.contains("password is wrong"));
    }
    for function in FUNCTIONS {
        let Some(who) = Who::ROLES.into_iter().find(|who| function.may.contains(&who.role())) else { continue };
        let mut body = format!("context={}", who.context_token());
        for (name, value) in form_of(function, OWN, OWN) {
            let pair = serde_urlencoded::to_string([(name, format!("{value}\0"))]).unwrap();
            body += &format!("&{pair}");
        }
        let answer = send(&portal.browser_of(who), function.path, body).await;
        assert!(!answer.status.is_server_error(), "{}: {}", function.path, answer.status);
    }
}

#[tokio::test]
async fn a_day_of_another_age_is_the_field_s_error() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let me = Who::Client(1, 1);
    let browser = portal.browser_of(me);
    for day in ["-4713-01-01", "+262142-12-31"] {
        for function in FUNCTIONS.iter().filter(|function| function.may.contains(&me.role())) {
            let is_day = |value: &str| value.parse::<chrono::NaiveDate>().is_ok();
            let filled = form_of(function, OWN, OWN).into_iter();
            let form: Vec<(String, String)> = filled
                .map(|(name, value)| if is_day(&value) { (name, day.to_owned()) } else { (name, value) })
                .collect();
            if !form.iter().any(|(_, value)| value == day) {
                continue;
            }
            let body =
                format!("context={}&page=/profile&{}", me.context_token(), serde_urlencoded::to_string(form).unwrap());
            let answer = send(&browser, function.path, body).await;
            assert_eq!((answer.status.as_u16(), answer.location()), (303, "/profile"), "{} {day}", function.path);
        }
    }
}

#[tokio::test]
async fn a_file_with_nul_characters_is_refused_line_by_line() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let me = Who::Client(1, 1);
    let browser = portal.browser_of(me);
    let path = format!("/clients/{}/imports", client(1, 1));
    for (serial, meter) in [("M-1\0", "M-1"), ("", "M\0-1")] {
        let file = format!(
            "meter,interval_start,kwh\r\n{meter},2026-11-02T00:00:00+01:00,0.5\r\n{meter},2026-11-02T01:00:00+01:00,0.5"
        );
        let answer = browser.upload(&path, &me.context_token(), serial, &file).await;
        assert_eq!(answer.status, 303, "{serial:?} {meter:?}");
        assert_eq!(browser.get(answer.location()).await.status, 200);
    }
}

#[tokio::test]
async fn an_address_that_asks_for_nonsense_is_told_and_one_beyond_the_end_goes_to_the_list() {
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser_of(Who::Client(1, 1));
    let list = format!("/clients/{}/customers", client(1, 1));
    for query in ["offset=abc", "q=a&q=b", "offset=99999999999999999999"] {
        let answer = browser.get(&format!("{list}?{query}")).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.body.contains("behind the question mark of this address cannot be read"), "{}", answer.body);
        assert!(answer.body.contains("Go to your start page"), "{}", answer.body);
    }
    let beyond = browser.get(&format!("{list}?status=active&offset=1000")).await;
    assert_eq!((beyond.status.as_u16(), beyond.location()), (303, format!("{list}?status=active").as_str()));
    assert!(browser.get(beyond.location()).await.body.contains("Customer 111"));
}

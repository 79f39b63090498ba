//! Attacks 72 and 80: one organization's load is its own, and limits hold when many ask at once.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use eis::db::turns::Party;
use eis::db::{Access, Db};
use eis::operate::connect::Login;
use eis::operate::proof::{Monitor, ProofError};
use futures_util::StreamExt;
use futures_util::future::join_all;
use futures_util::stream::FuturesUnordered;
use portal::server::errors::BUSY;
use portal::server::shares::{Limits, Shares};

use crate::support::database::Case;
use crate::support::http::{Answer, Browser, Portal};
use crate::support::sql::Sql;
use crate::support::world::{Kind, Who, client, id, organization};

const MINE: Who = Who::Client(1, 1);
const OTHER: Who = Who::Client(2, 1);

/// A portal whose shares the test holds too.
struct Shared {
    db: Db,
    shares: Arc<Shares>,
    portal: Portal,
}

async fn shared(case: &Case, limits: Limits) -> Shared {
    let (db, shares) = (case.db(4), Arc::new(Shares::new(limits)));
    let portal = case.portal_sharing(db.clone(), shares.clone()).await;
    Shared { db, shares, portal }
}

/// Limits that a test does not reach by the way.
fn wide() -> Limits {
    Limits { of_session: 100, heavy: 2, cores: 25, heavy_patience: Duration::from_secs(600) }
}

fn list(o: u8) -> String {
    format!("/clients/{}/invoices", client(o, 1))
}

fn run_of(o: u8) -> String {
    id(Kind::Run, o, 1, 0, 2).to_string()
}

async fn rate(browser: &Browser, who: Who, page: &str) -> Answer {
    let (o, ..) = who.place();
    let (token, client, run) = (who.context_token(), client(o, 1).to_string(), run_of(o));
    let form = [("context", token.as_str()), ("page", page), ("client", &client), ("run", &run)];
    browser.post("/api/rate_billing_run", &form).await
}

async fn ratings(truth: &Sql, o: u8) -> i64 {
    let run = run_of(o);
    truth.count(&format!("SELECT count(*) FROM audit_log WHERE entity_id = '{run}' AND action = 'rate'")).await
}

#[tokio::test]
async fn attack_72_whoever_holds_all_connections_of_an_organization_makes_only_its_own_people_wait() {
    let case = Case::world().await;
    let Shared { db, portal, .. } = shared(&case, wide()).await;
    let (mine, other) = (portal.browser_of(MINE), portal.browser_of(OTHER));
    for (browser, o) in [(&mine, 1), (&other, 2)] {
        assert_eq!(browser.get(&list(o)).await.status, 200, "the positive control, and whose the session is");
    }
    let mut held = vec![];
    for _ in 0..3 {
        held.push(db.as_tenant(&Who::Admin(1).actor(), Access::Write).await.unwrap());
    }
    assert!(db.as_tenant(&Who::Admin(1).actor(), Access::Write).await.is_err(), "three quarters, and no more");
    for _ in 0..5 {
        assert_eq!(other.get(&list(2)).await.status, 200, "another organization's page finds a connection");
    }
    let busy = mine.get(&list(1)).await;
    assert_eq!((busy.status.as_u16(), busy.header("retry-after")), (503, "5"));
    assert!(busy.body.contains("The portal is busy") && busy.body.contains("Nothing was changed."), "{}", busy.body);
    let again = format!("href=\"{}\"", list(1));
    assert!(busy.body.contains("Try again") && busy.body.contains(&again), "the way back to the page: {}", busy.body);
    let sent = rate(&mine, MINE, "").await;
    assert_eq!(sent.status, 503, "a form too, before anything of it is done");
    drop(held);
    assert_eq!(mine.get(&list(1)).await.status, 200, "the positive control: what is given back is there for all");
}

#[tokio::test]
async fn attack_72_thirty_ratings_at_once_are_one_and_a_short_line() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let Shared { shares, portal, .. } = shared(&case, wide()).await;
    let (mine, other) = (portal.browser_of(MINE), portal.browser_of(OTHER));
    let before = (ratings(&truth, 1).await, ratings(&truth, 2).await);
    let turn = shares.heavy(Party::Organization(organization(1))).await.unwrap();
    let mut sent: FuturesUnordered<_> = (0..30).map(|_| rate(&mine, MINE, "")).collect();
    for n in 0..26 {
        // Those who wait would wait for ten minutes: who is answered is answered at once.
        let answer = sent.next().await.unwrap();
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"), "{n}");
    }
    // A form that is refused is shown again, with the sentence.
    let page = format!("/clients/{}/billing-runs/{}", client(1, 1), run_of(1));
    assert_eq!(rate(&mine, MINE, &page).await.location(), page);
    assert!(mine.get(&page).await.body.contains(BUSY));
    assert_eq!(ratings(&truth, 1).await, before.0, "nothing was rated");
    // Meanwhile another organization reads, and rates.
    assert_eq!(other.get(&list(2)).await.status, 200);
    assert_eq!(rate(&other, OTHER, "").await.status, 303);
    assert_eq!(ratings(&truth, 2).await, before.1 + 1);
    drop(turn);
    while let Some(answer) = sent.next().await {
        assert_eq!(answer.status, 303, "the positive control: the four in line come in turn: {}", answer.body);
    }
    assert_eq!(ratings(&truth, 1).await, before.0 + 4);
}

#[tokio::test]
pub async fn attack_72_a_session_with_too_many_requests_is_told_at_once_and_another_is_not() {
    let case = Case::world().await;
    let Shared { db, portal, .. } = shared(&case, Limits { of_session: 2, ..wide() }).await;
    let (mine, other) = (portal.browser_of(MINE), portal.browser_of(Who::Client(1, 2)));
    assert_eq!(mine.get(&list(1)).await.status, 200);
    let mut held = vec![];
    for _ in 0..3 {
        held.push(db.as_tenant(&Who::Admin(1).actor(), Access::Write).await.unwrap());
    }
    let path = list(1);
    let mut sent: FuturesUnordered<_> = (0..3).map(|_| mine.get(&path)).collect();
    let first = sent.next().await.unwrap();
    assert_eq!(first.status, 503, "one too many");
    drop(held);
    while let Some(answer) = sent.next().await {
        assert_eq!(answer.status, 200, "the two before it wait for their turn and have it");
    }
    assert_eq!(other.get("/profile").await.status, 200, "the positive control");
}

#[tokio::test]
async fn attack_72_a_lock_that_does_not_come_free_is_said_to_be_busy() {
    let case = Case::world().await;
    let (truth, blocker) = (case.superuser().await, case.superuser().await);
    let Shared { portal, .. } = shared(&case, wide()).await;
    let mine = portal.browser_of(MINE);
    let before = ratings(&truth, 1).await;
    let lock = format!("BEGIN; SELECT 1 FROM billing_runs WHERE id = '{}' FOR UPDATE", run_of(1));
    blocker.must(&lock).await;
    let answer = rate(&mine, MINE, "").await;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "5"), "{}", answer.body);
    blocker.must("ROLLBACK").await;
    assert_eq!(ratings(&truth, 1).await, before);
    assert_eq!(rate(&mine, MINE, "").await.status, 303, "the positive control");
    assert_eq!(ratings(&truth, 1).await, before + 1);
}

/// Waits until somebody waits for a lock, or until nobody does.
async fn until_waiting(truth: &Sql, waits: bool) {
    let sql = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN (SELECT pid FROM pg_stat_activity WHERE datname = current_database())";
    while (truth.count(sql).await > 0) != waits {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn attack_72_going_away_gives_no_turn_back_before_the_work_ends() {
    let case = Case::world().await;
    let (truth, blocker) = (case.superuser().await, case.superuser().await);
    let limits = Limits { heavy_patience: Duration::from_millis(200), ..wide() };
    truth.must(&format!("ALTER ROLE eis_app IN DATABASE {} SET lock_timeout = '60s'", case.name)).await;
    let Shared { shares, portal, .. } = shared(&case, limits).await;
    let before = ratings(&truth, 1).await;
    let lock = format!("BEGIN; SELECT 1 FROM billing_runs WHERE id = '{}' FOR UPDATE", run_of(1));
    blocker.must(&lock).await;
    let mine = portal.browser_of(MINE);
    let sent = tokio::spawn(async move { rate(&mine, MINE, "").await.status });
    until_waiting(&truth, true).await;
    sent.abort();
    assert!(sent.await.unwrap_err().is_cancelled(), "its browser is gone");
    for _ in 0..3 {
        let turn = shares.heavy(Party::Organization(organization(1))).await;
        assert!(turn.is_err(), "its place is taken for as long as the database works for it");
    }
    blocker.must("ROLLBACK").await;
    until_waiting(&truth, false).await;
    while shares.heavy(Party::Organization(organization(1))).await.is_err() {}
    assert_eq!(ratings(&truth, 1).await, before + 1, "the positive control: it was done to its end");
}

async fn ask(browser: &Browser, who: Who) -> Answer {
    let (token, place) = (who.context_token(), client(1, 1).to_string());
    let (page, tariff) = (format!("/clients/{place}/what-ifs/new"), id(Kind::Tariff, 1, 1, 0, 2).to_string());
    let form = [
        ("context", token.as_str()),
        ("page", &page),
        ("client", &place),
        ("candidate_1", &tariff),
        ("customers", "all"),
        ("first_month", "2026-09"),
        ("last_month", "2026-10"),
    ];
    browser.post("/api/create_what_if", &form).await
}

#[tokio::test]
async fn attack_80_twenty_what_ifs_asked_for_at_once_are_three() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let waiting = "SELECT count(*) FROM what_ifs w JOIN jobs j ON j.id = w.job_id WHERE w.finished_at IS NULL AND j.status IN ('queued', 'running')";
    let before = truth.count(waiting).await;
    // Two servers, since a limit of one would be kept by it alone.
    let (one, two) = (shared(&case, wide()).await, shared(&case, wide()).await);
    let browsers: Vec<Browser> =
        (0..20).map(|n| [&one, &two][n % 2].portal.browser_of([MINE, Who::Admin(1)][n / 2 % 2])).collect();
    let whose = |n: usize| [MINE, Who::Admin(1)][n / 2 % 2];
    let answers = join_all(browsers.iter().enumerate().map(|(n, browser)| ask(browser, whose(n)))).await;
    assert_eq!(truth.count(waiting).await, before + 3, "the limit, exactly");
    let made = answers.iter().filter(|answer| !answer.location().ends_with("/new") && answer.status == 303).count();
    assert_eq!(made, 3, "and three are told so");
    let page = browsers[0].get(&format!("/clients/{}/what-ifs/new", client(1, 1))).await.body;
    let again = ask(&browsers[0], MINE).await;
    let told = browsers[0].get(again.location()).await.body;
    assert!(told.contains("3 what-ifs wait or run already"), "{page}");
    truth.must("UPDATE jobs SET status = 'failed', problem = 'x', finished_at = now() WHERE status = 'queued'").await;
    assert!(!ask(&browsers[0], MINE).await.location().ends_with("/new"), "the positive control: one ended, one begins");
}

#[tokio::test]
async fn attack_80_the_test_of_isolation_asked_for_by_many_at_once_runs_once() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    truth.must("DELETE FROM isolation_runs").await;
    let monitor = Monitor::new(case.connected.url(Login::Monitor));
    let runs = join_all((0..12).map(|_| monitor.prove("Many", 600))).await;
    let refused = |run: &Result<_, ProofError>| matches!(run, Err(ProofError::Runs | ProofError::Ran));
    assert_eq!(runs.iter().filter(|run| run.is_ok()).count(), 1);
    assert_eq!(runs.iter().filter(|run| refused(run)).count(), 11, "{runs:?}");
    assert_eq!(truth.count("SELECT count(*) FROM isolation_runs").await, 1);
    assert!(matches!(monitor.prove("Again", 600).await, Err(ProofError::Ran)), "within the pause");
    // The same by the page, on two servers and for two organizations.
    truth.must("UPDATE isolation_runs SET at = now() - interval '1 day'").await;
    let (one, two) = (shared(&case, wide()).await, shared(&case, wide()).await);
    let who = |n: usize| [Who::Admin(1), Who::Admin(2), Who::Staff(1)][n % 3];
    let browsers: Vec<Browser> = (0..12).map(|n| [&one, &two][n % 2].portal.browser_of(who(n))).collect();
    let sent = browsers.iter().enumerate().map(|(n, browser)| async move {
        let (token, page) = (who(n).context_token(), "/organization/isolation");
        browser.post("/api/run_isolation_test", &[("context", &token), ("page", page)]).await
    });
    for answer in join_all(sent).await {
        assert_eq!(answer.location(), "/organization/isolation", "everybody is led to the result: {}", answer.body);
    }
    assert_eq!(truth.count("SELECT count(*) FROM isolation_runs").await, 2);
    truth.must("UPDATE isolation_runs SET at = now() - interval '1 day'").await;
    assert!(monitor.prove("Later", 600).await.is_ok(), "the positive control: after the pause it runs");
}

#[tokio::test]
async fn what_is_typed_is_kept_where_the_portal_is_busy() {
    let case = Case::world().await;
    let Shared { shares, portal, .. } =
        shared(&case, Limits { heavy_patience: Duration::from_millis(100), ..wide() }).await;
    let browser = portal.browser_of(MINE);
    let turn = shares.heavy(Party::Organization(organization(1))).await.unwrap();
    let path = format!("/clients/{}/imports", client(1, 1));
    let file = "interval_start,kwh\r\n2026-11-02T00:00:00+01:00,0.5\r\n";
    let answer = browser.upload(&path, &MINE.context_token(), "M-typed", file).await;
    assert_eq!(answer.location(), format!("{path}/new"));
    let page = browser.get(answer.location()).await.body;
    assert!(page.contains(BUSY) && page.contains("Choose the file again.") && page.contains("M-typed"), "{page}");
    let file = browser.get(&format!("/clients/{}/invoices.csv", client(1, 1))).await;
    assert_eq!((file.status.as_u16(), file.header("retry-after")), (503, "5"), "an export too");
    drop(turn);
    let file = browser.get(&format!("/clients/{}/invoices.csv", client(1, 1))).await;
    assert_eq!(file.status, 200, "the positive control");
    assert_eq!(browser.send(Method::GET, "/healthz", &[], String::new()).await.status, 200);
}

#[test]
fn every_heavy_function_and_page_is_one_that_there_is() {
    for path in portal::server::shares::HEAVY_FUNCTIONS {
        assert!(crate::targets::FUNCTIONS.iter().any(|function| function.path == path), "{path}");
    }
    let routes = include_str!("../../src/routes.rs");
    for path in portal::server::shares::HEAVY_PAGES {
        assert!(routes.contains(&format!("\"{path}\"")), "{path}");
    }
}

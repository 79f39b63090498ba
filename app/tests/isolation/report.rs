//! The isolation report tells the truth, and tells it loudly when it is bad.

use crate::DENIED;
use crate::support::database::Case;
use crate::support::http::{Answer, Portal};
use crate::support::world::Who;

const PATH: &str = "/organization/isolation";

async fn run(portal: &Portal, who: Who) -> Answer {
    let token = who.context_token();
    portal.browser_of(who).post("/api/run_isolation_test", &[("context", &token), ("page", PATH)]).await
}

#[tokio::test]
async fn the_report_shows_a_run_and_what_stands() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let browser = portal.browser_of(Who::Admin(1));
    truth.must("DELETE FROM isolation_runs").await;
    let before = browser.get(PATH).await.body;
    assert!(before.contains("has not run against this database yet"), "{before}");
    assert_eq!(run(&portal, Who::Admin(1)).await.location(), PATH);
    let page = browser.get(PATH).await.body;
    let tried = truth.value("SELECT to_char(tried, 'FM999,999') FROM isolation_runs").await;
    for told in [
        "Isolation holds.",
        &format!("All {tried} attempts"),
        "public.invoices",
        "PostgreSQL 15",
        "In use since",
        "As of ",
    ] {
        assert!(page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains("Isolation is in doubt"), "{page}");
    // The log of the one who asked has it; the record that all may read names nobody.
    assert_eq!(
        truth
            .count("SELECT count(*) FROM audit_log WHERE entity = 'isolation_run' AND user_name = 'Ada Admin 1'")
            .await,
        1
    );
    assert_eq!(truth.value("SELECT asked_by FROM isolation_runs").await, "An organisation's admin");
    let other = portal.browser_of(Who::Admin(2)).get(PATH).await.body;
    assert!(other.contains("Isolation holds.") && !other.contains("Ada Admin 1"), "{other}");
    // Not twice at once.
    let again = portal.browser_of(Who::Staff(1));
    assert_eq!(run(&portal, Who::Staff(1)).await.location(), PATH);
    assert!(again.get(PATH).await.body.contains("The test ran just now"));
    assert_eq!(truth.count("SELECT count(*) FROM isolation_runs").await, 1);
    // What it is made of is not for those below.
    let app = case.app().await;
    for (who, rows) in [(Who::Admin(1), 1), (Who::Staff(1), 1), (Who::Client(1, 1), 0), (Who::Customer(1, 1, 1), 0)] {
        assert_eq!(app.count_as(who, "SELECT count(*) FROM isolation_runs").await, rows, "{who:?}");
    }
    assert_eq!(app.refused("SELECT prove_isolation('x')").await, DENIED);
    assert_eq!(app.refused("SELECT * FROM private.signing_keys").await, DENIED, "the key's age, never the key");
    assert!(app.value("SELECT signing_key_made_at() <= now()").await == "t");
}

/// Staff only read here, and the organization reads in its log that they ran it: the gate writes it, once, in its own words.
#[tokio::test]
async fn a_run_is_put_on_record_once_for_whoever_may_ask_for_one() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    assert_eq!(run(&portal, Who::Staff(1)).await.location(), PATH);
    let told = "SELECT count(*) FROM audit_log l JOIN isolation_runs r ON r.id = l.entity_id WHERE l.user_name = 'Sam Staff' AND l.role = 'eis_staff'
        AND l.summary = format('Ran the test of isolation: %s attempts, 0 failed', r.tried) AND (l.details ->> 'tables')::integer = r.tables AND l.address = '127.0.0.1'";
    assert_eq!(truth.count(told).await, 1);
    let id = truth.value("SELECT id FROM isolation_runs").await;
    let call = format!("SELECT record_isolation_run('{id}', 'here')");
    let records = "SELECT count(*) FROM audit_log WHERE entity = 'isolation_run'";
    let called = async |who: Who, sql: &str| {
        app.enter(who).await;
        let done = app.rows(sql).await.map(|rows| rows.into_iter().flatten().flatten().collect::<String>());
        app.must(if done.is_ok() { "COMMIT" } else { "ROLLBACK" }).await;
        done
    };
    for who in [Who::Client(1, 1), Who::Customer(1, 1, 1), Who::Staff(0)] {
        assert_eq!(called(who, &call).await.unwrap_err().code, DENIED, "{who:?}");
    }
    assert_eq!(app.refused(&call).await, DENIED, "without a context");
    for sql in [call.as_str(), "SELECT record_isolation_run(gen_random_uuid(), 'here')"] {
        assert_eq!(called(Who::Staff(1), sql).await.unwrap(), "f", "a second time, or a run that never was: {sql}");
    }
    assert_eq!(truth.count(records).await, 1);
    // The positive control: another organization's log has none of it yet, while the run is fresh.
    assert_eq!(called(Who::Admin(2), &call).await.unwrap(), "t");
    truth.must("UPDATE isolation_runs SET id = gen_random_uuid(), at = now() - interval '6 minutes'").await;
    let old = call.replace(&id, &truth.value("SELECT id FROM isolation_runs").await);
    assert_eq!(called(Who::Admin(1), &old).await.unwrap(), "f", "an old one");
    assert_eq!(truth.count(records).await, 2);
}

#[tokio::test]
async fn a_widened_policy_is_shown_loudly_before_the_test_runs_and_by_it() {
    const BREAKS: [(&str, &str, &str); 3] = [
        (
            "ALTER POLICY level2_client_select ON invoices USING (true)",
            "policy level2_client_select on public.invoices",
            "public.invoices",
        ),
        (
            "ALTER TABLE customers NO FORCE ROW LEVEL SECURITY",
            "The table public.customers is without forced row-level security.",
            "public.customers",
        ),
        ("GRANT UPDATE ON audit_log TO eis_app", "grant UPDATE on public.audit_log to eis_app", ""),
    ];
    for (broken, told, table) in BREAKS {
        let case = Case::world().await;
        let (portal, truth) = (case.portal().await, case.superuser().await);
        let browser = portal.browser_of(Who::Admin(1));
        assert!(!browser.get(PATH).await.body.contains("Isolation is in doubt."), "the positive control");
        truth.must(broken).await;
        let page = browser.get(PATH).await.body;
        assert!(page.contains("role=\"alert\"") && page.contains("Isolation is in doubt."), "{broken}: {page}");
        assert!(page.contains(told), "{broken}: {page}");
        run(&portal, Who::Admin(1)).await;
        let page = browser.get(PATH).await.body;
        assert!(page.contains("The test found faults"), "{broken}: {page}");
        assert!(page.contains("Isolation is in doubt.") && !page.contains("Isolation holds."), "{broken}");
        if !table.is_empty() {
            assert!(page.contains("ended otherwise than"), "{broken}: {page}");
            assert!(truth.count(&format!("SELECT count(*) FROM isolation_runs, jsonb_array_elements(faults) f WHERE f ->> 'table' = '{table}'")).await > 0);
        }
    }
}

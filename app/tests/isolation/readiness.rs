//! `/readyz`, which anybody may ask: one question to the database a second, and nothing told but yes or no.

use std::time::Duration;

use futures_util::future::join_all;

use crate::support::database::Case;

/// Longer than an answer is kept.
const LATER: Duration = Duration::from_millis(1100);

#[tokio::test]
async fn an_answer_is_kept_for_a_second_and_names_no_migration() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let browser = portal.browser();
    let asked = async || {
        let answer = browser.get("/readyz").await;
        (answer.status.as_u16(), answer.body)
    };
    assert_eq!(asked().await, (200, "ready\n".to_owned()), "the positive control");
    truth.must("DELETE FROM __diesel_schema_migrations WHERE version LIKE '%19'").await;
    assert_eq!(asked().await.0, 200, "the answer of a moment ago");
    tokio::time::sleep(LATER).await;
    assert_eq!(asked().await, (503, "migrations are pending\n".to_owned()));
}

#[tokio::test]
async fn many_who_ask_at_once_make_one_question() {
    let case = Case::world().await;
    let (portal, truth, holder) = (case.portal().await, case.superuser().await, case.superuser().await);
    holder.must("BEGIN; LOCK TABLE __diesel_schema_migrations").await;
    let browsers: Vec<_> = (0..20).map(|_| portal.browser()).collect();
    let answers = join_all(browsers.iter().map(|browser| browser.get("/readyz")));
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'eis_app' AND datname = current_database() AND wait_event_type = 'Lock'";
    let looking = async {
        let mut most = 0;
        for _ in 0..40 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            most = most.max(truth.count(waiting).await);
        }
        holder.must("COMMIT").await;
        most
    };
    let (answers, most) = tokio::join!(answers, looking);
    assert_eq!(most, 1, "questions at a time");
    assert!(answers.iter().all(|answer| answer.status == 200), "and each is answered");
}

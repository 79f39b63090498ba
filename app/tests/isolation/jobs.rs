//! Background work: the worker's login sees nothing but under the secret of a job that it claimed, at exactly the level
//! of the person who queued it, for as long as that person may act.

use std::time::Duration;

use eis::db::worker::{self, Job, Worker};
use eis::db::{Access, DbError};
use eis::jobs::{self, Failure};
use eis::operate::connect::Login;
use eis::values::ids::{ClientId, JobId, OrganizationId};
use serde_json::json;

use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Who, client, organization};
use crate::{DENIED, SESSION_ENDED};

const LEASE: Duration = Duration::from_secs(60);

impl Case {
    fn background(&self) -> Worker {
        Worker::new(&self.connected.url(Login::Worker), 2).expect("a pool")
    }

    async fn queued(&self, who: Who, at: Option<(u8, u8)>) -> JobId {
        let mut actor = who.actor();
        actor.at = at.map(|(o, c)| ClientId(client(o, c)));
        let db = self.db(1);
        let mut tx = db.as_tenant(&actor, Access::Write).await.expect("a context");
        let id =
            jobs::queue(&mut tx, &actor, "recalculate", &json!({ "who": format!("{who:?}") })).await.expect("queued");
        tx.commit().await.expect("the commit");
        id
    }
}

async fn claimed(worker: &Worker) -> Job {
    worker.claim(&["recalculate"], LEASE).await.unwrap().expect("a job waits")
}

/// What a job's transaction sees: customers of the own organization at each client, and of others.
async fn seen(worker: &Worker, job: &Job) -> Result<String, DbError> {
    let tx = worker.as_job(job, Access::Read).await?;
    Ok(count(&tx).await)
}

async fn count(tx: &diesel_async::AsyncPgConnection) -> String {
    use diesel_async::RunQueryDsl;
    #[derive(diesel::QueryableByName)]
    struct Text {
        #[diesel(sql_type = diesel::sql_types::Text)]
        text: String,
    }
    let mut conn = tx;
    let row: Text = diesel::sql_query(format!(
        "SELECT format('%s %s %s', count(*) FILTER (WHERE client_id = '{}'), count(*) FILTER (WHERE client_id = '{}'),
            count(*) FILTER (WHERE organization_id <> '{}')) AS text FROM public.customers",
        client(1, 1),
        client(1, 2),
        organization(1)
    ))
    .get_result(&mut conn)
    .await
    .expect("a count");
    row.text
}

#[tokio::test]
async fn a_job_runs_as_the_person_who_queued_it_at_that_level() {
    let case = Case::world().await;
    let worker = case.background();
    for (who, at, expected, level) in [
        (Who::Admin(1), None, "2 2 0", "organization"),
        (Who::Admin(1), Some((1, 2)), "0 2 0", "client"),
        (Who::Client(1, 1), None, "2 0 0", "client"),
    ] {
        let id = case.queued(who, at).await;
        let job = claimed(&worker).await;
        assert_eq!((job.id, job.attempt, job.user), (id, 1, eis::values::ids::UserId(who.user())));
        assert_eq!(job.payload, json!({ "who": format!("{who:?}") }));
        assert_eq!(seen(&worker, &job).await.unwrap(), expected, "{who:?} {at:?}");
        let mut tx = worker.as_job(&job, Access::Write).await.unwrap();
        use diesel_async::RunQueryDsl;
        let at_client = at.map_or(1, |(_, c)| c);
        let written = diesel::sql_query(format!(
            "UPDATE public.customers SET phone = 'by a job' WHERE client_id = '{}'",
            client(1, at_client)
        ))
        .execute(&mut *tx)
        .await
        .unwrap();
        assert_eq!(written, 2, "{level}: it writes what its person may write");
        let foreign = diesel::sql_query(format!(
            "UPDATE public.customers SET phone = 'x' WHERE organization_id = '{}'",
            organization(2)
        ))
        .execute(&mut *tx)
        .await
        .unwrap();
        assert_eq!(foreign, 0);
        assert!(worker::finish(&mut tx, &job, Ok(json!({ "written": written }))).await.unwrap());
        tx.commit().await.unwrap();
        assert!(matches!(worker.as_job(&job, Access::Read).await, Err(DbError::SessionEnded)), "it is done");
    }
    let db = case.db(1);
    let mut tx = db.as_tenant(&Who::Admin(1).actor(), Access::Read).await.unwrap();
    let all = jobs::latest(&mut tx, OrganizationId(organization(1)), "recalculate", 10).await.unwrap();
    assert!(all.len() == 3 && all.iter().all(|job| job.status == "done" && job.result["written"] == 2), "{all:?}");
    drop(tx);
    let mut tx = db.as_tenant(&Who::Client(1, 1).actor(), Access::Read).await.unwrap();
    let hers = jobs::latest(&mut tx, OrganizationId(organization(1)), "recalculate", 10).await.unwrap();
    assert_eq!(hers.len(), 1, "a client's admin sees that client's jobs");
    assert!(jobs::find(&mut tx, OrganizationId(organization(1)), all[2].id).await.unwrap().is_none());
}

/// Whether the job can still be opened.
async fn ended(worker: &Worker, job: &Job) -> bool {
    match worker.as_job(job, Access::Read).await {
        Ok(_) => false,
        Err(DbError::SessionEnded) => true,
        Err(other) => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_job_stops_with_its_person_s_right_to_act() {
    let case = Case::world().await;
    let (worker, truth) = (case.background(), case.superuser().await);
    case.queued(Who::Client(1, 1), None).await;
    let job = claimed(&worker).await;
    let (user, assignment) = (Who::Client(1, 1).user(), Who::Client(1, 1).assignment());
    for (what, end, back) in [
        (
            "the user disabled",
            format!("UPDATE users SET status = 'disabled' WHERE id = '{user}'"),
            format!("UPDATE users SET status = 'active' WHERE id = '{user}'"),
        ),
        (
            "the role ended",
            format!("UPDATE role_assignments SET valid_to = now() WHERE id = '{assignment}'"),
            format!("UPDATE role_assignments SET valid_to = NULL WHERE id = '{assignment}'"),
        ),
        (
            "the organization suspended",
            format!("UPDATE organizations SET status = 'suspended' WHERE id = '{}'", organization(1)),
            "UPDATE organizations SET status = 'active'".to_owned(),
        ),
        (
            "the lease run out",
            "UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'running'".to_owned(),
            "UPDATE jobs SET lease_until = now() + interval '1 minute' WHERE status = 'running'".to_owned(),
        ),
    ] {
        assert!(!ended(&worker, &job).await, "the positive control before: {what}");
        truth.must(&end).await;
        assert!(ended(&worker, &job).await, "{what}");
        truth.must(&back).await;
    }
    // Signing out does not stop what was asked for.
    truth.must(&format!("DELETE FROM sessions WHERE user_id = '{user}'")).await;
    assert!(!ended(&worker, &job).await);
    assert_eq!(seen(&worker, &job).await.unwrap(), "2 0 0");
}

#[tokio::test]
async fn the_worker_s_login_without_a_job_s_secret_sees_and_changes_nothing() {
    let case = Case::world().await;
    case.queued(Who::Client(2, 1), None).await;
    let raw = case.worker().await;
    for (table, _) in crate::tables::TABLES.iter().filter(|(name, _)| !name.contains("__diesel")) {
        match raw.rows(&format!("SELECT count(*) FROM {table}")).await {
            Ok(rows) => assert_eq!(rows, [[Some("0".to_owned())]], "{table}"),
            Err(refusal) => assert_eq!(refusal.code, DENIED, "{table}"),
        }
    }
    for sql in [
        "SELECT open_context('\\x00')",
        "SELECT begin_system_work('\\x00', NULL, 'because I say so', true, '')",
        "SELECT open_system_context(gen_random_uuid())",
        "SELECT open_operator_work(gen_random_uuid(), 'x', 'y')",
        "SELECT queue_job('\\x00', gen_random_uuid(), 'x', '{}')",
        "SELECT secret_hash FROM jobs",
        "UPDATE jobs SET secret_hash = sha256('x')",
        "SELECT private.stand(NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)",
    ] {
        assert_eq!(raw.refused(sql).await, DENIED, "{sql}");
    }
    for secret in ["\\x", "\\x00", "\\x0000000000000000000000000000000000000000000000000000000000000000"] {
        assert_eq!(raw.refused(&format!("SELECT open_job_context('{secret}')")).await, SESSION_ENDED);
    }
    // A session's secret opens no job, and a job's secret opens no session.
    assert_eq!(
        raw.refused(&format!("SELECT open_job_context('\\x{}')", Who::Admin(1).secret().hex())).await,
        SESSION_ENDED
    );
    let secret = raw.value("SELECT secret FROM claim_job('{recalculate}', 60)").await;
    assert_eq!(case.app().await.refused(&format!("SELECT open_context('{secret}')")).await, SESSION_ENDED);
    raw.must(&format!("BEGIN; SELECT open_job_context('{secret}')")).await;
    assert_eq!(raw.count("SELECT count(*) FROM customers").await, 2, "the positive control");
    let copied = raw.value("SELECT current_setting('eis.context')").await;
    raw.must("COMMIT; BEGIN").await;
    raw.must(&format!("SET LOCAL eis.context = '{copied}'")).await;
    assert_eq!(raw.count("SELECT count(*) FROM customers").await, 0, "a copied context is worth nothing later");
    raw.leave().await;
    // The portal's login has no worker's functions.
    for sql in [
        "SELECT claim_job('{recalculate}', 60)",
        "SELECT keep_job('\\x00', 1, 1, 60)",
        "SELECT finish_job('\\x00', '{}', '')",
        "SELECT put_down_job('\\x00')",
        "SELECT open_job_context('\\x00')",
    ] {
        assert_eq!(case.app().await.refused(sql).await, DENIED, "{sql}");
    }
}

async fn refused_queue(app: &Sql, who: Who, of: Who) -> String {
    app.enter(who).await;
    let code = app
        .refused(&format!("SELECT queue_job('\\x{}', gen_random_uuid(), 'recalculate', '{{}}')", of.secret().hex()))
        .await;
    app.leave().await;
    code
}

#[tokio::test]
async fn only_a_context_that_writes_queues_work_and_only_as_itself() {
    let case = Case::world().await;
    let app = case.app().await;
    for who in [Who::Staff(1), Who::Customer(1, 1, 1), Who::Staff(0)] {
        assert_eq!(refused_queue(&app, who, who).await, DENIED, "{who:?}");
    }
    assert_eq!(refused_queue(&app, Who::Client(1, 1), Who::Client(1, 2)).await, DENIED, "another's session");
    assert_eq!(refused_queue(&app, Who::Consultant(1), Who::Staff(1)).await, DENIED);
    let stepped =
        format!("SELECT step_up('\\x{}', 'Ticket 4711: a reading was mistyped', 5, '')", Who::Staff(1).secret().hex());
    app.must(&stepped).await;
    case.queued(Who::Staff(1), None).await;
    let worker = case.background();
    let job = claimed(&worker).await;
    let write = async |worker: &Worker| {
        use diesel_async::RunQueryDsl;
        let mut tx = worker.as_job(&job, Access::Write).await.unwrap();
        diesel::sql_query("UPDATE public.customers SET phone = 'by staff'").execute(&mut *tx).await.unwrap()
    };
    assert_eq!(write(&worker).await, 4, "the positive control: stepped up");
    case.superuser().await.must("UPDATE step_ups SET ended_at = now() WHERE ended_at IS NULL").await;
    assert_eq!(write(&worker).await, 0, "the job of staff writes for as long as they may");
}

#[tokio::test]
async fn a_worker_that_was_killed_loses_the_job_and_never_writes_twice() {
    let case = Case::world().await;
    let (first, second, truth) = (case.background(), case.background(), case.superuser().await);
    let id = case.queued(Who::Client(1, 1), None).await;
    let lost = claimed(&first).await;
    assert!(second.claim(&["recalculate"], LEASE).await.unwrap().is_none(), "it is being done");
    assert!(second.claim(&["other"], LEASE).await.unwrap().is_none());
    assert!(first.keep(&lost, Some(3), Some(10), LEASE).await.unwrap());
    truth.must("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'running'").await;
    let taken = claimed(&second).await;
    assert_eq!((taken.id, taken.attempt), (id, 2));
    assert_ne!(taken.secret, lost.secret);
    // The first wakes up: its secret is worth nothing any more.
    assert!(!first.keep(&lost, Some(4), None, LEASE).await.unwrap());
    assert!(!first.finish(&lost, Ok(json!({}))).await.unwrap());
    assert!(ended(&first, &lost).await);
    assert_eq!(
        truth.value("SELECT status || ' ' || progress || ' ' || total FROM jobs WHERE kind = 'recalculate'").await,
        "running 3 10"
    );
    assert!(second.finish(&taken, Err("The tariff is gone.".to_owned())).await.unwrap());
    assert_eq!(
        truth.value("SELECT status || ': ' || problem FROM jobs WHERE kind = 'recalculate'").await,
        "failed: The tariff is gone."
    );
    // Three times begun and never finished is enough.
    case.queued(Who::Client(1, 2), None).await;
    for attempt in 1..=3 {
        assert_eq!(claimed(&first).await.attempt, attempt);
        truth.must("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'running'").await;
    }
    assert!(first.claim(&["recalculate"], LEASE).await.unwrap().is_none());
    assert_eq!(
        truth
            .count("SELECT count(*) FROM jobs WHERE status = 'failed' AND problem LIKE 'It was begun three times%'")
            .await,
        1
    );
}

#[tokio::test]
async fn two_workers_never_get_the_same_job_and_no_tenant_waits_for_another_s_thousand() {
    let case = Case::world().await;
    let worker = case.background();
    for _ in 0..4 {
        case.queued(Who::Client(1, 1), None).await;
    }
    case.queued(Who::Client(2, 1), None).await;
    let (one, two) = tokio::join!(claimed(&worker), claimed(&worker));
    assert_ne!(one.id, two.id);
    let organizations = [one.organization, two.organization];
    let third = claimed(&worker).await;
    assert!(
        organizations.contains(&OrganizationId(organization(2))) || third.organization.0 == organization(2),
        "the other tenant's turn comes"
    );
}

#[tokio::test]
async fn work_once_does_the_work_and_keeps_its_result() {
    let case = Case::world().await;
    let worker = case.background();
    assert_eq!(jobs::work_once(&worker, &["recalculate"], async |_| Ok(json!({}))).await.unwrap(), None);
    let id = case.queued(Who::Client(1, 1), None).await;
    let done = jobs::work_once(&worker, &["recalculate"], async |job| Ok(json!({ "seen": seen(&worker, job).await? })));
    assert_eq!(done.await.unwrap(), Some(id));
    let truth = case.superuser().await;
    assert_eq!(
        truth.value("SELECT status || ' ' || (result ->> 'seen') FROM jobs WHERE kind = 'recalculate'").await,
        "done 2 0 0"
    );
    case.queued(Who::Client(1, 1), None).await;
    jobs::work_once(&worker, &["recalculate"], async |_| Err(Failure::Told("Nothing to do.".to_owned())))
        .await
        .unwrap();
    assert_eq!(truth.count("SELECT count(*) FROM jobs WHERE status = 'failed'").await, 1);
}

#[tokio::test]
async fn a_job_put_down_is_taken_up_at_once_and_counts_only_what_got_no_further() {
    let case = Case::world().await;
    let (worker, truth) = (case.background(), case.superuser().await);
    let id = case.queued(Who::Client(1, 1), None).await;
    for _ in 0..5 {
        let job = claimed(&worker).await;
        assert_eq!((job.id, job.attempt), (id, 1), "what was put down does not count");
        assert!(worker.put_down(&job).await.unwrap());
        assert!(!worker.put_down(&job).await.unwrap(), "it is not this worker's any more");
        assert!(ended(&worker, &job).await, "and opens nothing");
    }
    // Killed again and again, a job that gets further each time is not given up.
    for step in 1..=5 {
        let job = claimed(&worker).await;
        assert!(worker.keep(&job, Some(step), None, LEASE).await.unwrap());
        truth.must("UPDATE jobs SET lease_until = now() - interval '1 second' WHERE status = 'running'").await;
    }
    // Asked to stop, a server puts down what it has in hand.
    let stopped = jobs::work_until(&worker, &["recalculate"], async {}, async |_| std::future::pending().await);
    assert_eq!(stopped.await.unwrap(), Some(id));
    assert_eq!(truth.value("SELECT status FROM jobs WHERE kind = 'recalculate'").await, "queued");
}

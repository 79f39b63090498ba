//! Attack 75: a transaction that sees the database as it was. Doors open in READ COMMITTED alone, and what ends by time has
//! ended for transactions that began before it too.

use crate::DENIED;
use crate::SESSION_ENDED;
use crate::step_up::step_up;
use crate::support::database::Case;
use crate::support::sql::{Sql, open};
use crate::support::world::{DIGEST, Who};
use crate::writers::{By, WRITERS};

const ME: Who = Who::Client(1, 1);
const STAFF: Who = Who::Staff(1);
const OTHER_LEVELS: [&str; 3] = ["REPEATABLE READ", "SERIALIZABLE", "READ UNCOMMITTED"];
/// SQLSTATE: invalid transaction state, the doors' word for another isolation level.
const OLD: &str = "25000";
const WRITE: &str = "UPDATE customers SET phone = 'by staff'";

fn session(who: Who) -> String {
    format!("WHERE secret_hash = sha256('\\x{}')", who.secret().hex())
}

#[tokio::test]
async fn attack_75_what_has_ended_does_not_act_through_an_older_snapshot() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    for level in OTHER_LEVELS {
        for who in [ME, STAFF] {
            app.must(&format!("BEGIN ISOLATION LEVEL {level}; SELECT 1")).await;
            assert_eq!(app.refused(&open(who)).await, OLD, "{who:?} {level}: also while the session lives");
            app.leave().await;
        }
        let load = format!("SELECT * FROM session_load('\\x{}', true)", ME.secret().hex());
        app.must(&format!("BEGIN ISOLATION LEVEL {level}")).await;
        assert_eq!(app.refused(&load).await, OLD, "{level}");
        app.leave().await;
    }
    // The session ends while the snapshot is held.
    app.must("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await;
    truth.must(&format!("DELETE FROM sessions {}", session(ME))).await;
    assert_eq!(app.refused(&open(ME)).await, OLD);
    app.leave().await;
    app.must("BEGIN; SELECT 1").await;
    assert_eq!(app.refused(&open(ME)).await, SESSION_ENDED, "READ COMMITTED sees that it ended");
    app.leave().await;
    assert!(app.count_as(Who::Client(1, 2), "SELECT count(*) FROM customers").await > 0, "the positive control");
}

/// An old password proves nothing through a snapshot of before its change.
#[tokio::test]
async fn attack_75_an_old_password_through_an_older_snapshot() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let sign_in = format!("SELECT outcome FROM sign_in('{}', '\\x{}', 'here')", ME.email(), DIGEST.trim());
    assert_eq!(app.value(&sign_in).await, "signed_in", "the positive control");
    app.must("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1").await;
    truth.must(&format!("UPDATE users SET password_proof = sha256('new') WHERE id = '{}'", ME.user())).await;
    assert_eq!(app.refused(&sign_in).await, OLD);
    app.leave().await;
    assert_eq!(app.value(&sign_in).await, "wrong");
}

#[tokio::test]
async fn attack_75_snapshots_are_not_carried_between_transactions() {
    let case = Case::world().await;
    let (app, worker, truth) = (case.app().await, case.worker().await, case.superuser().await);
    for login in [&app, &worker] {
        assert_eq!(login.refused("SELECT pg_export_snapshot()").await, DENIED);
    }
    assert_eq!(app.as_who(ME, "SELECT pg_export_snapshot()").await.unwrap_err().code, DENIED);
    // One that a superuser exports can be taken in, in a level in which no door opens.
    truth.must("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    let snapshot = truth.value("SELECT pg_export_snapshot()").await;
    app.must("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
    app.must(&format!("SET TRANSACTION SNAPSHOT '{snapshot}'")).await;
    assert_eq!(app.refused(&open(ME)).await, OLD);
    app.leave().await;
    app.must("BEGIN").await;
    assert!(app.rows(&format!("SET TRANSACTION SNAPSHOT '{snapshot}'")).await.is_err(), "not in READ COMMITTED");
    app.leave().await;
    truth.leave().await;
    // Once a context is open, the level stands.
    for level in OTHER_LEVELS {
        app.enter(ME).await;
        assert_eq!(app.refused(&format!("SET TRANSACTION ISOLATION LEVEL {level}")).await, "25001", "{level}");
        app.leave().await;
    }
    // A login that were given another level from the start would be named by `portal check`.
    truth.must("BEGIN; ALTER ROLE eis_app SET default_transaction_isolation = 'repeatable read'").await;
    let line = "SELECT count(*) FROM isolation_state WHERE line = 'setting default_transaction_isolation=repeatable read of eis_app'";
    assert_eq!(truth.count(line).await, 1);
    truth.leave().await;
}

/// What ends by time has ended, also for a transaction that began before.
#[tokio::test]
async fn attack_75_a_transaction_kept_open_keeps_nothing_that_ended_since() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    app.must(&step_up(STAFF, "Ticket 4711: a reading was mistyped")).await;
    assert_eq!(app.as_who(STAFF, WRITE).await, Ok(4), "the positive control");
    app.must("BEGIN").await;
    truth.must("UPDATE step_ups SET expires_at = clock_timestamp() WHERE ended_at IS NULL").await;
    app.must(&open(STAFF)).await;
    assert_eq!(app.run(WRITE).await, Ok(0), "the step-up ran out after this transaction began");
    app.leave().await;
    for (who, end) in
        [(ME, "expires_at = clock_timestamp()"), (Who::Client(1, 2), "seen_at = clock_timestamp() - interval '2 days'")]
    {
        assert!(app.count_as(who, "SELECT count(*) FROM customers").await > 0, "the positive control: {who:?}");
        app.must("BEGIN").await;
        truth.must(&format!("UPDATE sessions SET {end} {}", session(who))).await;
        assert_eq!(app.refused(&open(who)).await, SESSION_ENDED, "{end}");
        app.leave().await;
    }
    // Half a sign-in, and a second factor that was begun and not confirmed.
    let half = "SELECT outcome FROM second_factor('\\xab', '000000', 'here')";
    let ticket = format!(
        "INSERT INTO session_tickets (ticket_hash, user_id, assignment_id, auth_hash, needs_code, expires_at) SELECT sha256('\\xab'), user_id, assignment_id, auth_hash, true, clock_timestamp() + interval '1 minute' FROM sessions {}",
        session(ME)
    );
    truth.must(&ticket).await;
    assert_eq!(app.value(half).await, "wrong", "the positive control");
    app.must("BEGIN").await;
    truth.must("UPDATE session_tickets SET expires_at = clock_timestamp()").await;
    assert_eq!(app.value(half).await, "stale", "it ran out after this transaction began");
    app.leave().await;
    let begin =
        |digest: &str| format!("SELECT begin_second_factor('\\x{}', '\\x{digest}', 'here')", STAFF.secret().hex());
    let state = format!("SELECT state FROM my_second_factor('\\x{}')", STAFF.secret().hex());
    assert_eq!(app.value(&begin(DIGEST.trim())).await, "done");
    assert_eq!(app.value(&state).await, "begun", "the positive control");
    app.must("BEGIN").await;
    truth.must("UPDATE second_factors SET begun_at = clock_timestamp() - interval '10 minutes' + interval '1 second'; SELECT pg_sleep(1.1)").await;
    assert_eq!(app.value(&state).await, "off", "its ten minutes ended after this transaction began");
    app.leave().await;
    // A role that ends by itself, with the session that was bound under that end.
    let who = Who::Client(2, 1);
    truth
        .must(&format!(
            "UPDATE role_assignments SET valid_to = clock_timestamp() + interval '2 seconds' WHERE id = '{}';
             UPDATE sessions s SET auth_hash = private.auth_hash(u, a) FROM users u, role_assignments a {} AND u.id = s.user_id AND a.id = s.assignment_id",
            who.assignment(),
            session(who)
        ))
        .await;
    app.must("BEGIN").await;
    app.must(&format!("SAVEPOINT early; {}; ROLLBACK TO early", open(who))).await;
    truth.must("SELECT pg_sleep(2.1)").await;
    assert_eq!(app.refused(&open(who)).await, SESSION_ENDED, "the role ended after this transaction began");
    app.leave().await;
}

/// A call of a function with something of the right type for each argument.
async fn call_of(truth: &Sql, name: &str) -> String {
    let sql = format!(
        "SELECT format('SELECT %s(%s)', p.proname, (SELECT string_agg(format('%L::%s', CASE t.type::regtype::text
             WHEN 'bytea' THEN '\\x00' WHEN 'uuid' THEN gen_random_uuid()::text WHEN 'boolean' THEN 'true' WHEN 'jsonb' THEN '{{}}'
             WHEN 'text[]' THEN '{{}}' WHEN 'uuid[]' THEN '{{}}' WHEN 'date' THEN '2031-05-31' WHEN 'timestamp with time zone' THEN '2031-05-31'
             ELSE '1' END, t.type::regtype), ', ' ORDER BY t.n) FROM unnest(p.proargtypes) WITH ORDINALITY t (type, n)))
         FROM pg_proc p WHERE p.proname = '{name}' AND p.pronamespace = 'public'::regnamespace AND p.prosecdef"
    );
    truth.value(&sql).await
}

/// Functions that go by a secret and did not refuse another isolation level, one line each; a context that writes cannot be
/// had there, so that those that go by one are refused with it.
pub async fn walk(app: &Sql, worker: &Sql, truth: &Sql) -> Vec<String> {
    let mut faults = Vec::new();
    for (name, by) in WRITERS.iter().filter(|(_, by)| !matches!(by, By::Sender | By::Monitor | By::Time)) {
        let login = if *by == By::Job { worker } else { app };
        let (call, expected) = (call_of(truth, name).await, if *by == By::Context { DENIED } else { OLD });
        for level in OTHER_LEVELS {
            login.must(&format!("BEGIN ISOLATION LEVEL {level}")).await;
            match login.rows(&call).await {
                Err(refusal) if refusal.code == expected => {}
                other => faults.push(format!("{call} in {level}: {other:?}")),
            }
            login.leave().await;
        }
    }
    faults
}

#[tokio::test]
async fn attack_75_no_door_opens_in_another_isolation_level() {
    let case = Case::world().await;
    let (app, worker, truth) = (case.app().await, case.worker().await, case.superuser().await);
    let faults = walk(&app, &worker, &truth).await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    let owner = case.owner().await;
    for call in [
        "open_system_context(gen_random_uuid())",
        "open_operator_work((SELECT id FROM organizations LIMIT 1), 'x', 'x')",
    ] {
        owner.must("BEGIN ISOLATION LEVEL REPEATABLE READ").await;
        let refusal = owner.rows(&format!("SELECT {call}")).await.unwrap_err();
        assert!([OLD, "23502"].contains(&refusal.code.as_str()), "{call}: {refusal:?}");
        owner.leave().await;
    }
}

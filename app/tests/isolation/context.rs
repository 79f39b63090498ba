//! Attacks 1–20: getting at rows without a legitimate context.

use std::time::Duration;

use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use eis::db::{Access, DbError};
use eis::values::ids::ClientId;
use futures_util::FutureExt;

use crate::support::database::Case;
use crate::support::sql::{Sql, open};
use crate::support::world::{Who, client, organization};
use crate::tables::{Rule, Stand, TABLES};
use crate::{DENIED, SESSION_ENDED};

const CUSTOMERS: &str = "SELECT count(*) FROM customers";
const ADMIN: Who = Who::Admin(1);
const OTHER: Who = Who::Admin(2);

/// Nothing is seen of any tenant's table, and nothing can be written, in the state the connection is in.
async fn sees_nothing(sql: &Sql, state: &str) {
    for (table, rule) in TABLES {
        if matches!(rule, Rule::Tenant { .. } | Rule::Whole | Rule::Organization | Rule::Assignments | Rule::Own) {
            assert_eq!(sql.count(&format!("SELECT count(*) FROM {table}")).await, 0, "{state}: {table}");
        }
    }
    assert_eq!(sql.run("UPDATE customers SET phone = 'x'").await, Ok(0), "{state}");
    for function in [
        "get_current_organization_id",
        "get_current_client_id",
        "get_current_customer_id",
        "get_current_user_id",
        "get_current_role",
        "organization_scope",
    ] {
        assert_eq!(sql.maybe(&format!("SELECT {function}()")).await, None, "{state}: {function}");
    }
    for scope in ["client_scope", "customer_scope"] {
        assert_eq!(sql.maybe(&format!("SELECT organization_id FROM {scope}()")).await, None, "{state}: {scope}");
    }
    assert_eq!(sql.value("SELECT is_organization_admin()").await, "f", "{state}");
}

/// The rightful one sees the world's customers.
async fn control(sql: &Sql) {
    assert_eq!(sql.count_as(ADMIN, CUSTOMERS).await, 4, "the positive control");
}

/// The context of somebody as the setting holds it.
async fn signed(sql: &Sql, who: Who) -> String {
    sql.enter(who).await;
    let setting = sql.value("SELECT current_setting('eis.context')").await;
    sql.leave().await;
    setting
}

#[tokio::test]
async fn attack_01_no_context() {
    let case = Case::world().await;
    let app = case.app().await;
    sees_nothing(&app, "no context").await;
    app.must("BEGIN").await;
    sees_nothing(&app, "no context in a transaction").await;
    let insert = format!(
        "INSERT INTO invoice_counters (organization_id, client_id, series) VALUES ('{}', '{}', 'X')",
        organization(1),
        client(1, 1)
    );
    assert_eq!(app.refused(&insert).await, DENIED);
    app.leave().await;
    assert_eq!(app.as_who(ADMIN, &insert).await, Ok(1));
    control(&app).await;
}

#[tokio::test]
async fn attack_02_empty_context() {
    let case = Case::world().await;
    let app = case.app().await;
    app.must("BEGIN; SET LOCAL eis.context = ''").await;
    sees_nothing(&app, "empty").await;
    app.leave().await;
    control(&app).await;
}

#[tokio::test]
async fn attack_03_malformed_context() {
    let case = Case::world().await;
    let app = case.app().await;
    let org = organization(1);
    let long = "organization|".repeat(5_000);
    for setting in [
        "x",
        "|",
        "|||||||||",
        "organization|",
        "client|||||||||",
        "customer|a|b|c|d|e|f|g|h|i",
        "organization|not-a-uuid||||energy_admin|w|1|2|mac",
        &format!("organization|{org}||||energy_admin|w"),
        "organization|NULL",
        "ORGANIZATION|",
        "\u{1F4A1}|\u{0301}",
        " organization|",
        &long,
    ] {
        app.must(&format!("BEGIN; SET LOCAL eis.context = '{setting}'")).await;
        sees_nothing(&app, setting.get(..20).unwrap_or(setting)).await;
        app.leave().await;
    }
    control(&app).await;
}

#[tokio::test]
async fn attack_04_context_of_an_organization_that_does_not_exist() {
    let case = Case::world().await;
    let app = case.app().await;
    let nobody = organization(9);
    let setting = signed(&app, ADMIN).await.replace(&organization(1).to_string(), &nobody.to_string());
    app.must(&format!("BEGIN; SET LOCAL eis.context = '{setting}'")).await;
    sees_nothing(&app, "a made-up organization").await;
    app.leave().await;
    let stand = Stand { who: ADMIN, at: Some((9, 1)) };
    assert_eq!(app.refused(&stand.open()).await, DENIED, "a made-up client");
    assert_eq!(app.refused(&format!("SELECT open_system_context('{nobody}')")).await, DENIED);
    let owner = case.owner().await;
    owner.must(&format!("BEGIN; SELECT open_system_context('{nobody}')")).await;
    assert_eq!(owner.count(CUSTOMERS).await, 0);
    owner.must(&format!("ROLLBACK; BEGIN; SELECT open_system_context('{}')", organization(1))).await;
    assert_eq!(owner.count(CUSTOMERS).await, 4, "the positive control");
}

#[tokio::test]
async fn attack_05_context_of_another_organization() {
    let case = Case::world().await;
    let app = case.app().await;
    let (mine, theirs) = (organization(1).to_string(), organization(2).to_string());
    // A signed context of this very transaction, with one field changed after the other.
    app.enter(Who::Client(1, 1)).await;
    let setting = app.value("SELECT current_setting('eis.context')").await;
    assert_eq!(app.count(CUSTOMERS).await, 2, "the positive control");
    let fields: Vec<&str> = setting.split('|').collect();
    let changed = |at: usize, to: &str| {
        let mut fields = fields.clone();
        fields[at] = to;
        fields.join("|")
    };
    let other_client = client(2, 1).to_string();
    let sibling = client(1, 2).to_string();
    for forged in [
        changed(0, "organization"),
        changed(0, "customer"),
        changed(1, &theirs),
        changed(2, &sibling),
        changed(2, ""),
        changed(4, &OTHER.user().to_string()),
        changed(5, "energy_admin"),
        changed(6, "r"),
        changed(7, "billing"),
        changed(10, "0"),
        changed(10, "2"),
        changed(10, "1; x"),
        changed(10, &"9".repeat(30)),
        changed(11, ""),
        changed(11, &"0".repeat(64)),
        setting.replace(&mine, &theirs),
        setting.replace(&client(1, 1).to_string(), &other_client),
        setting.to_uppercase(),
        format!("{setting}|"),
        format!("{setting} "),
    ] {
        app.must(&format!("SET LOCAL eis.context = '{forged}'")).await;
        sees_nothing(&app, &forged).await;
    }
    app.must(&format!("SET LOCAL eis.context = '{setting}'")).await;
    assert_eq!(app.count(CUSTOMERS).await, 2, "one's own again");
    app.leave().await;
    // The tools that sign, and a client of somebody else.
    for sql in [
        "SELECT private.mac('x', 1)".to_owned(),
        "SELECT private.context()".to_owned(),
        "SELECT * FROM private.signing_keys".to_owned(),
        format!("SELECT private.put_context('organization', '{theirs}', NULL, NULL, NULL, 'system', true)"),
        "CALL private.rotate_signing_key()".to_owned(),
        format!("SELECT open_system_context('{theirs}')"),
        Stand { who: ADMIN, at: Some((2, 1)) }.open(),
        Stand { who: Who::Staff(1), at: Some((2, 1)) }.open(),
        Stand { who: Who::Client(1, 1), at: Some((1, 2)) }.open(),
        Stand { who: Who::Customer(1, 1, 1), at: Some((1, 2)) }.open(),
    ] {
        assert_eq!(app.refused(&sql).await, DENIED, "{sql}");
    }
    for secret in ["", "00", "5eed"] {
        assert_eq!(app.refused(&format!("SELECT open_context('\\x{secret}')")).await, SESSION_ENDED);
    }
    // What the sign-in page's made-up salts give away of the key's work is no signature of a context.
    let salt = app.value(&format!("SELECT salt FROM sign_in_salt('organization|{theirs}', 'here')")).await;
    assert_eq!(salt.rsplit('$').next().unwrap().len(), 32, "{salt}");
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    own: i64,
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    all: i64,
}

/// Customers of an organization, and of all, that a connection of the pool sees.
async fn seen(conn: &mut AsyncPgConnection, who: Who) -> (i64, i64) {
    let own = organization(who.place().0);
    let sql =
        format!("SELECT count(*) FILTER (WHERE organization_id = '{own}') AS own, count(*) AS all FROM customers");
    let count: Count = sql_query(sql).get_result(conn).await.unwrap();
    (count.own, count.all)
}

const MARK: &str = "UPDATE customers SET phone = 'marked'";

#[tokio::test]
async fn attack_06_the_pool_s_connection_after_commit() {
    let case = Case::world().await;
    let db = case.db(1);
    let mut tx = db.as_tenant(&ADMIN.actor(), Access::Write).await.unwrap();
    tx.batch_execute(MARK).await.unwrap();
    assert_eq!(seen(&mut tx, ADMIN).await, (4, 4));
    tx.commit().await.unwrap();
    let mut tx = db.as_tenant(&OTHER.actor(), Access::Read).await.unwrap();
    assert_eq!(seen(&mut tx, OTHER).await, (4, 4));
    drop(tx);
    let marked = case.superuser().await.count("SELECT count(*) FROM customers WHERE phone = 'marked'").await;
    assert_eq!(marked, 4, "the write was made, in one organization");
    let mut nobody = ADMIN.actor();
    nobody.secret = eis::access::SessionSecret(1);
    let refused = db.as_tenant(&nobody, Access::Write).await.map(|_| ());
    assert!(matches!(refused, Err(DbError::SessionEnded)), "{refused:?}");
    let mut tx = db.as_tenant(&nobody, Access::Read).await.unwrap();
    assert!(sql_query(CUSTOMERS).execute(&mut *tx).await.is_err(), "reading without a session fails too");
}

#[tokio::test]
async fn attack_07_the_pool_s_connection_after_rollback() {
    let case = Case::world().await;
    let db = case.db(1);
    for access in [Access::Write, Access::Read] {
        let mut tx = db.as_tenant(&ADMIN.actor(), access).await.unwrap();
        assert_eq!(seen(&mut tx, ADMIN).await, (4, 4));
        assert_eq!(tx.batch_execute(MARK).await.is_ok(), access == Access::Write);
        drop(tx);
        let mut tx = db.as_tenant(&OTHER.actor(), access).await.unwrap();
        assert_eq!(seen(&mut tx, OTHER).await, (4, 4));
    }
    let marked = case.superuser().await.count("SELECT count(*) FROM customers WHERE phone = 'marked'").await;
    assert_eq!(marked, 0);
    let app = case.app().await;
    app.enter(ADMIN).await;
    app.leave().await;
    sees_nothing(&app, "after ROLLBACK").await;
}

#[tokio::test]
async fn attack_08_a_context_from_a_savepoint_that_was_rolled_back() {
    let case = Case::world().await;
    let app = case.app().await;
    app.must("BEGIN; SAVEPOINT s").await;
    app.must(&open(ADMIN)).await;
    assert_eq!(app.count(CUSTOMERS).await, 4);
    app.must("ROLLBACK TO s").await;
    sees_nothing(&app, "after ROLLBACK TO").await;
    app.leave().await;
    app.enter(Who::Customer(1, 1, 1)).await;
    app.must(&format!("SAVEPOINT s; {}; ROLLBACK TO s", open(OTHER))).await;
    assert_eq!(app.count(CUSTOMERS).await, 1, "the outer context is back");
    assert_eq!(app.value("SELECT get_current_organization_id()").await, organization(1).to_string());
    app.leave().await;
}

#[tokio::test]
async fn attack_09_a_setting_left_on_the_session() {
    let case = Case::world().await;
    let db = case.db(1);
    let mut tx = db.as_tenant(&ADMIN.actor(), Access::Write).await.unwrap();
    // As code with a fault would: the signed context, kept for the whole session.
    tx.batch_execute("DO $$ BEGIN EXECUTE format('SET eis.context = %L', current_setting('eis.context')); END $$")
        .await
        .unwrap();
    assert_eq!(seen(&mut tx, ADMIN).await, (4, 4));
    tx.commit().await.unwrap();
    let mut tx = db.as_tenant(&OTHER.actor(), Access::Read).await.unwrap();
    assert_eq!(seen(&mut tx, OTHER).await, (4, 4), "the next one's own context");
    drop(tx);
    let app = case.app().await;
    app.enter(ADMIN).await;
    app.must("DO $$ BEGIN EXECUTE format('SET eis.context = %L', current_setting('eis.context')); END $$; COMMIT")
        .await;
    assert!(app.value("SELECT current_setting('eis.context')").await.starts_with("organization|"), "it is still set");
    sees_nothing(&app, "a setting of an earlier transaction").await;
    control(&app).await;
}

/// One of A's requests, with a slow query in it, as the portal would run it.
async fn slow_request(db: &eis::db::Db) -> Result<(), DbError> {
    let mut tx = db.as_tenant(&ADMIN.actor(), Access::Write).await?;
    tx.batch_execute(MARK).await?;
    tx.batch_execute("SELECT pg_sleep(0.02)").await?;
    seen(&mut tx, ADMIN).await;
    tx.batch_execute("SELECT pg_sleep(0.4)").await?;
    tx.commit().await
}

#[tokio::test]
async fn attack_10_a_request_dropped_in_the_middle_of_a_query() {
    let case = Case::world().await;
    let (db, truth) = (case.db(1), case.superuser().await);
    truth.must("GRANT EXECUTE ON FUNCTION pg_sleep TO eis_app").await;
    for polls in [1_u32, 2, 3, 5, 8, 13, 30] {
        let mut request = Box::pin(slow_request(&db));
        for _ in 0..polls {
            assert!(request.as_mut().now_or_never().is_none(), "still running");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        drop(request);
        let mut tx = db.as_tenant(&OTHER.actor(), Access::Write).await.unwrap();
        assert_eq!(seen(&mut tx, OTHER).await, (4, 4), "after {polls} polls");
        tx.commit().await.unwrap();
        let marked = truth.count("SELECT count(*) FROM customers WHERE phone = 'marked'").await;
        assert_eq!(marked, 0, "after {polls} polls");
    }
    slow_request(&db).await.unwrap();
    let marked = truth.count("SELECT count(*) FROM customers WHERE phone = 'marked'").await;
    assert_eq!(marked, 4, "the positive control: left alone it writes its own");
}

#[tokio::test]
async fn attack_11_a_panic_in_the_transaction() {
    let case = Case::world().await;
    let db = case.db(1);
    let inner = db.clone();
    let panicked = tokio::spawn(async move {
        let mut tx = inner.as_tenant(&ADMIN.actor(), Access::Write).await.unwrap();
        tx.batch_execute(MARK).await.unwrap();
        std::panic::resume_unwind(Box::new("a fault in a handler"));
        #[expect(unreachable_code, reason = "what the handler would have done")]
        tx.commit().await.unwrap();
    })
    .await;
    assert!(panicked.unwrap_err().is_panic());
    let mut tx = db.as_tenant(&OTHER.actor(), Access::Read).await.unwrap();
    assert_eq!(seen(&mut tx, OTHER).await, (4, 4));
    drop(tx);
    let marked = case.superuser().await.count("SELECT count(*) FROM customers WHERE phone = 'marked'").await;
    assert_eq!(marked, 0);
}

#[tokio::test]
async fn attack_12_a_query_after_commit() {
    let case = Case::world().await;
    let app = case.app().await;
    app.enter(ADMIN).await;
    assert_eq!(app.count(CUSTOMERS).await, 4);
    app.must("COMMIT").await;
    sees_nothing(&app, "after COMMIT").await;
    assert_eq!(app.value("SELECT current_setting('eis.context', true)").await, "", "a custom setting reads '' now");
}

#[tokio::test]
async fn attack_13_tenants_interleaved_on_a_pool_of_one() {
    let case = Case::world().await;
    let db = case.db(1);
    let requests = (0..60).map(|n| {
        let db = db.clone();
        let who = [ADMIN, OTHER, Who::Client(2, 1), Who::Customer(1, 2, 1)][n % 4];
        async move {
            let access = if n % 3 == 0 { Access::Write } else { Access::Read };
            let mut tx = db.as_tenant(&who.actor(), access).await.unwrap();
            let expected = match who {
                Who::Customer(..) => 1,
                Who::Client(..) => 2,
                _ => 4,
            };
            assert_eq!(seen(&mut tx, who).await, (expected, expected), "{who:?}");
            tokio::task::yield_now().await;
            assert_eq!(seen(&mut tx, who).await, (expected, expected), "{who:?}, once more");
            if n % 2 == 0 {
                tx.commit().await.unwrap();
            }
        }
    });
    futures_util::future::join_all(requests).await;
    let mut at = ADMIN.actor();
    at = at.at_client(ClientId(client(2, 1)));
    let refused = db.as_tenant(&at, Access::Read).await.map(|_| ());
    assert!(matches!(refused, Err(DbError::Refused)), "another's client: {refused:?}");
}

#[tokio::test]
async fn attack_14_an_injected_set_config() {
    let case = Case::world().await;
    let app = case.app().await;
    let stolen = signed(&app, OTHER).await;
    app.enter(ADMIN).await;
    for sql in [
        format!("SELECT name FROM customers WHERE name = (SELECT set_config('eis.context', '{stolen}', true))"),
        format!("SELECT pg_catalog.set_config('eis.context', '{stolen}', false)"),
        "SELECT set_config('role', 'eis_owner', true)".to_owned(),
    ] {
        app.must("SAVEPOINT s").await;
        assert_eq!(app.refused(&sql).await, DENIED, "{sql}");
        app.must("ROLLBACK TO s").await;
    }
    assert_eq!(app.count(CUSTOMERS).await, 4, "one's own context stands");
    app.leave().await;
    let worker = case.worker().await;
    assert_eq!(worker.refused("SELECT set_config('eis.context', 'x', false)").await, DENIED);
}

#[tokio::test]
async fn attack_15_an_update_of_pg_settings() {
    let case = Case::world().await;
    let app = case.app().await;
    app.enter(Who::Client(1, 1)).await;
    for (name, value) in [("eis.context", "organization|"), ("row_security", "off"), ("search_path", "pg_temp")] {
        app.must("SAVEPOINT s").await;
        let result = app.run(&format!("UPDATE pg_settings SET setting = '{value}' WHERE name = '{name}'")).await;
        assert!(matches!(&result, Err(r) if r.code == DENIED) || result == Ok(0), "{name}: {result:?}");
        app.must("ROLLBACK TO s").await;
    }
    assert_eq!(app.count(CUSTOMERS).await, 2);
    assert_eq!(app.value("SHOW row_security").await, "on");
    app.leave().await;
}

#[tokio::test]
async fn attack_16_sql_run_inside_functions() {
    let case = Case::world().await;
    let app = case.app().await;
    let xml = "SELECT (length(x) - length(replace(x, '<id>', ''))) / 4 FROM (SELECT query_to_xml('SELECT id FROM public.customers', true, false, '')::text x) q";
    let words = "SELECT count(*) FROM ts_stat('SELECT to_tsvector(''simple'', phone || '' '' || name) FROM public.customers') WHERE word ~ '^[0-9]{3}$'";
    let table = "SELECT (length(x) - length(replace(x, '<id>', ''))) / 4 FROM (SELECT table_to_xml('public.customers', true, false, '')::text x) q";
    for sql in [xml, table] {
        assert_eq!(app.count(sql).await, 0, "{sql}");
        assert_eq!(app.count_as(Who::Client(1, 1), sql).await, 2, "{sql}");
        assert_eq!(app.count_as(Who::Customer(1, 1, 1), sql).await, 1, "{sql}");
    }
    assert_eq!(app.count(words).await, 0);
    assert_eq!(app.count_as(Who::Client(1, 1), words).await, 2, "{words}");
    assert_eq!(app.count_as(Who::Customer(1, 1, 1), words).await, 1);
    let nested =
        format!("SELECT query_to_xml('SELECT set_config(''eis.context'', ''{}'', true)', true, false, '')", "x");
    assert_eq!(app.refused(&nested).await, DENIED);
}

#[tokio::test]
async fn attack_17_row_security_off() {
    let case = Case::world().await;
    let app = case.app().await;
    app.enter(Who::Client(1, 1)).await;
    app.must("SAVEPOINT s; SET LOCAL row_security = off").await;
    assert_eq!(app.refused(CUSTOMERS).await, DENIED, "refused instead of unfiltered");
    app.must("ROLLBACK TO s").await;
    assert_eq!(app.count(CUSTOMERS).await, 2);
    app.leave().await;
    let owner = case.owner().await;
    owner.must("SET row_security = off").await;
    assert_eq!(owner.refused(CUSTOMERS).await, DENIED, "for the owner too");
}

#[tokio::test]
async fn attack_18_set_role_and_session_authorization() {
    let case = Case::world().await;
    for (login, sql) in [("app", case.app().await), ("worker", case.worker().await), ("monitor", case.monitor().await)]
    {
        for target in ["eis_owner", "eis_gate", "postgres", "eis_worker", "eis_app", "eis_monitor", "pg_read_all_data"]
        {
            if target.ends_with(login) {
                continue;
            }
            assert_eq!(sql.refused(&format!("SET ROLE {target}")).await, DENIED, "{login} → {target}");
            assert_eq!(sql.refused(&format!("SET SESSION AUTHORIZATION {target}")).await, DENIED, "{login} → {target}");
        }
        sql.must("RESET ROLE; RESET SESSION AUTHORIZATION").await;
        assert_eq!(sql.value("SELECT current_user").await, format!("eis_{login}"));
        sql.must("SET default_transaction_read_only = off").await;
        assert_eq!(sql.refused("ALTER ROLE CURRENT_USER BYPASSRLS").await, DENIED);
        assert_eq!(sql.refused("CREATE ROLE mine").await, DENIED);
    }
    control(&case.app().await).await;
}

#[tokio::test]
async fn attack_19_a_replayed_or_expired_signature() {
    let case = Case::world().await;
    let (app, second, truth) = (case.app().await, case.app().await, case.superuser().await);
    app.enter(ADMIN).await;
    let setting = app.value("SELECT current_setting('eis.context')").await;
    second.must(&format!("BEGIN; SET LOCAL eis.context = '{setting}'")).await;
    sees_nothing(&second, "on another backend, while the first is open").await;
    second.leave().await;
    assert_eq!(app.count(CUSTOMERS).await, 4, "the positive control");
    app.must("COMMIT").await;
    app.must(&format!("BEGIN; SET LOCAL eis.context = '{setting}'")).await;
    sees_nothing(&app, "in a later transaction of the same backend").await;
    app.must("COMMIT AND CHAIN").await;
    app.must(&format!("SET LOCAL eis.context = '{setting}'")).await;
    sees_nothing(&app, "in a chained transaction").await;
    app.leave().await;
    // Somebody who knows another's pid and start still lacks the signature.
    let parts: Vec<&str> = setting.split('|').collect();
    app.must("BEGIN").await;
    let stamp = app
        .value("SELECT pg_backend_pid() || '|' || (extract(epoch FROM transaction_timestamp()) * 1000000)::bigint")
        .await;
    let forged = format!("{}|{stamp}|{}", parts[..8].join("|"), parts[10..].join("|"));
    app.must(&format!("SET LOCAL eis.context = '{forged}'")).await;
    sees_nothing(&app, "re-stamped").await;
    app.leave().await;
    // Sessions that ended: by time, by idleness, by revoking, by disabling, by a new password.
    let hash = format!("sha256('\\x{}')", ADMIN.secret().hex());
    let user = ADMIN.user();
    for end in [
        format!("UPDATE sessions SET expires_at = now() - interval '1 second' WHERE secret_hash = {hash}"),
        format!(
            "UPDATE sessions SET idle_seconds = 60, seen_at = now() - interval '61 seconds' WHERE secret_hash = {hash}"
        ),
        format!("UPDATE role_assignments SET valid_to = now() WHERE user_id = '{user}'"),
        format!("UPDATE role_assignments SET valid_from = now() + interval '1 hour' WHERE user_id = '{user}'"),
        format!("UPDATE users SET status = 'disabled' WHERE id = '{user}'"),
        format!("UPDATE users SET password_proof = sha256('other') WHERE id = '{user}'"),
        format!("DELETE FROM sessions WHERE secret_hash = {hash}"),
    ] {
        control(&app).await;
        let undo = truth
            .value(&format!("SELECT jsonb_build_object('s', (SELECT to_jsonb(s) FROM sessions s WHERE secret_hash = {hash}), 'a', (SELECT to_jsonb(a) FROM role_assignments a WHERE user_id = '{user}'), 'u', (SELECT to_jsonb(u) FROM users u WHERE id = '{user}'))"))
            .await;
        truth.must(&end).await;
        assert_eq!(app.refused(&open(ADMIN)).await, SESSION_ENDED, "{end}");
        truth
            .must(&format!(
                "DELETE FROM sessions WHERE secret_hash = {hash};
                 UPDATE role_assignments a SET valid_from = o.valid_from, valid_to = o.valid_to FROM jsonb_populate_record(NULL::role_assignments, '{undo}'::jsonb -> 'a') o WHERE a.id = o.id;
                 UPDATE users u SET status = o.status, password_proof = o.password_proof FROM jsonb_populate_record(NULL::users, '{undo}'::jsonb -> 'u') o WHERE u.id = o.id;
                 INSERT INTO sessions SELECT * FROM jsonb_populate_record(NULL::sessions, '{undo}'::jsonb -> 's')"
            ))
            .await;
    }
    // A session without a role chosen ends with the password as well.
    let nobody = Who::Consultant(0);
    app.must(&format!("BEGIN; {}; ROLLBACK", open(nobody))).await;
    truth.must(&format!("UPDATE users SET password_proof = sha256('other') WHERE id = '{}'", nobody.user())).await;
    assert_eq!(app.refused(&open(nobody)).await, SESSION_ENDED);
    let choice = Who::Consultant(1).assignment();
    assert_eq!(
        app.refused(&format!("SELECT switch_context('\\x{}', '{choice}', NULL)", nobody.secret().hex())).await,
        SESSION_ENDED
    );
    // A new signing key: open transactions go on, new ones are signed with it; the salts of unknown accounts stay.
    let rotate = "SET ROLE eis_owner; CALL private.rotate_signing_key(); RESET ROLE";
    let salt = "SELECT salt FROM sign_in_salt('nobody@eis.example', 'here')";
    let before = app.value(salt).await;
    app.enter(ADMIN).await;
    let signed_with = "SELECT split_part(current_setting('eis.context'), '|', 11)";
    assert_eq!(app.value(signed_with).await, "1");
    truth.must(rotate).await;
    assert_eq!(app.count(CUSTOMERS).await, 4, "without downtime");
    second.enter(ADMIN).await;
    assert_eq!((second.value(signed_with).await.as_str(), second.count(CUSTOMERS).await), ("2", 4));
    second.leave().await;
    // Twice: the old key is thrown out, and what it signed with it.
    truth.must(rotate).await;
    assert_eq!(app.count(CUSTOMERS).await, 0);
    app.leave().await;
    control(&app).await;
    assert_eq!(app.value(salt).await, before);
}

#[tokio::test]
async fn attack_20_a_prepared_plan_across_tenants_and_roles() {
    let case = Case::world().await;
    let app = case.app().await;
    for mode in ["force_generic_plan", "force_custom_plan", "auto"] {
        app.must(&format!("DEALLOCATE ALL; SET plan_cache_mode = {mode}")).await;
        app.must("PREPARE p AS SELECT coalesce(string_agg(right(organization_id::text, 0) || name, ' ' ORDER BY name), '') FROM customers").await;
        let prepared = app.client.prepare("SELECT count(*) FROM invoices WHERE client_id IS NOT NULL").await.unwrap();
        for _ in 0..3 {
            for (who, names, invoices) in [
                (Some(Who::Client(1, 1)), "Customer 111 Customer 112", 4),
                (None, "", 0),
                (Some(Who::Client(2, 1)), "Customer 211 Customer 212", 4),
                (Some(Who::Customer(1, 2, 1)), "Customer 121", 1),
                (Some(Who::Staff(2)), "Customer 211 Customer 212 Customer 221 Customer 222", 8),
                (Some(Who::Staff(0)), "", 0),
            ] {
                app.must("BEGIN").await;
                if let Some(who) = who {
                    app.must(&open(who)).await;
                }
                assert_eq!(app.value("EXECUTE p").await, names, "{who:?} {mode}");
                let row = app.client.query_one(&prepared, &[]).await.unwrap();
                assert_eq!(row.get::<_, i64>(0), invoices, "{who:?} {mode}");
                app.leave().await;
            }
        }
    }
}

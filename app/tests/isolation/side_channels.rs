//! Attacks 42–48: learning of other tenants without seeing a row.

use crate::DENIED;
use crate::support::database::Case;
use crate::support::sql::{Refusal, Sql};
use crate::support::world::{Kind, Who, client, customer, id, organization};

const ME: Who = Who::Client(1, 1);

fn new_customer(id: &str) -> String {
    format!(
        "INSERT INTO customers (organization_id, client_id, id, name)
         VALUES ('{}', '{}', '{id}', 'New')",
        organization(1),
        client(1, 1)
    )
}

/// The same with an account of this number.
fn with_account(id: &str, number: &str) -> String {
    let account = format!(
        "INSERT INTO accounts (organization_id, client_id, customer_id, id, account_number, is_main)
         VALUES ('{}', '{}', '{id}', '{id}', '{number}', true)",
        organization(1),
        client(1, 1)
    );
    format!("{}; {account}", new_customer(id))
}

#[tokio::test]
async fn attack_42_unique_constraints() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    truth.must("UPDATE accounts SET account_number = 'THEIRS' WHERE customer_id IN (SELECT id FROM customers WHERE name IN ('Customer 121', 'Customer 211'))").await;
    assert_eq!(
        app.as_who(ME, &with_account(&id(Kind::Customer, 8, 1, 1, 0).to_string(), "THEIRS")).await,
        Ok(1),
        "another's number is free here"
    );
    assert_eq!(
        app.as_who(ME, &with_account(&id(Kind::Customer, 8, 1, 1, 0).to_string(), "a-1")).await.unwrap_err().code,
        "23505",
        "the positive control"
    );
    for (o, c, k) in [(1, 2, 1), (2, 1, 1)] {
        assert_eq!(
            app.as_who(ME, &new_customer(&customer(o, c, k).to_string())).await,
            Ok(1),
            "another's id is free here"
        );
    }
    assert_eq!(
        app.as_who(ME, &new_customer(&customer(1, 1, 1).to_string())).await.unwrap_err().code,
        "23505",
        "the positive control"
    );
    // Every unique index of a table that a login writes begins with the tenant.
    let open = truth
        .rows(
            "SELECT i.indexrelid::regclass FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE i.indisunique AND n.nspname = 'public' AND has_any_column_privilege('eis_app', c.oid, 'INSERT, UPDATE')
               AND (SELECT attname FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = i.indkey[0]) IS DISTINCT FROM 'organization_id'",
        )
        .await
        .unwrap();
    assert!(open.is_empty(), "{open:?}");
}

/// What somebody is told, without the ids that they sent themselves.
fn told(refusal: &Refusal, ids: &[String]) -> String {
    ids.iter().fold(format!("{refusal:?}"), |text, id| text.replace(id, "?"))
}

#[tokio::test]
async fn attack_43_foreign_keys() {
    let case = Case::world().await;
    let app = case.app().await;
    let meter = |place: uuid::Uuid| {
        format!(
            "INSERT INTO meters (organization_id, client_id, id, service_point_id, serial, kind, time_zone, valid_from)
             VALUES ('{}', '{}', gen_random_uuid(), '{place}', 'N', 'register', 'UTC', '2026-01-01')",
            organization(1),
            client(1, 1)
        )
    };
    assert_eq!(app.as_who(ME, &meter(id(Kind::Place, 1, 1, 1, 1))).await, Ok(1), "the positive control");
    let mut answers = Vec::new();
    for (o, c, k) in [(1, 2, 1), (2, 1, 1), (9, 9, 9)] {
        let theirs = id(Kind::Place, o, c, k, 1);
        let refusal = app.as_who(ME, &meter(theirs)).await.unwrap_err();
        assert_eq!(refusal.code, "23503");
        answers.push(told(&refusal, &[theirs.to_string()]));
    }
    assert_eq!(answers[0], answers[2], "a sibling client's service point and none at all");
    assert_eq!(answers[1], answers[2], "another organization's service point and none at all");
}

#[tokio::test]
async fn attack_44_the_row_count_of_on_conflict() {
    let case = Case::world().await;
    let app = case.app().await;
    let ignore = " ON CONFLICT DO NOTHING";
    for (o, c, k) in [(1, 2, 1), (2, 1, 1), (9, 9, 9)] {
        let sql = new_customer(&customer(o, c, k).to_string()) + ignore;
        assert_eq!(app.as_who(ME, &sql).await, Ok(1), "{o}{c}{k}");
        let theirs = sql
            .replace(&organization(1).to_string(), &organization(o).to_string())
            .replace(&client(1, 1).to_string(), &client(o, c).to_string());
        assert_eq!(app.as_who(ME, &theirs).await.unwrap_err().code, DENIED, "{o}{c}{k}");
    }
    let mine = new_customer(&customer(1, 1, 1).to_string()) + ignore;
    assert_eq!(app.as_who(ME, &mine).await, Ok(0), "the positive control");
}

#[tokio::test]
async fn attack_45_sequences() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let all = truth
        .rows("SELECT c.oid::regclass FROM pg_class c WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace")
        .await
        .unwrap();
    assert_eq!(all, [[Some("sign_ins_id_seq".to_owned())]], "the only sequence");
    for sql in [
        "SELECT last_value FROM sign_ins_id_seq",
        "SELECT nextval('sign_ins_id_seq')",
        "SELECT currval('sign_ins_id_seq')",
        "SELECT setval('sign_ins_id_seq', 1)",
    ] {
        assert_eq!(app.refused(sql).await, DENIED, "{sql}");
    }
    assert_eq!(app.maybe("SELECT last_value FROM pg_sequences WHERE sequencename = 'sign_ins_id_seq'").await, None);
    app.enter(ME).await;
    assert_eq!(app.refused("SELECT id FROM sign_ins").await, DENIED, "the number would count everybody's sign-ins");
    app.leave().await;
    assert!(app.count_as(ME, "SELECT count(at) FROM sign_ins").await > 0, "the positive control");
    // Invoice numbers count per client: another's issuing moves mine by nothing.
    let number = "SELECT last_number FROM invoice_counters";
    let before = app.count_as(ME, number).await;
    app.enter(Who::Client(2, 1)).await;
    let issue = "UPDATE invoices SET status = 'issued', series = 'INV', number = 3, issued_on = '2026-11-02', due_on = '2026-11-16'
        WHERE status = 'draft' AND account_number = 'A-1'; COMMIT";
    app.must(issue).await;
    assert_eq!(app.count_as(Who::Client(2, 1), number).await, 3, "the positive control");
    assert_eq!(app.count_as(ME, number).await, before);
}

/// A plan's text.
async fn plan(app: &Sql, who: Who, sql: &str) -> String {
    app.enter(who).await;
    let rows = app.rows(sql).await.unwrap();
    app.leave().await;
    rows.into_iter().flatten().flatten().collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn attack_46_the_counts_of_explain() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    // Another organization grows a thousandfold.
    truth
        .must(&format!(
            "INSERT INTO customers (organization_id, client_id, id, name)
             SELECT '{}', '{}', gen_random_uuid(), 'Big' FROM generate_series(1, 3000) n; ANALYZE customers",
            organization(2),
            client(2, 1)
        ))
        .await;
    let explain = "EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, BUFFERS OFF)";
    // The portal's statements name their tenant for the planner: no foreign row is read and thrown away.
    for (who, o, c) in [(ME, 1, 1), (Who::Customer(1, 1, 1), 1, 1), (Who::Admin(1), 1, 2)] {
        let mine = format!("organization_id = '{}' AND client_id = '{}'", organization(o), client(o, c));
        for sql in [
            format!("SELECT * FROM customers WHERE {mine} ORDER BY lower(name) LIMIT 25"),
            format!("SELECT count(*) FROM customers WHERE {mine}"),
        ] {
            let text = plan(&app, who, &format!("{explain} {sql}")).await;
            for line in text.lines().filter(|line| line.contains("Rows Removed by Filter")) {
                let removed: i64 = line.rsplit(' ').next().unwrap().parse().unwrap();
                assert!(removed < 4, "{who:?} {sql}: {text}");
            }
        }
    }
    // EXPLAIN cannot be reached from inside a statement, which is all that an injection has.
    for sql in [
        "SELECT query_to_xml('EXPLAIN ANALYZE SELECT * FROM customers', true, false, '')",
        "SELECT * FROM ts_stat('EXPLAIN SELECT * FROM customers')",
    ] {
        assert!(app.as_who(ME, sql).await.is_err(), "{sql}");
    }
    let two = app.client.prepare("SELECT 1; EXPLAIN ANALYZE SELECT * FROM customers").await;
    assert!(two.is_err(), "the portal's protocol takes one statement at a time");
    assert!(plan(&app, ME, "EXPLAIN SELECT * FROM customers").await.contains("customers"), "the positive control");
}

#[tokio::test]
async fn attack_47_what_the_planner_knows() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let stats = "SELECT count(*) FROM pg_stats WHERE schemaname = 'public' AND tablename IN ('customers', 'invoices', 'clients', 'payments', 'meters')";
    assert!(truth.count(stats).await > 0, "the positive control: there are statistics");
    for sql in [&app, &case.worker().await, &case.monitor().await] {
        assert_eq!(sql.count(stats).await, 0, "no value of anybody's");
        assert_eq!(sql.count("SELECT count(*) FROM pg_stats_ext").await, 0);
        assert_eq!(sql.refused("SELECT * FROM pg_statistic").await, DENIED);
    }
    assert_eq!(app.count_as(ME, stats).await, 0, "nor with a context");
    // What is left are totals of the whole table; no partition, index or table is one tenant's.
    let per_tenant = truth
        .rows("SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND pg_get_expr(relpartbound, c.oid) LIKE '%-7%'
               UNION ALL SELECT indexrelid::regclass FROM pg_index
               WHERE regexp_replace(pg_get_expr(indpred, indrelid), '\\w+_id IS (NOT )?NULL|\\w+_id <> ''''::text', '', 'g') LIKE '%\\_id%'")
        .await
        .unwrap();
    assert!(per_tenant.is_empty(), "{per_tenant:?}");
}

#[tokio::test]
async fn attack_48_errors_of_casts_and_division() {
    let case = Case::world().await;
    let app = case.app().await;
    // Each would fail on the first foreign row that it is shown.
    for trap in [
        "1 / (CASE WHEN organization_id = '{theirs}' THEN 0 ELSE 1 END) = 1",
        "CASE WHEN organization_id = '{theirs}' THEN name::integer = 1 ELSE true END",
        "CASE WHEN organization_id = '{theirs}' THEN sqrt(-length(name)) > 0 ELSE true END",
        "CASE WHEN organization_id = '{theirs}' THEN substring(name FROM 1 FOR -1) = '' ELSE true END",
    ] {
        let sql = |o: u8| {
            format!("SELECT count(*) FROM customers WHERE {}", trap.replace("{theirs}", &organization(o).to_string()))
        };
        assert_eq!(app.count_as(ME, &sql(2)).await, 2, "{trap}");
        assert_eq!(app.count_as(ME, &sql(9)).await, 2, "{trap}");
        let own = app.as_who(ME, &sql(1)).await;
        assert!(own.is_err(), "the positive control: it fails on one's own rows: {trap}");
    }
    let joined = format!(
        "SELECT count(*) FROM customers c JOIN invoices i ON i.customer_id = c.id AND 1 / (CASE WHEN i.organization_id = '{}' THEN 0 ELSE 1 END) = 1",
        organization(2)
    );
    assert_eq!(app.count_as(ME, &joined).await, 4);
    let leaky = case.superuser().await.rows("SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proleakproof AND n.nspname IN ('public', 'private')").await.unwrap();
    assert!(leaky.is_empty(), "no function of ours claims to be leakproof: {leaky:?}");
}

#[tokio::test]
async fn what_other_backends_run_shows_no_session_s_secret() {
    let case = Case::world().await;
    let (app, db) = (case.app().await, case.db(2));
    let shown = "SELECT coalesce(string_agg(query, ' ; '), '') FROM pg_stat_activity WHERE usename = 'eis_app' AND datname = current_database() AND pid <> pg_backend_pid()";
    for access in [eis::db::Access::Read, eis::db::Access::Write] {
        let tx = db.as_tenant(&ME.actor(), access).await.unwrap();
        let mut settled = app.value(shown).await;
        for _ in 0..50 {
            if settled.contains("open_context") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            settled = app.value(shown).await;
        }
        assert!(settled.contains("open_context"), "the positive control: the statement is seen: {settled}");
        assert!(!settled.contains(&ME.secret().hex()), "its secret is not");
        drop(tx);
    }
}

#[tokio::test]
async fn a_transaction_of_the_portal_without_a_context_fails_and_shows_no_empty_page() {
    let case = Case::world().await;
    let app = case.app().await;
    assert_eq!(app.count("SELECT count(*) FROM customers").await, 0, "anyone else sees no rows");
    let told = app.refused("BEGIN; SET LOCAL eis.required = 'yes'; SELECT count(*) FROM customers; COMMIT").await;
    assert!(!told.is_empty(), "{told}");
}

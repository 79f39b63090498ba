//! Attacks 21–30: writing what is not one's own. (Every table × every role: `coverage`.)

use crate::support::database::Case;
use crate::support::sql::{Row, Sql};
use crate::support::world::{DIGEST, Kind, Who, client, customer, id, organization};
use crate::{DENIED, SESSION_ENDED};

const ME: Who = Who::Client(1, 1);
/// Billing periods let their drafts go, as reopening a run does.
const FREE: &str = "UPDATE billing_periods SET status = 'due', invoice_id = NULL WHERE status = 'rated'";

/// Everything of every tenant, to see that nothing changed.
pub async fn fingerprint(truth: &Sql) -> String {
    let mut all = String::new();
    for (table, rule) in crate::tables::TABLES {
        if matches!(
            rule,
            crate::tables::Rule::Tenant { .. }
                | crate::tables::Rule::Whole
                | crate::tables::Rule::Organization
                | crate::tables::Rule::Assignments
        ) {
            let sum = truth
                .value(&format!("SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '') FROM {table} t"))
                .await;
            all.push_str(&format!("{table} {sum}\n"));
        }
    }
    all
}

fn new_customer(o: u8, c: u8, number: &str) -> String {
    format!(
        "INSERT INTO customers (organization_id, client_id, id, name)
         VALUES ('{}', '{}', gen_random_uuid(), '{number}')",
        organization(o),
        client(o, c)
    )
}

#[tokio::test]
async fn attack_21_an_insert_for_somebody_else() {
    let case = Case::world().await;
    let app = case.app().await;
    assert_eq!(app.as_who(ME, &new_customer(1, 1, "N")).await, Ok(1), "the positive control");
    for (o, c) in [(1, 2), (2, 1)] {
        assert_eq!(app.as_who(ME, &new_customer(o, c, "N")).await.unwrap_err().code, DENIED);
    }
    assert_eq!(app.as_who(Who::Admin(1), &new_customer(1, 2, "N")).await, Ok(1));
    assert_eq!(app.as_who(Who::Admin(1), &new_customer(2, 1, "N")).await.unwrap_err().code, DENIED);
    // A mixed tenant: my client's id under another organization.
    let mixed = new_customer(1, 1, "N").replace(&organization(1).to_string(), &organization(2).to_string());
    assert_eq!(app.as_who(ME, &mixed).await.unwrap_err().code, DENIED);
    let record = |o: u8, who: Who| {
        format!(
            "INSERT INTO audit_log (organization_id, id, client_id, user_id, user_name, role, action, entity, summary)
            VALUES ('{}', gen_random_uuid(), '{}', '{}', 'x', 'x', 'x', 'x', 'x')",
            organization(o),
            client(o, 1),
            who.user()
        )
    };
    assert_eq!(app.as_who(ME, &record(1, ME)).await, Ok(1));
    assert_eq!(app.as_who(ME, &record(2, ME)).await.unwrap_err().code, DENIED);
    // In another's name, as another role: the record says who it was all the same.
    app.enter(ME).await;
    app.must(&record(1, Who::Admin(1))).await;
    let forged = format!(
        "SELECT count(*) FROM audit_log WHERE action = 'x' AND NOT (user_id = '{}' AND user_name <> 'x' AND role = 'client_admin')",
        ME.user()
    );
    assert_eq!(app.count(&forged).await, 0);
    assert_eq!(app.count("SELECT count(*) FROM audit_log WHERE action = 'x'").await, 1, "the positive control");
    app.leave().await;
}

#[tokio::test]
async fn attack_22_moving_a_row_to_another_tenant() {
    let case = Case::world().await;
    let app = case.app().await;
    let mine = customer(1, 1, 1);
    assert_eq!(app.as_who(ME, &format!("UPDATE customers SET phone = '1' WHERE id = '{mine}'")).await, Ok(1));
    for change in [
        format!("client_id = '{}'", client(1, 2)),
        format!("organization_id = '{}', client_id = '{}'", organization(2), client(2, 1)),
        format!("organization_id = '{}'", organization(2)),
    ] {
        // A meterless copy, so that no foreign key is what refuses.
        app.enter(ME).await;
        app.must(&new_customer(1, 1, "MOVE")).await;
        let sql = format!("UPDATE customers SET {change} WHERE name = 'MOVE'");
        assert_eq!(app.refused(&sql).await, DENIED, "{change}");
        app.leave().await;
    }
    let theirs = id(Kind::Place, 1, 2, 1, 1);
    let between = format!("UPDATE meters SET service_point_id = '{theirs}' WHERE serial = 'M-1'");
    assert_eq!(app.as_who(ME, &between).await.unwrap_err().code, "23503", "another client's service point");
}

#[tokio::test]
async fn attack_23_a_blind_update_or_delete_by_id() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let before = fingerprint(&truth).await;
    for (o, c, k) in [(1, 2, 1), (2, 1, 1), (9, 9, 9)] {
        let invoice = id(Kind::Invoice, o, c, k, 2);
        app.enter(ME).await;
        assert_eq!(
            app.run(&format!("UPDATE customers SET name = 'Mine now' WHERE id = '{}'", customer(o, c, k))).await,
            Ok(0)
        );
        assert_eq!(
            app.run(&format!("UPDATE invoices SET total = 0, net = 0, tax = 0 WHERE id = '{invoice}'")).await,
            Ok(0)
        );
        assert_eq!(app.run(&format!("DELETE FROM invoices WHERE id = '{invoice}'")).await, Ok(0));
        assert_eq!(app.run(&format!("DELETE FROM invoice_lines WHERE invoice_id = '{invoice}'")).await, Ok(0));
        app.must("COMMIT").await;
    }
    assert_eq!(fingerprint(&truth).await, before);
    let mine = id(Kind::Invoice, 1, 1, 1, 2);
    assert_eq!(
        app.as_who(ME, &format!("{FREE}; DELETE FROM invoices WHERE id = '{mine}'")).await,
        Ok(1),
        "the positive control"
    );
    for who in [Who::Customer(1, 1, 1), Who::Staff(1)] {
        let result =
            app.as_who(who, &format!("UPDATE customers SET name = 'x' WHERE id = '{}'", customer(1, 1, 1))).await;
        assert_eq!(result, Ok(0), "{who:?} reads it and writes nothing");
    }
}

#[tokio::test]
async fn attack_24_on_conflict_update_of_a_foreign_row() {
    let case = Case::world().await;
    let app = case.app().await;
    let upsert = |o: u8, c: u8| {
        format!(
            "INSERT INTO invoice_counters (organization_id, client_id, series, last_number) VALUES ('{}', '{}', 'INV', 0)
             ON CONFLICT (organization_id, client_id, series) DO UPDATE SET series = 'INV'",
            organization(o),
            client(o, c)
        )
    };
    assert_eq!(app.as_who(ME, &upsert(1, 1)).await, Ok(1), "the positive control");
    for (o, c) in [(1, 2), (2, 1)] {
        assert_eq!(app.as_who(ME, &upsert(o, c)).await.unwrap_err().code, DENIED);
    }
}

#[tokio::test]
async fn attack_25_merge() {
    let case = Case::world().await;
    let app = case.app().await;
    let merge = |o: u8, c: u8, otherwise: &str| {
        format!(
            "MERGE INTO invoice_counters t USING (VALUES ('{}'::uuid, '{}'::uuid)) v (o, c)
             ON (t.organization_id, t.client_id) = (v.o, v.c)
             WHEN MATCHED THEN UPDATE SET series = t.series {otherwise}",
            organization(o),
            client(o, c)
        )
    };
    let insert = "WHEN NOT MATCHED THEN INSERT (organization_id, client_id, series) VALUES (v.o, v.c, 'NEW')";
    assert_eq!(app.as_who(ME, &merge(1, 1, insert)).await, Ok(1), "the positive control");
    for (o, c) in [(1, 2), (2, 1)] {
        assert_eq!(app.as_who(ME, &merge(o, c, "")).await, Ok(0), "a foreign row does not match");
        assert_eq!(app.as_who(ME, &merge(o, c, insert)).await.unwrap_err().code, DENIED, "nor is one made");
    }
}

#[tokio::test]
async fn attack_26_copy_in_and_out() {
    let case = Case::world().await;
    let app = case.app().await;
    for sql in ["COPY customers FROM STDIN", "COPY customers (organization_id) FROM STDIN"] {
        app.enter(ME).await;
        assert_eq!(app.refused(sql).await, "0A000", "COPY FROM and row-level security exclude each other");
        app.leave().await;
    }
    for sql in ["COPY customers TO '/tmp/eis'", "COPY customers TO PROGRAM 'cat'", "COPY customers FROM '/etc/passwd'"]
    {
        app.enter(ME).await;
        assert_eq!(app.refused(sql).await, DENIED, "{sql}");
        app.leave().await;
    }
    for (who, rows) in [(Some(ME), 2), (Some(Who::Customer(1, 1, 1)), 1), (None, 0)] {
        app.must("BEGIN").await;
        if let Some(who) = who {
            app.must(&crate::support::sql::open(who)).await;
        }
        for sql in ["COPY customers TO STDOUT", "COPY (SELECT * FROM customers) TO STDOUT"] {
            let out = app.client.copy_out(sql).await.unwrap();
            let chunks: Vec<_> = futures_util::StreamExt::collect(out).await;
            assert_eq!(chunks.len(), rows, "{who:?} {sql}");
        }
        app.leave().await;
    }
}

#[tokio::test]
async fn attack_27_truncate() {
    let case = Case::world().await;
    for (name, sql) in [("app", case.app().await), ("worker", case.worker().await)] {
        for (table, _) in crate::tables::TABLES {
            // A view is no table, and says so first.
            let code = sql.refused(&format!("TRUNCATE {table} CASCADE")).await;
            assert!(code == DENIED || code == "42809", "{name} {table}: {code}");
            let may = format!("SELECT has_table_privilege('{table}'::text, 'TRUNCATE')");
            if !table.starts_with("private.") {
                assert_eq!(sql.value(&may).await, "f", "{name} {table}");
            }
        }
        assert_eq!(sql.refused("DROP TABLE customers CASCADE").await, DENIED);
        assert_eq!(sql.refused("ALTER TABLE customers DISABLE ROW LEVEL SECURITY").await, DENIED);
        assert_eq!(sql.refused("DROP POLICY level2_client_select ON customers").await, DENIED);
        assert_eq!(sql.refused("ALTER TABLE invoices DISABLE TRIGGER ALL").await, DENIED);
    }
    let app = case.app().await;
    let rightful = format!("{FREE}; DELETE FROM invoices WHERE status = 'draft'");
    assert_eq!(app.as_who(ME, &rightful).await, Ok(2), "the rightful way");
}

#[tokio::test]
async fn attack_28_returning() {
    let case = Case::world().await;
    let app = case.app().await;
    let ids = async |sql: &str| -> Result<Vec<Row>, _> {
        app.enter(ME).await;
        let rows = app.rows(sql).await;
        app.leave().await;
        rows
    };
    assert_eq!(ids("UPDATE customers SET phone = '1' RETURNING name").await.unwrap().len(), 2, "the positive control");
    let drafts = format!("{FREE}; DELETE FROM invoices WHERE status = 'draft' RETURNING customer_name");
    assert_eq!(ids(&drafts).await.unwrap().len(), 2);
    let theirs = customer(2, 1, 1);
    for sql in [
        format!("UPDATE customers SET phone = '1' WHERE id = '{theirs}' RETURNING *"),
        format!("DELETE FROM invoices WHERE customer_id = '{theirs}' RETURNING *"),
        format!("UPDATE customers c SET phone = o.phone FROM customers o WHERE o.id = '{theirs}' RETURNING o.*"),
        format!(
            "WITH gone AS (DELETE FROM invoices i USING customers c WHERE c.id = '{theirs}' RETURNING c.*) SELECT * FROM gone"
        ),
    ] {
        assert_eq!(ids(&sql).await.unwrap().len(), 0, "{sql}");
    }
    // A row that I write and may not read comes back from no RETURNING: staff leave a record of a client they do not stand at.
    let hidden = new_customer(1, 2, "R") + " RETURNING *";
    assert_eq!(ids(&hidden).await.unwrap_err().code, DENIED);
}

#[tokio::test]
async fn attack_29_a_foreign_key_s_cascade() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let lines = "SELECT count(*) FROM invoice_lines";
    let before = truth.count(lines).await;
    app.enter(ME).await;
    app.must(&format!("{FREE}; DELETE FROM invoices WHERE status = 'draft'; COMMIT")).await;
    assert_eq!(truth.count(lines).await, before - 2, "the lines of my two drafts and no others");
    let cascades = truth
        .rows("SELECT conrelid::regclass::text FROM pg_constraint WHERE contype = 'f' AND (confdeltype NOT IN ('a', 'r') OR confupdtype NOT IN ('a', 'r')) ORDER BY 1")
        .await
        .unwrap();
    let parts = ["billing_exceptions", "chat_messages", "document_chunks", "invoice_lines", "workspace_members"];
    let cascades: Vec<String> = cascades.into_iter().flatten().flatten().collect();
    assert_eq!(cascades, parts, "parts of a whole alone, and their keys hold the tenant");
    let open = truth
        .rows(
            "SELECT conrelid::regclass || ' ' || pg_get_constraintdef(oid) FROM pg_constraint c
             WHERE contype = 'f' AND confrelid NOT IN ('organizations'::regclass, 'users'::regclass, 'role_assignments'::regclass)
               AND NOT (SELECT array_agg(a.attname) @> '{organization_id}' FROM unnest(c.conkey) k JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = k)",
        )
        .await
        .unwrap();
    assert!(open.is_empty(), "foreign keys without the tenant: {open:?}");
}

#[tokio::test]
async fn attack_30_writes_through_triggers_and_definer_functions() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    // A trigger that writes elsewhere keeps to the writer's tenant.
    let others = "SELECT string_agg(t::text, ' ' ORDER BY t::text) FROM invoice_counts t WHERE client_id <> '00000002-0001-7001-8000-000000000000'";
    let before = truth.value(others).await;
    app.enter(ME).await;
    app.must(&format!("{FREE}; DELETE FROM invoices WHERE status = 'draft'; COMMIT")).await;
    assert_eq!(truth.value(others).await, before);
    let mine = "SELECT invoices FROM invoice_counts WHERE client_id = '00000002-0001-7001-8000-000000000000' AND status = 'draft'";
    assert_eq!(truth.count(mine).await, 0, "the positive control: my own count fell");
    for function in
        ["count_invoices()", "touch_updated_at()", "audit_log_is_append_only()", "issued_invoice_is_fixed()"]
    {
        assert!(["0A000", DENIED].contains(&app.refused(&format!("SELECT {function}")).await.as_str()), "{function}");
    }
    // Definer functions: a foreign id and one that does not exist answer alike, and do nothing.
    let before = fingerprint(&truth).await;
    for who in Who::ROLES {
        for (o, n) in [(2, 1), (9, 1)] {
            let (invitation, assignment) = (id(Kind::Invitation, o, 0, 0, n), id(Kind::Assignment, o, 1, 0, n));
            let reads = matches!(who, Who::Staff(_) | Who::Customer(..));
            for sql in [
                format!("SELECT revoke_invitation('{invitation}')"),
                format!("SELECT revoke_assignment('{assignment}')"),
                format!("SELECT see_notices('{{{}}}')", id(Kind::Notice, o, 0, 0, n)),
            ] {
                app.enter(who).await;
                let answer =
                    app.rows(&sql).await.map(|rows| rows[0][0].clone().unwrap()).map_err(|refusal| refusal.code);
                let nothing = answer.as_ref().is_ok_and(|answer| ["f", "0"].contains(&answer.as_str()));
                assert!(if reads { answer == Err(DENIED.to_owned()) } else { nothing }, "{who:?} {sql}: {answer:?}");
                app.must("COMMIT").await;
                assert_eq!(fingerprint(&truth).await, before, "{who:?}");
            }
        }
        let users = app.count_as(who, &format!("SELECT count(*) FROM organization_users() u JOIN role_assignments a ON a.id = u.assignment_id WHERE a.organization_id IS DISTINCT FROM '{}'", organization(1))).await;
        assert_eq!(users, 0, "{who:?}");
        let seen = app.count_as(who, "SELECT count(*) FROM organization_users()").await;
        let there = match who {
            Who::Staff(_) | Who::Admin(_) => 8,
            Who::Client(..) => 4,
            _ => 0,
        };
        assert_eq!(seen, there, "{who:?}");
        let mine = app.count_as(who, "SELECT count(*) FROM my_assignments()").await;
        assert_eq!(mine, 1, "{who:?}");
        let sessions = app
            .count_as(who, &format!("SELECT count(*) FROM my_sessions('\\x{}') WHERE current", who.secret().hex()))
            .await;
        assert_eq!(sessions, 1, "{who:?}");
        app.enter(who).await;
        let all = app.rows("SELECT * FROM staff_organizations('', 0, 100)").await;
        app.leave().await;
        match who {
            Who::Staff(_) => assert_eq!(all.unwrap().len(), 2),
            _ => assert_eq!(all.unwrap_err().code, DENIED, "{who:?}"),
        }
    }
    // Nobody's: without a context they know nobody.
    for sql in
        ["SELECT * FROM my_sessions('\\x00')", "SELECT * FROM my_assignments()", "SELECT * FROM organization_users()"]
    {
        assert!(app.rows(sql).await.unwrap().is_empty(), "{sql}");
    }
    assert_eq!(app.refused("SELECT * FROM enter_my_attempt('\\x00', 'here')").await, SESSION_ENDED);
    assert_eq!(app.refused("SELECT end_my_sessions('\\x00', NULL, '\\x00', 'here')").await, SESSION_ENDED);
    assert_eq!(app.refused("SELECT change_password('\\x00', '\\x00', 'a', '\\x01', 'here')").await, SESSION_ENDED);
    assert_eq!(app.refused("SELECT * FROM staff_organizations('', 0, 10)").await, DENIED);
    // Ending one's other sessions ends nobody else's.
    let sessions = truth.count("SELECT count(*) FROM sessions").await;
    app.enter(Who::Consultant(1)).await;
    assert_eq!(
        app.value(&format!(
            "SELECT ended FROM end_my_sessions('\\x{}', NULL, '\\x{}', 'here')",
            Who::Consultant(1).secret().hex(),
            DIGEST.trim()
        ))
        .await,
        "2"
    );
    app.must("COMMIT").await;
    assert_eq!(truth.count("SELECT count(*) FROM sessions").await, sessions - 2);
    // The rightful one revokes.
    app.enter(Who::Admin(1)).await;
    assert_eq!(app.value(&format!("SELECT revoke_invitation('{}')", id(Kind::Invitation, 1, 1, 0, 1))).await, "t");
    assert_eq!(app.value(&format!("SELECT revoke_assignment('{}')", Who::Client(1, 1).assignment())).await, "t");
    app.leave().await;
}

//! The proof in the database: `test_rls_isolation()`, the views of what stands, and what `portal check` makes of both.

use std::collections::BTreeSet;

use eis::operate::check::{self, Finding};
use eis::operate::connect::Login;
use eis::operate::proof::{self, Monitor};

use crate::DENIED;
use crate::support::database::{Case, apart};
use crate::support::sql::Sql;
use crate::support::world::Who;
use crate::tables::{Rule, TABLES};
use crate::writes::fingerprint;

const RUN: &str =
    "BEGIN READ WRITE; SELECT table_name, role, attempt, expected, found FROM test_rls_isolation() WHERE NOT passed";

/// What fails under a change that is taken back, one line each.
async fn faults_after(owner: &Sql, change: &str) -> Vec<String> {
    owner.must(&format!("BEGIN; {change}")).await;
    let rows = owner
        .rows("SELECT table_name, role, attempt, expected, found FROM test_rls_isolation() WHERE NOT passed")
        .await;
    owner.leave().await;
    let rows = rows.unwrap_or_else(|refusal| panic!("{change}: {refusal:?}"));
    rows.into_iter().map(|row| row.into_iter().flatten().collect::<Vec<_>>().join(" | ")).collect()
}

#[tokio::test]
async fn the_monitor_s_login_proves_isolation_among_real_rows() {
    let case = Case::world().await;
    let monitor = case.monitor().await;
    let start = std::time::Instant::now();
    assert_eq!(monitor.rows(RUN).await.unwrap(), Vec::<Vec<Option<String>>>::new());
    println!("{:?}", start.elapsed());
    let tried = "SELECT count(*) FROM test_rls_isolation()";
    assert!(monitor.count(tried).await > 2_000, "so many attempts");
    let roles = monitor.rows("SELECT DISTINCT role FROM test_rls_isolation() ORDER BY 1").await.unwrap();
    let roles: Vec<String> = roles.into_iter().flatten().flatten().collect();
    for role in ["no context", "energy admin", "client admin", "customer", "staff, reading", "any"] {
        assert!(roles.contains(&role.to_owned()), "{role}: {roles:?}");
    }
    let tables = monitor.rows("SELECT DISTINCT table_name FROM test_rls_isolation()").await.unwrap();
    let tables: BTreeSet<String> = tables.into_iter().flatten().flatten().collect();
    for (table, _) in TABLES {
        assert!(tables.contains(*table), "{table} is not tried");
    }
    // Positive controls: each role that reads a table sees rows of its own there, and admins write them.
    for (condition, least) in [("attempt = 'read' AND found ~ 'own rows: ([1-9]|some)'", 90), ("found = 'done'", 70)] {
        let seen =
            monitor.count(&format!("SELECT count(*) FROM test_rls_isolation() WHERE passed AND {condition}")).await;
        assert!(seen > least, "{condition}: {seen}");
    }
}

#[tokio::test]
async fn the_test_leaves_nothing_behind_and_changes_no_real_row() {
    let case = Case::world().await;
    let (monitor, truth) = (case.monitor().await, case.superuser().await);
    let everything = "SELECT coalesce(string_agg(x.line, E'\\n' ORDER BY x.line), '') FROM (
        SELECT c.relname || ' ' || (xpath('/row/c/text()', query_to_xml(format('SELECT md5(coalesce(string_agg(t::text || xmin, ''|'' ORDER BY t::text), '''')) AS c FROM %s t', c.oid::regclass), false, true, '')))[1]::text AS line
        FROM pg_class c WHERE c.relnamespace IN ('public'::regnamespace, 'private'::regnamespace) AND c.relkind = 'r'
        UNION ALL SELECT 'sequence ' || last_value || is_called FROM sign_ins_id_seq
        UNION ALL SELECT 'locks ' || count(*) FROM pg_locks JOIN pg_database d ON d.oid = database AND d.datname = current_database() WHERE locktype = 'advisory') x";
    let (before, rows) = (truth.value(everything).await, fingerprint(&truth).await);
    monitor.must("BEGIN READ WRITE; SELECT count(*) FROM test_rls_isolation(); COMMIT").await;
    assert_eq!(truth.value(everything).await, before, "rows, row versions, sequences, locks");
    assert_eq!(fingerprint(&truth).await, rows);
    assert_eq!(truth.count("SELECT count(*) FROM audit_chain_faults()").await, 0);
    // It carries no context out, and keeps the caller's own.
    let app = case.app().await;
    app.enter(Who::Client(1, 1)).await;
    assert_eq!(app.refused("SELECT count(*) FROM test_rls_isolation()").await, DENIED);
    app.leave().await;
    let after = "BEGIN READ WRITE; SELECT count(*) FROM test_rls_isolation(); SELECT coalesce(current_setting('eis.context', true), '')";
    assert_eq!(monitor.value(after).await, "");
}

#[tokio::test]
async fn nobody_but_the_monitor_calls_it_and_its_inner_parts_are_nobody_s() {
    let case = Case::world().await;
    for (login, sql) in [("app", case.app().await), ("worker", case.worker().await)] {
        for call in ["SELECT test_rls_isolation()", "SELECT prove_isolation('x')"] {
            assert_eq!(sql.refused(call).await, DENIED, "{login} {call}");
        }
    }
    for (login, sql) in [("app", case.app().await), ("worker", case.worker().await), ("monitor", case.monitor().await)]
    {
        for call in [
            "SELECT private.probe('SELECT 1')",
            "SELECT private.probe_context('\\x00', NULL)",
            "SELECT private.sample_person(gen_random_uuid(), 'eis_staff', NULL, NULL, NULL, NULL)",
            "SELECT private.sample_11_gate(NULL, NULL, NULL)",
            "SELECT private.sample_12_second_factor(NULL, NULL, NULL)",
            "SELECT private.sample_13_services(NULL, NULL, NULL)",
            "SELECT private.sample_60_system_work(NULL, NULL, NULL)",
            "SET ROLE eis_probe",
            "GRANT eis_probe TO CURRENT_USER",
            "ALTER FUNCTION public.test_rls_isolation RESET search_path",
            "ALTER FUNCTION private.probe SECURITY INVOKER",
        ] {
            // The monitor reads only, whatever it asks for.
            let code = sql.refused(call).await;
            assert!(code == DENIED || (login == "monitor" && code == "25006"), "{login} {call}: {code}");
        }
    }
    let monitor = case.monitor().await;
    assert_eq!(monitor.refused("SELECT count(*) FROM test_rls_isolation()").await, "25006", "it says how to begin");
    // The probe is the portal's login without its password: nothing more is granted to it.
    let truth = case.superuser().await;
    let more = "SELECT count(*) FROM isolation_grants WHERE grantee = 'eis_probe'";
    assert_eq!(truth.count(more).await, 0);
    assert_eq!(truth.value("SELECT member_of FROM isolation_roles WHERE role = 'eis_probe'").await, "{eis_app}");
    assert_eq!(truth.count("SELECT count(*) FROM pg_class WHERE relowner = 'eis_probe'::regrole").await, 0);
}

/// What is broken, and words of a line that must tell it.
const BREAKS: &[(&str, &[&str])] = &[
    (
        "ALTER POLICY level2_client_select ON invoices USING (true)",
        &["public.invoices", "client admin", "read", "others: some"],
    ),
    (
        "ALTER POLICY level1_organization_select ON customers USING (organization_id IS NOT NULL)",
        &["public.customers", "no context", "read"],
    ),
    ("DROP POLICY level3_customer_select ON payments", &["public.payments", "customer", "own rows: 0"]),
    (
        "ALTER POLICY level3_customer_select ON invoice_lines USING ((organization_id, client_id, customer_id) = (SELECT s.organization_id, s.client_id, s.customer_id FROM customer_scope() s))",
        &["public.invoice_lines", "customer", "others: some"],
    ),
    (
        "ALTER POLICY level3_customer_select ON meter_readings USING (organization_id = (SELECT get_current_organization_id()) AND client_id = (SELECT get_current_client_id()))",
        &["public.meter_readings", "customer", "others: some"],
    ),
    (
        "ALTER POLICY level1_organization_insert ON imports WITH CHECK (organization_id = (SELECT organization_scope()))",
        &["public.imports", "staff, reading", "insert own", "done"],
    ),
    (
        "ALTER POLICY level2_client_insert ON meters WITH CHECK (true)",
        &["public.meters", "client admin", "insert another client", "done"],
    ),
    (
        "ALTER POLICY level1_organization_delete ON invoice_lines USING (true)",
        &["public.invoice_lines", "customer", "delete blindly", "rows of others"],
    ),
    (
        "ALTER POLICY level2_client_update ON tariff_rates WITH CHECK (organization_id = (SELECT get_current_organization_id()))",
        &["public.tariff_rates", "client admin", "move own to another client"],
    ),
    (
        "ALTER POLICY level1_organization_delete ON tariff_blocks USING (true)",
        &["public.tariff_blocks", "delete blindly", "rows of others"],
    ),
    (
        "ALTER POLICY level2_client_update ON customers USING (true) WITH CHECK (true)",
        &["public.customers", "no context", "update blindly", "rows of others"],
    ),
    ("ALTER TABLE audit_log DISABLE ROW LEVEL SECURITY", &["public.audit_log", "no context", "others: some"]),
    ("ALTER TABLE allocations NO FORCE ROW LEVEL SECURITY", &["public.allocations", "row security", "not forced"]),
    (
        "CREATE TABLE notes (organization_id uuid); GRANT SELECT ON notes TO eis_app",
        &["public.notes", "read", "sample_"],
    ),
    ("GRANT SELECT (password_proof) ON users TO eis_app", &["public.users", "read", "allowed"]),
    ("GRANT SELECT ON interval_days_2026 TO eis_app", &["public.interval_days_2026", "read", "allowed"]),
    ("ALTER ROLE eis_app BYPASSRLS", &["eis_app", "BYPASSRLS"]),
    ("GRANT TRUNCATE ON invoices TO eis_worker", &["eis_worker", "TRUNCATE"]),
    ("REVOKE SELECT ON customers FROM eis_app", &["public.customers", "energy admin", "refused"]),
    ("REVOKE UPDATE ON customers FROM eis_app", &["public.customers", "energy admin", "update own"]),
];

/// A context that anyone may write.
const UNSIGNED: &str = "CREATE OR REPLACE FUNCTION private.context() RETURNS text[] LANGUAGE sql STABLE AS 'SELECT string_to_array(current_setting(''eis.context'', true), ''|'')';
         CREATE OR REPLACE FUNCTION public.organization_scope(needs_write boolean DEFAULT false) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'SELECT nullif((private.context())[2], '''')::uuid'";

#[tokio::test]
async fn the_test_names_what_is_broken() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    assert_eq!(faults_after(&truth, "SELECT 1").await, Vec::<String>::new());
    // Breaks of different tables are told apart, so they are made together.
    let mut batches: Vec<Vec<&(&str, &[&str])>> = Vec::new();
    for one in BREAKS {
        match batches.iter_mut().find(|batch| batch.iter().all(|other| other.1[0] != one.1[0])) {
            Some(batch) => batch.push(one),
            None => batches.push(vec![one]),
        }
    }
    for batch in batches {
        let changes: Vec<&str> = batch.iter().map(|(change, _)| *change).collect();
        let faults = faults_after(&truth, &changes.join("; ")).await;
        for (change, words) in batch {
            let named = faults.iter().any(|fault| words.iter().all(|word| fault.contains(word)));
            assert!(named, "{change}: {:#?}", faults.iter().filter(|f| f.contains(words[0])).collect::<Vec<_>>());
        }
    }
    let faults = faults_after(&truth, UNSIGNED).await;
    assert!(
        faults.iter().any(|f| f.contains("customer |") && f.contains("others: some")),
        "{:#?}",
        faults.iter().take(9).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn every_table_is_tried_whichever_policy_is_opened() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let tables = || TABLES.iter().filter(|(_, rule)| matches!(rule, Rule::Tenant { .. } | Rule::Whole));
    let opened: Vec<String> = tables()
        .map(|(table, _)| format!("CREATE POLICY easy ON {table} FOR SELECT TO eis_app USING (true)"))
        .collect();
    let faults = faults_after(&truth, &opened.join("; ")).await;
    let told = |table: &str| faults.iter().any(|f| f.starts_with(&format!("{table} |")) && f.contains("others: some"));
    let missed: Vec<&str> = tables().map(|(table, _)| *table).filter(|table| !told(table)).collect();
    assert!(missed.is_empty(), "{missed:?}");
}

#[tokio::test]
async fn a_run_is_put_on_record_and_read_by_whom_it_concerns() {
    let case = Case::world().await;
    let monitor = Monitor::new(case.connected.url(Login::Monitor));
    let run = monitor.prove("Ada Auditor", 0).await.unwrap();
    assert!(run.holds() && run.tried > 2_000 && run.asked_by == "Ada Auditor", "{run:?}");
    assert!(run.summary.as_array().unwrap().len() > 200 && run.faults.as_array().unwrap().is_empty());
    let db = case.db(2);
    for (who, seen) in [(Who::Staff(1), 2), (Who::Admin(1), 2), (Who::Client(1, 1), 0), (Who::Customer(1, 1, 1), 0)] {
        let mut tx = db.as_tenant(&who.actor(), eis::db::Access::Read).await.unwrap();
        assert_eq!(proof::runs(&mut tx, 10).await.unwrap().len(), seen, "{who:?}");
    }
    let mut tx = db.as_tenant(&Who::Admin(2).actor(), eis::db::Access::Read).await.unwrap();
    assert_eq!(proof::run(&mut tx, run.id).await.unwrap().unwrap().passed, run.passed);
    let truth = case.superuser().await;
    truth
        .must("ALTER POLICY level2_client_select ON invoices USING (true); DROP TRIGGER append_only ON audit_log")
        .await;
    let run = monitor.prove("Ada Auditor", 0).await.unwrap();
    assert!(!run.holds());
    assert!(run.faults.to_string().contains("public.invoices"), "{}", run.faults);
    assert!(run.drift.to_string().contains("append_only"), "{}", run.drift);
    for sql in [
        "DELETE FROM isolation_runs",
        "UPDATE isolation_runs SET tried = 0",
        "INSERT INTO isolation_runs DEFAULT VALUES",
    ] {
        assert_eq!(case.app().await.refused(sql).await, DENIED);
        let monitor = case.monitor().await;
        assert_eq!(monitor.refused(&format!("BEGIN READ WRITE; {sql}")).await, DENIED);
    }
}

#[tokio::test]
async fn the_monitor_s_views_tell_what_stands_and_what_drifted() {
    let case = Case::world().await;
    let monitor = Monitor::new(case.connected.url(Login::Monitor));
    let tables = monitor.tables().await.unwrap();
    assert!(tables.iter().all(|table| table.row_security && table.forced && table.owner == "eis_owner"));
    assert!(
        tables.iter().any(|table| table.table_name == "public.invoices" && table.names_tenants && table.policies >= 8)
    );
    let policies = monitor.policies().await.unwrap();
    assert!(policies.len() > 130 && policies.iter().any(|p| p.policy == "level3_customer_select"));
    let functions = monitor.functions().await.unwrap();
    assert!(functions.iter().all(|f| f.search_path_fixed && !f.callers.contains(&"PUBLIC".to_owned())));
    assert_eq!(monitor.drift().await.unwrap(), []);
    let truth = case.superuser().await;
    truth.must("ALTER TABLE customers NO FORCE ROW LEVEL SECURITY; GRANT SELECT ON customers TO PUBLIC; DROP POLICY level3_customer_select ON contract_meters").await;
    let drift = monitor.drift().await.unwrap();
    for (fault, words) in [
        ("missing", "public.customers owner eis_owner row security forced"),
        ("unexpected", "grant SELECT on public.customers to PUBLIC"),
        ("missing", "policy level3_customer_select on public.contract_meters"),
    ] {
        assert!(drift.iter().any(|d| d.fault == fault && d.line.contains(words)), "{fault} {words}: {drift:#?}");
    }
    assert!(monitor.tables().await.unwrap().iter().any(|t| t.table_name == "public.customers" && !t.forced));
    // Read as their reader: no login but the monitor has a right on them.
    for login in [case.app().await, case.worker().await] {
        for (view, _) in TABLES.iter().filter(|(_, rule)| *rule == Rule::Monitor) {
            assert_eq!(login.refused(&format!("SELECT count(*) FROM {view}")).await, DENIED, "{view}");
        }
    }
}

fn told(case: &Case) -> Vec<Finding> {
    let url = case.connected.admin_url().to_owned();
    apart(async move { check::isolation(&url).await }).unwrap()
}

#[tokio::test]
async fn portal_check_tries_it_too_and_names_each_fault() {
    let case = Case::world().await;
    let fine = told(&case);
    assert!(fine.len() == 1 && fine[0].ok && fine[0].message.contains("tables ended as they should"), "{fine:?}");
    case.superuser().await.must("ALTER POLICY level2_client_select ON payments USING (true)").await;
    let faults = told(&case);
    assert!(
        faults.iter().all(|f| !f.ok && f.check == "isolation" && f.message.contains("public.payments")),
        "{faults:?}"
    );
}

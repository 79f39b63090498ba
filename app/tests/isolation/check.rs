//! `portal check` names every fault. On a server of its own, since some faults are the whole server's.

use std::fs::File;
use std::path::Path;

use eis::operate::check::{self, Finding};
use eis::operate::connect::{Connected, Settings};
use eis::operate::migrate;

use crate::support::database::{Case, apart};
use crate::support::sql::Sql;

/// What breaks it, what mends it, and what the finding must name.
const FAULTS: &[(&str, &str, &[&str])] = &[
    (
        "ALTER TABLE customers NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE customers FORCE ROW LEVEL SECURITY",
        &["row-level security", "public.customers"],
    ),
    (
        "ALTER TABLE interval_days_2026 DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE interval_days_2026 ENABLE ROW LEVEL SECURITY",
        &["row-level security", "interval_days_2026"],
    ),
    ("CREATE TABLE notes (organization_id uuid)", "DROP TABLE notes", &["row-level security", "public.notes"]),
    (
        "CREATE POLICY easy ON invoices FOR SELECT TO eis_app USING (true)",
        "DROP POLICY easy ON invoices",
        &["policies", "invoices.easy"],
    ),
    (
        "CREATE POLICY easy ON invoices FOR SELECT TO eis_app USING (organization_id IS NOT NULL)",
        "DROP POLICY easy ON invoices",
        &["policies", "invoices.easy"],
    ),
    (
        "CREATE POLICY easy ON invoices FOR INSERT TO eis_worker WITH CHECK (total >= 0)",
        "DROP POLICY easy ON invoices",
        &["policies", "invoices.easy"],
    ),
    (
        "CREATE POLICY easy ON invoices FOR SELECT USING (organization_id = (SELECT organization_scope()))",
        "DROP POLICY easy ON invoices",
        &["policies", "invoices.easy"],
    ),
    ("GRANT SELECT ON customers TO PUBLIC", "REVOKE SELECT ON customers FROM PUBLIC", &["rights", "public.customers"]),
    (
        "GRANT SELECT (name) ON customers TO PUBLIC",
        "REVOKE SELECT (name) ON customers FROM PUBLIC",
        &["rights", "public.customers"],
    ),
    (
        "GRANT TRUNCATE ON invoices TO eis_worker",
        "REVOKE TRUNCATE ON invoices FROM eis_worker",
        &["rights", "TRUNCATE", "invoices"],
    ),
    (
        "GRANT EXECUTE ON FUNCTION open_context TO PUBLIC",
        "REVOKE EXECUTE ON FUNCTION open_context FROM PUBLIC",
        &["rights", "open_context"],
    ),
    (
        "ALTER FUNCTION open_context RESET search_path",
        "ALTER FUNCTION open_context SET search_path = pg_catalog, pg_temp",
        &["rights", "open_context"],
    ),
    (
        "GRANT EXECUTE ON FUNCTION set_config(text, text, boolean) TO PUBLIC",
        "REVOKE EXECUTE ON FUNCTION set_config(text, text, boolean) FROM PUBLIC",
        &["rights", "set_config"],
    ),
    ("CREATE VIEW everyone AS SELECT * FROM customers", "DROP VIEW everyone", &["views", "everyone"]),
    (
        "CREATE MATERIALIZED VIEW everyone AS SELECT * FROM customers",
        "DROP MATERIALIZED VIEW everyone",
        &["views", "everyone"],
    ),
    (
        "ALTER POLICY level2_client_select ON invoices USING (true)",
        "ALTER POLICY level2_client_select ON invoices USING ((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope() s))",
        &["policies", "invoices.level2_client_select"],
    ),
    (
        "ALTER POLICY level3_customer_select ON contract_meters USING (organization_id = (SELECT public.get_current_organization_id()))",
        "ALTER POLICY level3_customer_select ON contract_meters USING ((organization_id, client_id, customer_id) = (SELECT s.organization_id, s.client_id, s.customer_id FROM public.customer_scope() s))",
        &["drift", "level3_customer_select", "public.contract_meters"],
    ),
    (
        "DROP POLICY level2_client_insert ON payments",
        "CREATE POLICY level2_client_insert ON payments FOR INSERT TO eis_app, eis_worker, eis_owner WITH CHECK ((organization_id, client_id) = (SELECT s.organization_id, s.client_id FROM public.client_scope(true) s))",
        &["drift", "Missing", "level2_client_insert", "public.payments"],
    ),
    (
        "ALTER TABLE audit_log DISABLE TRIGGER append_only",
        "ALTER TABLE audit_log ENABLE TRIGGER append_only",
        &["drift", "append_only", "enabled D"],
    ),
    (
        "GRANT SELECT ON isolation_state TO eis_app",
        "REVOKE SELECT ON isolation_state FROM eis_app",
        &["drift", "Not made by the migrations", "isolation_state", "eis_app"],
    ),
    (
        "GRANT SELECT (password_proof) ON users TO eis_app",
        "REVOKE SELECT (password_proof) ON users FROM eis_app",
        &["drift", "password_proof", "eis_app"],
    ),
    (
        "REVOKE SELECT ON customers FROM eis_app",
        "GRANT SELECT ON customers TO eis_app",
        &["drift", "Missing", "grant SELECT on public.customers to eis_app"],
    ),
    (
        "ALTER FUNCTION organization_scope LEAKPROOF",
        "ALTER FUNCTION organization_scope NOT LEAKPROOF",
        &["rights", "organization_scope", "leakproof"],
    ),
    ("ALTER ROLE eis_app CREATEROLE", "ALTER ROLE eis_app NOCREATEROLE", &["roles", "eis_app", "CREATEROLE"]),
    ("GRANT eis_app TO eis_monitor", "REVOKE eis_app FROM eis_monitor", &["roles", "eis_monitor", "member of eis_app"]),
    (
        "GRANT eis_owner TO eis_worker",
        "REVOKE eis_owner FROM eis_worker",
        &["roles", "eis_worker", "member of eis_owner"],
    ),
    ("REVOKE eis_app FROM eis_probe", "GRANT eis_app TO eis_probe", &["roles", "eis_probe", "no member of eis_app"]),
    ("ALTER ROLE eis_probe LOGIN", "ALTER ROLE eis_probe NOLOGIN", &["roles", "eis_probe", "LOGIN"]),
    ("ALTER ROLE eis_app SUPERUSER", "ALTER ROLE eis_app NOSUPERUSER", &["roles", "eis_app"]),
    ("ALTER ROLE eis_worker BYPASSRLS", "ALTER ROLE eis_worker NOBYPASSRLS", &["roles", "eis_worker"]),
    ("GRANT eis_gate TO eis_app", "REVOKE eis_gate FROM eis_app", &["roles", "eis_app", "member of eis_gate"]),
    ("ALTER ROLE eis_owner LOGIN", "ALTER ROLE eis_owner NOLOGIN", &["roles", "eis_owner", "LOGIN"]),
    (
        "CREATE SCHEMA leak; CREATE VIEW leak.v AS SELECT * FROM public.invoices; GRANT USAGE ON SCHEMA leak TO eis_app; GRANT SELECT ON leak.v TO eis_app",
        "DROP SCHEMA leak CASCADE",
        &["drift", "schema leak open to eis_app"],
    ),
    (
        "CREATE ROLE eve LOGIN; GRANT eis_gate TO eve",
        "DROP ROLE IF EXISTS eve",
        &["roles", "eve is a member of eis_gate"],
    ),
    (
        "ALTER ROLE eis_app SET session_replication_role = replica",
        "ALTER ROLE eis_app RESET session_replication_role",
        &["drift", "session_replication_role=replica of eis_app"],
    ),
    (
        "GRANT SET ON PARAMETER session_replication_role TO eis_app",
        "REVOKE SET ON PARAMETER session_replication_role FROM eis_app",
        &["drift", "parameter session_replication_role to eis_app"],
    ),
    (
        "ALTER TABLE audit_log DISABLE TRIGGER append_only; ALTER TABLE audit_log ENABLE REPLICA TRIGGER append_only",
        "ALTER TABLE audit_log ENABLE TRIGGER append_only",
        &["drift", "append_only"],
    ),
    (
        "CREATE RULE quiet AS ON UPDATE TO step_ups DO INSTEAD NOTHING",
        "DROP RULE quiet ON step_ups",
        &["drift", "rule quiet on public.step_ups"],
    ),
    (
        "ALTER TABLE step_ups RENAME CONSTRAINT step_ups_check TO gone",
        "ALTER TABLE step_ups RENAME CONSTRAINT gone TO step_ups_check",
        &["drift", "step_ups_check"],
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO PUBLIC",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public REVOKE SELECT ON TABLES FROM PUBLIC",
        &["drift", "default grant SELECT", "PUBLIC"],
    ),
    (
        "GRANT TEMP ON DATABASE portal TO PUBLIC",
        "REVOKE TEMP ON DATABASE portal FROM PUBLIC",
        &["rights", "eis_app may TEMPORARY"],
    ),
    (
        "GRANT EXECUTE ON FUNCTION pg_read_file(text) TO eis_app",
        "REVOKE EXECUTE ON FUNCTION pg_read_file(text) FROM eis_app",
        &["drift", "pg_read_file"],
    ),
    ("DROP INDEX users_email", "CREATE UNIQUE INDEX users_email ON users (lower(email))", &["drift", "users_email"]),
    ("ALTER ROLE eis_owner INHERIT", "ALTER ROLE eis_owner NOINHERIT", &["roles", "eis_owner", "inherits"]),
    (
        "ALTER TABLE customers OWNER TO eis_app",
        "ALTER TABLE customers OWNER TO eis_owner; GRANT SELECT, INSERT, UPDATE ON customers TO eis_app",
        &["roles", "customers"],
    ),
];

pub fn faults(connected: &Connected) -> Vec<Finding> {
    apart(check::run(connected.admin_url())).unwrap().into_iter().filter(|finding| !finding.ok).collect()
}

fn named(findings: &[Finding], words: &[&str]) -> bool {
    findings.iter().any(|f| words.iter().all(|word| f.message.contains(word) || f.check == *word))
}

/// A server of its own, and the lock that keeps it to one test; `None` when there is none to start here.
pub fn server_apart() -> Option<(File, Settings, Connected)> {
    server_at("check")
}

/// The same, one for each purpose.
pub fn server_at(purpose: &str) -> Option<(File, Settings, Connected)> {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("../test-postgres-{purpose}"));
    std::fs::create_dir_all(&home).unwrap();
    let lock = File::create(home.join("lock")).unwrap();
    lock.lock().unwrap();
    let settings = Settings { database_url: None, data_dir: home };
    match settings.connect_to("postgres", false) {
        Ok(server) => Some((lock, settings, server)),
        // With a database of one's own there may be no server to start here.
        Err(error) if std::env::var("DATABASE_URL").is_ok() => {
            println!("not tried: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Stops the server when this test started it.
pub fn stop(server: &Connected) {
    if server.started
        && let Some(cluster) = &server.cluster
    {
        cluster.stop().unwrap();
    }
}

#[tokio::test]
async fn a_fresh_database_is_fine_and_every_fault_is_named() {
    let Some((_lock, settings, server)) = server_apart() else { return };
    let admin = Sql::open(server.admin_url()).await;
    // What a run before left behind, where it is the whole server's.
    let everywhere = |fault: &str| ["ROLE", "PARAMETER", "GRANT eis_"].iter().any(|word| fault.contains(word));
    for (_, mend, _) in FAULTS.iter().filter(|(fault, ..)| everywhere(fault)) {
        let _ = admin.run(mend).await;
    }
    admin.must("DROP DATABASE IF EXISTS portal WITH (FORCE)").await;
    let connected = settings.connect_to("portal", false).unwrap();
    apart(connected.migrate_up()).unwrap();
    assert_eq!(faults(&connected).iter().map(|f| &f.message).collect::<Vec<_>>(), Vec::<&String>::new(), "fresh");
    let sql = Sql::open(connected.admin_url()).await;
    for (fault, mend, words) in FAULTS {
        sql.must(fault).await;
        let found = faults(&connected);
        sql.must(mend).await;
        assert!(named(&found, words), "{fault}: {found:?}");
    }
    assert_eq!(faults(&connected).iter().map(|f| &f.message).collect::<Vec<_>>(), Vec::<&String>::new(), "mended");
    apart(migrate::down(connected.admin_url(), 1)).unwrap();
    assert!(named(&faults(&connected), &["migrations", "pending"]), "a pending migration");
    apart(migrate::up(connected.admin_url())).unwrap();
    assert!(faults(&connected).is_empty());
    stop(&server);
}

/// `UPDATE_EXPECTED_STATE=1 cargo nextest run the_expected_state` writes the file after a change of the migrations;
/// what changed in it is part of the review.
#[tokio::test]
async fn the_expected_state_is_what_the_migrations_make() {
    let case = Case::migrated().await;
    let url = case.connected.admin_url().to_owned();
    let state = apart(async { check::state(&url).await }).unwrap();
    assert!(state.len() > 400, "{}", state.len());
    if std::env::var("UPDATE_EXPECTED_STATE").is_ok() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/operate/expected_state.txt");
        std::fs::write(file, state.join("\n") + "\n").unwrap();
        return;
    }
    let expected: Vec<&str> = eis::operate::expected::STATE.lines().collect();
    for line in &state {
        assert!(expected.contains(&line.as_str()), "not in expected_state.txt: {line}");
    }
    assert_eq!(state.len(), expected.len(), "expected_state.txt has lines that the migrations do not make");
}

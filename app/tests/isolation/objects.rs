//! Attacks 31–38: around the tables: views, partitions, new tables, rights, names.

use crate::DENIED;
use crate::support::database::Case;
use crate::support::world::Who;

const ME: Who = Who::Client(1, 1);

#[tokio::test]
async fn attack_31_a_view_of_the_owner_s() {
    let case = Case::world().await;
    let (app, owner, truth) = (case.app().await, case.owner().await, case.superuser().await);
    let open = "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE relkind = 'v' AND n.nspname IN ('public', 'private')
        AND NOT coalesce(reloptions @> '{security_invoker=true}', false)";
    assert!(truth.rows(open).await.unwrap().is_empty(), "every view runs as its reader");
    owner.must("CREATE VIEW sneaky AS SELECT * FROM customers; GRANT SELECT ON sneaky TO eis_app").await;
    assert_eq!(app.count("SELECT count(*) FROM sneaky").await, 0, "FORCE binds the owner too");
    assert_eq!(app.count_as(ME, "SELECT count(*) FROM sneaky").await, 2, "the positive control");
    assert_eq!(truth.rows(open).await.unwrap().len(), 1);
    assert_eq!(app.refused("CREATE VIEW mine AS SELECT * FROM customers").await, DENIED);
    assert_eq!(app.refused("CREATE TEMPORARY VIEW mine AS SELECT * FROM customers").await, DENIED);
}

#[tokio::test]
async fn attack_32_a_materialised_view() {
    let case = Case::world().await;
    let (app, owner) = (case.app().await, case.owner().await);
    assert_eq!(app.refused("CREATE MATERIALIZED VIEW mine AS SELECT * FROM customers").await, DENIED);
    owner.must("CREATE MATERIALIZED VIEW kept AS SELECT * FROM customers").await;
    assert_eq!(owner.count("SELECT count(*) FROM kept").await, 0, "made without a context it holds nothing");
    assert_eq!(app.refused("SELECT * FROM kept").await, DENIED, "and no login may read it");
    assert_eq!(app.refused("REFRESH MATERIALIZED VIEW kept").await, DENIED);
    assert_eq!(app.count_as(ME, "SELECT count(*) FROM customers").await, 2, "the positive control");
}

#[tokio::test]
async fn attack_33_a_partition_read_directly() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let parts = truth
        .rows("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'interval_days'::regclass")
        .await
        .unwrap();
    assert!(parts.len() >= 8);
    for part in parts.into_iter().flatten().flatten() {
        app.enter(ME).await;
        assert_eq!(app.refused(&format!("SELECT * FROM {part}")).await, DENIED, "{part}");
        app.leave().await;
        app.enter(ME).await;
        assert_eq!(app.refused(&format!("DELETE FROM {part}")).await, DENIED, "{part}");
        app.leave().await;
        let forced =
            format!("SELECT relrowsecurity AND relforcerowsecurity FROM pg_class WHERE oid = '{part}'::regclass");
        assert_eq!(truth.value(&forced).await, "t", "{part}");
    }
    assert!(app.count_as(ME, "SELECT count(*) FROM interval_days").await > 0, "the positive control");
    assert_eq!(app.count("SELECT count(*) FROM interval_days").await, 0);
}

#[tokio::test]
async fn attack_34_a_new_table_without_row_level_security() {
    let case = Case::world().await;
    let (app, owner) = (case.app().await, case.owner().await);
    owner.must("CREATE TABLE notes (organization_id uuid, text text); INSERT INTO notes VALUES (gen_random_uuid(), 'secret')").await;
    assert_eq!(app.refused("SELECT * FROM notes").await, DENIED, "no right comes by itself");
    let findings = eis::operate::check::run(case.connected.admin_url());
    let findings = crate::support::database::apart(findings).unwrap();
    assert!(findings.iter().any(|f| !f.ok && f.message.contains("notes")), "and `portal check` names it: {findings:?}");
    owner.must("CALL private.protect('public.notes', 'organization')").await;
    assert_eq!(app.count("SELECT count(*) FROM notes").await, 0, "protected, it hides");
    owner
        .must(&format!(
            "BEGIN; SELECT open_system_context('{o}'); INSERT INTO notes VALUES ('{o}', 'mine'); COMMIT",
            o = crate::support::world::organization(1)
        ))
        .await;
    assert_eq!(app.count_as(Who::Admin(1), "SELECT count(*) FROM notes").await, 1, "the positive control");
    assert_eq!(app.count_as(Who::Admin(2), "SELECT count(*) FROM notes").await, 0);
}

#[tokio::test]
async fn attack_35_rights_of_public_and_by_default() {
    let case = Case::world().await;
    let (app, owner, truth) = (case.app().await, case.owner().await, case.superuser().await);
    for (what, sql) in [
        (
            "tables",
            "SELECT c.oid::regclass FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a WHERE n.nspname IN ('public', 'private') AND a.grantee = 0",
        ),
        (
            "columns",
            "SELECT attrelid::regclass FROM pg_attribute t, aclexplode(t.attacl) a WHERE a.grantee = 0 AND attrelid > 16384",
        ),
        (
            "functions",
            "SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE n.nspname IN ('public', 'private') AND a.grantee = 0",
        ),
        (
            "schemas",
            "SELECT nspname FROM pg_namespace n, aclexplode(nspacl) a WHERE nspname IN ('public', 'private') AND a.grantee = 0",
        ),
        (
            "the database",
            "SELECT datname FROM pg_database d, aclexplode(coalesce(datacl, acldefault('d', datdba))) a WHERE datname = current_database() AND a.grantee = 0",
        ),
        (
            "defaults",
            "SELECT a.privilege_type FROM pg_default_acl d, aclexplode(d.defaclacl) a WHERE a.grantee = 0 OR a.grantee::regrole::text IN ('eis_app', 'eis_worker', 'eis_monitor')",
        ),
    ] {
        let open = truth.rows(sql).await.unwrap();
        assert!(open.is_empty(), "{what}: {open:?}");
    }
    owner.must("CREATE FUNCTION fresh() RETURNS integer LANGUAGE sql AS 'SELECT 1'; CREATE TABLE fresh_table (x integer); CREATE SEQUENCE fresh_sequence").await;
    for sql in [
        "SELECT fresh()",
        "SELECT * FROM fresh_table",
        "SELECT nextval('fresh_sequence')",
        "CREATE TABLE mine (x integer)",
        "CREATE TEMPORARY TABLE mine (x integer)",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION public.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "SELECT 1 FROM private.signing_keys",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
    ] {
        assert_eq!(app.refused(sql).await, DENIED, "{sql}");
    }
    owner.must("GRANT EXECUTE ON FUNCTION fresh TO eis_app").await;
    assert_eq!(app.value("SELECT fresh()").await, "1", "the positive control");
    // What each login may do, exactly: read and write by policy, nothing more.
    let odd = truth
        .rows(
            "SELECT c.relname, a.grantee::regrole, a.privilege_type FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) a
             WHERE n.nspname IN ('public', 'private') AND a.grantee::regrole::text IN ('eis_app', 'eis_worker', 'eis_monitor')
               AND (a.privilege_type NOT IN ('SELECT', 'INSERT', 'UPDATE', 'DELETE') OR a.is_grantable)",
        )
        .await
        .unwrap();
    assert!(odd.is_empty(), "{odd:?}");
}

#[tokio::test]
async fn attack_36_names_shadowed_by_search_path() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    app.enter(ME).await;
    for path in ["pg_temp", "pg_temp, pg_catalog, public", "private", "\"$user\""] {
        app.must(&format!("SET LOCAL search_path = {path}")).await;
        assert_eq!(app.count("SELECT count(*) FROM public.customers").await, 2, "{path}");
        assert_eq!(app.value("SELECT public.get_current_role()").await, "client_admin", "{path}");
    }
    app.leave().await;
    let loose = truth
        .rows(
            "SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
             WHERE n.nspname IN ('public', 'private') AND (p.prosecdef OR p.prorettype = 'trigger'::regtype) AND NOT coalesce(p.proconfig::text LIKE '%search_path=pg_catalog, pg_temp%', false)",
        )
        .await
        .unwrap();
    assert!(loose.is_empty(), "functions without a fixed search_path: {loose:?}");
}

#[tokio::test]
async fn attack_37_what_the_owner_of_the_gate_is_a_member_of() {
    let case = Case::migrated().await;
    let truth = case.superuser().await;
    let members = truth
        .rows("SELECT member::regrole || ' in ' || roleid::regrole FROM pg_auth_members WHERE member::regrole::text LIKE 'eis%' OR roleid::regrole::text LIKE 'eis%' ORDER BY 1")
        .await
        .unwrap();
    let members: Vec<String> =
        members.into_iter().flatten().flatten().filter(|m| !m.starts_with("postgres ")).collect();
    assert_eq!(members, ["eis_owner in eis_gate", "eis_owner in eis_probe", "eis_probe in eis_app"]);
    let others = truth
        .rows("SELECT p.proname || ' of ' || p.proowner::regrole FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE prosecdef AND n.nspname IN ('public', 'private') AND p.proowner <> 'eis_gate'::regrole ORDER BY 1")
        .await
        .unwrap();
    let others: Vec<String> = others.into_iter().flatten().flatten().collect();
    // The isolation test makes its tenants as their owner, and tries them with the rights of the portal's login.
    let proof = [
        "probe of eis_probe",
        "probe_context of eis_probe",
        "prove_isolation of eis_owner",
        "test_rls_isolation of eis_owner",
    ];
    assert_eq!(others, proof, "definer functions belong to the gate alone");
}

#[tokio::test]
async fn attack_38_a_policy_s_helper_called_directly() {
    let case = Case::world().await;
    let app = case.app().await;
    app.enter(Who::Customer(1, 1, 1)).await;
    assert_eq!(app.maybe("SELECT organization_scope()").await, None, "a customer has no such scope");
    assert_eq!(app.maybe("SELECT organization_scope(true)").await, None);
    assert_eq!(app.maybe("SELECT client_id FROM client_scope(true)").await, None);
    assert!(app.maybe("SELECT customer_id FROM customer_scope()").await.is_some(), "the positive control");
    app.leave().await;
    app.enter(Who::Staff(1)).await;
    assert!(app.maybe("SELECT organization_scope()").await.is_some());
    assert_eq!(app.maybe("SELECT organization_scope(true)").await, None, "staff read");
    app.leave().await;
}

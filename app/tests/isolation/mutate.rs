//! `make mutate`: every policy and every right is changed in turn on a clone (dropped, opened, shut, swapped with
//! another level's; granted where it is not, revoked where it is), and the suite must notice: by what the roles then
//! see and write, or else by `portal check`, which knows the expected state line by line.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;

use eis::operate::check;
use futures_util::FutureExt;

use crate::coverage::{faults, foreign_writes, own_writes};
use crate::support::database::{Case, apart};
use crate::support::sql::Sql;
use crate::support::world::Who;
use crate::tables::{Stand, TABLES};
use crate::{snapshots, writers};

/// One change and how it is taken back.
struct Mutation {
    kind: &'static str,
    table: String,
    change: String,
    back: String,
}

/// Whether what the roles see and write of a table shows that something is wrong. A query that fails where it should
/// not is noticed as well.
async fn shows(app: &Sql, truth: &Sql, table: &str) -> bool {
    let probe = async {
        for (who, at) in [
            (Who::Admin(1), None),
            (Who::Admin(1), Some((1, 1))),
            (Who::Client(1, 1), None),
            (Who::Customer(1, 1, 1), None),
            (Who::Staff(1), None),
        ] {
            if !faults(app, truth, Stand { who, at }, table).await.is_empty() {
                return true;
            }
        }
        !foreign_writes(app, truth, table).await.is_empty() || !own_writes(app, truth, table).await.is_empty()
    };
    let noticed = AssertUnwindSafe(probe).catch_unwind().await.unwrap_or(true);
    let _ = app.run("ROLLBACK").await;
    noticed
}

/// The policies of the portal's login, each dropped, opened, shut and swapped.
async fn policies(truth: &Sql) -> Vec<Mutation> {
    let rows = truth
        .rows(
            "SELECT policyname, schemaname || '.' || tablename, cmd, array_to_string(roles, ', '), qual, with_check
             FROM pg_policies WHERE roles @> '{eis_app}' AND tablename NOT LIKE '\\_\\_diesel%' ORDER BY 2, 1",
        )
        .await
        .unwrap();
    let mut all = Vec::new();
    for row in rows {
        let [Some(name), Some(table), Some(command), Some(roles), using, check] = <[_; 6]>::try_from(row).unwrap()
        else {
            panic!("a policy without a name");
        };
        let clause = |word: &str, expression: &Option<String>| {
            expression.as_ref().map(|text| format!(" {word} ({text})")).unwrap_or_default()
        };
        let was = format!("{}{}", clause("USING", &using), clause("WITH CHECK", &check));
        let made = format!("CREATE POLICY {name} ON {table} FOR {command} TO {roles}{was}");
        let with = |expression: &str| {
            let using = using.as_ref().map(|_| format!(" USING ({expression})")).unwrap_or_default();
            let check = check.as_ref().map(|_| format!(" WITH CHECK ({expression})")).unwrap_or_default();
            format!("ALTER POLICY {name} ON {table}{using}{check}")
        };
        let client = if table == "public.clients" { "id" } else { "client_id" };
        let wider = if name.starts_with("level3") {
            format!(
                "organization_id = (SELECT get_current_organization_id()) AND {client} = (SELECT get_current_client_id())"
            )
        } else if table == "public.organizations" {
            "id IS NOT NULL".to_owned()
        } else if name.starts_with("level") {
            "organization_id = (SELECT get_current_organization_id())".to_owned()
        } else {
            "(SELECT get_current_user_id()) IS NOT NULL".to_owned()
        };
        let back = format!("ALTER POLICY {name} ON {table}{was}");
        for (kind, change, back) in [
            ("policy dropped", format!("DROP POLICY {name} ON {table}"), made),
            ("policy opened", with("true"), back.clone()),
            ("policy shut", with("false"), back.clone()),
            ("policy of another level", with(&wider), back),
        ] {
            all.push(Mutation { kind, table: table.clone(), change, back });
        }
    }
    all
}

/// Rights on every table: granted where they are not, revoked where they are; and row security let go.
async fn rights(truth: &Sql) -> Vec<Mutation> {
    let mut all = Vec::new();
    for (table, _) in TABLES.iter().filter(|(table, _)| !table.contains("__diesel")) {
        // Taking a right on a table away takes it from the columns too.
        let columns = truth
            .value(&format!(
                "SELECT coalesce(string_agg(format('; GRANT %s (%I) ON {table} TO eis_app', x.privilege_type, a.attname), ''), '')
                 FROM pg_attribute a, aclexplode(a.attacl) x WHERE a.attrelid = '{table}'::regclass AND x.grantee = 'eis_app'::regrole"
            ))
            .await;
        let mut push = |kind, change: String, back: String| {
            all.push(Mutation { kind, table: (*table).to_owned(), change, back });
        };
        for right in ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"] {
            let has = truth.value(&format!("SELECT has_table_privilege('eis_app', '{table}', '{right}')")).await == "t";
            let (grant, revoke) = (
                format!("GRANT {right} ON {table} TO eis_app"),
                format!("REVOKE {right} ON {table} FROM eis_app{columns}"),
            );
            if has { push("right revoked", revoke, grant) } else { push("right granted", grant, revoke) }
        }
        push("PUBLIC", format!("GRANT SELECT ON {table} TO PUBLIC"), format!("REVOKE SELECT ON {table} FROM PUBLIC"));
        if truth.value(&format!("SELECT relkind = 'v' FROM pg_class WHERE oid = '{table}'::regclass")).await == "t" {
            continue;
        }
        let row_security = |word: &str| format!("ALTER TABLE {table} {word} ROW LEVEL SECURITY");
        push("row security off", row_security("DISABLE"), row_security("ENABLE"));
        push("row security not forced", row_security("NO FORCE"), row_security("FORCE"));
    }
    all
}

/// Rights on functions: opened to PUBLIC, and definer functions without their fixed search_path.
async fn functions(truth: &Sql) -> Vec<Mutation> {
    let rows = truth
        .rows("SELECT p.oid::regprocedure::text, p.prosecdef::text FROM pg_proc p WHERE p.pronamespace = 'public'::regnamespace ORDER BY 1")
        .await
        .unwrap();
    let mut all = Vec::new();
    for row in rows {
        let (name, definer) = (row[0].clone().unwrap(), row[1].as_deref() == Some("true"));
        let mut push = |kind, change: String, back: String| {
            all.push(Mutation { kind, table: String::new(), change, back });
        };
        push(
            "function for PUBLIC",
            format!("GRANT EXECUTE ON FUNCTION {name} TO PUBLIC"),
            format!("REVOKE EXECUTE ON FUNCTION {name} FROM PUBLIC"),
        );
        if definer {
            push(
                "search_path not fixed",
                format!("ALTER FUNCTION {name} RESET search_path"),
                format!("ALTER FUNCTION {name} SET search_path = pg_catalog, pg_temp"),
            );
        }
    }
    all
}

/// What `portal check` finds wrong.
fn told(url: &str) -> Vec<String> {
    let url = url.to_owned();
    let findings = apart(async move { check::run(&url).await }).unwrap();
    findings.into_iter().filter(|finding| !finding.ok).map(|finding| finding.message).collect()
}

#[tokio::test]
#[ignore = "minutes: make mutate"]
async fn every_changed_policy_and_right_is_caught() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let url = case.connected.admin_url().to_owned();
    let mut mutations = policies(&truth).await;
    mutations.extend(rights(&truth).await);
    mutations.extend(functions(&truth).await);
    assert!(mutations.len() > 500, "{}", mutations.len());
    // A query that fails under a mutation is one way to notice it; its panic need not be told.
    std::panic::set_hook(Box::new(|_| {}));
    let mut table: BTreeMap<&str, (u32, u32, u32)> = BTreeMap::new();
    let mut missed = Vec::new();
    for mutation in mutations {
        truth.must(&mutation.change).await;
        let shown = !mutation.table.is_empty() && shows(&app, &truth, &mutation.table).await;
        let found = !told(&url).is_empty();
        truth.must(&mutation.back).await;
        let left = told(&url);
        if !left.is_empty() {
            let _ = std::panic::take_hook();
            panic!("not taken back: {}: {left:?}", mutation.change);
        }
        let row = table.entry(mutation.kind).or_default();
        row.0 += 1;
        row.1 += u32::from(shown);
        row.2 += u32::from(found);
        if !shown && mutation.kind.starts_with("policy") {
            println!("only `portal check` tells: {}", mutation.change);
        }
        if !shown && !found {
            missed.push(mutation.change);
        }
    }
    let _ = std::panic::take_hook();
    println!("{:<26} {:>7} {:>12} {:>13}", "changed", "tried", "roles saw it", "check told it");
    for (kind, (tried, shown, found)) in table {
        println!("{kind:<26} {tried:>7} {shown:>12} {found:>13}");
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}");
}

/// A function's text, and the same with something in it replaced.
async fn replaced(truth: &Sql, function: &str, what: &str, by: &str) -> (String, String) {
    let was = truth.value(&format!("SELECT pg_get_functiondef('{function}'::regprocedure)")).await;
    assert!(was.contains(what), "{function} does not say {what}");
    (was.clone(), was.replace(what, by))
}

/// What definer functions ask before they write: taken out in the one place, and in each function that asks.
#[tokio::test]
#[ignore = "a minute: make mutate"]
async fn a_definer_function_that_no_longer_asks_for_a_writing_context_is_caught() {
    let case = Case::world().await;
    let (app, worker, truth) = (case.app().await, case.worker().await, case.superuser().await);
    assert!(writers::walk(&app, &truth).await.is_empty() && snapshots::walk(&app, &worker, &truth).await.is_empty());
    let askers = truth
        .rows("SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.prosrc LIKE '%:= private.writing\\_context()%' ORDER BY 1")
        .await
        .unwrap();
    let askers: Vec<String> = askers.into_iter().flatten().flatten().collect();
    assert_eq!(
        askers.len(),
        writers::WRITERS.iter().filter(|(_, by)| *by == writers::By::Context).count(),
        "{askers:?}"
    );
    let mut mutations = vec![replaced(&truth, "private.writing_context()", "IS DISTINCT FROM 'w'", "IS NULL").await];
    for asker in &askers {
        mutations.push(replaced(&truth, asker, "private.writing_context()", "private.context()").await);
    }
    for (was, mutated) in mutations {
        truth.must(&mutated).await;
        let seen = writers::walk(&app, &truth).await;
        truth.must(&was).await;
        let name = was.lines().next().unwrap_or_default().to_owned();
        println!("{:>3} calls got through: {name}", seen.len());
        assert!(!seen.is_empty(), "not caught: {name}");
    }
    let (was, mutated) = replaced(&truth, "private.fresh_snapshot()", "<> 'read committed'", "= 'never'").await;
    truth.must(&mutated).await;
    let seen = snapshots::walk(&app, &worker, &truth).await;
    truth.must(&was).await;
    println!("{:>3} calls got through: another isolation level", seen.len());
    use writers::By::{Job, Password, Service, Session};
    let doors = writers::WRITERS.iter().filter(|(_, by)| matches!(by, Session | Password | Job | Service));
    assert_eq!(seen.len(), doors.count() * 3, "{seen:#?}");
}

//! Every table × every role × own and foreign rows; and nothing that the suite does not know.

use std::collections::BTreeSet;

use crate::DENIED;
use crate::support::database::Case;
use crate::support::sql::{Refusal, Sql};
use crate::support::world::{Who, client, customer, organization};
use crate::tables::{Rule, Stand, TABLES, visible};

#[tokio::test]
async fn the_suite_knows_every_table() {
    let case = Case::migrated().await;
    let rows = case
        .superuser()
        .await
        .rows(
            "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'",
        )
        .await
        .unwrap();
    let there: BTreeSet<String> = rows.into_iter().flatten().flatten().collect();
    let known: BTreeSet<String> = TABLES.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, known, "left: in the database, right: in tables.rs");
}

/// Tables of the gate and of the machinery, which tell their when and who in their own columns.
const OF_THE_GATE: [&str; 15] = [
    "__diesel_schema_migrations",
    "applied_scripts",
    "audit_chains",
    "audit_log",
    "audit_seals",
    "expected_state",
    "isolation_runs",
    "ledger_entries",
    "ledger_lines",
    "password_resets",
    "sent_forms",
    "session_tickets",
    "sessions",
    "sign_ins",
    "step_ups",
];

#[tokio::test]
async fn every_table_says_when_and_by_whom() {
    let case = Case::migrated().await;
    let rows = case
        .superuser()
        .await
        .rows(
            "SELECT c.relname || ': ' || string_agg(wanted, ', ') FROM pg_class c
             CROSS JOIN unnest('{created_at,created_by,updated_at}'::text[]) wanted
             LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = wanted
             LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgname = 'touch_updated_at'
             WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
             AND (a.attname IS NULL OR (wanted = 'updated_at' AND t.oid IS NULL))
             GROUP BY c.relname ORDER BY c.relname",
        )
        .await
        .unwrap();
    let lacking: Vec<String> = rows.into_iter().flatten().flatten().collect();
    let faults: Vec<&String> =
        lacking.iter().filter(|line| !OF_THE_GATE.iter().any(|table| line.starts_with(&format!("{table}:")))).collect();
    assert!(faults.is_empty(), "columns or their trigger are missing: {faults:#?}");
}

/// What is wrong with what `stand` sees, one line for each table.
pub async fn faults(app: &Sql, truth: &Sql, stand: Stand, only: &str) -> Vec<String> {
    let mut faults = Vec::new();
    app.must(&format!("BEGIN READ ONLY; {}", stand.open())).await;
    for (table, rule) in TABLES.iter().filter(|(table, _)| table.ends_with(only)) {
        let Some(mine) = visible(*rule, stand) else {
            app.must("SAVEPOINT asked").await;
            match app.rows(&format!("SELECT count(*) FROM {table}")).await {
                Err(refusal) if refusal.code == DENIED => {}
                other => faults.push(format!("{stand:?} {table}: {other:?} instead of a refusal")),
            }
            app.must("ROLLBACK TO asked").await;
            continue;
        };
        let there = truth.count(&format!("SELECT count(*) FROM {table} WHERE {mine}")).await;
        let seen = app.count(&format!("SELECT count(*) FROM {table}")).await;
        let foreign = app.count(&format!("SELECT count(*) FROM {table} WHERE NOT coalesce({mine}, false)")).await;
        if seen != there || foreign != 0 {
            faults.push(format!("{stand:?} {table}: sees {seen} of {there}, {foreign} foreign"));
        }
        if mine != "false" && there == 0 && !matches!(rule, Rule::Program) {
            faults.push(format!("{stand:?} {table}: the world has no row of theirs, so this proves nothing"));
        }
    }
    app.must("ROLLBACK").await;
    faults
}

#[tokio::test]
async fn every_role_sees_exactly_its_own_rows_of_every_table() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let mut all = Vec::new();
    for stand in Stand::all() {
        all.extend(faults(&app, &truth, stand, "").await);
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[tokio::test]
async fn the_owner_sees_one_organization_at_a_time_and_none_without_a_context() {
    let case = Case::world().await;
    let owner = case.owner().await;
    for o in [0, 1, 2] {
        owner.must("BEGIN").await;
        if o > 0 {
            owner.must(&format!("SELECT open_system_context('{}')", organization(o))).await;
        }
        for (table, rule) in TABLES.iter().filter(|(_, rule)| matches!(rule, Rule::Tenant { .. })) {
            let own = format!(
                "SELECT count(*) FILTER (WHERE organization_id = '{0}') > 0, count(*) FILTER (WHERE organization_id <> '{0}') FROM {table}",
                organization(o)
            );
            let expected = [Some(if o > 0 { "t" } else { "f" }.to_owned()), Some("0".to_owned())];
            assert_eq!(owner.rows(&own).await.unwrap(), [expected], "{table} {rule:?} in {o}");
        }
        owner.leave().await;
    }
}

#[tokio::test]
async fn background_work_and_the_monitor_see_no_tenant_rows() {
    let case = Case::world().await;
    let open = Stand { who: Who::Admin(1), at: None }.open();
    for (login, sql) in [("worker", case.worker().await), ("monitor", case.monitor().await)] {
        assert_eq!(sql.refused(&open).await, DENIED, "{login}");
        let hers = [Rule::Monitor, Rule::Runs];
        for (table, rule) in TABLES.iter().filter(|(_, rule)| *rule != Rule::Program) {
            if login == "monitor" && hers.contains(rule) {
                sql.must(&format!("SELECT count(*) FROM {table}")).await;
                continue;
            }
            match sql.rows(&format!("SELECT count(*) FROM {table}")).await {
                Err(refusal) => assert_eq!(refusal.code, DENIED, "{login} {table}"),
                Ok(rows) => assert_eq!(rows, [[Some("0".to_owned())]], "{login} {table} {rule:?}"),
            }
        }
    }
    assert_eq!(
        case.worker().await.count("SELECT count(*) FROM __diesel_schema_migrations WHERE version <> ''").await,
        i64::try_from(eis::operate::migrate::names().unwrap().len()).unwrap()
    );
}

/// A place whose rows are not `who`'s.
fn foreign(who: Who) -> Vec<(u8, u8, u8)> {
    match who {
        Who::Staff(_) | Who::Admin(_) => vec![(2, 1, 1)],
        Who::Customer(..) => vec![(1, 1, 2), (1, 2, 1), (2, 1, 1)],
        _ => vec![(1, 2, 1), (2, 1, 1)],
    }
}

/// The condition of rows at a place, by the columns that the table has.
pub fn rows_at(table: &str, column: &str, (o, c, k): (u8, u8, u8)) -> String {
    let mut condition = format!("organization_id = '{}' AND {column} = '{}'", organization(o), client(o, c));
    match table {
        "public.customers" => condition += &format!(" AND id = '{}'", customer(o, c, k)),
        _ if matches!(rule_of(table), Rule::Tenant { customer: Some(own), .. } if own.contains("customer_id")) => {
            condition += &format!(" AND customer_id = '{}'", customer(o, c, k));
        }
        _ => {}
    }
    condition
}

fn rule_of(table: &str) -> Rule {
    TABLES.iter().find(|(name, _)| *name == table).map(|(_, rule)| *rule).unwrap()
}

/// Tries to put a copy of the first row that meets `condition` in, as `who`.
pub async fn insert_copy(app: &Sql, truth: &Sql, who: Who, table: &str, condition: &str) -> Result<u64, Refusal> {
    let row = truth
        .value(&format!(
            "SELECT to_jsonb(t) || jsonb_build_object('user_id', '{}') FROM {table} t WHERE {condition} LIMIT 1",
            who.user()
        ))
        .await
        .replace('\'', "''");
    // What the database works out by itself is not written.
    let columns = truth
        .value(&format!(
            "SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
             WHERE a.attrelid = '{table}'::regclass AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''"
        ))
        .await;
    let sql =
        format!("INSERT INTO {table} ({columns}) SELECT {columns} FROM jsonb_populate_record(NULL::{table}, '{row}')");
    app.as_who(who, &sql).await
}

pub fn untouched(result: &Result<u64, Refusal>) -> bool {
    match result {
        Ok(count) => *count == 0,
        Err(refusal) => refusal.code == DENIED,
    }
}

#[tokio::test]
async fn no_role_writes_a_foreign_row_of_any_table() {
    let case = Case::world().await;
    let faults = foreign_writes(&case.app().await, &case.superuser().await, "").await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Writing without a condition, which no policy for reading narrows: more rows than one sees, or a trigger's word that
/// a row passed the policies of one who does not write; one line each.
async fn blind_writes(app: &Sql, truth: &Sql, who: Who, table: &str) -> Vec<String> {
    let seen = app.count_as(who, &format!("SELECT count(*) FROM {table}")).await;
    let column = truth
        .value(&format!("SELECT coalesce(max(attname), '') FROM pg_attribute WHERE attrelid = '{table}'::regclass AND attname IN ('created_at', 'updated_at')"))
        .await;
    let reads = matches!(who, Who::Staff(_) | Who::Customer(..));
    let mut faults = Vec::new();
    for sql in [format!("UPDATE {table} SET {column} = now()"), format!("DELETE FROM {table}")] {
        if sql.contains(" SET  =") {
            continue;
        }
        let wrong = match app.as_who(who, &sql).await {
            Ok(touched) => i64::try_from(touched).unwrap() > if reads { 0 } else { seen },
            Err(refusal) => reads && refusal.code != DENIED,
        };
        if wrong {
            faults.push(format!("{who:?} {sql}: it reaches rows of others; seen are {seen}"));
        }
    }
    faults
}

/// Foreign rows of the tables whose name ends so that somebody could write, one line each.
pub async fn foreign_writes(app: &Sql, truth: &Sql, only: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for who in Who::ROLES {
        for (table, rule) in TABLES.iter().filter(|(table, _)| table.ends_with(only)) {
            let Rule::Tenant { client: column, open, .. } = rule else { continue };
            faults.extend(blind_writes(app, truth, who, table).await);
            for place in foreign(who) {
                let theirs = rows_at(table, column, place);
                if truth.count(&format!("SELECT count(*) FROM {table} WHERE {theirs} AND {open}")).await == 0 {
                    faults.push(format!("{table} has no row at {place:?}: this proves nothing"));
                    continue;
                }
                let update = app
                    .as_who(
                        who,
                        &format!("UPDATE {table} SET organization_id = organization_id WHERE {theirs} AND {open}"),
                    )
                    .await;
                let delete = app.as_who(who, &format!("DELETE FROM {table} WHERE {theirs} AND {open}")).await;
                let insert = insert_copy(app, truth, who, table, &theirs).await;
                let moved = app
                    .as_who(
                        who,
                        &format!(
                            "UPDATE {table} SET organization_id = '{}', {column} = '{}' WHERE {open}",
                            organization(place.0),
                            client(place.0, place.1)
                        ),
                    )
                    .await;
                for (what, result) in [("UPDATE", &update), ("DELETE", &delete), ("moving UPDATE", &moved)] {
                    if !untouched(result) {
                        faults.push(format!("{who:?} {what} {table} at {place:?}: {result:?}"));
                    }
                }
                if !matches!(&insert, Err(refusal) if refusal.code == DENIED) {
                    faults.push(format!("{who:?} INSERT {table} at {place:?}: {insert:?}"));
                }
            }
        }
    }
    faults
}

#[tokio::test]
async fn admins_write_their_own_rows_and_the_others_none() {
    let case = Case::world().await;
    let faults = own_writes(&case.app().await, &case.superuser().await, "").await;
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Own rows of the tables whose name ends so that somebody writes or does not write against the rules, one line each.
pub async fn own_writes(app: &Sql, truth: &Sql, only: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for who in Who::ROLES {
        for (table, rule) in TABLES.iter().filter(|(table, _)| table.ends_with(only)) {
            let Rule::Tenant { client: column, open, writes, person, .. } = rule else { continue };
            let mut mine = rows_at(table, column, (1, 1, 1));
            if matches!(who, Who::Admin(_) | Who::Client(..)) {
                mine += &format!(" AND {}", person.condition(who, true));
            }
            let insert = insert_copy(app, truth, who, table, &mine).await;
            // A copy of one's own row fails on its key, after the policies let it pass.
            let inserted = matches!(&insert, Ok(1)) || matches!(&insert, Err(refusal) if refusal.code == "23505");
            let update = app
                .as_who(who, &format!("UPDATE {table} SET organization_id = organization_id WHERE {mine} AND {open}"))
                .await;
            let delete = app.as_who(who, &format!("DELETE FROM {table} WHERE {mine} AND {open}")).await;
            // Something may hang on the row: then the policies let it pass, and a foreign key did not.
            let deleted = matches!(&delete, Ok(1..)) || matches!(&delete, Err(refusal) if refusal.code == "23503");
            for (what, done) in [("INSERT", inserted), ("UPDATE", matches!(update, Ok(1..))), ("DELETE", deleted)] {
                let mut may = matches!(who, Who::Admin(_) | Who::Client(..)) && writes.contains(&what);
                // A client admin does not make clients.
                may &= !(*table == "public.clients" && what == "INSERT" && matches!(who, Who::Client(..)));
                if done != may {
                    faults.push(format!(
                        "{who:?} {what} {table}: {done} instead of {may}; {insert:?} {update:?} {delete:?}"
                    ));
                }
            }
        }
    }
    faults
}

/// Definer functions, and where each is attacked.
const DEFINERS: &[(&str, &str)] = &[
    ("accept_invitation", "attack_54"),
    ("answer_form", "once"),
    ("audit_chain_faults", "audit"),
    ("audit_log_is_sealed", "audit"),
    ("audit_log_tells_the_truth", "audit"),
    ("begin_system_work", "system"),
    ("begin_second_factor", "attack_65"),
    ("change_password", "sessions"),
    ("claim_job", "jobs"),
    ("client_scope", "attack_05"),
    ("confirm_second_factor", "attack_65"),
    ("create_service_identity", "services"),
    ("customer_scope", "attack_05"),
    ("end_assignment", "attack_54"),
    ("end_second_factor", "attack_65"),
    ("end_my_sessions", "session_limits"),
    ("end_service_identity", "services"),
    ("end_user_sessions", "session_limits"),
    ("enter_my_attempt", "attack_30"),
    ("enter_service", "services"),
    ("finish_job", "jobs"),
    ("get_current_client_id", "attack_05"),
    ("get_current_customer_id", "attack_05"),
    ("get_current_organization_id", "attack_05"),
    ("get_current_role", "attack_05"),
    ("get_current_user_id", "attack_05"),
    ("invitation_by_token", "attack_54"),
    ("invite", "attack_54"),
    ("is_organization_admin", "attack_05"),
    ("keep_job", "jobs"),
    ("ledger_books_allocations", "ledger"),
    ("ledger_books_invoices", "ledger"),
    ("ledger_books_payments", "ledger"),
    ("ledger_entry_balances", "ledger"),
    ("ledger_lines_come_together", "ledger"),
    ("make_password_reset", "password_resets"),
    ("maker_owns_workspace", "workspaces"),
    ("member_scope", "workspaces"),
    ("my_assignments", "attack_30"),
    ("my_audit_chain", "audit"),
    ("my_audit_links", "audit"),
    ("my_second_factor", "attack_65"),
    ("my_sessions", "attack_30"),
    ("narrow_assignment", "narrowed"),
    ("new_recovery_codes", "attack_74"),
    ("open_context", "attack_05"),
    ("open_job_context", "jobs"),
    ("open_operator_work", "system"),
    ("open_service_context", "services"),
    ("open_system_context", "attack_04"),
    ("open_system_work", "system"),
    ("organization_scope", "attack_05"),
    ("organization_users", "attack_30"),
    ("overseer_scope", "workspaces"),
    ("password_reset_by_token", "password_resets"),
    ("probe", "proof"),
    ("probe_context", "proof"),
    ("prove_isolation", "proof"),
    ("put_down_job", "jobs"),
    ("queue_job", "jobs"),
    ("record_isolation_run", "report"),
    ("replace_service_secret", "services"),
    ("reset_password", "password_resets"),
    ("revoke_assignment", "attack_30"),
    ("revoke_invitation", "attack_30"),
    ("roles_keep_their_day", "role_ends"),
    ("sample_11_gate", "proof"),
    ("sample_12_second_factor", "proof"),
    ("sample_13_services", "proof"),
    ("sample_60_system_work", "proof"),
    ("sample_person", "proof"),
    ("second_factor", "attack_65"),
    ("see_notices", "attack_68"),
    ("send_customer_request", "requests"),
    ("send_form", "once"),
    ("session_create", "attack_58"),
    ("session_delete", "attack_59"),
    ("session_load", "attack_58"),
    ("session_save", "attack_59"),
    ("session_touch", "attack_59"),
    ("session_ends_viewing", "view_as"),
    ("sign_in", "sessions"),
    ("sign_in_salt", "sessions"),
    ("signing_key_made_at", "report"),
    ("staff_organizations", "attack_30"),
    ("step_down", "step_up"),
    ("step_up", "step_up"),
    ("stop_viewing", "view_as"),
    ("sweep_sessions", "attack_71"),
    ("switch_context", "attack_53"),
    ("take_second_factor", "factor_lost"),
    ("test_rls_isolation", "proof"),
    ("view_as", "view_as"),
    ("withdraw_customer_request", "requests"),
];

#[tokio::test]
async fn the_suite_knows_every_definer_function() {
    let case = Case::migrated().await;
    let rows = case
        .superuser()
        .await
        .rows("SELECT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.prosecdef AND n.nspname NOT IN ('pg_catalog', 'information_schema')")
        .await
        .unwrap();
    let there: BTreeSet<String> = rows.into_iter().flatten().flatten().collect();
    let known: BTreeSet<String> = DEFINERS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(there, known, "left: in the database, right: in coverage.rs");
    let suite = [
        include_str!("anonymous.rs"),
        include_str!("audit.rs"),
        include_str!("context.rs"),
        include_str!("factor_lost.rs"),
        include_str!("writers.rs"),
        include_str!("writes.rs"),
        include_str!("jobs.rs"),
        include_str!("ledger.rs"),
        include_str!("narrowed.rs"),
        include_str!("once.rs"),
        include_str!("password_resets.rs"),
        include_str!("proof.rs"),
        include_str!("report.rs"),
        include_str!("requests.rs"),
        include_str!("role_ends.rs"),
        include_str!("roles.rs"),
        include_str!("second_factor.rs"),
        include_str!("services.rs"),
        include_str!("session_limits.rs"),
        include_str!("sessions.rs"),
        include_str!("step_up.rs"),
        include_str!("system.rs"),
        include_str!("view_as.rs"),
        include_str!("workspaces.rs"),
        include_str!("../support/database.rs"),
    ]
    .concat();
    for (name, place) in DEFINERS {
        let called = suite.contains(&format!("{name}(")) || suite.contains(&format!("\"{name}\""));
        assert!(called, "{name} is called nowhere in the suite ({place})");
    }
}

/// Reads weaker than they should be, one policy after the other, and each must be noticed.
#[tokio::test]
async fn a_weakened_policy_is_caught_whichever_it_is() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let policies = truth
        .rows(
            "SELECT polname, polrelid::regclass FROM pg_policy
             WHERE polcmd = 'r' AND polrelid <> '__diesel_schema_migrations'::regclass
               AND 'eis_app'::regrole = ANY (polroles) ORDER BY 2, 1",
        )
        .await
        .unwrap();
    assert!(policies.len() > 40, "{}", policies.len());
    let mut missed = Vec::new();
    for policy in policies {
        let (name, table) = (policy[0].clone().unwrap(), policy[1].clone().unwrap());
        let was = truth
            .value(&format!("SELECT pg_get_expr(polqual, polrelid) FROM pg_policy WHERE polname = '{name}' AND polrelid = '{table}'::regclass"))
            .await;
        for weak in ["true", "organization_id IS NOT NULL", "false"] {
            let weak = if ["organizations", "sign_ins", "isolation_runs"].iter().any(|name| table.ends_with(name)) {
                weak.replace("organization_id", "id")
            } else {
                weak.to_owned()
            };
            truth.must(&format!("ALTER POLICY {name} ON {table} USING ({weak})")).await;
            let mut caught = false;
            for (who, at) in [
                (Who::Admin(1), None),
                (Who::Admin(1), Some((1, 1))),
                (Who::Client(1, 1), None),
                (Who::Customer(1, 1, 1), None),
            ] {
                caught |= !faults(&app, &truth, Stand { who, at }, &format!(".{table}")).await.is_empty();
            }
            if !caught {
                missed.push(format!("{table}.{name} USING ({weak})"));
            }
        }
        truth.must(&format!("ALTER POLICY {name} ON {table} USING ({was})")).await;
    }
    assert!(missed.is_empty(), "not caught: {missed:#?}");
    assert!(faults(&app, &truth, Stand { who: Who::Admin(1), at: None }, "").await.is_empty(), "the policies are back");
}

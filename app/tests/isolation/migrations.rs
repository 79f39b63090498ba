//! Attack 41: policies that drift over migrate, back, migrate. And diesel's schema against the database.

use std::collections::{BTreeMap, BTreeSet};

use eis::db::migrate;

use crate::support::database::{Case, apart};
use crate::support::sql::Sql;

/// Everything that a migration makes, one line each.
const CATALOGUE: &str = r"
WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\_%' AND nspname <> 'information_schema')
SELECT line FROM (
    SELECT format('schema %s %s %s', n.nspname, n.nspowner::regrole,
        (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM aclexplode(n.nspacl) a)) FROM pg_namespace n JOIN ours USING (oid)
    UNION ALL
    SELECT format('%s %s.%s owner %s rls %s force %s options %s bound %s acl %s comment %s', c.relkind, o.nspname, c.relname, c.relowner::regrole,
        c.relrowsecurity, c.relforcerowsecurity, c.reloptions, pg_get_expr(c.relpartbound, c.oid),
        (SELECT string_agg(format('%s %s %s', a.grantee::regrole, a.privilege_type, a.is_grantable), ', ' ORDER BY a::text) FROM aclexplode(c.relacl) a),
        obj_description(c.oid, 'pg_class'))
    FROM pg_class c JOIN ours o ON o.oid = c.relnamespace WHERE c.relkind <> 'i'
    UNION ALL
    SELECT format('column %s.%s %s %s null %s default %s identity %s generated %s acl %s comment %s', a.attrelid::regclass, a.attname, a.attnum,
        format_type(a.atttypid, a.atttypmod), NOT a.attnotnull, pg_get_expr(d.adbin, d.adrelid), a.attidentity, a.attgenerated,
        (SELECT string_agg(format('%s %s', x.grantee::regrole, x.privilege_type), ', ' ORDER BY x::text) FROM aclexplode(a.attacl) x),
        col_description(a.attrelid, a.attnum))
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN ours o ON o.oid = c.relnamespace
    LEFT JOIN pg_attrdef d ON (d.adrelid, d.adnum) = (a.attrelid, a.attnum)
    WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind <> 'i'
    UNION ALL
    SELECT format('constraint %s %s %s valid %s', conrelid::regclass, conname, pg_get_constraintdef(k.oid), convalidated)
    FROM pg_constraint k JOIN ours o ON o.oid = k.connamespace
    UNION ALL
    SELECT format('index %s', pg_get_indexdef(indexrelid)) FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN ours o ON o.oid = c.relnamespace
    UNION ALL
    SELECT format('policy %s %s %s permissive %s to %s using %s check %s', polrelid::regclass, polname, polcmd, polpermissive,
        (SELECT string_agg(r::regrole::text, ', ' ORDER BY r::regrole::text) FROM unnest(polroles) r),
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) FROM pg_policy
    UNION ALL
    SELECT format('function %s owner %s acl %s comment %s as %s', p.oid::regprocedure, p.proowner::regrole,
        (SELECT string_agg(format('%s %s', a.grantee::regrole, a.privilege_type), ', ' ORDER BY a::text) FROM aclexplode(p.proacl) a),
        obj_description(p.oid, 'pg_proc'), pg_get_functiondef(p.oid)) FROM pg_proc p JOIN ours o ON o.oid = p.pronamespace
    UNION ALL
    SELECT format('trigger %s enabled %s', pg_get_triggerdef(t.oid), tgenabled) FROM pg_trigger t WHERE NOT tgisinternal
    UNION ALL
    SELECT format('default %s %s %s', defaclrole::regrole, defaclobjtype, (SELECT string_agg(a::text, ' ' ORDER BY a::text) FROM aclexplode(defaclacl) a)) FROM pg_default_acl
) AS all_lines (line) ORDER BY line COLLATE \x22C\x22";

pub async fn catalogue(truth: &Sql) -> BTreeSet<String> {
    let rows = truth.rows(&CATALOGUE.replace("\\x22", "\"")).await.unwrap();
    rows.into_iter().flatten().flatten().collect()
}

pub fn difference(before: &BTreeSet<String>, after: &BTreeSet<String>) -> String {
    let gone = before.difference(after).map(|line| format!("- {line}\n"));
    let new = after.difference(before).map(|line| format!("+ {line}\n"));
    gone.chain(new).collect()
}

#[tokio::test]
async fn attack_41_down_and_up_again_leaves_the_same_schema_and_policies() {
    let case = Case::migrated().await;
    let truth = case.superuser().await;
    let before = catalogue(&truth).await;
    assert!(
        before.len() > 600 && before.iter().filter(|line| line.starts_with("policy")).count() > 100,
        "{}",
        before.len()
    );
    let all = migrate::names().unwrap().len();
    for steps in (1..=all).chain([usize::MAX]) {
        let url = case.connected.admin_url();
        let down = apart(migrate::down(url, steps)).unwrap();
        assert_eq!(down.len(), steps.min(all));
        if steps >= all {
            let left: Vec<String> = catalogue(&truth)
                .await
                .into_iter()
                .filter(|line| !line.contains("__diesel_schema_migrations"))
                .collect();
            assert_eq!(left.len(), 1, "only the schema public is left: {left:#?}");
        }
        assert_eq!(apart(migrate::up(url)).unwrap().len(), down.len());
        let after = catalogue(&truth).await;
        assert!(before == after, "{steps} steps:\n{}", difference(&before, &after));
    }
}

#[tokio::test]
async fn a_world_goes_down_and_up_too() {
    let case = Case::world().await;
    let url = case.connected.admin_url();
    apart(migrate::down(url, usize::MAX)).unwrap();
    apart(migrate::up(url)).unwrap();
    assert_eq!(case.superuser().await.count("SELECT count(*) FROM organizations").await, 0);
}

/// The tables of `schema.rs`: name → column → (type, nullable).
fn diesel_tables() -> BTreeMap<String, BTreeMap<String, (String, bool)>> {
    let mut tables = BTreeMap::new();
    for block in include_str!("../../../src/db/schema.rs").split("table! {").skip(1) {
        let mut columns = BTreeMap::new();
        let mut name = String::new();
        for line in block.lines().map(str::trim).take_while(|line| *line != "allow_tables_to_appear_in_same_query!(") {
            if let Some((column, kind)) = line.split_once(" -> ") {
                let kind = kind.trim_end_matches(',');
                let inner = kind.strip_prefix("Nullable<").and_then(|k| k.strip_suffix('>'));
                // `column_` stands for a name that Rust or SQL keeps for itself.
                columns.insert(
                    column.trim_end_matches('_').to_owned(),
                    (inner.unwrap_or(kind).to_owned(), inner.is_some()),
                );
            } else if line.ends_with(") {") {
                name = line.split(" (").next().unwrap().to_owned();
            }
        }
        tables.insert(name, columns);
    }
    tables
}

/// Readable, and read with plain SQL only.
const WITHOUT_DIESEL: [&str; 13] = [
    "__diesel_schema_migrations",
    "document_chunks",
    "invitations",
    "isolation_runs",
    "jobs",
    "price_points",
    "role_assignments",
    "role_notices",
    "service_identities",
    "step_ups",
    "system_work",
    "what_if_results",
    "what_ifs",
];

#[tokio::test]
async fn diesel_s_schema_is_what_the_portal_s_login_may_read() {
    let case = Case::migrated().await;
    let rows = case
        .superuser()
        .await
        .rows(
            "SELECT c.table_name, c.column_name, c.udt_name, c.is_nullable = 'YES' FROM information_schema.columns c
             WHERE c.table_schema = 'public' AND has_column_privilege('eis_app', format('public.%I', c.table_name), c.column_name, 'SELECT')",
        )
        .await
        .unwrap();
    let mut there: BTreeMap<String, BTreeMap<String, (String, bool)>> = BTreeMap::new();
    for row in rows {
        let row: Vec<String> = row.into_iter().flatten().collect();
        let [table, column, kind, nullable] = row.try_into().expect("four columns");
        let kind = match kind.as_str() {
            "uuid" => "Uuid",
            "text" | "varchar" => "Text",
            "timestamptz" => "Timestamptz",
            "date" => "Date",
            "numeric" => "Numeric",
            "int2" => "SmallInt",
            "int4" => "Integer",
            "int8" => "BigInt",
            "bool" => "Bool",
            "bytea" => "Binary",
            "jsonb" => "Jsonb",
            "_int4" => "Array<Nullable<Integer>>",
            "_int2" => "Array<Nullable<SmallInt>>",
            "_text" => "Array<Text>",
            "_numeric" => "Array<Nullable<Numeric>>",
            "_uuid" => "Array<Nullable<Uuid>>",
            other => other,
        };
        if !WITHOUT_DIESEL.contains(&table.as_str()) {
            there.entry(table).or_default().insert(column, (kind.to_owned(), nullable == "t"));
        }
    }
    let diesel = diesel_tables();
    assert_eq!(diesel.keys().collect::<Vec<_>>(), there.keys().collect::<Vec<_>>());
    for (table, columns) in diesel {
        assert_eq!(columns, there[&table], "left: schema.rs, right: the database, {table}");
    }
}

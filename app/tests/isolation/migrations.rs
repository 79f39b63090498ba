//! Attack 41: policies that drift over migrate, back, migrate.

use std::collections::BTreeSet;

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

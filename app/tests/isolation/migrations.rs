//! Attack 41: policies that drift over migrate, back, migrate.

use std::collections::BTreeSet;

use eis::operate::scripts::{Script, Scripts};
use eis::operate::{check, migrate};

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

/// The program of the release after this one, as far as its scripts go: it changes a body, arguments and what a function
/// returns, adds functions and a view, in scripts there are and in new ones, and has no longer what another script made.
fn newer() -> Scripts {
    let mut newer = Scripts::ours();
    let edit = |scripts: &mut Vec<Script>, name: &str, edits: &[(&str, &str)]| {
        let script = scripts.iter_mut().find(|script| script.name == name).unwrap();
        for (old, new) in edits {
            assert!(script.text.contains(old), "{name}: {old}");
            script.text = script.text.replace(old, new).into();
        }
    };
    let scope = "RETURNS uuid LANGUAGE sql STABLE AS $$ SELECT public.organization_scope() $$;";
    edit(
        &mut newer.before,
        "before/05_customer_reads",
        &[("array_agg(DISTINCT a.tariff_code)", "array_agg(a.tariff_code)")],
    );
    edit(
        &mut newer.before,
        "before/04_protect",
        &[(
            "REVOKE ALL ON FUNCTION",
            &format!("CREATE OR REPLACE FUNCTION public.newer_scope() {scope}\nREVOKE ALL ON FUNCTION"),
        )],
    );
    edit(&mut newer.after, "after/22_gate_forms", &[("interval '7 days'", "interval '8 days'")]);
    edit(
        &mut newer.after,
        "after/19_gate_staff",
        &[
            (
                "public.step_down(secret bytea, address text) RETURNS boolean",
                "public.step_down(secret bytea, place text, again text) RETURNS text",
            ),
            ("left(step_down.address, 64)", "left(step_down.place, 64)"),
            (
                "SET LOCAL ROLE eis_gate;",
                "SET LOCAL ROLE eis_gate;\nCREATE OR REPLACE FUNCTION public.newer_door() RETURNS void LANGUAGE sql AS $$ $$;",
            ),
        ],
    );
    newer.after.retain(|script| script.name != "after/21_gate_audit");
    newer.before.push(Script {
        name: "before/06_newer".into(),
        text: format!("CREATE OR REPLACE FUNCTION private.newer_reads(a text, b text) {scope}").into(),
    });
    newer.after.push(Script {
        name: "after/50_newer".into(),
        text: "CREATE OR REPLACE VIEW public.newer_view AS SELECT * FROM public.isolation_drift;\n\
               CREATE OR REPLACE VIEW public.newest_view AS SELECT * FROM public.newer_view;\n\
               CREATE OR REPLACE PROCEDURE private.newer(a public.sessions) LANGUAGE plpgsql AS $$ BEGIN END $$;"
            .into(),
    });
    newer
}

/// What [`newer`] changes, in this program's words.
const DIFFERENT: [&str; 8] = [
    "before/04_protect",
    "before/05_customer_reads",
    "after/19_gate_staff",
    "after/21_gate_audit",
    "after/22_gate_forms",
    "after/40_views",
    "after/50_newer (another program's)",
    "before/06_newer (another program's)",
];

async fn pending(url: &str) -> Vec<String> {
    let states = apart(migrate::status(url)).unwrap();
    states.into_iter().filter(|state| !state.applied).map(|state| state.name).collect()
}

#[tokio::test]
async fn attack_41_an_older_program_s_scripts_bring_its_state_back() {
    let case = Case::world().await;
    let (truth, url) = (case.superuser().await, case.connected.admin_url());
    let before = catalogue(&truth).await;
    assert_eq!(pending(url).await, Vec::<String>::new());
    for steps in [0, 1, 12, usize::MAX] {
        let mut newer = newer();
        // A view that another one hangs on is changed as well.
        let views = newer.after.iter_mut().find(|script| script.name == "after/40_views").unwrap();
        views.text = views.text.replace("SELECT 'missing' AS fault", "SELECT 'gone' AS fault").into();
        let done = apart(migrate::apply(url, &newer)).unwrap();
        assert_eq!(done.migrations, Vec::<String>::new());
        assert_eq!(pending(url).await, DIFFERENT, "what is not applied as it is here");
        assert!(
            apart(check::run(url))
                .unwrap()
                .iter()
                .any(|f| !f.ok && f.message.contains("after/22_gate_forms is pending"))
        );
        let between = catalogue(&truth).await;
        for new in
            ["newer_scope", "newer_reads", "newer_door", "newest_view", "private.newer(", "step_down(bytea,text,text)"]
        {
            assert!(between.iter().any(|line| line.contains(new)), "the positive control: {new}");
        }
        assert!(!between.iter().any(|line| line.starts_with("function my_audit_chain(")), "the positive control");
        let down = apart(migrate::down(url, steps)).unwrap();
        if steps == usize::MAX {
            let left = catalogue(&truth).await;
            assert_eq!(left.iter().filter(|line| !line.contains("__diesel_schema_migrations")).count(), 1, "{left:#?}");
        }
        assert_eq!(apart(migrate::up(url)).unwrap().len(), down.len());
        let after = catalogue(&truth).await;
        assert!(before == after, "{steps} steps down:\n{}", difference(&before, &after));
        let faults: Vec<_> = apart(check::run(url)).unwrap().into_iter().filter(|finding| !finding.ok).collect();
        assert!(faults.is_empty(), "{steps}: {faults:?}");
        let again = apart(migrate::apply(url, &Scripts::ours())).unwrap();
        assert_eq!(again, migrate::Applied::default(), "nothing is left to do");
    }
}

#[tokio::test]
async fn a_script_that_fails_leaves_everything_as_it_was() {
    let case = Case::migrated().await;
    let (truth, url) = (case.superuser().await, case.connected.admin_url());
    let before = catalogue(&truth).await;
    let mut broken = newer();
    broken.before.clone_from(&Scripts::ours().before);
    broken.after.push(Script { name: "after/60_broken".into(), text: "CREATE OR REPLACE FUNCTION nonsense".into() });
    apart(migrate::apply(url, &broken)).unwrap_err();
    let after = catalogue(&truth).await;
    assert!(before == after, "{}", difference(&before, &after));
    assert_eq!(pending(url).await, Vec::<String>::new());
}

//! What `portal check` looks at: server version, roles, RLS on every table, migrations, rights.

mod finding;
mod walk;

use std::collections::BTreeSet;

use diesel::sql_types::{Array, Bool, Integer, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::cluster::TEMP_FILE_LIMIT;
use super::{closed, expected, migrate, own, proof};
use crate::db::{DbError, link};
pub use finding::Finding;
pub(crate) use walk::Walk;

#[derive(QueryableByName)]
struct Named {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(QueryableByName)]
struct Login {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    privileged: bool,
    #[diesel(sql_type = Array<Text>)]
    member_of: Vec<String>,
    #[diesel(sql_type = Bool)]
    can_login: bool,
}

#[derive(QueryableByName)]
struct Version {
    #[diesel(sql_type = Integer)]
    number: i32,
}

/// The minor release of each major version from which on every known RLS fix is in.
const MINORS: [(i32, i32); 4] = [(15, 18), (16, 14), (17, 10), (18, 4)];

/// Every role of the portal, and what it is a member of.
const ROLES: &[(&str, &[&str])] = &[
    ("eis_app", &[]),
    ("eis_gate", &[]),
    ("eis_monitor", &[]),
    ("eis_owner", &["eis_gate", "eis_probe"]),
    ("eis_probe", &["eis_app"]),
    ("eis_worker", &[]),
];

struct Checker<'a> {
    connection: &'a mut AsyncPgConnection,
    findings: Vec<Finding>,
}

impl Checker<'_> {
    fn note(&mut self, check: &'static str, faults: Vec<String>, fine: &str) {
        if faults.is_empty() {
            self.findings.push(Finding::fine(check, fine.to_owned()));
        }
        self.findings.extend(faults.into_iter().map(|message| Finding::fault(check, message)));
    }

    async fn names(&mut self, sql: &str) -> Result<Vec<String>, DbError> {
        let rows: Vec<Named> = sql_query(sql).load(&mut *self.connection).await?;
        Ok(rows.into_iter().map(|row| row.name).collect())
    }

    async fn state(&mut self) -> Result<Vec<String>, DbError> {
        self.names(&format!("SELECT line AS name FROM ({}) state", state_query())).await
    }

    /// Whatever stands otherwise than the migrations left it, named line by line.
    async fn drift(&mut self) -> Result<(), DbError> {
        let there = self.state().await?;
        let (missing, unexpected) = drift(&there);
        let mut faults: Vec<String> =
            missing.iter().map(|line| format!("Missing: {line}. {}", missing_remedy(line))).collect();
        faults.extend(unexpected.iter().map(|line| format!("Not made by the migrations: {line}. {}", remedy(line))));
        self.note(
            "drift",
            faults,
            &format!("{} policies, rights, functions and triggers stand as the migrations left them", there.len()),
        );
        Ok(())
    }

    async fn version(&mut self) -> Result<(), DbError> {
        let version: Version = sql_query("SELECT current_setting('server_version_num')::integer AS number")
            .get_result(&mut *self.connection)
            .await?;
        let (faults, fine) = of_version(version.number);
        self.note("version", faults, &fine);
        Ok(())
    }

    /// A query that sorts or joins more than fits into memory writes files.
    async fn files(&mut self) -> Result<(), DbError> {
        const CHECK: &str = "temporary files";
        let limit = self.names("SELECT current_setting('temp_file_limit') AS name").await?.pop().unwrap_or_default();
        self.findings.push(match limit.as_str() {
            "-1" => Finding::warning(
                CHECK,
                format!(
                    "a query may fill the disk: temp_file_limit is not set. As a superuser: ALTER SYSTEM SET temp_file_limit = '{TEMP_FILE_LIMIT}'; \
                     SELECT pg_reload_conf(); a private PostgreSQL has it from its next start on"
                ),
            ),
            limit => Finding::fine(CHECK, format!("those of one process end at {limit}")),
        });
        Ok(())
    }

    async fn roles(&mut self) -> Result<(), DbError> {
        let logins: Vec<Login> = sql_query(
            "SELECT r.rolname::text AS name, (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb OR r.rolreplication) AS privileged,
                    ARRAY(SELECT m.roleid::regrole::text FROM pg_auth_members m WHERE m.member = r.oid ORDER BY 1) AS member_of, r.rolcanlogin AS can_login
             FROM pg_roles r WHERE r.rolname IN ('eis_app', 'eis_worker', 'eis_monitor', 'eis_owner', 'eis_gate', 'eis_probe') ORDER BY 1",
        )
        .load(&mut *self.connection)
        .await?;
        let mut faults = Vec::new();
        for (expected, member_of) in ROLES {
            let Some(role) = logins.iter().find(|l| l.name == *expected) else {
                faults.push(format!("The role {expected} is missing; run `portal migrate up`."));
                continue;
            };
            if role.privileged {
                faults.push(format!("The role {expected} is a superuser or has BYPASSRLS, CREATEROLE, CREATEDB or REPLICATION; take it away with ALTER ROLE."));
            }
            for other in role.member_of.iter().filter(|other| !member_of.contains(&other.as_str())) {
                faults.push(format!("The role {expected} is a member of {other}; REVOKE {other} FROM {expected}."));
            }
            for other in member_of.iter().filter(|other| !role.member_of.iter().any(|there| there == *other)) {
                faults.push(format!("The role {expected} is no member of {other}; GRANT {other} TO {expected}."));
            }
            if role.can_login != matches!(*expected, "eis_app" | "eis_worker" | "eis_monitor") {
                faults.push(format!(
                    "The role {expected} has LOGIN the wrong way round; ALTER ROLE {expected} {}.",
                    if role.can_login { "NOLOGIN" } else { "LOGIN" }
                ));
            }
        }
        let strangers = self
            .names(
                "SELECT format('The role %s is a member of %s; REVOKE %s FROM %s.', m.rolname, r.rolname, r.rolname, m.rolname) AS name
                 FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.roleid JOIN pg_roles m ON m.oid = a.member
                 WHERE r.rolname LIKE 'eis\\_%' AND m.rolname NOT LIKE 'eis\\_%' AND NOT m.rolsuper AND m.rolname <> session_user ORDER BY 1",
            )
            .await?;
        faults.extend(strangers);
        faults.extend(self.names(own::PREPARED).await?);
        let heirs = self
            .names("SELECT rolname::text AS name FROM pg_roles WHERE rolname LIKE 'eis\\_%' AND rolinherit AND pg_has_role(rolname, 'eis_gate', 'USAGE') AND rolname <> 'eis_gate' AND NOT rolsuper")
            .await?;
        faults.extend(
            heirs
                .into_iter()
                .map(|r| format!("The role {r} inherits what eis_gate may see; ALTER ROLE {r} NOINHERIT.")),
        );
        let owned = self
            .names("SELECT c.relname::text AS name FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE r.rolname IN ('eis_app', 'eis_worker', 'eis_monitor')")
            .await?;
        faults.extend(
            owned.into_iter().map(|t| format!("The table {t} belongs to a login; ALTER TABLE … OWNER TO eis_owner.")),
        );
        self.note("roles", faults, "six roles, none privileged, logins are members of nothing and own nothing");
        Ok(())
    }

    async fn tables(&mut self) -> Result<(), DbError> {
        let unprotected = self
            .names(
                "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname IN ('public', 'private') AND c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity AND c.relforcerowsecurity) ORDER BY 1",
            )
            .await?;
        let faults = unprotected
            .into_iter()
            .map(|t| format!("The table {t} has no forced row-level security; ALTER TABLE {t} ENABLE and FORCE ROW LEVEL SECURITY and give it policies."))
            .collect();
        self.note("row-level security", faults, "every table has row-level security enabled and forced");
        let open = self
            .names(
                "SELECT c.relname || '.' || p.polname AS name FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
                 WHERE p.polroles = '{0}' OR (
                   (pg_get_expr(p.polqual, p.polrelid) !~ '_scope\\(|get_current_' OR pg_get_expr(p.polwithcheck, p.polrelid) !~ '_scope\\(|get_current_')
                   AND c.relname <> '__diesel_schema_migrations'
                   AND NOT (p.polroles = ARRAY(SELECT oid FROM pg_roles WHERE rolname = 'eis_monitor') AND NOT EXISTS (
                     SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('organization_id', 'client_id', 'customer_id')))
                   AND EXISTS (SELECT 1 FROM unnest(p.polroles) r (oid) JOIN pg_roles g ON g.oid = r.oid WHERE g.rolname IN ('eis_app', 'eis_worker', 'eis_monitor'))) ORDER BY 1",
            )
            .await?;
        let faults = open
            .into_iter()
            .map(|p| format!("The policy {p} does not ask for the tenant context, or names no role; drop it."))
            .collect();
        self.note("policies", faults, "every policy of a login asks for the tenant context");
        let views = self
            .names(
                "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname IN ('public', 'private') AND (c.relkind = 'm' OR (c.relkind = 'v' AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false))) ORDER BY 1",
            )
            .await?;
        let faults = views
            .into_iter()
            .map(|v| format!("The view {v} shows what its owner sees; make it WITH (security_invoker = true, security_barrier = true), and no materialised view."))
            .collect();
        self.note("views", faults, "every view runs as its reader; none is materialised");
        Ok(())
    }

    async fn rights(&mut self) -> Result<(), DbError> {
        let mut faults: Vec<String> = self
            .names(
                "SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE n.nspname IN ('public', 'private') AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
                   AND (EXISTS (SELECT 1 FROM aclexplode(c.relacl) a WHERE a.grantee = 0)
                     OR EXISTS (SELECT 1 FROM pg_attribute t, aclexplode(t.attacl) a WHERE t.attrelid = c.oid AND a.grantee = 0)) ORDER BY 1",
            )
            .await?
            .into_iter()
            .map(|t| format!("PUBLIC has rights on {t}; REVOKE ALL ON {t} FROM PUBLIC."))
            .collect();
        faults.extend(
            self.names(
                "SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
                 WHERE n.nspname = 'public' AND p.prosecdef AND (p.proacl IS NULL OR EXISTS (SELECT 1 FROM aclexplode(p.proacl) a WHERE a.grantee = 0)
                   OR NOT coalesce(p.proconfig::text LIKE '%search_path=pg_catalog, pg_temp%', false)) ORDER BY 1",
            )
            .await?
            .into_iter()
            .map(|f| format!("The definer function {f} is open to PUBLIC or has no fixed search_path.")),
        );
        faults.extend(
            self.names(
                &format!(
                    "SELECT p.oid::regprocedure::text AS name FROM pg_proc p WHERE {} AND EXISTS (
                       SELECT FROM unnest('{{eis_app,eis_worker,eis_monitor}}'::text[]) r WHERE has_function_privilege(r, p.oid, 'EXECUTE')) ORDER BY 1",
                    closed::FUNCTIONS
                ),
            )
            .await?
            .into_iter()
            .map(|f| format!("A login may call {f}; REVOKE EXECUTE ON FUNCTION pg_catalog.{f} FROM PUBLIC (as a superuser).")),
        );
        faults.extend(
            self.names(
                "SELECT r.rolname || ' may ' || p || ' in this database; REVOKE ' || p || ' ON DATABASE … FROM ' || r.rolname || ', PUBLIC.' AS name
                 FROM pg_roles r, unnest('{CREATE,TEMPORARY}'::text[]) p
                 WHERE r.rolname IN ('eis_app', 'eis_worker') AND has_database_privilege(r.rolname, current_database(), p) ORDER BY 1",
            )
            .await?
            .into_iter()
            .map(|fault| format!("The role {fault}")),
        );
        faults.extend(
            self.names("SELECT c.relname::text AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND (has_table_privilege('eis_app', c.oid, 'TRUNCATE') OR has_table_privilege('eis_worker', c.oid, 'TRUNCATE')) ORDER BY 1")
                .await?
                .into_iter()
                .map(|t| format!("A login may TRUNCATE {t}, which row-level security does not see; REVOKE it.")),
        );
        faults.extend(
            self.names("SELECT p.oid::regprocedure::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname IN ('public', 'private') AND p.proleakproof ORDER BY 1")
                .await?
                .into_iter()
                .map(|f| format!("The function {f} claims to be leakproof, so that it is shown rows before their policies are asked; ALTER FUNCTION {f} NOT LEAKPROOF.")),
        );
        self.note("rights", faults, "PUBLIC has none; logins have no TRUNCATE, and no function that crosses tenants");
        Ok(())
    }
}

/// What is wrong with a server of this number, or what is said of it when nothing is.
fn of_version(number: i32) -> (Vec<String>, String) {
    let (major, minor) = (number / 10_000, number % 10_000);
    let needed = MINORS.iter().find(|(m, _)| *m == major).map_or(0, |(_, n)| *n);
    let faults = if major < 15 {
        vec![format!("PostgreSQL {major} is too old; run 15 or later.")]
    } else if minor < needed {
        vec![format!(
            "PostgreSQL {major}.{minor} lacks fixes to row-level security; update to {major}.{needed} or later."
        )]
    } else {
        Vec::new()
    };
    let newest = if (major, minor) < (15, 19) {
        "; 15.19 has one more fix to row-level security, take it as soon as your system offers it"
    } else {
        ""
    };
    (faults, format!("PostgreSQL {major}.{minor}{newest}"))
}

/// Who may see and do what in a database, one line each: the text of the view `isolation_state`, asked directly, so that
/// a view that was tampered with is seen too.
fn state_query() -> &'static str {
    let script = include_str!("scripts/after/40_views.sql");
    let text = script.split_once("-- state: begin").and_then(|(_, rest)| rest.split_once("-- state: end"));
    text.map_or("", |(query, _)| query)
}

/// How the state of a database differs from [`expected::STATE`]: `(missing, unexpected)` lines.
fn drift(there: &[String]) -> (Vec<&str>, Vec<&str>) {
    let expected: BTreeSet<&str> = expected::STATE.lines().collect();
    let there: BTreeSet<&str> = there.iter().map(String::as_str).collect();
    (expected.difference(&there).copied().collect(), there.difference(&expected).copied().collect())
}

/// What mends a line that is missing.
fn missing_remedy(line: &str) -> String {
    match line.strip_prefix("setting ").and_then(|rest| rest.rsplit_once(" of ")) {
        Some(_) => "`portal migrate up` sets it again.".to_owned(),
        None => "Put it back, or migrate down and up.".to_owned(),
    }
}

/// What mends a line that the migrations did not make: the statement itself where the line tells enough for it.
fn remedy(line: &str) -> String {
    let words: Vec<&str> = line.split(' ').collect();
    if let Some((setting, role)) = line.strip_prefix("setting ").and_then(|rest| rest.rsplit_once(" of ")) {
        let name = setting.split('=').next().unwrap_or_default();
        return format!("Run: ALTER ROLE {role} RESET {name}; ALTER ROLE {role} IN DATABASE … RESET {name};");
    }
    let (right, kind, role, schema, to) = match words.as_slice() {
        ["default", "grant", right, "on", kind, "of", role, "in", schema, "to", to] => {
            (right, kind, role, Some(schema), to)
        }
        ["default", "grant", right, "on", kind, "of", role, "to", to] => (right, kind, role, None, to),
        _ => return "Take it away.".to_owned(),
    };
    let kinds = [
        ("r", "TABLES"),
        ("S", "SEQUENCES"),
        ("f", "FUNCTIONS"),
        ("T", "TYPES"),
        ("n", "SCHEMAS"),
        ("L", "LARGE OBJECTS"),
    ];
    let kind = kinds.iter().find(|(letter, _)| letter == kind).map_or("TABLES", |(_, name)| name);
    let place = schema.map_or_else(String::new, |schema| format!(" IN SCHEMA {schema}"));
    let who = match *role {
        "eis_app" | "eis_worker" | "eis_monitor" => {
            let login = role.trim_start_matches("eis_");
            format!(" (as a superuser, or by psql \"$(portal db url --role {login})\")")
        }
        _ => String::new(),
    };
    format!("Run{who}: ALTER DEFAULT PRIVILEGES FOR ROLE {role}{place} REVOKE {right} ON {kind} FROM {to};")
}

/// The state of the database of `admin_url`, in the lines of [`expected::STATE`].
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn state(admin_url: &str) -> Result<Vec<String>, DbError> {
    let mut connection = link::connect(admin_url).await?;
    Checker { connection: &mut connection, findings: Vec::new() }.state().await
}

#[derive(QueryableByName)]
struct Chains {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    records: i64,
    #[diesel(sql_type = Array<Text>)]
    faults: Vec<String>,
}

/// Walks every audit log's chain: what was changed, removed or slipped in behind the portal's back. Reads all of the
/// logs, so it stands apart from [`run`].
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn audit(admin_url: &str) -> Result<Vec<Finding>, DbError> {
    let mut connection = link::connect(admin_url).await?;
    let chains: Chains = sql_query(
        "SELECT (SELECT count(*) FROM public.audit_seals) AS records, ARRAY(SELECT format(
            'The audit log of the organization %s was tampered with%s: %s. Compare with a backup; the records after it are in doubt.',
            f.organization_id, coalesce(' at record ' || f.seq, ''), f.fault) FROM public.audit_chain_faults() f LIMIT 20) AS faults",
    )
    .get_result(&mut connection)
    .await?;
    let mut checker = Checker { connection: &mut connection, findings: Vec::new() };
    checker.note("audit log", chains.faults, &format!("{} records, every chain holds", chains.records));
    Ok(checker.findings)
}

/// Tries every table as every role (`test_rls_isolation()`), on tenants that the test makes and takes back itself.
/// A second or two, so it stands apart from [`run`].
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn isolation(admin_url: &str) -> Result<Vec<Finding>, DbError> {
    const CHECK: &str = "isolation";
    let Some(verdicts) = proof::verdicts(admin_url).await? else {
        let message = "a standby takes no writes: run the test on the primary".to_owned();
        return Ok(vec![Finding::fine(CHECK, message)]);
    };
    let failed = verdicts.iter().filter(|verdict| !verdict.passed);
    let findings: Vec<Finding> = failed.map(|verdict| Finding::fault(CHECK, verdict.to_string())).collect();
    if !findings.is_empty() {
        return Ok(findings);
    }
    let tables: BTreeSet<&str> = verdicts.iter().map(|verdict| verdict.table_name.as_str()).collect();
    let message = format!("{} attempts on {} tables ended as they should", verdicts.len(), tables.len());
    Ok(vec![Finding::fine(CHECK, message)])
}

/// Runs every check against the database of `admin_url`.
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn run(admin_url: &str) -> Result<Vec<Finding>, DbError> {
    let mut connection = link::connect(admin_url).await?;
    let mut checker = Checker { connection: &mut connection, findings: Vec::new() };
    checker.version().await?;
    checker.files().await?;
    checker.roles().await?;
    checker.tables().await?;
    if checker.findings.iter().all(|f| f.ok || f.check != "roles") {
        checker.rights().await?;
    }
    let pending: Vec<String> =
        migrate::status(admin_url).await?.into_iter().filter(|m| !m.applied).map(|m| m.name).collect();
    // A program of the release before serves a newer schema, and cannot know how that should stand.
    let newer = migrate::unknown(admin_url).await?;
    if pending.is_empty() && newer.is_empty() {
        checker.drift().await?;
    }
    let mut findings = checker.findings;
    if pending.is_empty() {
        let message = match newer.as_slice() {
            [] => "none pending".to_owned(),
            _ => format!(
                "the database is newer than this program ({}): what it should be was not compared",
                newer.join(", ")
            ),
        };
        findings.push(Finding::fine("migrations", message));
    }
    let told = |name| format!("{name} is pending; run `portal migrate up`.");
    findings.extend(pending.into_iter().map(|name| Finding::fault("migrations", told(name))));
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::of_version;

    #[test]
    fn an_old_server_is_a_fault_that_says_what_to_run() {
        for (number, words) in
            [(140_019, "15 or later"), (150_017, "15.18"), (160_001, "16.14"), (170_009, "17.10"), (180_003, "18.4")]
        {
            let (faults, _) = of_version(number);
            assert!(faults.iter().any(|fault| fault.contains(words)), "{number}: {faults:?}");
        }
        for number in [150_018, 150_019, 160_014, 170_010, 180_004, 190_000] {
            assert_eq!(of_version(number).0, Vec::<String>::new(), "{number}");
        }
        assert!(of_version(150_018).1.contains("15.19"));
    }
}

//! What a login may do to itself, and so a thief of its password: change its password, its settings, the rights that come
//! with objects it would make, leave a prepared transaction or a lock behind. None of it shows a row; some of it would stop the
//! portal. A start takes the first three back and says so; of the others it says how to end them.

use diesel::sql_types::{Array, Bool, Text};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::expected;
use super::logins::{LoginPasswords, with_login};
use crate::db::{DbError, link};

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    line: String,
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    value: bool,
}

async fn lines(connection: &mut AsyncPgConnection, sql: &str) -> Result<Vec<String>, DbError> {
    let rows: Vec<Line> = sql_query(sql).load(connection).await?;
    Ok(rows.into_iter().map(|row| row.line).collect())
}

/// Which logins do not take the passwords of the data directory.
///
/// # Errors
/// When the database cannot be asked.
pub(super) async fn of_passwords(
    connection: &mut AsyncPgConnection,
    admin_url: &str,
    passwords: &LoginPasswords,
) -> Result<Vec<String>, DbError> {
    let mut told = Vec::new();
    for (login, password) in passwords.each() {
        let query = sql_query(
            "SELECT EXISTS (SELECT 1 FROM pg_authid WHERE rolname = $1 AND rolpassword IS NOT NULL) AS value",
        );
        // An administrator who is no superuser may not look; then the sign-in alone tells.
        let known = query.bind::<Text, _>(login).get_result::<Flag>(connection).await.map_or(true, |flag| flag.value);
        if known && link::is_refused_password(&with_login(admin_url, login, password)).await {
            told.push(format!(
                "{login} had another password than the data directory's; the latter is set again. Where nobody of yours changed it, somebody \
                 else knew it: docs/migrations.md, \"the portal's password may be known\""
            ));
        }
    }
    Ok(told)
}

/// Takes every setting from the logins, in the statement that then makes those of the portal: nobody connects in between.
pub(super) const RESET: &str = "
DO $$
DECLARE login name;
BEGIN
    FOR login IN SELECT r.rolname FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole
        WHERE r.rolname IN ('eis_app', 'eis_worker', 'eis_monitor')
    LOOP
        EXECUTE format('ALTER ROLE %I RESET ALL', login);
        EXECUTE format('ALTER ROLE %I IN DATABASE %I RESET ALL', login, current_database());
    END LOOP;
END $$;
";

const SETTINGS: &str = "SELECT format('setting %s of %s', line, r.rolname) AS line
    FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole, unnest(s.setconfig) line
    WHERE r.rolname IN ('eis_app', 'eis_worker', 'eis_monitor')
      AND s.setdatabase IN (0, (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()))";

/// Which settings of the logins are not the portal's.
///
/// # Errors
/// When the database cannot be asked.
pub(super) async fn of_settings(connection: &mut AsyncPgConnection) -> Result<Vec<String>, DbError> {
    let there = lines(connection, SETTINGS).await?;
    let strange = there.into_iter().filter(|line| !expected::STATE.lines().any(|known| known == line));
    Ok(strange.map(|line| format!("The {line} was not the portal's and is taken away")).collect())
}

/// Default rights that the logins gave away for objects that they might make (they may make none) are taken back.
/// Where the administrator may not, they stay, and the check for drift says what to run.
const DEFAULT_RIGHTS: &str = "
DO $$
DECLARE
    d record;
    holder text;
    kind text;
    place text;
BEGIN
    FOR d IN SELECT a.defaclrole::regrole AS login, a.defaclnamespace AS schema, a.defaclobjtype AS type, a.defaclacl AS acl
        FROM pg_default_acl a JOIN pg_roles r ON r.oid = a.defaclrole WHERE r.rolname IN ('eis_app', 'eis_worker', 'eis_monitor')
    LOOP
        kind := CASE d.type WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES'
            WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END;
        place := format('ALTER DEFAULT PRIVILEGES FOR ROLE %s%s', d.login, coalesce(' IN SCHEMA ' || nullif(d.schema, 0)::regnamespace, ''));
        BEGIN
            FOR holder IN SELECT DISTINCT coalesce(nullif(g.grantee, 0)::regrole::text, 'PUBLIC') FROM aclexplode(d.acl) g
            LOOP EXECUTE format('%s REVOKE ALL ON %s FROM %s', place, kind, holder); END LOOP;
            IF d.schema = 0 THEN
                EXECUTE format('%s GRANT ALL ON %s TO %s', place, kind, d.login);
                IF d.type = 'f' THEN EXECUTE format('%s GRANT EXECUTE ON FUNCTIONS TO PUBLIC', place); END IF;
                IF d.type = 'T' THEN EXECUTE format('%s GRANT USAGE ON TYPES TO PUBLIC', place); END IF;
            END IF;
        EXCEPTION WHEN insufficient_privilege THEN NULL;
        END;
    END LOOP;
END $$;
";

const DEFAULTS: &str = "SELECT DISTINCT format('%s for %s', d.defaclrole::regrole, d.defaclobjtype) AS line
    FROM pg_default_acl d JOIN pg_roles r ON r.oid = d.defaclrole WHERE r.rolname IN ('eis_app', 'eis_worker', 'eis_monitor')";

/// Takes default rights of the logins' back, and tells of those that are gone.
///
/// # Errors
/// When the database cannot be asked.
pub(super) async fn of_default_rights(connection: &mut AsyncPgConnection) -> Result<Vec<String>, DbError> {
    use diesel_async::SimpleAsyncConnection;
    let before = lines(connection, DEFAULTS).await?;
    if before.is_empty() {
        return Ok(before);
    }
    connection.batch_execute(DEFAULT_RIGHTS).await?;
    let after = lines(connection, DEFAULTS).await?;
    let gone = before.into_iter().filter(|line| !after.contains(line));
    Ok(gone.map(|line| format!("Default rights that were changed by {line} are as they were")).collect())
}

/// What the check says is in the way of the next start, though a start cannot take it away by itself.
pub(super) const PREPARED: &str = "SELECT format('%s left a prepared transaction that holds its locks; in the database %s: ROLLBACK PREPARED %L.', owner, database, gid) AS name
    FROM pg_prepared_xacts WHERE owner LIKE 'eis\\_%' ORDER BY 1";

#[derive(QueryableByName)]
struct Holders {
    #[diesel(sql_type = Array<Text>)]
    told: Vec<String>,
}

/// Transactions of the portal's logins that have been open for a while: where a start waited for a lock in vain, one
/// of them holds it.
pub(super) async fn holders(admin_url: &str) -> Vec<String> {
    let asked = async {
        let mut connection = link::connect(admin_url).await?;
        let holders: Holders = sql_query(
            "SELECT ARRAY(SELECT format('%s has a transaction open since %s: SELECT pg_terminate_backend(%s);', usename, xact_start::timestamptz(0), pid)
                FROM pg_stat_activity WHERE usename LIKE 'eis\\_%' AND datname = current_database() AND xact_start < now() - interval '1 second'
                ORDER BY xact_start LIMIT 10) AS told",
        )
        .get_result(&mut connection)
        .await?;
        Ok::<_, DbError>(holders.told)
    };
    // The failure that is being told comes first; without this list it is told all the same.
    asked.await.unwrap_or_default()
}

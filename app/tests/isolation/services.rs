//! Service identities: a secret opens contexts at its own place, for the commands of its list, until it is ended; nobody
//! signs in as one, and none gives itself or others more.

use eis::billing;
use eis::db::service::Services;
use eis::db::{Access, DbError};
use eis::metering::imports::{self, ImportFile, ImportOptions};
use eis::operate::connect::Login;
use eis::parties::organizations;
use eis::parties::service_identities::{Command, Secret};
use eis::usage::Hints;
use eis::values::ids::ClientId;

use crate::support::database::Case;
use crate::support::http::Browser;
use crate::support::sql::Sql;
use crate::support::world::{Kind, PASSWORD, Who, client, id, organization, without_october};
use crate::writes::fingerprint;
use crate::{DENIED, SESSION_ENDED};

const ADA: Who = Who::Admin(1);
const CUSTOMERS: &str = "SELECT count(*) FROM customers";
const WRITE: &str = "UPDATE customers SET phone = 'by a service'";

/// The statement that opens the context of the world's service identity of an organization and client (0: none).
fn open(o: u8, c: u8, command: &str) -> String {
    format!("SELECT open_service_context(convert_to('service {o}{c}', 'UTF8'), '{command}')")
}

fn service(o: u8, c: u8) -> String {
    id(Kind::Service, o, c, 0, 1).to_string()
}

/// What a statement comes to under a service identity's context; everything is taken back.
async fn under(worker: &Sql, opening: &str, sql: &str) -> u64 {
    worker.must(&format!("BEGIN; {opening}")).await;
    let done = worker.run(sql).await;
    worker.leave().await;
    done.unwrap_or_else(|refusal| panic!("{sql}: {refusal:?}"))
}

async fn seen(worker: &Sql, opening: &str) -> i64 {
    worker.must(&format!("BEGIN; {opening}")).await;
    let count = worker.count(CUSTOMERS).await;
    worker.leave().await;
    count
}

/// A statement of an admin, which stands.
async fn by(app: &Sql, who: Who, sql: &str) -> String {
    app.enter(who).await;
    let value = app.value(sql).await;
    app.must("COMMIT").await;
    value
}

#[tokio::test]
async fn a_secret_opens_its_own_place_for_the_commands_of_its_list() {
    let case = Case::world().await;
    let worker = case.worker().await;
    for (o, c, customers) in [(1, 0, 4), (1, 1, 2), (2, 2, 2)] {
        let opening = open(o, c, "import_usage");
        assert_eq!(seen(&worker, &opening).await, customers, "{o} {c}");
        assert_eq!(under(&worker, &opening, WRITE).await, u64::try_from(customers).unwrap(), "a command that writes");
        let foreign = format!("SELECT 1 FROM customers WHERE organization_id <> '{}'", organization(o));
        assert_eq!(under(&worker, &opening, &foreign).await, 0);
        let reading = open(o, c, "read_overview");
        assert_eq!(seen(&worker, &reading).await, customers);
        assert_eq!(under(&worker, &reading, WRITE).await, 0, "a command that reads writes nothing");
        for command in ["rate_billing_run", "issue_billing_period", "", "read_overview,import_usage"] {
            assert_eq!(worker.refused(&open(o, c, command)).await, DENIED, "{command} is not in its list");
        }
        assert_eq!(worker.refused(&open(o, c, "x").replace("'x'", "NULL")).await, DENIED);
    }
    // An organization's stands at one of its clients, a client's at no other.
    let at = |o: u8, c: u8, place: uuid::Uuid| {
        format!("SELECT open_service_context(convert_to('service {o}{c}', 'UTF8'), 'import_usage', '{place}')")
    };
    assert_eq!(seen(&worker, &at(1, 0, client(1, 2))).await, 2);
    assert_eq!(seen(&worker, &at(1, 1, client(1, 1))).await, 2);
    for (o, c, place) in [(1, 0, client(2, 1)), (1, 0, client(9, 9)), (1, 1, client(1, 2)), (1, 1, client(2, 1))] {
        assert_eq!(worker.refused(&at(o, c, place)).await, DENIED, "{o} {c} at {place}");
    }
    // No secret, a made-up one, another kind of secret; and the portal's login opens none.
    for secret in ["NULL", "''::bytea", "'\\x00'", &format!("'\\x{}'", ADA.secret().hex())] {
        let sql = format!("SELECT open_service_context({secret}, 'import_usage')");
        assert_eq!(worker.refused(&sql).await, SESSION_ENDED, "{secret}");
    }
    let app = case.app().await;
    assert_eq!(app.refused(&open(1, 0, "import_usage")).await, DENIED);
    assert_eq!(app.refused("SELECT enter_service('\\x00', 'import_usage', '')").await, DENIED);
    for login in [&app, &worker] {
        assert_eq!(login.refused("SELECT secret_hash FROM service_identities").await, DENIED);
    }
    let secret = "convert_to('service 10', 'UTF8')";
    assert_eq!(app.refused(&format!("SELECT open_context({secret})")).await, SESSION_ENDED);
    assert_eq!(worker.refused(&format!("SELECT open_job_context({secret})")).await, SESSION_ENDED);
}

#[tokio::test]
async fn a_copied_context_of_a_service_is_worth_nothing_later_nor_with_another_command() {
    let case = Case::world().await;
    let worker = case.worker().await;
    worker.must(&format!("BEGIN; {}", open(1, 0, "read_overview"))).await;
    let copied = worker.value("SELECT current_setting('eis.context')").await;
    assert!(copied.contains("|service|r|read_overview|"), "{copied}");
    assert_eq!(worker.count(CUSTOMERS).await, 4, "the positive control");
    for forged in [copied.replace("|r|", "|w|"), copied.replace("read_overview", "import_usage")] {
        worker.must(&format!("SET LOCAL eis.context = '{forged}'")).await;
        assert_eq!(worker.count(CUSTOMERS).await, 0, "{forged}");
    }
    worker.must("COMMIT; BEGIN").await;
    worker.must(&format!("SET LOCAL eis.context = '{copied}'")).await;
    assert_eq!(worker.count(CUSTOMERS).await, 0, "in a later transaction");
    worker.leave().await;
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        worker.must(&format!("BEGIN ISOLATION LEVEL {level}")).await;
        assert_eq!(worker.refused(&open(1, 0, "read_overview")).await, "25000", "{level}");
        worker.leave().await;
    }
}

#[tokio::test]
async fn an_ended_identity_or_organization_opens_nothing_and_a_maker_who_is_gone_ends_none() {
    let case = Case::world().await;
    let (app, worker, truth) = (case.app().await, case.worker().await, case.superuser().await);
    let opening = open(1, 1, "import_usage");
    let (user, assignment) = ("SELECT user_id FROM service_identities", "SELECT assignment_id FROM service_identities");
    let mine = format!("WHERE id = '{}'", service(1, 1));
    for (end, back) in [
        (
            format!("UPDATE organizations SET status = 'suspended' WHERE id = '{}'", organization(1)),
            "UPDATE organizations SET status = 'active'".to_owned(),
        ),
        (
            format!("UPDATE role_assignments SET valid_to = now() WHERE id = ({assignment} {mine})"),
            format!("UPDATE role_assignments SET valid_to = NULL WHERE id = ({assignment} {mine})"),
        ),
        (
            format!("UPDATE users SET status = 'disabled' WHERE id = ({user} {mine})"),
            format!("UPDATE users SET status = 'service' WHERE id = ({user} {mine})"),
        ),
        (
            format!("UPDATE service_identities SET ended_at = now() {mine}"),
            format!("UPDATE service_identities SET ended_at = NULL {mine}"),
        ),
        (
            format!("UPDATE role_assignments SET client_id = NULL WHERE id = ({assignment} {mine})"),
            format!("UPDATE role_assignments SET client_id = '{}' WHERE id = ({assignment} {mine})", client(1, 1)),
        ),
    ] {
        assert_eq!(seen(&worker, &opening).await, 2, "the positive control before: {end}");
        truth.must(&end).await;
        assert_eq!(worker.refused(&opening).await, SESSION_ENDED, "{end}");
        truth.must(&back).await;
    }
    // Its maker demoted, then gone: it goes on, until an admin ends it.
    truth.must(&format!("UPDATE role_assignments SET narrowed = 'read_only' WHERE user_id = '{}'", ADA.user())).await;
    assert_eq!(seen(&worker, &opening).await, 2);
    truth.must(&format!("UPDATE role_assignments SET valid_to = now() WHERE user_id = '{}'", ADA.user())).await;
    truth.must(&format!("UPDATE users SET status = 'disabled' WHERE id = '{}'", ADA.user())).await;
    assert_eq!(seen(&worker, &opening).await, 2);
    let carl = Who::Client(1, 1);
    assert_eq!(by(&app, carl, &format!("SELECT end_service_identity('{}')", service(1, 1))).await, "t");
    assert_eq!(worker.refused(&opening).await, SESSION_ENDED, "ended");
    assert_eq!(by(&app, carl, &format!("SELECT end_service_identity('{}')", service(1, 1))).await, "f", "once");
    // A new secret throws the one before out.
    let carla = Who::Client(1, 2);
    let secret = by(&app, carla, &format!("SELECT replace_service_secret('{}')", service(1, 2))).await;
    assert_eq!(worker.refused(&open(1, 2, "import_usage")).await, SESSION_ENDED, "replaced");
    assert_eq!(seen(&worker, &format!("SELECT open_service_context('{secret}', 'import_usage')")).await, 2);
    assert_eq!(secret.len(), 2 + 64, "256 bits");
    assert_eq!(
        truth.count(&format!("SELECT count(*) FROM service_identities WHERE secret_hash = '{secret}'")).await,
        0
    );
}

#[tokio::test]
async fn only_who_runs_the_place_makes_and_ends_its_service_identities() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let create = "SELECT create_service_identity(gen_random_uuid(), 'Mine', '{import_usage}')";
    for (who, may) in [
        (ADA, true),
        (Who::Client(1, 1), true),
        (Who::Customer(1, 1, 1), false),
        (Who::Staff(1), false),
        (Who::Staff(0), false),
        (Who::Consultant(0), false),
    ] {
        let done = app.as_who(who, create).await;
        assert_eq!(done.is_ok(), may, "{who:?}: {done:?}");
        assert!(may || done.unwrap_err().code == DENIED);
    }
    for (commands, code) in [("{}", "23514"), ("{issue_invoices}", "23514"), ("{import_usage,NULL}", "23514")] {
        let refusal = app.as_who(ADA, &create.replace("{import_usage}", commands)).await.unwrap_err();
        assert_eq!(refusal.code, code, "{commands}");
    }
    // Whose it is: foreign ones and ones that do not exist answer alike.
    let before = fingerprint(&truth).await;
    let (own, sibling, whole, theirs, nobody) =
        (service(1, 1), service(1, 2), service(1, 0), service(2, 1), service(9, 9));
    for (who, mine, not_mine) in [
        (ADA, vec![&own, &sibling, &whole], vec![&theirs, &nobody]),
        (Who::Client(1, 1), vec![&own], vec![&sibling, &whole, &theirs, &nobody]),
    ] {
        for (function, no) in [("end_service_identity", Some("f")), ("replace_service_secret", None)] {
            for (of, may) in mine.iter().map(|of| (of, true)).chain(not_mine.iter().map(|of| (of, false))) {
                app.enter(who).await;
                let done = app.maybe(&format!("SELECT {function}('{of}')")).await;
                app.leave().await;
                assert_eq!(done.as_deref() == no, !may, "{who:?} {function} {of}: {done:?}");
            }
        }
    }
    assert_eq!(fingerprint(&truth).await, before);
    // A step-up makes one where staff stand, and the admins are told.
    app.must(&crate::step_up::step_up(Who::Staff(1), "Ticket 4711: nightly import")).await;
    by(&app, Who::Staff(1), create).await;
    let told =
        "SELECT count(*) FROM role_notices WHERE summary = 'Sam Staff (EIS staff) made the service identity Mine'";
    assert_eq!(truth.count(told).await, 1);
}

#[tokio::test]
async fn a_service_identity_gives_no_right_and_nobody_signs_in_as_one() {
    let case = Case::world().await;
    let (portal, app, truth) = (case.portal().await, case.app().await, case.superuser().await);
    let worker = case.worker().await;
    let invite =
        format!("SELECT invite(gen_random_uuid(), 'x@eis.example', 'X', 'customer_user', '{}', NULL, 7)", client(1, 1));
    let assignment = Who::Client(1, 1).assignment();
    for sql in [
        invite,
        format!("SELECT narrow_assignment('{assignment}', NULL)"),
        format!("SELECT revoke_assignment('{assignment}')"),
        format!("SELECT make_password_reset('{assignment}', '')"),
        "SELECT create_service_identity(gen_random_uuid(), 'Another', '{import_usage}')".to_owned(),
        format!("SELECT replace_service_secret('{}')", service(1, 0)),
        format!("SELECT end_service_identity('{}')", service(1, 0)),
    ] {
        worker.must(&format!("BEGIN; {}", open(1, 0, "import_usage"))).await;
        assert_eq!(worker.refused(&sql).await, DENIED, "no right of the login's: {sql}");
        worker.leave().await;
        // Nor of the gate's: as if the login might call it.
        truth.must(&format!("BEGIN; {}", open(1, 0, "import_usage"))).await;
        match truth.rows(&sql).await {
            Err(refusal) => assert_eq!(refusal.code, DENIED, "{sql}: {}", refusal.message),
            Ok(rows) => assert_eq!(rows[0][0].as_deref(), Some("f"), "{sql}"),
        }
        truth.leave().await;
    }
    // Its address is nobody's to sign in with, to be invited to, or to get a password for.
    let email = "service10@service.invalid";
    let form = [("page", "/login"), ("email", email), ("password", PASSWORD)];
    assert_eq!(portal.browser().post("/api/sign_in", &form).await.location(), "/login");
    assert_eq!(portal.browser().sign_in(&ADA.email()).await.location(), "/", "the positive control");
    let token = by(
        &app,
        ADA,
        &format!("SELECT invite(gen_random_uuid(), '{email}', 'X', 'client_admin', '{}', NULL, 7)", client(1, 1)),
    )
    .await;
    for digest in ["00", ""] {
        let accept = format!(
            "SELECT accept_invitation('{token}', gen_random_uuid(), gen_random_uuid(), 'X', '$argon2id$v=19$m=19456,t=2,p=1$00112233445566778899aabbccddeeff', '\\x{digest}', 'here', true)"
        );
        assert_eq!(app.value(&accept).await, "wrong");
    }
    let told =
        eis::parties::users::lost::reset_password(case.connected.admin_url(), email, "a quiet heron by the weir").await;
    assert!(told.is_err(), "{told:?}");
    for sql in [
        "UPDATE users SET password_salt = 'x', password_proof = '\\x00' WHERE status = 'service'",
        "UPDATE users SET status = 'active' WHERE status = 'service'",
    ] {
        assert_eq!(truth.refused(sql).await, "23514", "{sql}");
    }
    // It stands in no list of people, and no admin ends it as one.
    let list = portal.browser_of(ADA).get("/organization/users").await.body;
    assert!(list.contains("Cleo Client 11") && !list.contains("Nightly"), "{list}");
    let revoke = format!(
        "SELECT revoke_assignment((SELECT id FROM role_assignments WHERE role = 'service' AND client_id = '{}'))",
        client(1, 1)
    );
    assert_eq!(by(&app, ADA, &revoke).await, "f");
}

async fn send(browser: &Browser, who: Who, function: &str, form: &[(&str, &str)]) -> String {
    let context = who.context_token();
    let page = if function.starts_with("create") { "new" } else { "" };
    let page = format!("/organization/service-identities/{page}");
    let mut pairs = vec![("context", context.as_str()), ("page", page.trim_end_matches('/'))];
    pairs.extend_from_slice(form);
    browser.post(&format!("/api/{function}"), &pairs).await.location().to_owned()
}

/// The secret on a page, where it shows one.
fn shown(page: &str) -> Option<String> {
    let text = page.split("<p class=\"one-time-link\"><code>").nth(1)?;
    Some(text.split('<').next().unwrap().to_owned())
}

#[tokio::test]
async fn a_secret_is_shown_once_and_everything_about_it_is_on_record() {
    let case = Case::world().await;
    let (portal, truth) = (case.portal().await, case.superuser().await);
    let (ada, list) = (portal.browser_of(ADA), "/organization/service-identities");
    let form = [("name", "Night shift"), ("rate_billing_run", "true"), ("import_usage", "true")];
    assert_eq!(send(&ada, ADA, "create_service_identity", &form).await, list);
    // Until it is shown, the database has it nowhere to read: what a session keeps is sealed.
    let kept = truth.value("SELECT string_agg(data, ' ') FROM sessions").await;
    let page = ada.get(list).await.body;
    let secret = shown(&page).unwrap_or_else(|| panic!("{page}"));
    assert!(Secret::of_hex(&secret).is_some() && !kept.is_empty() && !kept.contains(&secret));
    assert!(
        page.contains("Night shift")
            && page.contains("Import usage, Make and rate billing runs")
            && page.contains("Never"),
        "{page}"
    );
    let again = ada.get(list).await.body;
    assert!(shown(&again).is_none() && !again.contains(&secret), "once");
    let services = Services::new(&case.connected.url(Login::Worker), 1).unwrap();
    let of_hex = |hex: &str| Secret::of_hex(hex).unwrap();
    services.enter(of_hex(&secret), Command::ImportUsage, "terminal of cron at host").await.unwrap();
    let page = ada.get(list).await.body;
    assert!(page.contains("Import usage, from terminal of cron at host"), "{page}");
    // Seen by those who run the place, and by no other.
    assert!(portal.browser_of(Who::Staff(1)).get(list).await.body.contains("Night shift"), "EIS staff read");
    let at_client = format!("/clients/{}/service-identities", client(1, 1));
    let carl = portal.browser_of(Who::Client(1, 1)).get(&at_client).await.body;
    assert!(carl.contains("Nightly 11") && !carl.contains("Night shift") && !carl.contains("Nightly 12"), "{carl}");
    assert_eq!(portal.browser_of(Who::Customer(1, 1, 1)).get(&at_client).await.status, 403);
    // Replaced, ended, and nothing ticked.
    let made = truth.value("SELECT id FROM service_identities WHERE name = 'Night shift'").await;
    assert_eq!(send(&ada, ADA, "replace_service_secret", &[("identity", &made)]).await, list);
    let fresh = shown(&ada.get(list).await.body).unwrap();
    assert!(fresh != secret);
    assert!(matches!(services.enter(of_hex(&secret), Command::ImportUsage, "").await, Err(DbError::SessionEnded)));
    services.enter(of_hex(&fresh), Command::ImportUsage, "").await.unwrap();
    assert_eq!(send(&ada, ADA, "end_service_identity", &[("identity", &made)]).await, list);
    assert!(matches!(services.enter(of_hex(&fresh), Command::ImportUsage, "").await, Err(DbError::SessionEnded)));
    assert!(ada.get(list).await.body.contains("Ended "));
    let form = send(&ada, ADA, "create_service_identity", &[("name", "Idle")]).await;
    assert!(ada.get(&form).await.body.contains("Choose at least one thing"), "{form}");
    let told = "SELECT string_agg(action, ' ' ORDER BY at, id) FROM audit_log WHERE entity = 'service_identity' AND user_name = 'Ada Admin 1'";
    assert_eq!(truth.value(told).await, "create replace_secret end");
    let details = "SELECT string_agg(details::text, ' ') FROM audit_log WHERE entity = 'service_identity'";
    let details = truth.value(details).await;
    assert!(![&secret, &fresh].iter().any(|secret| details.contains(*secret)), "{details}");
}

/// A new service identity's secret, made by its admin.
async fn made(app: &Sql, who: Who, commands: &str) -> Secret {
    let sql = format!("SELECT create_service_identity(gen_random_uuid(), 'Night shift', '{commands}')");
    Secret::of_hex(by(app, who, &sql).await.trim_start_matches("\\x")).unwrap()
}

const FILE: &str = "interval_start,kwh\r\n2026-11-02T00:00:00+01:00,0.5\r\n2026-11-02T01:00:00+01:00,0.5";

#[tokio::test]
async fn it_does_the_work_of_the_pages_and_the_log_says_so() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let secret = made(&app, ADA, "{import_usage,rate_billing_run,read_overview}").await;
    let services = Services::new(&case.connected.url(Login::Worker), 1).unwrap();
    let at = ClientId(client(1, 1));
    let entered = services.enter(secret.clone(), Command::ImportUsage, "terminal").await.unwrap();
    let mut file = tempfile::tempfile().unwrap();
    std::io::Write::write_all(&mut file, FILE.as_bytes()).unwrap();
    let survey = imports::survey(ImportFile::new(file, "night.csv"), Hints::of_zone(chrono_tz::Tz::UTC)).await.unwrap();
    let mut tx = services.stand(&entered, Some(at), Access::Write).await.unwrap();
    let options = ImportOptions { serial: Some("M-1".to_owned()) };
    let result = imports::import_usage(&mut tx, survey, &options).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(result.accepted, 2, "{result:?}");
    // Rating the open run, as the page does it.
    let entered = services.enter(secret.clone(), Command::RateBillingRun, "terminal").await.unwrap();
    let mut tx = services.stand(&entered, Some(at), Access::Write).await.unwrap();
    let run = billing::due_by(&tx, "2026-11-01".parse().unwrap()).await.unwrap().unwrap();
    billing::rate(&mut tx, run.id).await.unwrap();
    tx.commit().await.unwrap();
    let told = "SELECT string_agg(action || ' ' || role || ' ' || address, '; ' ORDER BY at, id) FROM audit_log WHERE user_name = 'Night shift'";
    assert_eq!(truth.value(told).await, "import service terminal; rate service terminal");
    assert_eq!(truth.count("SELECT count(*) FROM audit_chain_faults()").await, 0);
    // Reading what waits, at the organization.
    let entered = services.enter(secret, Command::ReadOverview, "terminal").await.unwrap();
    let mut tx = services.stand(&entered, None, Access::Read).await.unwrap();
    assert_eq!(organizations::overview(&mut tx).await.unwrap().len(), 2);
    drop(tx);
    let refused = services.stand(&entered, Some(ClientId(client(2, 1))), Access::Read).await;
    assert!(matches!(refused, Err(DbError::Refused)), "another organization's client");
    // The log's page names it.
    let page = case.portal().await.browser_of(ADA).get("/organization/audit").await.body;
    assert!(page.contains("Night shift") && page.contains("Service identity"), "{page}");
}

/// What a command at the terminal prints, or how it fails.
async fn terminal(case: &Case, secret: &Secret, what: &[&str]) -> Result<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let (key, usage) = (folder.path().join("key"), folder.path().join("night.csv"));
    std::fs::write(&key, format!("{}\n", secret.hex())).unwrap();
    std::fs::write(&usage, FILE).unwrap();
    let what = what.iter().map(|word| if *word == "FILE" { usage.to_str().unwrap() } else { word });
    let ran = tokio::process::Command::new(env!("CARGO_BIN_EXE_portal"))
        .args(["job", "run", "--as", key.to_str().unwrap()])
        .args(what)
        .env("DATABASE_URL", case.connected.admin_url())
        .env("PORTAL_DATA_DIR", crate::support::database::home())
        .env("USER", "cron")
        .output()
        .await
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    if ran.status.success() { Ok(text(ran.stdout)) } else { Err(text(ran.stderr)) }
}

#[tokio::test]
async fn the_terminal_runs_the_commands_of_a_secret_and_no_others() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let whole = made(&app, ADA, "{import_usage,rate_billing_run,read_overview}").await;
    let one = made(&app, Who::Client(1, 1), "{import_usage}").await;
    let import = ["import", "FILE", "--serial", "M-1", "--client", "client-1"];
    assert!(terminal(&case, &whole, &import).await.unwrap().contains("2 new values"));
    assert!(terminal(&case, &one, &import[..4]).await.unwrap().contains("2 unchanged"), "at its own client");
    assert!(terminal(&case, &whole, &import[..4]).await.unwrap_err().contains("--client SLUG"));
    assert!(
        terminal(&case, &one, &[&import[..5], &["client-2"]].concat())
            .await
            .unwrap_err()
            .contains("no client client-2")
    );
    let rate = ["rate", "--client", "client-1", "--due-on", "2026-11-01"];
    let runs = format!("SELECT count(*) FROM billing_runs WHERE client_id = '{}'", client(1, 1));
    for day in [&["--due-on", "2026-11-30"][..], &["--due-on", "2020-01-01"], &[]] {
        // October's run has the contracts: nothing is made.
        let told = terminal(&case, &whole, &[&rate[..3], day].concat()).await.unwrap();
        assert!(told.contains("nothing is due by") && told.contains("not in another run"), "{told}");
        assert_eq!(truth.count(&runs).await, 2);
    }
    assert!(terminal(&case, &one, &rate).await.unwrap_err().contains("not the service identity's to do"));
    // Where there is no run it is made of what is due; the run of a day is rated again.
    truth.must(&without_october(1, 1)).await;
    // The later one takes over what the earlier one held, which then is empty and goes.
    for (due_on, there) in [("2026-11-01", 2), ("2026-11-01", 2), ("2026-11-30", 2), ("2026-11-30", 2)] {
        let told = terminal(&case, &whole, &["rate", "--client", "client-1", "--due-on", due_on]).await.unwrap();
        let rated = format!("Client 11, due by {due_on}. Rated: 0 draft invoices");
        assert!(told.starts_with(&rated) && told.contains("2 contracts held"), "{told}");
        assert_eq!(truth.count(&runs).await, there);
    }
    let told = terminal(&case, &whole, &["overview"]).await.unwrap();
    assert!(told.contains("\"Client 12\""), "{told}");
    let used = "SELECT last_used_from FROM service_identities WHERE name = 'Night shift' AND client_id IS NULL";
    assert!(truth.value(used).await.starts_with("terminal of cron at "));
    truth.must("UPDATE service_identities SET ended_at = now()").await;
    assert!(terminal(&case, &whole, &["overview"]).await.unwrap_err().contains("opens nothing"));
}

#[tokio::test]
async fn the_commands_of_the_portal_and_of_the_database_are_the_same() {
    let case = Case::migrated().await;
    let truth = case.superuser().await;
    let check = truth
        .value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'service_identities'::regclass AND pg_get_constraintdef(oid) LIKE '%import_usage%'")
        .await;
    assert_eq!(check.matches('\'').count(), 2 * Command::ALL.len(), "{check}");
    for command in Command::ALL {
        assert!(check.contains(&format!("'{}'", command.code())), "{check}");
        let writes = truth.value(&format!("SELECT private.service_writes('{}')", command.code())).await;
        assert_eq!(writes == "t", command != Command::ReadOverview, "{command:?}");
    }
    assert_eq!(truth.maybe("SELECT private.service_writes('issue_invoices')").await, None);
}

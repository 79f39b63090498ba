//! `docs/migrations.md` done as it is written: a filled database taken down and up, and the emergency steps.

use std::path::PathBuf;
use std::process::Command;

use eis::operate::check;
use eis::operate::connect::{Connected, Login, Settings};
use eis::operate::migrate;

use crate::check::{faults, server_apart, stop};
use crate::migrations::{catalogue, difference};
use crate::support::database::{Case, apart, seed};
use crate::support::sql::Sql;
use crate::support::world::Who;
use crate::{DENIED, SESSION_ENDED};

const GUIDE: &str = include_str!("../../../docs/migrations.md");

/// The steps of an emergency as the guide has them, between backticks.
fn steps(emergency: &str) -> Vec<String> {
    let row = GUIDE.lines().find(|line| line.starts_with(&format!("| {emergency} |")));
    let row = row.unwrap_or_else(|| panic!("the guide tells nothing of: {emergency}"));
    row.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

fn sql(emergency: &str) -> Vec<String> {
    steps(emergency).into_iter().filter(|step| step.ends_with(';')).collect()
}

#[tokio::test]
async fn a_filled_database_goes_down_and_up_step_by_step() {
    let case = Case::world().await;
    let (truth, url) = (case.superuser().await, case.connected.admin_url().to_owned());
    let before = catalogue(&truth).await;
    let kept = async || truth.count("SELECT count(*) FROM organizations").await;
    let all = migrate::names().unwrap().len();
    for steps in 1..=all {
        let down = apart(migrate::down(&url, steps)).unwrap();
        assert_eq!(down.len(), steps);
        // What is pending is told, and the portal does not start on it.
        let told = apart(check::run(&url)).unwrap();
        assert!(told.iter().any(|finding| !finding.ok && finding.check == "migrations"), "{steps}");
        assert_eq!(apart(migrate::up(&url)).unwrap().len(), steps);
        let after = catalogue(&truth).await;
        assert!(before == after, "{steps} steps:\n{}", difference(&before, &after));
        let faults: Vec<_> = apart(check::run(&url)).unwrap().into_iter().filter(|finding| !finding.ok).collect();
        assert!(faults.is_empty(), "{steps}: {faults:?}");
        if steps < all - 2 {
            assert_eq!(kept().await, 2, "{steps}: rows of migrations that stayed are there still");
        }
        let broken = truth.count("SELECT count(*) FROM audit_chain_faults()").await;
        assert_eq!(broken, 0, "{steps}: the audit logs' chains hold");
    }
    let proof = apart(check::isolation(&url)).unwrap();
    assert!(proof.iter().all(|finding| finding.ok), "{proof:?}");
}

#[tokio::test]
async fn a_signing_key_that_may_be_known_is_thrown_out() {
    let case = Case::world().await;
    let (app, owner) = (case.app().await, case.owner().await);
    app.enter(Who::Client(1, 1)).await;
    let count = "SELECT count(*) FROM customers";
    let calls = sql("a signing key may be known");
    assert_eq!(calls.len(), 1);
    owner.must(&calls[0]).await;
    assert_eq!(app.count(count).await, 2, "once: what is open goes on");
    owner.must(&calls[0]).await;
    assert_eq!(app.count(count).await, 0, "twice: it ends");
    app.leave().await;
    assert_eq!(app.count_as(Who::Client(1, 1), count).await, 2, "the positive control: the next one works");
}

#[tokio::test]
async fn stolen_sessions_end_and_a_person_is_stopped() {
    let case = Case::world().await;
    let (portal, owner, app) = (case.portal().await, case.owner().await, case.app().await);
    let browser = portal.browser();
    assert_eq!(browser.sign_in("admin1@eis.example").await.location(), "/");
    for step in sql("a person must be stopped now") {
        assert_eq!(owner.must(&step).await, 1);
    }
    assert_eq!(browser.get("/profile").await.location(), "/login?next=%2Fprofile");
    let open = format!("SELECT open_context('\\x{}')", Who::Admin(1).secret().hex());
    assert_eq!(app.refused(&open).await, SESSION_ENDED);
    assert_eq!(portal.browser_of(Who::Admin(2)).get("/profile").await.status, 200, "the positive control");
    for step in sql("sessions may be stolen") {
        owner.must(&step).await;
    }
    assert_eq!(portal.browser_of(Who::Admin(2)).get("/profile").await.location(), "/login?next=%2Fprofile");
    let again = portal.browser();
    assert_eq!(again.sign_in("admin2@eis.example").await.location(), "/", "everybody signs in again");
}

/// Whether a connection string opens a connection.
pub async fn opens(url: &str) -> bool {
    tokio_postgres::connect(url, tokio_postgres::NoTls).await.is_ok()
}

async fn the_portal_s_password_is_changed(settings: &Settings, connected: &Connected) {
    let admin = Sql::open(connected.admin_url()).await;
    let old = connected.url(Login::App);
    let app = Sql::open(&old).await;
    let all = sql("the portal's password may be known");
    let (last, first) = all.split_last().unwrap();
    for step in first {
        admin.must(step).await;
    }
    assert!(app.client.simple_query("SELECT 1").await.is_err(), "connections that were open end");
    assert!(!opens(&old).await, "and no new one opens");
    assert!(opens(&connected.url(Login::Monitor)).await, "the positive control: the others work");
    assert!(faults(connected).iter().any(|fault| fault.message.contains("eis_app") && fault.message.contains("LOGIN")));
    let file = settings.data_dir.join("secrets.json");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut secrets: serde_json::Value = serde_json::from_str(&text).unwrap();
    secrets["app"] = format!("another-{}", uuid::Uuid::now_v7()).into();
    std::fs::write(&file, secrets.to_string()).unwrap();
    let again = settings.connect_to("portal", false).unwrap();
    apart(again.migrate_up()).unwrap();
    admin.must(last).await;
    assert!(!opens(&old).await, "the old password is worth nothing");
    assert!(opens(&again.url(Login::App)).await);
    assert!(faults(&again).is_empty());
}

/// A program of PostgreSQL's, of the newest version that is installed.
pub fn program(name: &str) -> PathBuf {
    let mut found: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .map(|folder| folder.filter_map(Result::ok).map(|entry| entry.path().join("bin").join(name)).collect())
        .unwrap_or_default();
    found.retain(|path| path.exists());
    found.sort();
    found.pop().unwrap_or_else(|| name.into())
}

fn run(name: &str, arguments: &[&str]) {
    let done = Command::new(program(name)).args(arguments).output().unwrap_or_else(|error| panic!("{name}: {error}"));
    assert!(done.status.success(), "{name}: {}", String::from_utf8_lossy(&done.stderr));
}

async fn a_backup_is_restored_beside_what_was_lost(settings: &Settings, connected: &Connected) {
    let admin = Sql::open(connected.admin_url()).await;
    let base = connected.admin_url().replace("/portal?", "/postgres?");
    let backup = settings.data_dir.join("backup.dump");
    run("pg_dump", &["--format=custom", &format!("--file={}", backup.display()), connected.admin_url()]);
    let made = async |truth: &Sql| {
        let mut lines = catalogue(truth).await;
        // A dump leaves out rights that are the default anyway.
        lines.retain(|line| {
            ["policy", "function", "trigger", "constraint", "index"].iter().any(|kind| line.starts_with(kind))
        });
        lines
    };
    let before = made(&admin).await;
    admin.must("TRUNCATE organizations CASCADE").await;
    // `createdb` and `pg_restore` as the guide has them, told where the server is.
    let written = steps("data is lost");
    assert_eq!(written[..2], ["createdb restored", "pg_restore --dbname=restored backup.dump"]);
    let postgres = Sql::open(&base).await;
    postgres.must("DROP DATABASE IF EXISTS restored WITH (FORCE)").await;
    run("createdb", &[&format!("--maintenance-db={base}"), "restored"]);
    let restored = settings.connect_to("restored", false).unwrap();
    run("pg_restore", &[&format!("--dbname={}", restored.admin_url()), &backup.display().to_string()]);
    apart(restored.migrate_up()).unwrap();
    assert_eq!(faults(&restored).iter().map(|f| &f.message).collect::<Vec<_>>(), Vec::<&String>::new());
    let truth = Sql::open(restored.admin_url()).await;
    let after = made(&truth).await;
    assert!(before.len() > 400 && before == after, "{}", difference(&before, &after));
    let proof = apart(check::isolation(restored.admin_url())).unwrap();
    assert!(proof.iter().all(|finding| finding.ok), "{proof:?}");
    assert_eq!(truth.count("SELECT count(*) FROM audit_chain_faults()").await, 0);
    let app = Sql::open(&restored.url(Login::App)).await;
    assert_eq!(app.count_as(Who::Admin(1), "SELECT count(*) FROM customers").await, 4, "the positive control");
    assert_eq!(
        app.refused("SELECT set_config('a.b', 'c', true)").await,
        DENIED,
        "rights on functions of the system came along"
    );
    postgres.must("DROP DATABASE restored WITH (FORCE)").await;
    std::fs::remove_file(backup).unwrap();
}

#[tokio::test]
async fn the_emergency_steps_that_concern_the_server_work_as_written() {
    let Some((_lock, settings, server)) = server_apart() else { return };
    let admin = Sql::open(server.admin_url()).await;
    admin.must("DROP DATABASE IF EXISTS portal WITH (FORCE)").await;
    let connected = settings.connect_to("portal", false).unwrap();
    apart(connected.migrate_up()).unwrap();
    admin.must("ALTER ROLE eis_app LOGIN").await;
    seed(&connected).await;
    the_portal_s_password_is_changed(&settings, &connected).await;
    let connected = settings.connect_to("portal", false).unwrap();
    a_backup_is_restored_beside_what_was_lost(&settings, &connected).await;
    stop(&server);
}

/// After a release went wrong the program before it starts again, on the schema of the new one.
#[tokio::test]
async fn a_program_of_the_release_before_starts_on_a_newer_schema() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let told = || apart(check::run(case.connected.admin_url())).unwrap();
    truth.must("ALTER TABLE customers ADD COLUMN newer text; GRANT DELETE ON meters TO eis_app").await;
    assert!(
        told().iter().any(|f| !f.ok && f.check == "drift"),
        "the positive control: of the same release it is drift"
    );
    truth.must("INSERT INTO __diesel_schema_migrations (version) VALUES ('29991231000001')").await;
    let told = told();
    assert!(told.iter().all(|f| f.ok), "{told:?}");
    assert!(told.iter().any(|f| f.message.contains("newer than this program (29991231000001)")), "{told:?}");
    let expected = truth.count("SELECT count(*) FROM expected_state").await;
    truth.must("DELETE FROM expected_state WHERE line LIKE 'trigger%'").await;
    apart(migrate::up(case.connected.admin_url())).unwrap();
    assert!(
        truth.count("SELECT count(*) FROM expected_state").await < expected,
        "and leaves the newer one's word alone"
    );
}

/// The command itself: what it prints and its exit code.
#[tokio::test]
async fn portal_check_exits_1_and_says_in_json_what_is_wrong() {
    let case = Case::world().await;
    let check = || {
        let done = Command::new(env!("CARGO_BIN_EXE_portal"))
            .args(["check", "--json"])
            .env("DATABASE_URL", case.connected.admin_url())
            .env("PORTAL_DATA_DIR", std::env::temp_dir().join(&case.name))
            .output()
            .unwrap();
        let report: serde_json::Value = serde_json::from_slice(&done.stdout)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&done.stderr)));
        (done.status.code(), report)
    };
    let (code, report) = check();
    assert_eq!((code, &report["ok"]), (Some(0), &true.into()), "{report:#}");
    let checks: Vec<&str> = report["findings"].as_array().unwrap().iter().filter_map(|f| f["check"].as_str()).collect();
    for name in [
        "version",
        "roles",
        "row-level security",
        "policies",
        "views",
        "rights",
        "drift",
        "migrations",
        "audit log",
        "isolation",
    ] {
        assert!(checks.contains(&name), "{name}: {checks:?}");
    }
    case.superuser().await.must("ALTER POLICY level2_client_select ON payments USING (true)").await;
    let (code, report) = check();
    assert_eq!((code, &report["ok"]), (Some(1), &false.into()));
    let faults: Vec<String> =
        report["findings"].as_array().unwrap().iter().filter(|f| f["ok"] == false).map(ToString::to_string).collect();
    for words in ["policies", "drift", "isolation"] {
        assert!(faults.iter().any(|f| f.contains(words) && f.contains("payments")), "{words}: {faults:?}");
    }
}

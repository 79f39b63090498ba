//! The private PostgreSQL is killed while the portal serves (attack 88): it is back within seconds, and nobody is told a
//! fault of ours, waits for what is not there, or has to sign in again.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use eis::operate::connect::{Connected, Login, Settings};

use crate::check::{server_at, stop};
use crate::support::database::{apart, seed};
use crate::support::http::{Answer, Browser, Portal};
use crate::support::sql::Sql;
use crate::support::world::Who;

/// `portal serve` as a process of its own, with its log in a file.
pub struct Served {
    child: Child,
    log: PathBuf,
    pub portal: Portal,
}

impl Served {
    pub fn start(settings: &Settings, name: &str) -> Self {
        let log = settings.data_dir.join(format!("{name}.log"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_portal"))
            .args(["serve", "--listen", "127.0.0.1:0", "--workers", "1"])
            .env("PORTAL_DATA_DIR", &settings.data_dir)
            .env("DATABASE_URL", settings.database_url.as_deref().unwrap_or_default())
            .env("RUST_LOG", "info")
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.map_while(Result::ok).find_map(|line| line.split("http://").nth(1)?.parse().ok());
        let told = || std::fs::read_to_string(&log).unwrap_or_default();
        let portal = Portal::elsewhere(address.unwrap_or_else(|| panic!("no address: {}", told())));
        Self { child, log, portal }
    }

    pub fn said(&self, words: &str) -> usize {
        std::fs::read_to_string(&self.log).unwrap().matches(words).count()
    }

    async fn until_said(&self, words: &str) {
        until(words, async || self.said(words) > 0).await;
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Comes back when it is so; a minute is far beyond what it takes.
pub async fn until(what: &str, so: impl AsyncFn() -> bool) {
    for _ in 0..600 {
        if so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not within a minute: {what}");
}

/// What people see while it is away: a page that says so and when to come back.
pub fn is_away(answer: &Answer) -> bool {
    answer.status == 503
        && answer.header("retry-after") == "5"
        && answer.body.contains("cannot reach its database")
        && !answer.body.contains("went wrong on our side")
}

pub async fn answers(browser: &Browser, path: &str) -> bool {
    let answer = browser.get(path).await;
    assert!(answer.status == 200 || is_away(&answer), "{path}: {} {}", answer.status, answer.body);
    assert_eq!(browser.get("/healthz").await.status, 200, "the process lives all the while");
    answer.status == 200
}

pub fn kill_server(data: &str) {
    let pid = std::fs::read_to_string(format!("{data}/postmaster.pid")).unwrap();
    let pid = pid.lines().next().unwrap();
    assert!(Command::new("kill").args(["-9", pid]).status().unwrap().success());
}

/// The server's settings, taken away so that it cannot start; put back when dropped, whatever became of the test.
struct Taken {
    file: String,
    away: String,
}

impl Taken {
    fn from(data: &str) -> Self {
        let taken = Self { file: format!("{data}/postgresql.conf"), away: format!("{data}/away.conf") };
        std::fs::rename(&taken.file, &taken.away).unwrap();
        taken
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        let _ = std::fs::rename(&self.away, &self.file);
    }
}

/// One connection is cut in the middle of a request: that request alone is lost.
async fn one_backend_is_ended(connected: &Connected, browser: &Browser) {
    let truth = Sql::open(connected.admin_url()).await;
    truth.must("BEGIN; LOCK TABLE customers IN ACCESS EXCLUSIVE MODE").await;
    let other = Sql::open(connected.admin_url()).await;
    let page = format!("/clients/{}/customers", crate::support::world::client(1, 1));
    let cut = async {
        let waiting = "FROM pg_stat_activity WHERE usename = 'eis_app' AND wait_event_type = 'Lock'";
        until("a page waits", async || other.count(&format!("SELECT count(*) {waiting}")).await > 0).await;
        other.must(&format!("SELECT pg_terminate_backend(pid) {waiting}")).await;
    };
    let (answer, ()) = tokio::join!(browser.get(&page), cut);
    assert!(is_away(&answer), "{} {}", answer.status, answer.body);
    truth.must("ROLLBACK").await;
    assert_eq!(browser.get(&page).await.status, 200, "the positive control: the next one reads");
    other.must("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'eis_app'").await;
    let there = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'eis_app'";
    until("they have ended", async || other.count(there).await == 0).await;
    for _ in 0..8 {
        assert_eq!(browser.get(&page).await.status, 200, "no dead connection is handed out");
    }
}

/// What serves holds connections of the portal's logins alone; the monitor's are those by which two portals notice its end.
async fn nobody_serves_as_the_administrator(admin: &Sql) {
    let of = async |login: &str| {
        admin
            .count(&format!(
                "SELECT count(*) FROM pg_stat_activity WHERE usename = '{login}' AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ))
            .await
    };
    until("the monitor's login watches", async || of("eis_monitor").await == 2).await;
    until("no connection is the superuser's", async || of("postgres").await == 0).await;
}

/// Somebody's work in the background, of a kind that the portal ends with a sentence.
async fn job(connected: &Connected) -> String {
    let app = Sql::open(&connected.url(Login::App)).await;
    let id = uuid::Uuid::now_v7().to_string();
    app.enter(Who::Client(1, 1)).await;
    let secret = Who::Client(1, 1).secret().hex();
    app.must(&format!("SELECT queue_job('\\x{secret}', '{id}', '{}', '{{}}'); COMMIT", eis::billing::what_ifs::KIND))
        .await;
    id
}

#[tokio::test]
async fn attack_88_the_private_server_is_killed_and_is_back_within_seconds() {
    let Some((_lock, settings, server)) = server_at("dies") else { return };
    let admin = Sql::open(server.admin_url()).await;
    let data = admin.value("SHOW data_directory").await;
    admin.must("DROP DATABASE IF EXISTS portal WITH (FORCE)").await;
    let connected = settings.connect_to("portal", true).unwrap();
    apart(connected.migrate_up()).unwrap();
    seed(&connected).await;
    let (served, second) = (Served::start(&settings, "one"), Served::start(&settings, "two"));
    let browser = served.portal.browser_of(Who::Client(1, 1));
    assert!(answers(&browser, "/profile").await, "the positive control");

    nobody_serves_as_the_administrator(&admin).await;
    one_backend_is_ended(&connected, &browser).await;

    kill_server(&data);
    until("it serves again", async || answers(&browser, "/profile").await).await;
    let other = second.portal.browser_of(Who::Client(1, 1));
    until("the other serves again", async || answers(&other, "/profile").await).await;
    let times = || served.said("had died and was started again") + second.said("had died and was started again");
    until("one of them says that it started it", async || times() == 1).await;
    until("it is ready", async || browser.get("/readyz").await.status == 200).await;
    let (id, truth) = (job(&connected).await, Sql::open(connected.admin_url()).await);
    let ended = format!("SELECT count(*) FROM jobs WHERE id = '{id}' AND status IN ('done', 'failed')");
    until("work in the background goes on", async || truth.count(&ended).await == 1).await;

    // It cannot be started: that is told, and tried until it can.
    let taken = Taken::from(&data);
    kill_server(&data);
    served.until_said("cannot be started").await;
    until("it is not ready", async || {
        let ready = browser.get("/readyz").await;
        (ready.status.as_u16(), ready.body.as_str()) == (503, "the database cannot be reached\n")
    })
    .await;
    assert!(!answers(&browser, "/profile").await);
    let sent = served.portal.browser().sign_in("admin1@eis.example").await;
    assert!(is_away(&sent), "a form too: {} {}", sent.status, sent.body);
    drop(taken);
    until("it serves again", async || answers(&browser, "/profile").await).await;
    let (went, came) = ("requests are answered 503", "the database is reached again");
    until("both are told, each once", async || served.said(went) > 1 && served.said(went) == served.said(came)).await;

    // Stopped on purpose, it stays so until somebody starts it.
    settings.stop().unwrap();
    served.until_said("was stopped by `portal db stop`").await;
    assert!(!answers(&browser, "/profile").await);
    settings.connect_to("portal", true).unwrap();
    until("it serves again", async || answers(&browser, "/profile").await).await;
    drop((served, second));
    stop(&server);
}

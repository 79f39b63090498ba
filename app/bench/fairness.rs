//! `portal bench fairness`: how much slower one organization's pages are while another loads the portal as much as it
//! can. The demo's data; the portal in a process of its own; one reader of an invoice list, in turn idle and under load.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::text;
use eis::demo::{self, Login};
use eis::operate::connect::{Connected, Settings};
use http::StatusCode;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio_postgres::NoTls;

use crate::visitor::{Visitor, field};
use portal::out;

/// The database, in the private PostgreSQL.
const NAME: &str = "portal_bench_fairness";
/// Idle, load, idle, load …: so many of each.
const ROUNDS: usize = 5;
/// How long each is.
const ROUND: Duration = Duration::from_secs(2);
/// How long a load goes on before it counts.
const WARM: Duration = Duration::from_millis(500);
/// The other's p99 under load is at most so many hundredths of its p99 when idle.
const GOAL: u64 = 300;
/// Bytes of the file that is uploaded.
const FILE: usize = 8 << 20;

/// What the first organization does, and how often at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Load {
    Ratings,
    IsolationTests,
    Pages,
    Uploads,
}

const LOADS: [(Load, &str, usize); 4] = [
    (Load::Ratings, "ratings", 24),
    (Load::IsolationTests, "isolation tests", 12),
    (Load::Pages, "readers of pages", 64),
    (Load::Uploads, "uploads of 8 MB", 8),
];

/// One load: the other's pages beside it. Microseconds; medians of the rounds.
#[derive(Debug, serde::Serialize)]
pub struct Case {
    load: &'static str,
    at_once: usize,
    idle_p50_us: u64,
    idle_p99_us: u64,
    p50_us: u64,
    p99_us: u64,
    /// Hundredths: the median of the rounds' own ratios of p99.
    ratio_percent: u64,
    holds: bool,
    /// Answers that the load got, and how many of them said "busy".
    answers: usize,
    busy: usize,
}

/// All of a run.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    goal_percent: u64,
    optimised: bool,
    cases: Vec<Case>,
    holds: bool,
}

/// Who loads and who reads.
struct World {
    at: SocketAddr,
    /// Admin of a client with a billing run to rate, and of its organization.
    client_admin: Login,
    energy_admin: Login,
    run: String,
    /// Admin of a client of another organization.
    other: Login,
}

/// The portal over a database, on a free port; it ends with the handle.
async fn serve(connected: &Connected, settings: &Settings) -> Result<(Child, SocketAddr), String> {
    let mut child = Command::new(crate::portal()?)
        .args(["serve", "--listen", "127.0.0.1:0", "--workers", "0"])
        .env("DATABASE_URL", connected.admin_url())
        .env("PORTAL_DATA_DIR", &settings.data_dir)
        .env("RUST_LOG", "error")
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(text)?;
    let lines = child.stdout.take().ok_or("the portal has no output")?;
    let mut lines = BufReader::new(lines).lines();
    while let Some(line) = lines.next_line().await.map_err(text)? {
        if let Some(address) = line.strip_prefix("EIS Power Portal: http://") {
            return Ok((child, address.parse().map_err(text)?));
        }
    }
    Err("the portal did not start".to_owned())
}

/// A run of a client that may be rated.
async fn run_of(admin_url: &str, client: &str) -> Result<Option<String>, String> {
    let (sql, connection) = tokio_postgres::connect(admin_url, NoTls).await.map_err(text)?;
    tokio::spawn(connection);
    let find = "SELECT p.id::text FROM public.billing_runs p WHERE p.client_id = $1::text::uuid AND p.status IN ('open', 'rated')
                ORDER BY p.due_on, p.id LIMIT 1";
    Ok(sql.query_opt(find, &[&client]).await.map_err(text)?.map(|row| row.get(0)))
}

async fn world(connected: &Connected, at: SocketAddr) -> Result<World, String> {
    connected.migrate_up().await.map_err(text)?;
    let logins = demo::load_once(connected.admin_url(), demo::today()).await.map_err(text)?.logins;
    let admins = || logins.iter().filter(|login| login.role == "client_admin" && login.home.starts_with("/clients/"));
    for login in admins() {
        let client = login.home.trim_start_matches("/clients/");
        let Some(run) = run_of(connected.admin_url(), client).await? else { continue };
        let same = |one: &&Login| one.organization == login.organization;
        let energy = logins.iter().find(|one| one.role == "energy_admin" && same(one));
        let other = admins().find(|one| !same(one));
        if let (Some(energy), Some(other)) = (energy, other) {
            let (client_admin, energy_admin, other) = (login.clone(), energy.clone(), other.clone());
            return Ok(World { at, client_admin, energy_admin, run, other });
        }
    }
    Err("the demo has no billing run that can be rated: drop the bench's database and run again".to_owned())
}

/// What loads the portal until told to stop, counting its answers.
#[derive(Clone, Default)]
struct Loading {
    stop: Arc<AtomicBool>,
    answers: Arc<AtomicUsize>,
    busy: Arc<AtomicUsize>,
}

impl Loading {
    async fn go_on(self, at: SocketAddr, cookie: String, shot: Arc<Shot>) -> Result<(), String> {
        let mut visitor = Visitor::with(at, cookie);
        while !self.stop.load(Ordering::Relaxed) {
            let answer = match shot.as_ref() {
                Shot::Page(path) => visitor.get(path).await?,
                Shot::Form(path, form) => visitor.post(path, form).await?,
                Shot::File(path, body) => visitor.upload(path, body.clone()).await?,
            };
            self.answers.fetch_add(1, Ordering::Relaxed);
            if answer.status == StatusCode::SERVICE_UNAVAILABLE {
                self.busy.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    }
}

/// One request of a load.
enum Shot {
    Page(String),
    Form(&'static str, String),
    File(String, String),
}

/// The session of somebody, and the load's request as they send it.
async fn shot(world: &World, load: Load) -> Result<(String, Shot), String> {
    let login = if load == Load::IsolationTests { &world.energy_admin } else { &world.client_admin };
    let mut visitor = Visitor::signed_in(world.at, login).await?;
    let home = &login.home;
    let client = home.trim_start_matches("/clients/");
    let page = match load {
        Load::IsolationTests => "/organization/isolation".to_owned(),
        _ => format!("{home}/imports/new"),
    };
    let context = field(&visitor.get(&page).await?.body, "context").ok_or("a page has no form")?;
    let form = |pairs: &[(&str, &str)]| serde_urlencoded::to_string(pairs).map_err(text);
    let shot = match load {
        Load::Ratings => Shot::Form(
            "/api/rate_billing_run",
            form(&[("context", &context), ("client", client), ("run", &world.run)])?,
        ),
        Load::IsolationTests => Shot::Form("/api/run_isolation_test", form(&[("context", &context)])?),
        Load::Pages => Shot::Page(format!("{home}/invoices")),
        Load::Uploads => Shot::File(format!("{home}/imports"), file(&context)),
    };
    Ok((visitor.cookie().to_owned(), shot))
}

/// A form with a large file of a meter that there is not: it is read whole, and nothing comes of it.
fn file(context: &str) -> String {
    let mut body = String::with_capacity(FILE + 1024);
    for (name, value) in [("context", context), ("serial", "bench-no-such-meter")] {
        body += &format!("--edge\r\ncontent-disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
    }
    body += "--edge\r\ncontent-disposition: form-data; name=\"file\"; filename=\"b.csv\"\r\n\r\ninterval_start,kwh\r\n";
    for n in 0_u32.. {
        if body.len() > FILE {
            break;
        }
        let (day, hour, quarter) = (n / 96, n / 4 % 24, n % 4 * 15);
        let (year, month, day) = (2000 + day / 336, day / 28 % 12 + 1, day % 28 + 1);
        body += &format!("{year}-{month:02}-{day:02}T{hour:02}:{quarter:02}:00Z,0.{:03}\r\n", n % 1000);
    }
    body + "\r\n--edge--\r\n"
}

/// Reads the list for a round on a thread of its own, so that the load's sending does not slow the clock: sorted latencies.
async fn read(world: &World, cookie: &str) -> Result<Vec<u64>, String> {
    let (at, cookie, path) = (world.at, cookie.to_owned(), format!("{}/invoices", world.other.home));
    let reading = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(text)?;
        runtime.block_on(async {
            let mut visitor = Visitor::with(at, cookie);
            let (begin, mut latencies) = (Instant::now(), vec![]);
            while begin.elapsed() < ROUND {
                let start = Instant::now();
                let answer = visitor.get(&path).await?;
                if answer.status != StatusCode::OK {
                    return Err(format!("{path} answered {}", answer.status));
                }
                latencies.push(u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
            }
            latencies.sort_unstable();
            Ok(latencies)
        })
    });
    reading.await.map_err(text)?
}

fn at(latencies: &[u64], percent: usize) -> u64 {
    latencies.get(latencies.len() * percent / 100).copied().unwrap_or_default()
}

fn middle(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    values.sort_unstable();
    at(&values, 50)
}

async fn case(world: &World, (load, name, at_once): (Load, &'static str, usize)) -> Result<Case, String> {
    let reader = Visitor::signed_in(world.at, &world.other).await?;
    let (cookie, shot) = shot(world, load).await?;
    let (shot, counted) = (Arc::new(shot), Loading::default());
    let (mut idle, mut under) = (vec![], vec![]);
    read(world, reader.cookie()).await?;
    for _ in 0..ROUNDS {
        idle.push(read(world, reader.cookie()).await?);
        let loading = Loading { stop: Arc::default(), ..counted.clone() };
        let many: Vec<_> =
            (0..at_once).map(|_| tokio::spawn(loading.clone().go_on(world.at, cookie.clone(), shot.clone()))).collect();
        tokio::time::sleep(WARM).await;
        under.push(read(world, reader.cookie()).await?);
        loading.stop.store(true, Ordering::Relaxed);
        for one in many {
            one.await.map_err(text)??;
        }
    }
    let of = |rounds: &[Vec<u64>], percent: usize| middle(rounds.iter().map(|round| at(round, percent)));
    let ratio_percent = of(&under, 99) * 100 / of(&idle, 99).max(1);
    Ok(Case {
        load: name,
        at_once,
        idle_p50_us: of(&idle, 50),
        idle_p99_us: of(&idle, 99),
        p50_us: of(&under, 50),
        p99_us: of(&under, 99),
        ratio_percent,
        holds: ratio_percent <= GOAL,
        answers: counted.answers.load(Ordering::Relaxed),
        busy: counted.busy.load(Ordering::Relaxed),
    })
}

/// Measures and prints; whether the goal is met under every load.
///
/// # Errors
/// A sentence when the database cannot be made or the portal answers otherwise than it should.
pub async fn run(settings: &Settings, json: bool) -> Result<bool, String> {
    let connected = settings.connect_to(NAME, true).map_err(text)?;
    connected.migrate_up().await.map_err(text)?;
    let (portal, at) = serve(&connected, settings).await?;
    let world = world(&connected, at).await?;
    let mut cases = vec![];
    for load in LOADS {
        cases.push(case(&world, load).await?);
    }
    drop(portal);
    let holds = cases.iter().all(|case| case.holds);
    print(&Report { goal_percent: GOAL, optimised: !cfg!(debug_assertions), cases, holds }, json)?;
    Ok(holds)
}

fn print(report: &Report, json: bool) -> Result<(), String> {
    if json {
        return out::print(serde_json::to_string_pretty(report).map_err(text)?);
    }
    let build = if report.optimised { "an optimised build" } else { "a development build" };
    out::print(format_args!(
        "Another organisation's invoice list while one loads the portal; {build}, medians of {ROUNDS} rounds of {} s",
        ROUND.as_secs()
    ))?;
    out::print(format_args!(
        "{:<24} {:>12} {:>12} {:>8} {:>8} {:>6}  {}",
        "load", "idle p50 ms", "idle p99 ms", "p50 ms", "p99 ms", "ratio", "answers to the load, busy among them"
    ))?;
    let millis = |us: u64| format!("{}.{}", us / 1000, us % 1000 / 100);
    for c in &report.cases {
        out::print(format_args!(
            "{:<24} {:>12} {:>12} {:>8} {:>8} {:>6}  {}, {}{}",
            format!("{} {}", c.at_once, c.load),
            millis(c.idle_p50_us),
            millis(c.idle_p99_us),
            millis(c.p50_us),
            millis(c.p99_us),
            format!("{}.{:02}", c.ratio_percent / 100, c.ratio_percent % 100),
            c.answers,
            c.busy,
            if c.holds { "" } else { "  MISSED" }
        ))?;
    }
    let goal = report.goal_percent / 100;
    out::print(format_args!("The goal is a ratio of {goal} at most: {}", if report.holds { "met" } else { "missed" }))
}

//! A database of its own for every test, cloned from a template that is made once.
//!
//! The server is the one of `DATABASE_URL`, or a private one under `target/test-postgres` that is left
//! running. Templates carry a hash of migrations, scripts and seed in their name. A file lock keeps processes
//! from making one twice.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use eis::billing::{self};
use eis::db::AtClient;
use eis::db::Db;
use eis::db::owner::Owner;
use eis::operate::connect::{Connected, Login, Settings};
use eis::operate::scripts::Scripts;
use eis::parties::clients;
use eis::values::ids::{ClientId, OrganizationId};
use sha2::{Digest, Sha256};
use tokio::sync::OnceCell;

use super::sql::Sql;
use super::world::{DIGEST, SALT, Who};

const SEED: &str = include_str!("seed.sql");

/// What a clone holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Template {
    /// Every migration and nothing else.
    Migrated,
    /// The seeded world.
    World,
}

struct Server {
    connected: Connected,
    hash: String,
}

static SERVER: OnceCell<Server> = OnceCell::const_new();
static NUMBER: AtomicU32 = AtomicU32::new(1);

/// A test's own database; dropped with it.
pub struct Case {
    pub name: String,
    pub connected: Connected,
    admin: String,
}

/// Where the test server and its logins' passwords are.
pub fn home() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../test-postgres")
}

/// Connection strings for one database of the server.
fn at(database: &str) -> Connected {
    let database_url = std::env::var("DATABASE_URL").ok().map(|url| with_database(&url, database));
    Settings { database_url, data_dir: home() }.connect_to(database, false).expect("the test server")
}

fn with_database(url: &str, database: &str) -> String {
    let (place, query) = url.split_once('?').map_or((url, None), |(place, query)| (place, Some(query)));
    let from = place.find("://").map_or(0, |i| i + 3);
    let end = place[from..].find('/').map_or(place.len(), |i| from + i);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{database}{query}", &place[..end])
}

/// A hash of everything that a template is made of.
fn content_hash() -> String {
    let mut hash = Sha256::new();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations");
    let mut folders: Vec<PathBuf> =
        std::fs::read_dir(root).expect("migrations").map(|entry| entry.expect("an entry").path()).collect();
    folders.sort();
    for folder in folders {
        for file in ["up.sql", "down.sql"] {
            hash.update(std::fs::read(folder.join(file)).expect("a migration"));
        }
    }
    for script in Scripts::ours().all() {
        hash.update(script.text.as_bytes());
    }
    let stamped = concat!(
        include_str!("../../../src/billing/inputs.rs"),
        include_str!("../../../src/billing/load.rs"),
        include_str!("../../../src/billing/tariffs.rs")
    );
    for text in [
        SEED,
        DIGEST,
        stamped,
        include_str!("world.rs"),
        include_str!("../../../src/operate/admin.rs"),
        eis::operate::expected::STATE,
    ] {
        hash.update(text);
    }
    hash.finalize().iter().take(5).map(|byte| format!("{byte:02x}")).collect()
}

impl Template {
    fn name(self, hash: &str) -> String {
        match self {
            Self::Migrated => format!("eis_test_{hash}_migrated"),
            Self::World => format!("eis_test_{hash}_world"),
        }
    }
}

async fn server() -> &'static Server {
    SERVER
        .get_or_init(|| async {
            std::fs::create_dir_all(home()).expect("a directory for the test server");
            let lock = File::create(home().join("lock")).expect("the lock");
            lock.lock().expect("the lock");
            let connected = at("postgres");
            let hash = content_hash();
            let admin = Sql::open(connected.admin_url()).await;
            let ready = admin
                .count(&format!(
                    "SELECT count(*) FROM pg_database WHERE datname IN ('{}', '{}')",
                    Template::Migrated.name(&hash),
                    Template::World.name(&hash)
                ))
                .await;
            if ready < 2 {
                make_templates(&admin, &hash).await;
            }
            Server { connected, hash }
        })
        .await
}

/// Makes both templates anew, and clears away what earlier runs left.
async fn make_templates(admin: &Sql, hash: &str) {
    let old = admin.rows("SELECT datname FROM pg_database WHERE datname LIKE 'eis\\_test\\_%'").await.expect("names");
    for name in old.into_iter().flatten().flatten() {
        let process = name.strip_prefix("eis_test_case_").and_then(|rest| rest.split('_').next().map(str::to_owned));
        if process.is_none_or(|process| !Path::new("/proc").join(process).exists()) {
            admin.must(&format!("DROP DATABASE \"{name}\" WITH (FORCE)")).await;
        }
    }
    let (migrated, world) = (Template::Migrated.name(hash), Template::World.name(hash));
    admin.must("CREATE DATABASE eis_test_new").await;
    apart(async { at("eis_test_new").migrate_up().await.expect("the migrations") });
    admin.must(&format!("ALTER DATABASE eis_test_new RENAME TO \"{migrated}\"")).await;
    admin.must(&format!("CREATE DATABASE eis_test_new TEMPLATE \"{migrated}\"")).await;
    seed(&at("eis_test_new")).await;
    admin.must(&format!("ALTER DATABASE eis_test_new RENAME TO \"{world}\"")).await;
}

/// Fills a migrated database with the world.
pub async fn seed(connected: &Connected) {
    let owner = Sql::open(connected.admin_url()).await;
    owner.must(&SEED.replace("{{salt}}", SALT).replace("{{digest}}", DIGEST.trim())).await;
    stamp(connected).await;
    grant_connect(&owner).await;
    let app = Sql::open(&connected.url(Login::App)).await;
    for who in Who::all() {
        sign_in(&app, who).await;
    }
    owner.must("VACUUM ANALYZE").await;
}

/// Says of the seeded drafts that they were rated from what is there.
async fn stamp(connected: &Connected) {
    let mut tx = Owner::begin(connected.admin_url()).await.expect("the owner");
    for (o, c) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        let organization = OrganizationId(super::world::organization(o));
        let here = AtClient { organization, client: ClientId(super::world::client(o, c)), by: None };
        tx.stand_at(organization).await.expect("the context");
        let client = clients::find(&tx, organization, here.client).await.expect("the client").expect("the client");
        billing::stamp(&mut tx, &here, &client).await.expect("the stamp");
    }
    tx.commit().await.expect("the commit");
}

/// A live session for somebody, made as the portal makes it: by the gate's functions, as the portal's login.
async fn sign_in(app: &Sql, who: Who) {
    let (email, digest) = (who.email(), DIGEST.trim());
    let ticket = app.value(&format!("SELECT ticket FROM sign_in('{email}', '\\x{digest}', 'seed')")).await;
    let bind = async |secret: &str, ticket: &str| {
        let create = format!(
            "SELECT made FROM session_create('\\x{secret}', '{ticket}', '{{}}', '127.0.0.1', 'Test', 300000000, 300000000)"
        );
        assert_eq!(app.value(&create).await, "t", "{who:?}");
    };
    let chosen = match who {
        Who::Staff(o) if o > 0 => format!("NULL, '{}'", super::world::organization(o)),
        Who::Consultant(o) if o > 0 => format!("'{}', NULL", who.assignment()),
        _ => return bind(&who.secret().hex(), &ticket).await,
    };
    let passing = format!("{:032x}", who.secret().0 + 0x10_0000);
    bind(&passing, &ticket).await;
    let ticket = app.value(&format!("SELECT switch_context('\\x{passing}', {chosen})")).await;
    app.must(&format!("SELECT session_delete('\\x{passing}')")).await;
    bind(&who.secret().hex(), &ticket).await;
}

/// Rights on the database itself do not come with a template.
async fn grant_connect(admin: &Sql) {
    admin
        .must(
            "DO $$ BEGIN
                EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
                EXECUTE format('GRANT CREATE ON DATABASE %I TO eis_owner', current_database());
                EXECUTE format('GRANT CONNECT ON DATABASE %I TO eis_app, eis_worker, eis_monitor', current_database());
            END $$",
        )
        .await;
}

impl Case {
    /// A clone of the seeded world.
    ///
    /// `EIS_TEST_MUTATION` holds SQL that breaks each clone: to see a test of the suite fail.
    pub async fn world() -> Self {
        let case = Self::of(Template::World).await;
        if let Ok(mutation) = std::env::var("EIS_TEST_MUTATION") {
            case.superuser().await.must(&mutation).await;
        }
        case
    }

    /// A clone with every migration and no rows.
    pub async fn migrated() -> Self {
        Self::of(Template::Migrated).await
    }

    async fn of(template: Template) -> Self {
        let server = server().await;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("eis_test_case_{}_{number}", std::process::id());
        let admin_url = server.connected.admin_url().to_owned();
        let admin = Sql::open(&admin_url).await;
        admin.must(&format!("CREATE DATABASE {name} TEMPLATE \"{}\"", template.name(&server.hash))).await;
        let case = Self { connected: at(&name), name, admin: admin_url };
        grant_connect(&case.superuser().await).await;
        case
    }

    /// The portal's login.
    pub async fn app(&self) -> Sql {
        Sql::open(&self.connected.url(Login::App)).await
    }

    /// The login of background work.
    pub async fn worker(&self) -> Sql {
        Sql::open(&self.connected.url(Login::Worker)).await
    }

    /// The login that reads catalogues.
    pub async fn monitor(&self) -> Sql {
        Sql::open(&self.connected.url(Login::Monitor)).await
    }

    /// The owner of the tables.
    pub async fn owner(&self) -> Sql {
        Sql::open(&self.connected.url(Login::Owner)).await
    }

    /// The administrator, whom row-level security does not bind: for looking what is really there.
    pub async fn superuser(&self) -> Sql {
        Sql::open(self.connected.admin_url()).await
    }

    /// The portal's pool.
    pub fn db(&self, size: usize) -> Db {
        Db::new(&self.connected.url(Login::App), size).expect("a pool")
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let (name, admin) = (self.name.clone(), self.admin.clone());
        apart(async move {
            let admin = Sql::open(&admin).await;
            let _ = admin.run(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        });
    }
}

/// Runs something to its end on a runtime and thread of its own: migrations block, and a drop cannot wait.
pub fn apart<T: Send>(work: impl Future<Output = T> + Send) -> T {
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
            runtime.expect("a runtime").block_on(work)
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

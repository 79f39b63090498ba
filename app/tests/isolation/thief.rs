//! What a thief of the portal's login may do to that login itself: none of it keeps the portal from its next start.

use eis::operate::check;
use eis::operate::connect::{Connected, Login};

use crate::check::{faults, server_apart, stop};
use crate::operations::opens;
use crate::support::database::apart;
use crate::support::sql::Sql;

/// What is done as the portal's login; what `portal check` says of it; what the next start says that it mended.
const DEEDS: &[(&str, &[&str], &str)] = &[
    ("ALTER ROLE eis_app SET search_path = nowhere", &["ALTER ROLE eis_app RESET search_path"], "search_path=nowhere"),
    (
        "ALTER ROLE eis_app SET local_preload_libraries = 'nothing_of_this_name'",
        &["RESET local_preload_libraries"],
        "local_preload_libraries",
    ),
    (
        "DO $$ BEGIN EXECUTE format('ALTER ROLE eis_app IN DATABASE %I SET statement_timeout = ''1ms''', current_database()); END $$",
        &["setting statement_timeout=1ms of eis_app"],
        "statement_timeout=1ms",
    ),
    ("ALTER ROLE eis_app SET default_transaction_read_only = on", &["default_transaction_read_only"], "read_only=on"),
    ("ALTER ROLE eis_app RESET ALL", &["Missing: setting jit=off of eis_app", "portal migrate up"], ""),
    (
        "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
        &["ALTER DEFAULT PRIVILEGES FOR ROLE eis_app REVOKE SELECT ON TABLES FROM PUBLIC;", "--role app"],
        "eis_app for r",
    ),
    (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT EXECUTE ON FUNCTIONS TO eis_worker",
        &["ALTER DEFAULT PRIVILEGES FOR ROLE eis_app IN SCHEMA public REVOKE EXECUTE ON FUNCTIONS FROM eis_worker;"],
        "eis_app for f",
    ),
    (
        "ALTER DEFAULT PRIVILEGES GRANT USAGE ON SEQUENCES TO eis_monitor; ALTER DEFAULT PRIVILEGES REVOKE ALL ON TYPES FROM PUBLIC",
        &["REVOKE USAGE ON SEQUENCES FROM eis_monitor"],
        "eis_app for T",
    ),
    ("ALTER DEFAULT PRIVILEGES REVOKE ALL ON FUNCTIONS FROM PUBLIC, eis_app", &[], "eis_app for f"),
    ("DROP OWNED BY eis_app", &[], ""),
];

fn told(connected: &Connected) -> Vec<String> {
    faults(connected).into_iter().map(|fault| fault.message).collect()
}

/// As the portal's login, from a connection of its own.
async fn as_thief(connected: &Connected, deed: &str) {
    let thief = Sql::open(&connected.url(Login::App)).await;
    // A role may not drop what it was granted by others: a warning, and nothing happens.
    let done = thief.run(deed).await;
    assert!(done.is_ok() || deed.starts_with("DROP OWNED"), "{deed}: {done:?}");
}

async fn a_password_is_changed(connected: &Connected) {
    as_thief(connected, "ALTER ROLE eis_app PASSWORD 'stolen'").await;
    let finding = apart(connected.check_logins()).expect("the passwords are known");
    assert!(!finding.ok && finding.message.contains("portal migrate up"), "{finding:?}");
    let mended = apart(connected.migrate_up()).unwrap().mended;
    assert!(mended.iter().any(|line| line.contains("eis_app had another password")), "{mended:?}");
    assert!(apart(connected.check_logins()).expect("the passwords are known").ok);
    assert!(!opens(&connected.url(Login::App).replace("password=", "password=x")).await, "the positive control");
}

/// A change that is not committed holds the login's row: the start waits ten seconds, then says who to end.
async fn a_lock_is_held(connected: &Connected) {
    let thief = Sql::open(&connected.url(Login::App)).await;
    thief.must("BEGIN; ALTER ROLE eis_app PASSWORD 'stolen'").await;
    let refused = apart(connected.migrate_up()).unwrap_err().to_string();
    let statement = refused.split("SELECT pg_terminate_backend(").nth(1).map(|rest| rest.split(')').next().unwrap());
    let pid: u32 = statement.expect(&refused).parse().unwrap();
    let admin = Sql::open(connected.admin_url()).await;
    admin.must(&format!("SELECT pg_terminate_backend({pid})")).await;
    apart(connected.migrate_up()).unwrap();
}

#[tokio::test]
async fn a_thief_of_the_portals_login_cannot_keep_the_portal_from_its_next_start() {
    let Some((_lock, settings, server)) = server_apart() else { return };
    let admin = Sql::open(server.admin_url()).await;
    admin.must("DROP DATABASE IF EXISTS portal WITH (FORCE)").await;
    let connected = settings.connect_to("portal", false).unwrap();
    apart(connected.migrate_up()).unwrap();
    assert_eq!(told(&connected), Vec::<String>::new());
    let nothing = apart(connected.migrate_up()).unwrap();
    assert!(nothing.mended.is_empty(), "the positive control: {nothing:?}");
    let truth = Sql::open(connected.admin_url()).await;
    for (deed, words, mended) in DEEDS {
        as_thief(&connected, deed).await;
        let found = told(&connected);
        for word in *words {
            assert!(found.iter().any(|message| message.contains(word)), "{deed}: {word}: {found:?}");
        }
        assert!(found.is_empty() == words.is_empty(), "{deed}: {found:?}");
        let brought = apart(connected.migrate_up()).unwrap();
        assert!(mended.is_empty() || brought.mended.iter().any(|line| line.contains(mended)), "{deed}: {brought:?}");
        assert_eq!(told(&connected), Vec::<String>::new(), "{deed}");
        let left = truth.count("SELECT count(*) FROM pg_default_acl WHERE defaclrole = 'eis_app'::regrole").await;
        assert_eq!(left, 0, "{deed}");
        let app = Sql::open(&connected.url(Login::App)).await;
        assert_eq!(app.count("SELECT count(*) FROM customers").await, 0, "{deed}: the login works");
    }
    a_password_is_changed(&connected).await;
    a_lock_is_held(&connected).await;
    let proof = apart(check::isolation(connected.admin_url())).unwrap();
    assert!(proof.iter().all(|finding| finding.ok), "{proof:?}");
    stop(&server);
}

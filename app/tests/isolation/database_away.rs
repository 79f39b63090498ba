//! A database of one's own (`DATABASE_URL`) goes away and comes back: it is nobody's to start but its operator's, and the portal
//! finds it again by itself.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::fs::MetadataExt;
use std::time::Duration;

use eis::operate::connect::Settings;

use crate::check::{server_at, stop};
use crate::database_dies::{Served, answers, is_away, kill_server, until};
use crate::support::database::{apart, seed};
use crate::support::sql::Sql;
use crate::support::world::Who;

#[tokio::test]
async fn a_database_of_one_s_own_goes_away_and_comes_back() {
    let Some((_lock, settings, server)) = server_at("away") else { return };
    let admin = Sql::open(server.admin_url()).await;
    let data = admin.value("SHOW data_directory").await;
    admin.must("DROP DATABASE IF EXISTS portal WITH (FORCE)").await;
    let connected = settings.connect_to("portal", true).unwrap();
    apart(connected.migrate_up()).unwrap();
    seed(&connected).await;
    let cluster = connected.cluster.clone().unwrap();
    // The same server, as somebody else's: the portal is told where it is and nothing else.
    let theirs = Settings { database_url: Some(connected.admin_url().to_owned()), data_dir: settings.data_dir.clone() };
    let served = Served::start(&theirs, "away");
    let browser = served.portal.browser_of(Who::Client(1, 1));
    assert!(answers(&browser, "/profile").await, "the positive control");
    let (went, came) = ("requests are answered 503", "the database is reached again");
    for (times, goes) in [(1, "in order"), (2, "by a crash")] {
        if goes == "in order" {
            cluster.stop().unwrap()
        } else {
            kill_server(&data)
        }
        until("it is away", async || !answers(&browser, "/profile").await).await;
        until("it is not ready", async || browser.get("/readyz").await.status == 503).await;
        let sent = served.portal.browser().sign_in("admin1@eis.example").await;
        assert!(is_away(&sent), "{goes}: a form too: {} {}", sent.status, sent.body);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!cluster.runs_now().unwrap(), "{goes}: it is not the portal's to start");
        assert!(!answers(&browser, "/profile").await);
        assert!(cluster.start().unwrap(), "{goes}: its operator starts it");
        until("it serves again, in the same session", async || answers(&browser, "/profile").await).await;
        until("it is ready", async || browser.get("/readyz").await.status == 200).await;
        // Once by the pages' connections, once by the workers', where these looked meanwhile.
        until("both are told", async || served.said(went) == served.said(came)).await;
        assert!((times..=2 * times).contains(&served.said(went)), "{goes}: each once");
    }
    let again = served.portal.browser().sign_in("admin1@eis.example").await;
    assert_eq!(again.location(), "/", "people sign in again");
    drop(served);
    stop(&server);
}

/// Seven times as much as a file of the log holds, each in a second of its own: its name is that second.
const MUCH: &str = "DO $$ BEGIN
    FOR n IN 1..7 LOOP
        FOR i IN 1..110 LOOP RAISE LOG '%', repeat('x', 100000); END LOOP;
        PERFORM pg_sleep(1.1);
    END LOOP; END $$";

#[tokio::test]
async fn the_private_server_s_log_has_an_end_and_its_socket_a_folder_of_its_own() {
    let Some((_lock, _, server)) = server_at("away") else { return };
    let admin = Sql::open(server.admin_url()).await;
    let folder = admin.value("SHOW log_directory").await;
    let files = || {
        let entries = std::fs::read_dir(&folder).unwrap().map(Result::unwrap);
        entries.map(|entry| (entry.file_name(), entry.metadata().unwrap().len())).collect::<BTreeMap<OsString, u64>>()
    };
    admin.must(MUCH).await;
    let before = files();
    assert!(before.len() > 5, "the positive control: a new file is begun at a size: {before:?}");
    server.cluster.as_ref().unwrap().prune_logs().unwrap();
    let left = files();
    // The server may begin one more file beside the pruning, once.
    assert!(left.keys().filter(|name| before.contains_key(*name)).count() <= 5, "{before:?} {left:?}");
    assert!((5..=6).contains(&left.len()) && left.values().sum::<u64>() < 100_000_000, "{left:?}");
    let socket = admin.value("SHOW unix_socket_directories").await;
    assert_eq!(std::fs::metadata(socket).unwrap().mode() & 0o777, 0o700);
    assert_eq!(admin.value("SHOW temp_file_limit").await, "1GB");
    stop(&server);
}

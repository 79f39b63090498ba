//! The ground the suite stands on.

use crate::support::database::{Case, apart};
use crate::support::world::{DIGEST, Kind, PASSWORD, SALT, Who, id};

#[test]
fn the_digest_of_the_world_is_that_of_its_password() {
    let digest: String =
        eis::access::passwords::digest(PASSWORD, SALT).unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(digest, DIGEST.trim());
}

#[test]
fn ids_of_the_world_tell_what_they_belong_to() {
    let kinds = [
        Kind::Workspace,
        Kind::File,
        Kind::DataSource,
        Kind::Chunk,
        Kind::Chat,
        Kind::Document,
        Kind::Message,
        Kind::Request,
        Kind::Community,
        Kind::Membership,
        Kind::PriceSeries,
    ];
    let ids: std::collections::BTreeSet<_> = kinds.into_iter().map(|kind| id(kind, 1, 1, 1, 1)).collect();
    assert_eq!(ids.len(), kinds.len());
}

#[tokio::test]
async fn everybody_of_the_world_has_a_live_session() {
    let case = Case::world().await;
    let portal = case.portal().await;
    for who in Who::all() {
        let answer = portal.browser_of(who).get("/profile").await;
        assert_eq!(answer.status, 200, "{who:?}: {}", answer.body);
    }
    assert_eq!(portal.browser().get("/profile").await.location(), "/login?next=%2Fprofile");
}

/// Roles are the server's: who makes them ready for one of its databases meets who does so for another.
#[tokio::test]
async fn portals_on_several_databases_of_one_server_start_at_once() {
    let cases = [Case::migrated().await, Case::migrated().await, Case::migrated().await, Case::migrated().await];
    let starts = cases.iter().map(|case| {
        let connected = case.connected.clone();
        std::thread::spawn(move || (0..8).try_for_each(|_| apart(connected.migrate_up()).map(drop)))
    });
    for start in starts.collect::<Vec<_>>() {
        start.join().unwrap().unwrap();
    }
}

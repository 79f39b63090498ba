//! Workspaces and their members.

use eis::documents::workspaces::members::{self, Role};
use eis::documents::workspaces::{self, Fields, Status, Violation};
use eis::values::ids::{UserId, WorkspaceId};
use eis::values::texts::TextFault;

use crate::support::database::Case;
use crate::support::world::{Kind, Who, id};
use crate::{CARLA, CLEO, at, because, done, here, records, tx};

fn fields(name: &str) -> Fields {
    let name = name.to_owned();
    Fields { name, description: "Letters of the grid".to_owned(), status: Status::Active, published: false }
}

/// One of the world's: the first is the client admin's own, the second they read.
pub fn workspace(n: u8) -> WorkspaceId {
    WorkspaceId(id(Kind::Workspace, 1, 1, 0, n))
}

fn user(who: Who) -> UserId {
    UserId(who.user())
}

#[tokio::test]
async fn a_workspace_is_made_changed_and_deleted_on_record_without_its_name() {
    let case = Case::world().await;
    let (db, truth, cleo) = (case.db(2), case.superuser().await, CLEO.actor());
    let made = done!(db, cleo, |tx| workspaces::create(&mut tx, &cleo, &fields(" Contracts "))).unwrap();
    let seen = tx(&db, &cleo).await;
    let row = workspaces::find(&seen, &here(&cleo), made).await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.status, row.published), ("Contracts", Status::Active, false));
    let names: Vec<String> = workspaces::list(&seen, &here(&cleo)).await.unwrap().into_iter().map(|w| w.name).collect();
    assert_eq!(names, ["Contracts", "Workspace 1", "Workspace 2"]);
    let owners = members::list(&seen, &here(&cleo), made).await.unwrap();
    assert_eq!((owners.len(), owners[0].user_id, owners[0].role), (1, user(CLEO), Role::Owner));
    drop(seen);
    let changed = Fields { published: true, ..fields("Contracts of 2026") };
    done!(db, cleo, |tx| workspaces::update(&mut tx, &cleo, made, &changed)).unwrap();
    // The same again changes nothing and leaves no record; another name alone leaves one.
    done!(db, cleo, |tx| workspaces::update(&mut tx, &cleo, made, &changed)).unwrap();
    let renamed = Fields { published: true, ..fields("Other contracts") };
    done!(db, cleo, |tx| workspaces::update(&mut tx, &cleo, made, &renamed)).unwrap();
    done!(db, cleo, |tx| workspaces::delete(&mut tx, &cleo, made)).unwrap();
    assert_eq!(records(&truth, "workspace").await, "create update update delete");
    let told = "SELECT count(*) FROM audit_log WHERE entity = 'workspace' AND (summary || details::text) ~* 'contracts|letters'";
    assert_eq!(truth.count(told).await, 0, "who is no member reads the log too");
    assert_eq!(truth.count(&format!("SELECT count(*) FROM workspace_members WHERE workspace_id = '{made}'")).await, 0);
}

#[tokio::test]
async fn every_rule_of_a_workspace_is_told() {
    let case = Case::world().await;
    let (db, cleo, carla) = (case.db(2), CLEO.actor(), CARLA.actor());
    let bad = Fields { name: " ".to_owned(), description: "x".repeat(2001), ..fields("") };
    let both = [Violation::Name(TextFault::Missing), Violation::Description(TextFault::TooLong(2000))];
    assert_eq!(because(done!(db, cleo, |tx| workspaces::create(&mut tx, &cleo, &bad))), both);
    assert_eq!(because(done!(db, cleo, |tx| workspaces::update(&mut tx, &cleo, workspace(1), &bad))), both);
    // Read, and not their own; not seen at all; edited, and not their own.
    for (actor, n) in [(&cleo, 2), (&cleo, 3), (&carla, 1)] {
        let update = done!(db, actor, |tx| workspaces::update(&mut tx, actor, workspace(n), &fields("x")));
        assert_eq!(because(update), [Violation::NotThere], "{n}");
        let delete = done!(db, actor, |tx| workspaces::delete(&mut tx, actor, workspace(n)));
        assert_eq!(because(delete), [Violation::NotThere], "{n}");
    }
    let delete = done!(db, cleo, |tx| workspaces::delete(&mut tx, &cleo, workspace(1)));
    assert_eq!(because(delete), [Violation::NotEmpty { files: 1, sources: 1 }]);
    let truth = case.superuser().await;
    truth.must("DELETE FROM files; DELETE FROM data_sources").await;
    assert_eq!(because(done!(db, cleo, |tx| workspaces::delete(&mut tx, &cleo, workspace(1)))), [Violation::Chats]);
    truth.must("DELETE FROM chat_sessions").await;
    done!(db, cleo, |tx| workspaces::delete(&mut tx, &cleo, workspace(1))).unwrap();
}

#[tokio::test]
async fn members_come_change_and_go_and_one_owner_stays() {
    let case = Case::world().await;
    let (db, truth, cleo, ada) = (case.db(2), case.superuser().await, CLEO.actor(), at(Who::Admin(1), 1));
    let there = members::Violation::NotThere;
    // Only client admins of this very client.
    for who in [Who::Admin(1), Who::Client(1, 2), Who::Customer(1, 1, 1), Who::Client(2, 1)] {
        let add = done!(db, cleo, |tx| members::add(&mut tx, &cleo, workspace(1), user(who), Role::Reader));
        assert_eq!(because(add), [members::Violation::NoClientAdmin], "{who:?}");
    }
    let add = |n, who, role| (workspace(n), user(who), role);
    let (w, u, r) = add(1, CARLA, Role::Reader);
    let twice = done!(db, cleo, |tx| members::add(&mut tx, &cleo, w, u, r));
    assert_eq!(because(twice), [members::Violation::AlreadyMember]);
    for n in [2, 3] {
        let foreign = done!(db, cleo, |tx| members::add(&mut tx, &cleo, workspace(n), u, r));
        assert_eq!(because(foreign), std::slice::from_ref(&there), "{n}");
    }
    done!(db, ada, |tx| members::add(&mut tx, &ada, workspace(3), u, r)).unwrap();
    let change = done!(db, cleo, |tx| members::update(&mut tx, &cleo, w, user(Who::Client(1, 2)), r));
    assert_eq!(because(change), [members::Violation::NotMember]);
    // Nobody would own it.
    let last = [members::Violation::LastOwner];
    assert_eq!(because(done!(db, cleo, |tx| members::update(&mut tx, &cleo, w, user(CLEO), Role::Editor))), last);
    assert_eq!(because(done!(db, cleo, |tx| members::remove(&mut tx, &cleo, w, user(CLEO)))), last);
    done!(db, cleo, |tx| members::update(&mut tx, &cleo, w, u, Role::Owner)).unwrap();
    done!(db, cleo, |tx| members::remove(&mut tx, &cleo, w, user(CLEO))).unwrap();
    assert_eq!(because(done!(db, cleo, |tx| members::remove(&mut tx, &cleo, w, u))), [there]);
    assert_eq!(records(&truth, "workspace").await, "add_member change_member remove_member");
    let seen = tx(&db, &ada).await;
    let members = members::list(&seen, &here(&ada), w).await.unwrap();
    assert_eq!((members.len(), members[0].name.as_deref()), (1, Some("Carla Consultant")));
}

#[tokio::test]
async fn of_two_owners_who_leave_at_once_one_stays() {
    let case = Case::world().await;
    let (db, truth, cleo, carla) = (case.db(4), case.superuser().await, CLEO.actor(), CARLA.actor());
    let w = workspace(1);
    done!(db, cleo, |tx| members::update(&mut tx, &cleo, w, user(CARLA), Role::Owner)).unwrap();
    let one = async { done!(db, cleo, |tx| members::remove(&mut tx, &cleo, w, user(CLEO))) };
    let two = async { done!(db, carla, |tx| members::remove(&mut tx, &carla, w, user(CARLA))) };
    let (one, two) = tokio::join!(one, two);
    assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|done| **done).count(), 1, "{one:?} {two:?}");
    let owners = format!("SELECT count(*) FROM workspace_members WHERE workspace_id = '{w}' AND role = 'owner'");
    assert_eq!(truth.count(&owners).await, 1);
}

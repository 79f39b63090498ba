//! Workspaces within one client: who is no member sees and writes nothing, a member writes by their role, customers read what
//! was published; and conversations are their person's own. (Other tenants: `coverage`, as for every table.)

use crate::DENIED;
use crate::step_up::step_up;
use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Kind, Who, client, customer, id, organization};

/// Owns the first workspace of the world, reads the second, knows nothing of the third.
const CLEO: Who = Who::Client(1, 1);
/// Edits the first, and has no part in the others.
const CARLA: Who = Who::Consultant(1);
const ADA: Who = Who::Admin(1);
const KIM: Who = Who::Customer(1, 1, 1);

fn place() -> String {
    format!("'{}', '{}'", organization(1), client(1, 1))
}

fn workspace(n: u8) -> String {
    id(Kind::Workspace, 1, 1, 0, n).to_string()
}

/// A file, a source and a piece of text in a workspace, and a member of it.
fn writes(n: u8) -> [String; 4] {
    let (place, workspace, file) = (place(), workspace(n), id(Kind::File, 1, 1, 0, n));
    [
        format!(
            "INSERT INTO files (organization_id, client_id, id, workspace_id, name, media_type, bytes, sha256, content_key) VALUES ({place}, gen_random_uuid(), '{workspace}', 'new', 'text/plain', 1, sha256(''), sha256(''))"
        ),
        format!(
            "INSERT INTO data_sources (organization_id, client_id, id, workspace_id, name, kind, address) VALUES ({place}, gen_random_uuid(), '{workspace}', 'new', 'folder', '/new')"
        ),
        format!(
            "INSERT INTO document_chunks (organization_id, client_id, id, workspace_id, file_id, position, language, text) VALUES ({place}, gen_random_uuid(), '{workspace}', '{file}', 9, '', 'new')"
        ),
        format!(
            "INSERT INTO workspace_members (organization_id, client_id, workspace_id, user_id, role) VALUES ({place}, '{workspace}', gen_random_uuid(), 'owner')"
        ),
    ]
}

/// How far somebody gets in a workspace: what they see of it, and which rows they may put in (file, source, text, member).
async fn reach(app: &Sql, who: Who, n: u8) -> (i64, [bool; 4]) {
    let seen = app.count_as(who, &format!("SELECT count(*) FROM workspaces WHERE id = '{}'", workspace(n))).await;
    let mut may = [false; 4];
    for (may, sql) in may.iter_mut().zip(writes(n)) {
        *may = match app.as_who(who, &sql).await {
            Ok(rows) => rows == 1,
            Err(refusal) => {
                assert_eq!(refusal.code, DENIED, "{who:?} {sql}: {refusal:?}");
                false
            }
        };
    }
    (seen, may)
}

#[tokio::test]
async fn a_member_reads_and_writes_by_their_role_and_nobody_else_of_the_client_does() {
    let case = Case::world().await;
    let app = case.app().await;
    let (all, some, none) = ([true; 4], [true, true, true, false], [false; 4]);
    for (who, reaches) in [
        (CLEO, [(1, all), (1, none), (0, none)]),
        (CARLA, [(1, some), (0, none), (0, none)]),
        (ADA, [(1, all), (1, all), (1, all)]),
        (Who::Staff(1), [(1, none), (1, none), (1, none)]),
        (Who::Client(1, 2), [(0, none), (0, none), (0, none)]),
        (KIM, [(1, none), (0, none), (0, none)]),
    ] {
        for (n, expected) in (1..).zip(reaches) {
            assert_eq!(reach(&app, who, n).await, expected, "{who:?} in workspace {n}");
        }
    }
    // What is there already: an editor changes files, and not the workspace or its members.
    let touched = async |who, sql: &str| app.as_who(who, sql).await.unwrap();
    assert_eq!(touched(CARLA, "UPDATE files SET name = 'mine'").await, 1);
    assert_eq!(touched(CARLA, "DELETE FROM data_sources").await, 1);
    assert_eq!(touched(CARLA, "UPDATE workspaces SET published = false").await, 0);
    assert_eq!(touched(CARLA, "UPDATE workspace_members SET role = 'owner'").await, 0);
    assert_eq!(touched(CARLA, "DELETE FROM workspace_members").await, 0);
    assert_eq!(touched(CLEO, "UPDATE files SET status = 'received'").await, 1, "of her own, not of the one she reads");
    assert_eq!(touched(CLEO, "UPDATE workspace_members SET role = 'owner'").await, 2);
    // From her own into one that she reads, and into one that she does not know.
    for n in [2, 3] {
        let sql = format!("UPDATE data_sources SET workspace_id = '{}', name = 'moved'", workspace(n));
        assert_eq!(app.as_who(CLEO, &sql).await.unwrap_err().code, DENIED, "into workspace {n}");
    }
}

#[tokio::test]
async fn who_makes_a_workspace_owns_it_and_nobody_joins_by_themselves() {
    let case = Case::world().await;
    let app = case.app().await;
    let make = format!(
        "INSERT INTO workspaces (organization_id, client_id, id, name) VALUES ({}, gen_random_uuid(), 'New')",
        place()
    );
    app.enter(CLEO).await;
    app.must(&make).await;
    let mine = format!(
        "SELECT m.role FROM workspace_members m JOIN workspaces w ON w.id = m.workspace_id WHERE w.name = 'New' AND m.user_id = '{}'",
        CLEO.user()
    );
    assert_eq!(app.value(&mine).await, "owner");
    app.leave().await;
    assert_eq!(app.as_who(Who::Client(1, 2), &make).await.unwrap_err().code, DENIED);
    assert_eq!(app.as_who(KIM, &make).await.unwrap_err().code, DENIED);
    // The trigger's function is nobody's to call, and nobody writes a membership of their own where they own nothing.
    assert!(["0A000", DENIED].contains(&app.refused("SELECT maker_owns_workspace()").await.as_str()));
    let join = |n: u8, who: Who, role: &str| {
        format!(
            "INSERT INTO workspace_members (organization_id, client_id, workspace_id, user_id, role) VALUES ({}, '{}', '{}', '{role}')",
            place(),
            workspace(n),
            who.user()
        )
    };
    for (who, n) in [(CLEO, 3), (CARLA, 2), (CARLA, 3), (Who::Client(1, 2), 1), (KIM, 1)] {
        assert_eq!(app.as_who(who, &join(n, who, "reader")).await.unwrap_err().code, DENIED, "{who:?} into {n}");
    }
    assert_eq!(app.as_who(CLEO, "UPDATE workspace_members SET role = 'owner' WHERE role = 'reader'").await, Ok(0));
    assert_eq!(app.as_who(ADA, &join(3, CARLA, "reader")).await, Ok(1), "the positive control");
}

#[tokio::test]
async fn the_scopes_of_workspaces_tell_each_person_their_own() {
    let case = Case::world().await;
    let app = case.app().await;
    let scopes = "SELECT concat_ws(' ', cardinality(member_scope()), cardinality(member_scope('editor')), cardinality(member_scope('owner', true)),
        (SELECT client_id IS NOT NULL FROM overseer_scope()), (SELECT client_id IS NOT NULL FROM overseer_scope(true)))";
    for (who, at, told) in [
        (CLEO, "", "2 1 1 f f"),
        (CARLA, "", "1 1 0 f f"),
        (ADA, "", "f f"),
        (KIM, "", "f f"),
        (ADA, "1", "2 2 2 t t"),
        (Who::Staff(1), "1", "0 0 t f"),
    ] {
        let narrow = if at.is_empty() { String::new() } else { format!(", '{}'", client(1, 1)) };
        app.must(&format!("BEGIN; SELECT open_context('\\x{}'{narrow})", who.secret().hex())).await;
        assert_eq!(app.value(scopes).await, told, "{who:?} {at}");
        app.leave().await;
    }
    assert_eq!(app.value(scopes).await, "f f", "nobody's without a context");
    // A role that ended opens nothing any more, whatever memberships are left.
    case.superuser()
        .await
        .must(&format!("UPDATE role_assignments SET valid_to = now() WHERE id = '{}'", CLEO.assignment()))
        .await;
    assert_eq!(app.refused(&crate::support::sql::open(CLEO)).await, crate::SESSION_ENDED);
}

#[tokio::test]
async fn customers_read_what_is_published_and_active_and_nothing_beside_it() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let seen = async |who| {
        let count = async |table: &str| app.count_as(who, &format!("SELECT count(*) FROM {table}")).await;
        [
            count("workspaces").await,
            count("files").await,
            count("document_chunks").await,
            count("workspace_members").await,
            count("data_sources").await,
            count("chat_sessions").await,
        ]
    };
    assert_eq!(seen(KIM).await, [1, 1, 1, 0, 0, 0]);
    for change in ["published = false", "status = 'archived'"] {
        let back = "UPDATE workspaces SET published = true, status = 'active'";
        truth.must(&format!("UPDATE workspaces SET {change} WHERE id = '{}'", workspace(1))).await;
        assert_eq!(seen(KIM).await, [0; 6], "{change}");
        truth.must(&format!("{back} WHERE id = '{}'", workspace(1))).await;
    }
    truth.must(&format!("UPDATE workspaces SET published = true WHERE client_id <> '{}'", client(1, 1))).await;
    assert_eq!(seen(KIM).await, [1, 1, 1, 0, 0, 0], "another company's is none of theirs");
    assert_eq!(seen(Who::Customer(1, 2, 1)).await, [3, 3, 3, 0, 0, 0], "the positive control");
    // Each has one client: what a customer is at another company stands in another context.
    assert_eq!(
        app.count_as(KIM, &format!("SELECT count(*) FROM customers WHERE id = '{}'", customer(1, 1, 1))).await,
        1
    );
}

#[tokio::test]
async fn a_conversation_is_its_person_s_own_whatever_the_role_of_who_asks() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let hers = id(Kind::Chat, 1, 1, 0, 2);
    let before = truth.value("SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM chat_messages t").await;
    app.must(&step_up(Who::Staff(1), "Ticket 4711: what did she ask?")).await;
    for who in [CARLA, ADA, Who::Staff(1), Who::Client(1, 2), KIM] {
        for table in ["chat_sessions WHERE id", "chat_messages WHERE session_id"] {
            assert_eq!(
                app.count_as(who, &format!("SELECT count(*) FROM {table} = '{hers}'")).await,
                0,
                "{who:?} {table}"
            );
            assert_eq!(app.as_who(who, &format!("DELETE FROM {table} = '{hers}'")).await, Ok(0), "{who:?} {table}");
        }
        assert_eq!(app.as_who(who, &format!("UPDATE chat_sessions SET title = 'x' WHERE id = '{hers}'")).await, Ok(0));
        // Into hers, as oneself and as her.
        for (person, refused) in [(who.user(), ["23503", DENIED]), (CLEO.user(), [DENIED, DENIED])] {
            let say = |session| {
                format!(
                    "INSERT INTO chat_messages (organization_id, client_id, session_id, position, user_id, role, text) VALUES ({}, '{session}', 7, '{person}', 'user', 'x')",
                    place()
                )
            };
            let code = app.as_who(who, &say(hers)).await.unwrap_err().code;
            assert!(refused.contains(&code.as_str()), "{who:?} as {person}: {code}");
            let nobody_s = app.as_who(who, &say(id(Kind::Chat, 1, 1, 0, 99))).await.unwrap_err().code;
            assert_eq!(code, nobody_s, "{who:?}: hers and one that does not exist answer alike");
        }
    }
    for who in [CARLA, ADA] {
        let give = format!("UPDATE chat_sessions SET user_id = '{}'", CLEO.user());
        assert_eq!(app.as_who(who, &give).await.unwrap_err().code, DENIED, "{who:?} puts words into another's mouth");
    }
    assert_eq!(truth.value("SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM chat_messages t").await, before);
    let said = format!("SELECT count(*) FROM chat_messages WHERE session_id = '{hers}'");
    assert_eq!(app.count_as(CLEO, &said).await, 1, "the positive control");
    assert_eq!(app.as_who(CLEO, &format!("DELETE FROM chat_sessions WHERE id = '{hers}'")).await, Ok(1));
}

//! What lies in a workspace: files, their text, data sources, conversations.

use eis::documents::workspaces::chats::{self, Speaker};
use eis::documents::workspaces::chunks::{self, Language};
use eis::documents::workspaces::data_sources::{self, Kind as SourceKind, Looked, Schedule};
use eis::documents::workspaces::files::{self, NewFile, Problem, Status};
use eis::values::ids::{ChatSessionId, DataSourceId, DocumentChunkId, FileId};
use eis::values::texts::TextFault;

use crate::support::database::Case;
use crate::support::world::{Kind, Who, id};
use crate::workspaces::workspace;
use crate::{CARLA, CLEO, at, at_once, because, done, here, records, tx};

fn file(name: &str) -> NewFile {
    NewFile { name: name.to_owned(), media_type: "application/pdf".to_owned(), bytes: 7, sha256: [7; 32] }
}

fn file_of(n: u8) -> FileId {
    FileId(id(Kind::File, 1, 1, 0, n))
}

#[tokio::test]
async fn a_file_comes_with_a_key_of_its_own_and_goes_with_its_text() {
    let case = Case::world().await;
    let (db, truth, carla) = (case.db(2), case.superuser().await, CARLA.actor());
    let (one, key) = done!(db, carla, |tx| files::create(&mut tx, &carla, workspace(1), &file(" A.pdf "))).unwrap();
    let (two, other) = done!(db, carla, |tx| files::create(&mut tx, &carla, workspace(1), &file("b.pdf"))).unwrap();
    assert_ne!(key, other);
    done!(db, carla, |tx| files::rename(&mut tx, &carla, two, "c.pdf")).unwrap();
    let pieces = ["Die Zähler werden im Mai getauscht.".to_owned(), "Fragen beantwortet der Netzbetreiber.".to_owned()];
    done!(db, carla, |tx| chunks::replace(&mut tx, &carla, one, Language::German, &pieces)).unwrap();
    done!(db, carla, |tx| files::failed(&mut tx, &carla, two, Problem::Locked)).unwrap();
    let seen = tx(&db, &carla).await;
    let rows = files::list(&seen, &here(&carla), workspace(1), None, 10).await.unwrap();
    let told: Vec<_> = rows.iter().map(|row| (row.name.as_str(), row.status, row.problem)).collect();
    let expected = [
        ("A.pdf", Status::Indexed, Problem::None),
        ("c.pdf", Status::Failed, Problem::Locked),
        ("notice 1.txt", Status::Indexed, Problem::None),
    ];
    assert_eq!(told, expected);
    assert_eq!(rows[0].content_key, key);
    let behind = files::list(&seen, &here(&carla), workspace(1), Some("a.PDF"), 1).await.unwrap();
    assert_eq!(behind[0].name, "c.pdf");
    // Words are found by their stem, in their own language.
    for (language, words, found) in [
        (Language::German, "Zähler tauschen", 0),
        (Language::German, "zähler getauscht", 1),
        (Language::German, "Frage", 1),
        (Language::German, "-zähler netzbetreiber", 1),
        (Language::English, "meter", 1),
        (Language::English, "\"exchanged in workspace\"", 1),
        (Language::Other, "meter", 0),
    ] {
        let hits = chunks::search(&seen, &here(&carla), None, (language, words), 10).await.unwrap();
        assert_eq!(hits.len(), found, "{words}: {hits:?}");
    }
    let hits = chunks::search(&seen, &here(&carla), Some(workspace(1)), (Language::German, "netzbetreiber"), 10)
        .await
        .unwrap();
    assert_eq!((hits[0].chunk.file_id, hits[0].chunk.position, hits[0].chunk.file_name.as_str()), (one, 1, "A.pdf"));
    drop(seen);
    // Again with other text: in place of what was there.
    done!(db, carla, |tx| chunks::replace(&mut tx, &carla, one, Language::Other, &pieces[..1])).unwrap();
    assert_eq!(truth.count(&format!("SELECT count(*) FROM document_chunks WHERE file_id = '{one}'")).await, 1);
    done!(db, carla, |tx| files::delete(&mut tx, &carla, one)).unwrap();
    assert_eq!(truth.count(&format!("SELECT count(*) FROM document_chunks WHERE file_id = '{one}'")).await, 0);
    assert_eq!(records(&truth, "file").await, "create create rename index index delete");
    let told = "SELECT count(*) FROM audit_log WHERE entity = 'file' AND (summary || details::text) ~* 'zähler|key|[ac]\\.pdf'";
    assert_eq!(truth.count(told).await, 0, "no name, no text, no key");
}

#[tokio::test]
async fn every_rule_of_files_and_their_text_is_told() {
    use files::Violation::*;
    let case = Case::world().await;
    let (db, truth, cleo, carla) = (case.db(2), case.superuser().await, CLEO.actor(), CARLA.actor());
    let bad = NewFile { name: "a/b".to_owned(), media_type: "PDF".to_owned(), bytes: 0, sha256: [0; 32] };
    let create = done!(db, carla, |tx| files::create(&mut tx, &carla, workspace(1), &bad));
    assert_eq!(because(create), [Name(TextFault::Forbidden('/')), MediaType, Empty]);
    let big = NewFile { bytes: files::MOST_BYTES + 1, ..file("big") };
    let create = done!(db, carla, |tx| files::create(&mut tx, &carla, workspace(1), &big));
    assert_eq!(because(create), [TooLarge(files::MOST_BYTES)]);
    let create = done!(db, carla, |tx| files::create(&mut tx, &carla, workspace(1), &file("NOTICE 1.TXT")));
    assert_eq!(because(create), [NameTaken]);
    for (actor, n, violation) in [(&carla, 2, NoWorkspace), (&cleo, 3, NoWorkspace), (&cleo, 2, MayNotWrite)] {
        let create = done!(db, actor, |tx| files::create(&mut tx, actor, workspace(n), &file("x")));
        assert_eq!(because(create), [violation], "{n}");
    }
    truth.must(&format!("UPDATE workspaces SET status = 'archived' WHERE id = '{}'", workspace(1))).await;
    let create = done!(db, carla, |tx| files::create(&mut tx, &carla, workspace(1), &file("x")));
    assert_eq!(because(create), [Archived]);
    truth.must("UPDATE workspaces SET status = 'active'").await;
    let (made, _) = done!(db, carla, |tx| files::create(&mut tx, &carla, workspace(1), &file("x"))).unwrap();
    let rename = done!(db, carla, |tx| files::rename(&mut tx, &carla, made, "Notice 1.txt"));
    assert_eq!(because(rename), [NameTaken]);
    assert_eq!(because(done!(db, carla, |tx| files::rename(&mut tx, &carla, made, ""))), [Name(TextFault::Missing)]);
    // Read and not written; not seen.
    for n in [2, 3] {
        assert_eq!(because(done!(db, cleo, |tx| files::rename(&mut tx, &cleo, file_of(n), "y"))), [NotThere]);
        assert_eq!(because(done!(db, cleo, |tx| files::delete(&mut tx, &cleo, file_of(n)))), [NotThere]);
        assert_eq!(
            because(done!(db, cleo, |tx| files::failed(&mut tx, &cleo, file_of(n), Problem::Damaged))),
            [NotThere]
        );
        let read =
            done!(db, cleo, |tx| chunks::replace(&mut tx, &cleo, file_of(n), Language::Other, &["x".to_owned()]));
        assert_eq!(because(read), [chunks::Violation::NotThere]);
    }
    let none = done!(db, carla, |tx| chunks::replace(&mut tx, &carla, made, Language::Other, &[]));
    assert_eq!(because(none), [chunks::Violation::NoText]);
    // Other bytes are another file, also to whoever writes SQL.
    let app = case.app().await;
    for change in ["sha256 = sha256('other')", "content_key = sha256('other')", "bytes = 9", "media_type = 'a/b'"] {
        let refusal = app.as_who(CARLA, &format!("UPDATE files SET {change} WHERE id = '{made}'")).await.unwrap_err();
        assert_eq!(refusal.code, "23514", "{change}");
    }
}

#[tokio::test]
async fn of_two_files_of_one_name_at_once_one_is_taken_in() {
    let case = Case::world().await;
    let (db, carla) = (case.db(4), CARLA.actor());
    let (a, b) = (file("Twin.pdf"), file("twin.PDF"));
    let (one, two) = at_once!(
        db,
        carla,
        |tx| files::create(&mut tx, &carla, workspace(1), &a),
        files::create(&mut tx, &carla, workspace(1), &b)
    );
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    let refused = if one.is_ok() { because(two) } else { because(one) };
    assert_eq!(refused, [files::Violation::NameTaken]);
}

fn source(name: &str, address: &str) -> data_sources::Fields {
    let (schedule, status) = (Schedule::Daily, data_sources::Status::Active);
    data_sources::Fields {
        name: name.to_owned(),
        kind: SourceKind::Feed,
        address: address.to_owned(),
        schedule,
        status,
    }
}

#[tokio::test]
async fn data_sources_are_kept_with_what_came_of_them_and_every_rule_is_told() {
    use data_sources::Violation::*;
    let case = Case::world().await;
    let (db, truth, cleo, carla) = (case.db(4), case.superuser().await, CLEO.actor(), CARLA.actor());
    let good = source("News", "https://grid.example/rss");
    let made = done!(db, carla, |tx| data_sources::create(&mut tx, &carla, workspace(1), &good)).unwrap();
    let paused = data_sources::Fields { status: data_sources::Status::Paused, ..good.clone() };
    done!(db, carla, |tx| data_sources::update(&mut tx, &carla, made, &paused)).unwrap();
    done!(db, carla, |tx| data_sources::looked(&mut tx, &carla, made, (Looked::Done, 3))).unwrap();
    let seen = tx(&db, &carla).await;
    let row = data_sources::find(&seen, &here(&carla), made).await.unwrap().unwrap();
    assert_eq!((row.last_result, row.last_files, row.last_run_at.is_some()), (Looked::Done, 3, true));
    assert_eq!(row.status, data_sources::Status::Paused);
    assert_eq!(data_sources::list(&seen, &here(&carla), workspace(1)).await.unwrap().len(), 2);
    drop(seen);
    let bad = source(" ", "https://me:pass@grid.example/");
    let create = done!(db, carla, |tx| data_sources::create(&mut tx, &carla, workspace(1), &bad));
    assert_eq!(because(create), [Name(TextFault::Missing), SecretInAddress]);
    let bad = source("x", "grid.example");
    assert_eq!(because(done!(db, carla, |tx| data_sources::update(&mut tx, &carla, made, &bad))), [NotOfKind]);
    for (actor, n, violation) in [(&carla, 2, NoWorkspace), (&cleo, 2, MayNotWrite)] {
        let create = done!(db, actor, |tx| data_sources::create(&mut tx, actor, workspace(n), &good));
        assert_eq!(because(create), [violation]);
    }
    let taken = source("GRID NEWS", "https://grid.example/");
    assert_eq!(
        because(done!(db, carla, |tx| data_sources::create(&mut tx, &carla, workspace(1), &taken))),
        [NameTaken]
    );
    assert_eq!(because(done!(db, carla, |tx| data_sources::update(&mut tx, &carla, made, &taken))), [NameTaken]);
    let foreign = DataSourceId(id(Kind::DataSource, 1, 1, 0, 2));
    assert_eq!(because(done!(db, cleo, |tx| data_sources::update(&mut tx, &cleo, foreign, &good))), [NotThere]);
    assert_eq!(because(done!(db, cleo, |tx| data_sources::delete(&mut tx, &cleo, foreign))), [NotThere]);
    assert_eq!(
        because(done!(db, cleo, |tx| data_sources::looked(&mut tx, &cleo, foreign, (Looked::Done, 0)))),
        [NotThere]
    );
    truth.must("UPDATE workspaces SET status = 'archived'").await;
    assert_eq!(because(done!(db, carla, |tx| data_sources::create(&mut tx, &carla, workspace(1), &good))), [Archived]);
    truth.must("UPDATE workspaces SET status = 'active'").await;
    let (a, b) = (source("Twin", "https://a.example"), source("TWIN", "https://b.example"));
    let (one, two) = at_once!(
        db,
        carla,
        |tx| data_sources::create(&mut tx, &carla, workspace(1), &a),
        data_sources::create(&mut tx, &carla, workspace(1), &b)
    );
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    done!(db, carla, |tx| data_sources::delete(&mut tx, &carla, made)).unwrap();
    assert_eq!(records(&truth, "data_source").await, "create update create delete");
    let app = case.app().await;
    let secret = "UPDATE data_sources SET address = 'imaps://me:secret@mail.example/'";
    assert_eq!(app.as_who(CARLA, secret).await.unwrap_err().code, "23514", "the database keeps none either");
}

#[tokio::test]
async fn a_conversation_goes_on_in_its_order_and_cites_what_is_there() {
    use chats::Violation::*;
    let case = Case::world().await;
    let (db, truth, cleo, ada) = (case.db(4), case.superuser().await, CLEO.actor(), at(Who::Admin(1), 1));
    let chat = done!(db, cleo, |tx| chats::create(&mut tx, &cleo, workspace(1), " Meters ")).unwrap();
    let piece = |n| DocumentChunkId(id(Kind::Chunk, 1, 1, 0, n));
    done!(db, cleo, |tx| chats::say(&mut tx, &cleo, chat, (Speaker::User, "When?"), &[])).unwrap();
    done!(db, cleo, |tx| chats::say(&mut tx, &cleo, chat, (Speaker::Assistant, "In May."), &[piece(1)])).unwrap();
    let (one, two) = at_once!(
        db,
        cleo,
        |tx| chats::say(&mut tx, &cleo, chat, (Speaker::User, "Why?"), &[]),
        chats::say(&mut tx, &cleo, chat, (Speaker::User, "How?"), &[])
    );
    let mut places = [one.unwrap(), two.unwrap()];
    places.sort_unstable();
    assert_eq!(places, [2, 3], "one behind the other");
    let seen = tx(&db, &cleo).await;
    let said = chats::messages(&seen, &here(&cleo), chat).await.unwrap();
    assert_eq!((said.len(), said[1].speaker, said[1].cites.as_slice()), (4, Speaker::Assistant, &[piece(1)][..]));
    let cited = chunks::cited(&seen, &here(&cleo), &said[1].cites).await.unwrap();
    assert_eq!((cited.len(), cited[0].file_name.as_str()), (1, "notice 1.txt"));
    let own = chats::list(&seen, &here(&cleo), workspace(1), None, 10).await.unwrap();
    assert_eq!((own.len(), own[0].title.as_str()), (2, "Meters"));
    let behind = chats::list(&seen, &here(&cleo), workspace(1), Some(chat), 10).await.unwrap();
    assert_eq!(behind.len(), 1);
    drop(seen);
    done!(db, cleo, |tx| chats::rename(&mut tx, &cleo, chat, "Meters in May")).unwrap();
    // Of another workspace, though she reads it; of none; too many.
    let unknown = DocumentChunkId::fresh();
    for cite in [piece(2), piece(3), unknown] {
        let say = done!(db, cleo, |tx| chats::say(&mut tx, &cleo, chat, (Speaker::User, "x"), &[cite]));
        assert_eq!(because(say), [CiteUnknown(cite)]);
    }
    let many = vec![piece(1); chats::MOST_CITES + 1];
    let say = done!(db, cleo, |tx| chats::say(&mut tx, &cleo, chat, (Speaker::User, " "), &many));
    assert_eq!(because(say), [Text(TextFault::Missing), TooManyCites(chats::MOST_CITES)]);
    assert_eq!(
        because(done!(db, cleo, |tx| chats::create(&mut tx, &cleo, workspace(1), ""))),
        [Title(TextFault::Missing)]
    );
    assert_eq!(because(done!(db, cleo, |tx| chats::create(&mut tx, &cleo, workspace(3), "x"))), [NoWorkspace]);
    assert_eq!(because(done!(db, cleo, |tx| chats::rename(&mut tx, &cleo, chat, "\n"))), [Title(TextFault::Missing)]);
    // Another's own, and staff who read.
    for id in [chat, ChatSessionId::fresh()] {
        assert_eq!(because(done!(db, ada, |tx| chats::say(&mut tx, &ada, id, (Speaker::User, "x"), &[]))), [NotThere]);
        assert_eq!(because(done!(db, ada, |tx| chats::rename(&mut tx, &ada, id, "x"))), [NotThere]);
        assert_eq!(because(done!(db, ada, |tx| chats::delete(&mut tx, &ada, id))), [NotThere]);
    }
    let sam = at(Who::Staff(1), 1);
    assert_eq!(because(done!(db, sam, |tx| chats::create(&mut tx, &sam, workspace(1), "x"))), [MayNotWrite]);
    truth.must("UPDATE workspaces SET status = 'archived'").await;
    assert_eq!(because(done!(db, cleo, |tx| chats::create(&mut tx, &cleo, workspace(1), "x"))), [Archived]);
    done!(db, cleo, |tx| chats::delete(&mut tx, &cleo, chat)).unwrap();
    assert_eq!(truth.count(&format!("SELECT count(*) FROM chat_messages WHERE session_id = '{chat}'")).await, 0);
    assert_eq!(records(&truth, "chat_session").await, "create delete");
}

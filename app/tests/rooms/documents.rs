//! Documents of a customer.

use eis::documents::{self, Cause, Kind, NewDocument, Status, Violation};
use eis::values::ids::{CustomerId, DocumentId};
use eis::values::texts::TextFault;
use uuid::Uuid;

use crate::support::database::Case;
use crate::support::world::{Who, customer, id};
use crate::{CLEO, at, at_once, because, done, here, kim, records, tx};

fn letter(cause: Uuid) -> NewDocument {
    NewDocument {
        customer: kim(),
        kind: Kind::Letter,
        cause: Cause { kind: "customer", id: cause },
        name: "letter.pdf".to_owned(),
        language: "de".to_owned(),
        media_type: "application/pdf".to_owned(),
        bytes: 100,
        sha256: [1; 32],
    }
}

#[tokio::test]
async fn a_document_is_its_customer_s_once_issued_and_never_changes() {
    let case = Case::world().await;
    let (db, truth, cleo, kims) = (case.db(2), case.superuser().await, CLEO.actor(), Who::Customer(1, 1, 1).actor());
    let cause = Uuid::now_v7();
    let (made, key) = done!(db, cleo, |tx| documents::create(&mut tx, &cleo, &letter(cause))).unwrap();
    let seen = async || {
        let tx = db.as_tenant(&kims, eis::db::Access::Read).await.unwrap();
        documents::find(&tx, &here(&kims), made).await.unwrap()
    };
    assert_eq!(seen().await, None, "a draft is the client's");
    done!(db, cleo, |tx| documents::issue(&mut tx, &cleo, made)).unwrap();
    let row = seen().await.unwrap();
    assert_eq!((row.status, row.content_key, row.sha256.as_slice()), (Status::Issued, key, &[1; 32][..]));
    // Also to whoever writes SQL.
    let app = case.app().await;
    for change in
        ["sha256 = sha256('x')", "content_key = sha256('x')", "name = 'x'", "status = 'draft', issued_at = NULL"]
    {
        let refusal =
            app.as_who(CLEO, &format!("UPDATE documents SET {change} WHERE id = '{made}'")).await.unwrap_err();
        assert_eq!(refusal.code, "23514", "{change}");
    }
    assert_eq!(
        app.as_who(CLEO, &format!("DELETE FROM documents WHERE id = '{made}'")).await.unwrap_err().code,
        "23514"
    );
    for (step, at) in [("issue", Status::Issued), ("delete", Status::Issued)] {
        let outcome = match step {
            "issue" => done!(db, cleo, |tx| documents::issue(&mut tx, &cleo, made)),
            _ => done!(db, cleo, |tx| documents::delete(&mut tx, &cleo, made)),
        };
        assert_eq!(because(outcome), [Violation::WrongStatus(at)], "{step}");
    }
    // Withdrawn, another may be issued in its place.
    assert_eq!(because(done!(db, cleo, |tx| documents::create(&mut tx, &cleo, &letter(cause)))), [Violation::Twice]);
    done!(db, cleo, |tx| documents::withdraw(&mut tx, &cleo, made)).unwrap();
    assert_eq!(seen().await, None);
    let again = done!(db, cleo, |tx| documents::withdraw(&mut tx, &cleo, made));
    assert_eq!(because(again), [Violation::WrongStatus(Status::Withdrawn)]);
    let (second, _) = done!(db, cleo, |tx| documents::create(&mut tx, &cleo, &letter(cause))).unwrap();
    let reading = tx(&db, &cleo).await;
    let of_cause = documents::of_cause(&reading, &here(&cleo), letter(cause).cause).await.unwrap();
    assert_eq!(of_cause.iter().map(|row| row.id).collect::<Vec<_>>(), [second, made]);
    assert_eq!(documents::list(&reading, &here(&cleo), Some(kim()), None, 10).await.unwrap().len(), 4);
    assert_eq!(documents::list(&reading, &here(&cleo), Some(kim()), Some(made), 10).await.unwrap().len(), 2);
    drop(reading);
    done!(db, cleo, |tx| documents::delete(&mut tx, &cleo, second)).unwrap();
    assert_eq!(records(&truth, "document").await, "create issue withdraw create delete");
    assert_eq!(
        truth.count("SELECT count(*) FROM audit_log WHERE entity = 'document' AND details::text ~ 'content_key'").await,
        0
    );
}

#[tokio::test]
async fn every_rule_of_a_document_is_told() {
    let case = Case::world().await;
    let (db, cleo, sam) = (case.db(2), CLEO.actor(), at(Who::Staff(1), 1));
    let bad = NewDocument {
        name: "a\\b".to_owned(),
        language: "German".to_owned(),
        media_type: "pdf".to_owned(),
        bytes: 0,
        ..letter(Uuid::now_v7())
    };
    let all =
        [Violation::Name(TextFault::Forbidden('\\')), Violation::Language, Violation::MediaType, Violation::Empty];
    assert_eq!(because(done!(db, cleo, |tx| documents::create(&mut tx, &cleo, &bad))), all);
    let big = NewDocument { bytes: documents::MOST_BYTES + 1, ..letter(Uuid::now_v7()) };
    let most = Violation::TooLarge(documents::MOST_BYTES);
    assert_eq!(because(done!(db, cleo, |tx| documents::create(&mut tx, &cleo, &big))), [most]);
    for (o, c, k) in [(1, 2, 1), (2, 1, 1), (9, 9, 9)] {
        let foreign = NewDocument { customer: CustomerId(customer(o, c, k)), ..letter(Uuid::now_v7()) };
        let create = done!(db, cleo, |tx| documents::create(&mut tx, &cleo, &foreign));
        assert_eq!(because(create), [Violation::NoCustomer], "{o} {c} {k}");
    }
    let good = letter(Uuid::now_v7());
    assert_eq!(because(done!(db, sam, |tx| documents::create(&mut tx, &sam, &good))), [Violation::MayNotWrite]);
    let theirs = DocumentId(id(crate::support::world::Kind::Document, 1, 2, 1, 2));
    for there in [theirs, DocumentId::fresh()] {
        assert_eq!(because(done!(db, cleo, |tx| documents::issue(&mut tx, &cleo, there))), [Violation::NotThere]);
        assert_eq!(because(done!(db, cleo, |tx| documents::withdraw(&mut tx, &cleo, there))), [Violation::NotThere]);
        assert_eq!(because(done!(db, cleo, |tx| documents::delete(&mut tx, &cleo, there))), [Violation::NotThere]);
    }
}

#[tokio::test]
async fn of_two_documents_of_one_cause_at_once_one_is_made() {
    let case = Case::world().await;
    let (db, cleo, new) = (case.db(4), CLEO.actor(), letter(Uuid::now_v7()));
    let (one, two) =
        at_once!(db, cleo, |tx| documents::create(&mut tx, &cleo, &new), documents::create(&mut tx, &cleo, &new));
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    assert_eq!(if one.is_ok() { because(two) } else { because(one) }, [Violation::Twice]);
}

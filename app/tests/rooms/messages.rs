//! The outbox.

use eis::documents::Cause;
use eis::documents::messages::{self, Channel, Filter, MOST_ATTEMPTS, NewMessage, Status, Tried, Violation};
use eis::values::ids::{CustomerId, DocumentId, MessageId};
use eis::values::texts::TextFault;
use serde_json::json;
use uuid::Uuid;

use crate::support::database::Case;
use crate::support::world::{Kind, Who, customer, id};
use crate::{CLEO, at, at_once, because, done, here, kim, records, tx};

fn message(cause: Uuid) -> NewMessage {
    NewMessage {
        customer: kim(),
        kind: "bill_issued",
        cause: Cause { kind: "invoice", id: cause },
        channel: Channel::Mail,
        recipient: " kim@example.org ".to_owned(),
        language: "en".to_owned(),
        content: json!({ "total": "23.99" }),
        document: None,
    }
}

/// None of the world's own waits.
async fn quiet(truth: &crate::support::sql::Sql) {
    truth.must("UPDATE messages SET status = 'cancelled', due_at = NULL WHERE status = 'queued'").await;
}

#[tokio::test]
async fn a_message_is_taken_up_tried_again_and_sent_once() {
    let case = Case::world().await;
    let (db, truth, cleo) = (case.db(4), case.superuser().await, CLEO.actor());
    quiet(&truth).await;
    let made = done!(db, cleo, |tx| messages::create(&mut tx, &cleo, &message(Uuid::now_v7()))).unwrap();
    let due = async || {
        let mut tx = tx(&db, &cleo).await;
        let taken = messages::due(&mut tx, &here(&cleo), 10).await.unwrap();
        tx.commit().await.unwrap();
        taken
    };
    let tried = async |what: Tried| done!(db, cleo, |tx| messages::tried(&mut tx, &here(&cleo), made, &what));
    // Of two who take up at once, one gets it.
    let (one, two) = tokio::join!(due(), due());
    assert_eq!(one.len() + two.len(), 1);
    let row = one.into_iter().chain(two).next().unwrap();
    assert_eq!(
        (row.id, row.status, row.attempts, row.recipient.as_str()),
        (made, Status::Sending, 1, "kim@example.org")
    );
    assert_eq!(due().await, [], "it is somebody's");
    // Whoever took it up went away.
    truth.must("UPDATE messages SET due_at = now() - interval '1 second' WHERE status = 'sending'").await;
    assert_eq!(due().await[0].attempts, 2);
    assert_eq!(tried(Tried::Later("421 busy".to_owned())).await.unwrap(), Status::Queued);
    assert_eq!(due().await, [], "not before its pause is over");
    let answer = tried(Tried::Sent("250 ok".to_owned())).await;
    assert_eq!(because(answer), [Violation::WrongStatus(Status::Queued)], "nobody was sending it");
    // As often as it may be, and then no more.
    for attempt in 3..=MOST_ATTEMPTS {
        truth.must("UPDATE messages SET due_at = now() - interval '1 second' WHERE status = 'queued'").await;
        assert_eq!(due().await[0].attempts, attempt);
        let status = tried(Tried::Later("421 busy".to_owned())).await.unwrap();
        assert_eq!(status, if attempt < MOST_ATTEMPTS { Status::Queued } else { Status::Failed });
    }
    done!(db, cleo, |tx| messages::again(&mut tx, &cleo, made)).unwrap();
    assert_eq!(due().await[0].attempts, 1);
    assert_eq!(tried(Tried::Sent("250 ok".to_owned())).await.unwrap(), Status::Sent);
    for outcome in [
        done!(db, cleo, |tx| messages::again(&mut tx, &cleo, made)),
        done!(db, cleo, |tx| messages::cancel(&mut tx, &cleo, made)),
    ] {
        assert_eq!(because(outcome), [Violation::WrongStatus(Status::Sent)]);
    }
    let app = case.app().await;
    let requeue = format!("UPDATE messages SET status = 'queued', due_at = now(), sent_at = NULL WHERE id = '{made}'");
    assert_eq!(app.as_who(CLEO, &requeue).await.unwrap_err().code, "23514", "also to whoever writes SQL");
    done!(db, cleo, |tx| messages::bounced(&mut tx, &here(&cleo), made, "550 no such box")).unwrap();
    let bounced = done!(db, cleo, |tx| messages::bounced(&mut tx, &here(&cleo), made, "again"));
    assert_eq!(because(bounced), [Violation::WrongStatus(Status::Bounced)]);
    let reading = tx(&db, &cleo).await;
    let row = messages::find(&reading, &here(&cleo), made).await.unwrap().unwrap();
    assert_eq!((row.last_result.as_str(), row.sent_at.is_some(), row.due_at), ("550 no such box", true, None));
    let of = Filter { customer: Some(kim()), status: Some(Status::Bounced) };
    assert_eq!(messages::list(&reading, &here(&cleo), of, None, 10).await.unwrap().len(), 1);
    drop(reading);
    assert_eq!(records(&truth, "message").await, "create again");
}

#[tokio::test]
async fn every_rule_of_a_message_is_told() {
    let case = Case::world().await;
    let (db, truth, cleo, sam) = (case.db(2), case.superuser().await, CLEO.actor(), at(Who::Staff(1), 1));
    quiet(&truth).await;
    let good = message(Uuid::now_v7());
    for (bad, violations) in [
        (NewMessage { recipient: " ".to_owned(), ..good.clone() }, vec![Violation::Recipient(TextFault::Missing)]),
        (
            NewMessage { recipient: "kim@example.org\r\nBcc: all@example.org".to_owned(), ..good.clone() },
            vec![Violation::Recipient(TextFault::Forbidden('\r'))],
        ),
        (
            NewMessage { recipient: "kim".to_owned(), language: "x".to_owned(), ..good.clone() },
            vec![Violation::NoAddress, Violation::Language],
        ),
        (NewMessage { content: json!([]), ..good.clone() }, vec![Violation::Content(10_000)]),
        (NewMessage { content: json!({ "x": "y".repeat(10_000) }), ..good.clone() }, vec![Violation::Content(10_000)]),
        (NewMessage { customer: CustomerId(customer(1, 2, 1)), ..good.clone() }, vec![Violation::NoCustomer]),
        // A document of another customer.
        (
            NewMessage { document: Some(DocumentId(id(Kind::Document, 1, 1, 2, 1))), ..good.clone() },
            vec![Violation::NoDocument],
        ),
    ] {
        assert_eq!(because(done!(db, cleo, |tx| messages::create(&mut tx, &cleo, &bad))), violations, "{bad:?}");
    }
    let letter = NewMessage { channel: Channel::Post, recipient: "Kim\n1 Mill Lane".to_owned(), ..good.clone() };
    done!(db, cleo, |tx| messages::create(&mut tx, &cleo, &letter)).unwrap();
    let own = NewMessage { document: Some(DocumentId(id(Kind::Document, 1, 1, 1, 1))), ..good.clone() };
    let made = done!(db, cleo, |tx| messages::create(&mut tx, &cleo, &own)).unwrap();
    let twice = NewMessage { recipient: "KIM@example.org".to_owned(), ..good.clone() };
    assert_eq!(because(done!(db, cleo, |tx| messages::create(&mut tx, &cleo, &twice))), [Violation::Twice]);
    assert_eq!(because(done!(db, sam, |tx| messages::create(&mut tx, &sam, &good))), [Violation::MayNotWrite]);
    assert_eq!(
        because(done!(db, cleo, |tx| messages::again(&mut tx, &cleo, made))),
        [Violation::WrongStatus(Status::Queued)]
    );
    done!(db, cleo, |tx| messages::cancel(&mut tx, &cleo, made)).unwrap();
    assert_eq!(
        because(done!(db, cleo, |tx| messages::cancel(&mut tx, &cleo, made))),
        [Violation::WrongStatus(Status::Cancelled)]
    );
    for there in [MessageId(id(Kind::Message, 1, 2, 1, 2)), MessageId::fresh()] {
        assert_eq!(because(done!(db, cleo, |tx| messages::again(&mut tx, &cleo, there))), [Violation::NotThere]);
        assert_eq!(because(done!(db, cleo, |tx| messages::cancel(&mut tx, &cleo, there))), [Violation::NotThere]);
        let sent = Tried::Suppressed;
        assert_eq!(
            because(done!(db, cleo, |tx| messages::tried(&mut tx, &here(&cleo), there, &sent))),
            [Violation::NotThere]
        );
        assert_eq!(
            because(done!(db, cleo, |tx| messages::bounced(&mut tx, &here(&cleo), there, "x"))),
            [Violation::NotThere]
        );
    }
}

#[tokio::test]
async fn what_is_caused_once_is_told_once_also_by_two_at_once() {
    let case = Case::world().await;
    let (db, cleo, new) = (case.db(4), CLEO.actor(), message(Uuid::now_v7()));
    let (one, two) =
        at_once!(db, cleo, |tx| messages::create(&mut tx, &cleo, &new), messages::create(&mut tx, &cleo, &new));
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    assert_eq!(if one.is_ok() { because(two) } else { because(one) }, [Violation::Twice]);
}

//! What customers ask for, and what the client decides. (Who may send: `isolation/requests`.)

use eis::parties::customer_requests::{self, Asked, Details, Dispute, Fault, MOST_WAITING, Status, Violation};
use eis::values::ids::{CustomerId, CustomerRequestId, InvoiceId};
use eis::values::texts::TextFault;

use crate::support::database::Case;
use crate::support::world::{Kind, Who, customer, id};
use crate::{CLEO, at, at_once, because, done, here, kim, records, tx};

fn dispute(reason: &str) -> Asked {
    Asked::Dispute(Dispute { invoice: InvoiceId(id(Kind::Invoice, 1, 1, 1, 1)), reason: reason.to_owned() })
}

fn waiting(c: u8) -> CustomerRequestId {
    CustomerRequestId(id(Kind::Request, 1, c, 1, 2))
}

#[tokio::test]
async fn a_request_is_sent_decided_and_read_by_its_customer() {
    let case = Case::world().await;
    let (db, truth, cleo, kims) = (case.db(2), case.superuser().await, CLEO.actor(), Who::Customer(1, 1, 1).actor());
    let sent = CustomerRequestId::fresh();
    done!(db, kims, |tx| customer_requests::send(&mut tx, &kims, sent, &dispute(" Twice as much. "))).unwrap();
    let again = done!(db, kims, |tx| customer_requests::send(&mut tx, &kims, sent, &dispute("x")));
    assert_eq!(because(again), [Violation::Twice]);
    let reading = tx(&db, &cleo).await;
    let row = customer_requests::find(&reading, &here(&cleo), sent).await.unwrap().unwrap();
    assert_eq!((row.customer, row.status, &row.asked), (kim(), Status::Received, &dispute("Twice as much.")));
    let waits = customer_requests::waiting(&reading, &here(&cleo), None, 10).await.unwrap();
    assert_eq!(waits.len(), 3, "the oldest first: {waits:?}");
    assert_eq!(customer_requests::waiting(&reading, &here(&cleo), Some(waits[1].id), 10).await.unwrap().len(), 1);
    drop(reading);
    done!(db, cleo, |tx| customer_requests::decide(&mut tx, &cleo, sent, (false, "The meter is right."))).unwrap();
    let reading = db.as_tenant(&kims, eis::db::Access::Read).await.unwrap();
    let own = customer_requests::list(&reading, &here(&kims), None, None, 10).await.unwrap();
    assert_eq!(own.len(), 3);
    let row = own.iter().find(|row| row.id == sent).unwrap();
    assert_eq!((row.status, row.accepted, row.answer.as_str()), (Status::Decided, Some(false), "The meter is right."));
    drop(reading);
    done!(db, kims, |tx| customer_requests::withdraw(&mut tx, &kims, waiting(1))).unwrap();
    // The client writes one down.
    let noted = CustomerRequestId::fresh();
    let phone = Asked::Details(Details { phone: "+49 30 99".to_owned(), ..Details::default() });
    done!(db, cleo, |tx| customer_requests::create(&mut tx, &cleo, noted, kim(), &phone)).unwrap();
    done!(db, cleo, |tx| customer_requests::decide(&mut tx, &cleo, noted, (true, ""))).unwrap();
    assert_eq!(records(&truth, "customer_request").await, "send decide withdraw create decide");
    let told = "SELECT count(*) FROM audit_log WHERE entity = 'customer_request' AND (summary || details::text) ~ 'Twice|meter|99'";
    assert_eq!(truth.count(told).await, 0, "what is personal stands in the row alone");
}

#[tokio::test]
async fn every_rule_of_a_request_is_told() {
    let case = Case::world().await;
    let (db, truth, cleo, kims) = (case.db(2), case.superuser().await, CLEO.actor(), Who::Customer(1, 1, 1).actor());
    let (sam, fresh) = (at(Who::Staff(1), 1), CustomerRequestId::fresh);
    let missing = Violation::Asked(Fault::Text(customer_requests::Field::Reason, TextFault::Missing));
    let none = dispute(" ");
    assert_eq!(
        because(done!(db, kims, |tx| customer_requests::send(&mut tx, &kims, fresh(), &none))),
        std::slice::from_ref(&missing)
    );
    assert_eq!(
        because(done!(db, cleo, |tx| customer_requests::create(&mut tx, &cleo, fresh(), kim(), &none))),
        [missing]
    );
    let good = dispute("Why?");
    for actor in [&cleo, &sam] {
        let send = done!(db, actor, |tx| customer_requests::send(&mut tx, actor, fresh(), &good));
        assert_eq!(because(send), [Violation::NoCustomerUser]);
        let withdraw = done!(db, actor, |tx| customer_requests::withdraw(&mut tx, actor, waiting(1)));
        assert_eq!(because(withdraw), [Violation::NoCustomerUser]);
    }
    assert_eq!(
        because(done!(db, kims, |tx| customer_requests::withdraw(&mut tx, &kims, waiting(2)))),
        [Violation::NotThere]
    );
    let create =
        done!(db, cleo, |tx| customer_requests::create(&mut tx, &cleo, fresh(), CustomerId(customer(1, 2, 1)), &good));
    assert_eq!(because(create), [Violation::NoCustomer]);
    let create = done!(db, cleo, |tx| customer_requests::create(&mut tx, &cleo, waiting(1), kim(), &good));
    assert_eq!(because(create), [Violation::Twice]);
    let create = done!(db, sam, |tx| customer_requests::create(&mut tx, &sam, fresh(), kim(), &good));
    assert_eq!(because(create), [Violation::MayNotWrite]);
    for (accepted, answer, fault) in [
        (false, " ", TextFault::Missing),
        (true, &*"x".repeat(4001), TextFault::TooLong(4000)),
        (false, "\u{0}", TextFault::Forbidden('\u{0}')),
    ] {
        let decide = done!(db, cleo, |tx| customer_requests::decide(&mut tx, &cleo, waiting(1), (accepted, answer)));
        assert_eq!(because(decide), [Violation::Answer(fault)]);
    }
    for there in [waiting(2), fresh()] {
        let decide = done!(db, cleo, |tx| customer_requests::decide(&mut tx, &cleo, there, (true, "")));
        assert_eq!(because(decide), [Violation::NotThere]);
    }
    let decided = CustomerRequestId(id(Kind::Request, 1, 1, 1, 1));
    let decide = done!(db, cleo, |tx| customer_requests::decide(&mut tx, &cleo, decided, (true, "")));
    assert_eq!(because(decide), [Violation::WrongStatus(Status::Decided)]);
    truth
        .must(&format!(
            "INSERT INTO customer_requests (organization_id, client_id, id, customer_id, kind, payload, created_by)
             SELECT organization_id, client_id, gen_random_uuid(), customer_id, kind, payload, created_by FROM customer_requests, generate_series(1, {MOST_WAITING})
             WHERE id = '{}'",
            waiting(1)
        ))
        .await;
    let many = done!(db, kims, |tx| customer_requests::send(&mut tx, &kims, fresh(), &good));
    assert_eq!(because(many), [Violation::TooMany(MOST_WAITING)]);
}

#[tokio::test]
async fn of_two_who_decide_at_once_one_does() {
    let case = Case::world().await;
    let (db, cleo) = (case.db(4), CLEO.actor());
    let (one, two) = at_once!(
        db,
        cleo,
        |tx| customer_requests::decide(&mut tx, &cleo, waiting(1), (true, "")),
        customer_requests::decide(&mut tx, &cleo, waiting(1), (false, "No."))
    );
    assert_ne!(one.is_ok(), two.is_ok(), "{one:?} {two:?}");
    assert_eq!(if one.is_ok() { because(two) } else { because(one) }, [Violation::WrongStatus(Status::Decided)]);
}

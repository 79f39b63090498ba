//! Payments: what recording one refuses, and that the same money is recorded once.

use std::time::Duration;

use chrono::{Days, NaiveDate};
use eis::receivables::payments::{self, PaymentError, Received};
use eis::values::clock;
use eis::values::days::Unlikely;
use eis::values::ids::{InvoiceId, PaymentId};
use eis::values::money::Money;

use crate::support::database::Case;
use crate::support::world::{Kind, id};
use crate::{CLEO, on_record, write};

/// September's invoice of the first customer (1), of which 13.99 is open, and October's draft (2).
fn invoice(n: u8) -> InvoiceId {
    InvoiceId(id(Kind::Invoice, 1, 1, 1, n))
}

fn today() -> NaiveDate {
    clock::today(chrono_tz::Tz::Europe__Berlin)
}

fn received(cents: i64) -> Received {
    Received {
        id: PaymentId::fresh(),
        amount: Money::from_cents(cents),
        received_on: today(),
        method: "cash".into(),
        reference: String::new(),
        another: false,
    }
}

#[tokio::test]
async fn a_payment_pays_its_invoice_leaves_the_rest_as_credit_and_is_on_record() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, CLEO).await;
    let recorded = payments::record(&mut tx, invoice(1), &received(5000)).await.unwrap();
    assert_eq!(recorded.allocated, [(invoice(1), Money::from_cents(1399))]);
    assert_eq!(recorded.left, Money::from_cents(3601));
    tx.commit().await.unwrap();
    let told = on_record(&truth, "payment").await;
    assert_eq!(told, ["Cleo Client 11 record Recorded a payment of €50.00 by Customer 111"]);
}

#[tokio::test]
async fn what_is_no_payment_of_an_issued_invoice_is_refused() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, CLEO).await;
    let mut refused = async |of, received: Received| payments::record(&mut tx, of, &received).await.unwrap_err();
    let foreign = InvoiceId(id(Kind::Invoice, 1, 2, 1, 1));
    assert!(matches!(refused(foreign, received(1)).await, PaymentError::NotFound));
    assert!(matches!(refused(invoice(2), received(1)).await, PaymentError::Draft));
    assert!(matches!(refused(invoice(1), received(0)).await, PaymentError::Nothing));
    assert!(matches!(refused(invoice(1), received(-100)).await, PaymentError::Nothing));
    let on = |received_on| Received { received_on, ..received(100) };
    let tomorrow = today().checked_add_days(Days::new(1)).unwrap();
    assert!(matches!(refused(invoice(1), on(tomorrow)).await, PaymentError::Unlikely(Unlikely::Future)));
    let long_ago = today().checked_sub_days(Days::new(1_000)).unwrap();
    assert!(matches!(refused(invoice(1), on(long_ago)).await, PaymentError::Unlikely(Unlikely::Before(_))));
    let credit = Received { method: "credit".into(), ..received(100) };
    assert!(matches!(refused(invoice(1), credit).await, PaymentError::NoSuchMethod));
    tx.commit().await.unwrap();
    assert_eq!(on_record(&truth, "payment").await.len(), 0);
}

#[tokio::test]
async fn the_same_money_is_recorded_once_unless_it_came_once_more() {
    let case = Case::world().await;
    let db = case.db(2);
    let mut tx = write(&db, CLEO).await;
    let first = received(500);
    payments::record(&mut tx, invoice(1), &first).await.unwrap();
    match payments::record(&mut tx, invoice(1), &Received { another: true, ..first.clone() }).await {
        Err(PaymentError::RecordedBefore(before)) => assert_eq!(before.id, first.id),
        other => panic!("{other:?}"),
    }
    let alike = payments::record(&mut tx, invoice(1), &received(500)).await;
    assert!(matches!(alike, Err(PaymentError::Alike)), "{alike:?}");
    payments::record(&mut tx, invoice(1), &Received { another: true, ..received(500) }).await.unwrap();
}

#[tokio::test]
async fn of_two_alike_at_once_one_is_recorded() {
    let case = Case::world().await;
    let (db, truth) = (case.db(4), case.superuser().await);
    let record = async |received: Received| {
        let mut tx = write(&db, CLEO).await;
        payments::record(&mut tx, invoice(1), &received).await?;
        tokio::time::sleep(Duration::from_millis(300)).await;
        Ok::<_, PaymentError>(tx.commit().await?)
    };
    let (one, two) = tokio::join!(record(received(500)), record(received(500)));
    let lost = [&one, &two].into_iter().filter(|done| matches!(done, Err(PaymentError::Alike))).count();
    assert_eq!(lost, 1, "{one:?} {two:?}");
    let same = received(700);
    let (one, two) = tokio::join!(record(same.clone()), record(same));
    let lost = [&one, &two].into_iter().filter(|done| matches!(done, Err(PaymentError::RecordedBefore(_)))).count();
    assert_eq!(lost, 1, "{one:?} {two:?}");
    assert_eq!(truth.value("SELECT sum(amount) FROM payments WHERE amount IN (5, 7)").await, "12.00");
}

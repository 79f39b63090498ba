//! Customers: made and changed.

use eis::contracts;
use eis::customers::{self, CustomerError, CustomerFields, NewCustomer, Violation};
use eis::days::Unlikely;
use eis::ids::CustomerId;
use eis::service_points;
use eis::texts::TextFault;

use super::support::database::Case;
use super::support::world::{client, customer};
use super::{CLEO, day, today, too_late, violations, writing};

pub(crate) fn new(account: &str, fields: CustomerFields) -> NewCustomer {
    NewCustomer {
        account_number: account.to_owned(),
        billing_address: String::new(),
        service_address: "1 Street".to_owned(),
        moved_in_on: day("2026-01-01"),
        moved_out_on: None,
        fields,
    }
}

pub(crate) fn fields(name: &str) -> CustomerFields {
    CustomerFields {
        kind: "person".to_owned(),
        name: name.to_owned(),
        email: String::new(),
        phone: String::new(),
        tax_number: String::new(),
    }
}

#[tokio::test]
async fn what_a_customer_may_not_be_is_told_all_at_once_and_nothing_is_written() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let late = too_late();
    let most = today().checked_add_months(chrono::Months::new(24)).unwrap();
    let unlikely = Unlikely::After(most);
    let wrong = |change: &dyn Fn(&mut NewCustomer)| {
        let mut new = new("N-1", fields("New"));
        change(&mut new);
        new
    };
    let of = Violation::Contract;
    for (new, expected) in [
        (wrong(&|n| n.moved_in_on = late), vec![of(contracts::Violation::From(unlikely))]),
        (wrong(&|n| n.moved_out_on = Some(late)), vec![of(contracts::Violation::To(unlikely))]),
        (wrong(&|n| n.moved_out_on = Some(n.moved_in_on)), vec![of(contracts::Violation::EndsBeforeItBegins)]),
        (
            wrong(&|n| {
                n.moved_in_on = late;
                n.moved_out_on = Some(day("2026-01-01"));
            }),
            vec![of(contracts::Violation::From(unlikely)), of(contracts::Violation::EndsBeforeItBegins)],
        ),
    ] {
        let mut tx = writing(&db).await;
        assert_eq!(violations(customers::create(&mut tx, &new).await), expected);
        tx.commit().await.unwrap();
    }
    let nowhere = wrong(&|n| n.service_address = " ".to_owned());
    let mut tx = writing(&db).await;
    let place = service_points::Violation::Address(TextFault::Missing);
    assert_eq!(violations(customers::create(&mut tx, &nowhere).await), [of(contracts::Violation::Place(place))]);
    drop(tx);
    assert_eq!(looker.count("SELECT count(*) FROM accounts WHERE account_number = 'N-1'").await, 0);
    assert_eq!(looker.count("SELECT count(*) FROM audit_log WHERE entity = 'customer'").await, 0);
}

#[tokio::test]
async fn an_account_number_is_one_customer_s_whatever_its_case() {
    let case = Case::world().await;
    let db = case.db(2);
    for account in ["A-1", "a-1"] {
        let mut tx = writing(&db).await;
        let made = customers::create(&mut tx, &new(account, fields("New"))).await;
        assert_eq!(violations(made), [Violation::AccountTaken], "{account}");
    }
}

#[tokio::test]
async fn of_two_customers_made_at_once_with_one_number_one_is() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let make = async |account: &str| {
        let mut tx = writing(&db).await;
        let made = customers::create(&mut tx, &new(account, fields("New"))).await;
        if made.is_ok() {
            tx.commit().await.unwrap();
        }
        made
    };
    let (one, two) = tokio::join!(make("TWIN"), make("twin"));
    let lost = if one.is_ok() { two } else { one };
    assert_eq!(violations(lost), [Violation::AccountTaken]);
    assert_eq!(looker.count("SELECT count(*) FROM accounts WHERE lower(account_number) = 'twin'").await, 1);
    assert_eq!(looker.count("SELECT count(*) FROM customers WHERE name = 'New'").await, 1);
}

#[tokio::test]
async fn what_was_done_is_on_record_and_another_client_s_customer_is_not_there() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    let id = customers::create(&mut tx, &new("N-1", fields("New"))).await.unwrap();
    customers::update(&mut tx, id, &fields("Newer")).await.unwrap();
    for foreign in [customer(1, 2, 1), customer(2, 1, 1)] {
        let refused = customers::update(&mut tx, CustomerId(foreign), &fields("Theirs")).await;
        assert!(matches!(refused, Err(CustomerError::NotFound)), "{refused:?}");
    }
    tx.commit().await.unwrap();
    let told = format!(
        "SELECT string_agg(summary, ', ' ORDER BY at, id) FROM audit_log WHERE customer_id = '{id}' AND client_id = '{}' AND user_id = '{}'",
        client(1, 1),
        CLEO.user()
    );
    assert_eq!(looker.value(&told).await, "Created customer New (N-1), Changed customer Newer (N-1)");
}

//! Customers: made and changed.

use eis::db::refused::Refused;
use eis::parties::contracts;
use eis::parties::customers::{self, CustomerFields};
use eis::parties::new_customers::{self, NewCustomer, Violation};
use eis::parties::service_points;
use eis::values::days::Unlikely;
use eis::values::ids::{CustomerId, ServicePointId};
use eis::values::texts::TextFault;

use super::support::database::Case;
use super::support::world::{Kind, client, customer, id};
use super::{CLEO, day, today, too_late, violations, writing};

pub(crate) fn new(account: &str, fields: CustomerFields) -> NewCustomer {
    NewCustomer {
        account_number: account.to_owned(),
        billing_address: String::new(),
        service_address: "1 Street".to_owned(),
        service_point: None,
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
        assert_eq!(violations(new_customers::create(&mut tx, &new).await), expected);
        tx.commit().await.unwrap();
    }
    let nowhere = wrong(&|n| n.service_address = " ".to_owned());
    let mut tx = writing(&db).await;
    let place = service_points::Violation::Address(TextFault::Missing);
    assert_eq!(violations(new_customers::create(&mut tx, &nowhere).await), [of(contracts::Violation::Place(place))]);
    drop(tx);
    assert_eq!(looker.count("SELECT count(*) FROM accounts WHERE account_number = 'N-1'").await, 0);
    assert_eq!(looker.count("SELECT count(*) FROM audit_log WHERE entity = 'customer'").await, 0);
}

#[tokio::test]
async fn a_new_customer_moves_in_at_a_place_that_is_there_from_the_day_on_that_it_is_free() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let place = |o, c| Some(ServicePointId(id(Kind::Place, o, c, 1, 1)));
    let moves_in =
        |service_point| NewCustomer { service_point, service_address: String::new(), ..new("N-1", fields("New")) };
    let mut tx = writing(&db).await;
    let taken = new_customers::create(&mut tx, &moves_in(place(1, 1))).await;
    let until = Violation::Contract(contracts::Violation::Overlaps(day("2024-01-01"), None));
    assert_eq!(violations(taken), [until], "somebody lives there");
    for foreign in [place(1, 2), place(2, 1)] {
        let refused = new_customers::create(&mut tx, &moves_in(foreign)).await;
        assert_eq!(violations(refused), [Violation::Contract(contracts::Violation::NoPlace)]);
    }
    drop(tx);
    looker
        .must(&format!("UPDATE contracts SET to_on = '2026-01-01' WHERE id = '{}'", id(Kind::Contract, 1, 1, 1, 1)))
        .await;
    let places = looker.count("SELECT count(*) FROM service_points").await;
    let mut tx = writing(&db).await;
    let made = new_customers::create(&mut tx, &moves_in(place(1, 1))).await.unwrap();
    tx.commit().await.unwrap();
    let there = format!("SELECT concat_ws(' ', address, from_on) FROM contracts WHERE customer_id = '{made}'");
    assert_eq!(looker.value(&there).await, "1 Mill Lane 2026-01-01");
    assert_eq!(looker.count("SELECT count(*) FROM service_points").await, places, "no place is made");
}

#[tokio::test]
async fn an_account_number_is_one_customer_s_whatever_its_case() {
    let case = Case::world().await;
    let db = case.db(2);
    for account in ["A-1", "a-1"] {
        let mut tx = writing(&db).await;
        let made = new_customers::create(&mut tx, &new(account, fields("New"))).await;
        assert_eq!(violations(made), [Violation::AccountTaken], "{account}");
    }
}

#[tokio::test]
async fn of_two_customers_made_at_once_with_one_number_one_is() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let make = async |account: &str| {
        let mut tx = writing(&db).await;
        let made = new_customers::create(&mut tx, &new(account, fields("New"))).await;
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
    let id = new_customers::create(&mut tx, &new("N-1", fields("New"))).await.unwrap();
    customers::update(&mut tx, id, &fields("Newer")).await.unwrap();
    for foreign in [customer(1, 2, 1), customer(2, 1, 1)] {
        let refused = customers::update(&mut tx, CustomerId(foreign), &fields("Theirs")).await;
        assert!(matches!(refused, Err(Refused::NotFound)), "{refused:?}");
    }
    tx.commit().await.unwrap();
    let told = format!(
        "SELECT string_agg(summary, ', ' ORDER BY at, id) FROM audit_log WHERE customer_id = '{id}' AND client_id = '{}' AND user_id = '{}'",
        client(1, 1),
        CLEO.user()
    );
    assert_eq!(looker.value(&told).await, "Created customer New (N-1), Changed customer Newer (N-1)");
}

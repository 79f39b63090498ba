//! Agreements: a contract is put on a tariff.

use eis::tariffs::agreements::{self, AgreementError, Violation};
use eis::values::days::Unlikely;
use eis::values::ids::{ContractId, CustomerId};

use super::support::database::Case;
use super::support::world::{contract_of, customer};
use super::{day, today, too_late, violations, writing};

fn contract() -> ContractId {
    ContractId(contract_of(customer(1, 1, 1)))
}

#[tokio::test]
async fn a_customer_is_put_on_a_tariff_that_holds_on_a_day_that_is_meant() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let kim = CustomerId(customer(1, 1, 1));
    let most = today().checked_add_months(chrono::Months::new(24)).unwrap();
    let early = day("2023-06-01");
    for (code, from, expected) in [
        ("HOME", too_late(), Violation::From(Unlikely::After(most))),
        ("HOME", early, Violation::NoVersion("HOME".to_owned(), early)),
        ("NONE", day("2026-01-01"), Violation::NoVersion("NONE".to_owned(), day("2026-01-01"))),
    ] {
        let mut tx = writing(&db).await;
        assert_eq!(violations(agreements::create(&mut tx, kim, contract(), code, from).await), [expected]);
        tx.commit().await.unwrap();
    }
    for foreign in [customer(1, 2, 1), customer(2, 1, 1)] {
        let mut tx = writing(&db).await;
        let theirs = ContractId(contract_of(foreign));
        for (at, of) in [(CustomerId(foreign), theirs), (kim, theirs), (CustomerId(foreign), contract())] {
            let refused = agreements::create(&mut tx, at, of, "HOME", day("2026-01-01")).await;
            assert!(matches!(refused, Err(AgreementError::NotFound)), "{refused:?}");
        }
    }
    assert_eq!(looker.count("SELECT count(*) FROM audit_log WHERE entity = 'tariff_agreement'").await, 0);
}

#[tokio::test]
async fn an_agreement_ends_the_one_before_and_lasts_until_the_next() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let kim = CustomerId(customer(1, 1, 1));
    let mut tx = writing(&db).await;
    for (code, from) in [("PLAIN", "2026-09-01"), ("SAVER", "2026-06-01"), ("HOME", "2026-09-01")] {
        agreements::create(&mut tx, kim, contract(), code, day(from)).await.unwrap();
    }
    tx.commit().await.unwrap();
    let all = format!(
        "SELECT string_agg(concat_ws(' ', tariff_code, valid_from, valid_to), ', ' ORDER BY valid_from) FROM tariff_agreements WHERE customer_id = '{kim}'"
    );
    assert_eq!(looker.value(&all).await, "HOME 2024-01-01 2026-06-01, SAVER 2026-06-01 2026-09-01, HOME 2026-09-01");
    let told = "SELECT string_agg(summary, ', ' ORDER BY at, id) FROM audit_log WHERE entity = 'tariff_agreement'";
    assert_eq!(
        looker.value(told).await,
        "Put Customer 111 on tariff PLAIN from 2026-09-01, Put Customer 111 on tariff SAVER from 2026-06-01, Put Customer 111 on tariff HOME from 2026-09-01"
    );
}

#[tokio::test]
async fn of_two_agreements_made_at_once_both_stand_one_after_the_other() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let kim = CustomerId(customer(1, 1, 1));
    let agree = async |code: &str, from: &str| {
        let mut tx = writing(&db).await;
        agreements::create(&mut tx, kim, contract(), code, day(from)).await.unwrap();
        tx.commit().await.unwrap();
    };
    tokio::join!(agree("PLAIN", "2026-09-01"), agree("SAVER", "2026-06-01"));
    let all = format!(
        "SELECT string_agg(concat_ws(' ', tariff_code, valid_from, valid_to), ', ' ORDER BY valid_from) FROM tariff_agreements WHERE customer_id = '{kim}'"
    );
    assert_eq!(looker.value(&all).await, "HOME 2024-01-01 2026-06-01, SAVER 2026-06-01 2026-09-01, PLAIN 2026-09-01");
}

//! What-ifs: which questions are refused, and how many are asked at a time.

use eis::billing::what_ifs::{self, ACCOUNTS, Asking, CANDIDATES, Chosen, WhatIfViolation as V};
use eis::db::refused::Refused;
use eis::values::ids::{TariffRateId, WhatIfId};
use eis::values::period::Period;

use crate::support::database::Case;
use crate::support::world::{Kind, id};
use crate::{CLEO, on_record, write};

fn version(n: u8) -> TariffRateId {
    TariffRateId(id(Kind::Tariff, 1, 1, 0, n))
}

fn asking() -> Asking {
    let months = Period::new("2026-09-01".parse().unwrap(), "2026-11-01".parse().unwrap()).unwrap();
    Asking { candidates: vec![version(2)], chosen: Chosen::All, months }
}

fn accounts(accounts: &[&str]) -> Chosen {
    Chosen::Accounts(accounts.iter().map(|account| (*account).to_owned()).collect())
}

fn violations<T: std::fmt::Debug>(refused: Result<T, Refused<V>>) -> Vec<V> {
    match refused {
        Err(Refused::Violated(found)) => found,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_question_is_queued_and_deleted_on_record() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, CLEO).await;
    let id = what_ifs::create(&mut tx, Asking { candidates: vec![version(2), version(3)], ..asking() }).await.unwrap();
    let gone = what_ifs::delete(&mut tx, id).await.unwrap();
    assert_eq!((gone.tried().as_str(), gone.status.as_str()), ("HOME version 2, SAVER version 1", "queued"));
    assert!(what_ifs::delete(&mut tx, id).await.is_err(), "it is gone");
    tx.commit().await.unwrap();
    let told = [
        "create Asked what 2 customers would have paid under HOME version 2, SAVER version 1",
        "delete Deleted the what-if of HOME version 2, SAVER version 1 with 0 results",
    ];
    assert_eq!(on_record(&truth, "what_if").await, told.map(|line| format!("Cleo Client 11 {line}")));
}

#[tokio::test]
async fn a_question_that_is_wrong_by_itself_is_told_all_at_once() {
    let case = Case::world().await;
    let db = case.db(2);
    let mut tx = write(&db, CLEO).await;
    let long = Period::new("2024-01-01".parse().unwrap(), "2026-11-01".parse().unwrap()).unwrap();
    let none = Asking { candidates: vec![], chosen: accounts(&[]), months: long };
    assert_eq!(violations(what_ifs::create(&mut tx, none).await), [V::NoCandidate, V::TooManyMonths, V::NoAccounts]);
    let twice = Asking { candidates: vec![version(2), version(3), version(2)], ..asking() };
    assert_eq!(violations(what_ifs::create(&mut tx, twice).await), [V::Twice(2)]);
    let fresh = (0..=CANDIDATES).map(|_| TariffRateId::fresh()).collect();
    let many = Chosen::Accounts((0..=ACCOUNTS).map(|n| n.to_string()).collect());
    let many = Asking { candidates: fresh, chosen: many, ..asking() };
    assert_eq!(violations(what_ifs::create(&mut tx, many).await), [V::TooManyCandidates, V::TooManyAccounts]);
    let foreign = Asking { candidates: vec![TariffRateId(id(Kind::Tariff, 1, 2, 0, 2))], ..asking() };
    assert!(matches!(what_ifs::create(&mut tx, foreign).await, Err(Refused::NotFound)));
    assert!(what_ifs::delete(&mut tx, WhatIfId(id(Kind::WhatIf, 1, 2, 0, 1))).await.is_err(), "another client's");
}

#[tokio::test]
async fn accounts_that_are_not_there_nobody_supplied_and_a_tariff_that_cannot_be_rated_are_told() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, CLEO).await;
    let unknown = Asking { chosen: accounts(&["a-1", "Z-9"]), ..asking() };
    assert_eq!(violations(what_ifs::create(&mut tx, unknown).await), [V::UnknownAccounts(vec!["Z-9".into()])]);
    let nobody = Asking { chosen: Chosen::Tariff("PLAIN".into()), ..asking() };
    assert_eq!(violations(what_ifs::create(&mut tx, nobody).await), [V::NoCustomers]);
    drop(tx);
    truth.must(&format!("UPDATE tariff_rates SET document = '{{}}' WHERE id = '{}'", version(4))).await;
    let mut tx = write(&db, CLEO).await;
    let broken = Asking { candidates: vec![version(2), version(4)], ..asking() };
    match violations(what_ifs::create(&mut tx, broken).await).as_slice() {
        [V::Candidate(1, fault)] => assert!(!fault.is_empty()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn of_five_questions_at_once_three_are_asked() {
    let case = Case::world().await;
    let (db, truth) = (case.db(6), case.superuser().await);
    let ask = async || {
        let mut tx = write(&db, CLEO).await;
        what_ifs::create(&mut tx, asking()).await?;
        Ok::<_, Refused<V>>(tx.commit().await?)
    };
    let asked = tokio::join!(ask(), ask(), ask(), ask(), ask());
    let asked = [asked.0, asked.1, asked.2, asked.3, asked.4];
    let refused: Vec<V> = asked.into_iter().filter(Result::is_err).flat_map(violations).collect();
    assert_eq!(refused, [V::TooManyWaiting, V::TooManyWaiting]);
    assert_eq!(truth.count("SELECT count(*) FROM what_ifs WHERE finished_at IS NULL").await, 3);
}

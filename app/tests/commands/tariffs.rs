//! Tariffs: what making, changing, activating, retiring and discarding a version refuses.

use chrono_tz::Tz;
use eis::tariff_document::TariffDocument;
use eis::tariffs::{self, NewTariff, TariffError, customer};
use eis::values::days::Unlikely;
use eis::values::ids::TariffRateId;

use crate::support::database::Case;
use crate::support::world::{Kind, id};
use crate::{CLEO, day, on_record, write};

fn version(n: u8) -> TariffRateId {
    TariffRateId(id(Kind::Tariff, 1, 1, 0, n))
}

fn document() -> TariffDocument {
    TariffDocument::flat("Home", "EUR", Tz::Europe__Berlin, "0.31".parse().unwrap())
}

fn new<'d>(code: &'d str, document: &'d TariffDocument, from: &str) -> NewTariff<'d> {
    NewTariff { code, document, effective_from: day(from) }
}

#[tokio::test]
async fn a_version_is_drafted_changed_activated_and_retired_each_on_record() {
    let case = Case::world().await;
    let (db, truth, document) = (case.db(2), case.superuser().await, document());
    let mut tx = write(&db, CLEO).await;
    let (made, number) = tariffs::create(&mut tx, &new("home", &document, "2026-12-01")).await.unwrap();
    assert_eq!(number, 3, "the next of the code, however it is written");
    let draft = tariffs::find(&tx, made).await.unwrap().unwrap();
    let seen = tariffs::digest(&draft);
    tariffs::revise(&mut tx, made, &seen, &new("HOME", &document, "2027-01-01")).await.unwrap();
    let (_, done) = tariffs::activate(&mut tx, made).await.unwrap();
    assert_eq!((done.ends.len(), done.customers), (1, 2));
    tariffs::retire(&mut tx, made, day("2027-06-01")).await.unwrap();
    tariffs::discard(&mut tx, version(2)).await.unwrap();
    tx.commit().await.unwrap();
    let told = on_record(&truth, "tariff_rate").await;
    let expected = [
        "create Drafted HOME version 3",
        "update Changed the draft of HOME version 3",
        "activate Activated HOME version 3 from 2027-01-01",
        "retire Retired HOME version 3 from 2027-06-01",
        "discard Discarded the draft of HOME version 2",
    ];
    assert_eq!(told, expected.map(|line| format!("Cleo Client 11 {line}")));
}

#[tokio::test]
async fn a_draft_with_faults_of_another_age_or_of_nobody_is_refused() {
    let case = Case::world().await;
    let db = case.db(2);
    let (fine, nameless) = (document(), TariffDocument { name: String::new(), ..document() });
    let mut tx = write(&db, CLEO).await;
    let refused = tariffs::create(&mut tx, &new("X", &nameless, "2026-12-01")).await;
    assert!(matches!(refused, Err(TariffError::Faulty(_))), "{refused:?}");
    let dollars = TariffDocument { currency: "USD".into(), ..document() };
    match tariffs::create(&mut tx, &new("X", &dollars, "2026-12-01")).await {
        Err(TariffError::OtherCurrency { tariff, client }) => assert_eq!([tariff, client], ["USD", "EUR"]),
        other => panic!("{other:?}"),
    }
    let refused = tariffs::create(&mut tx, &new("X", &fine, "2199-01-01")).await;
    assert!(matches!(refused, Err(TariffError::Unlikely(Unlikely::After(_)))), "{refused:?}");
    let refused = tariffs::revise(&mut tx, version(1), "", &new("HOME", &fine, "2026-12-01")).await;
    assert!(matches!(refused, Err(TariffError::Fixed { version: 1 })), "{refused:?}");
    let refused = tariffs::revise(&mut tx, version(2), "stale", &new("HOME", &fine, "2026-12-01")).await;
    assert!(matches!(refused, Err(TariffError::Changed)), "{refused:?}");
    let refused = tariffs::as_seen(&mut tx, version(2), "stale").await;
    assert!(matches!(refused, Err(TariffError::Changed)), "{refused:?}");
    let refused = tariffs::revise(&mut tx, TariffRateId::fresh(), "", &new("HOME", &fine, "2026-12-01")).await;
    assert!(matches!(refused, Err(TariffError::NotFound)), "{refused:?}");
    // Another client's.
    let foreign = TariffRateId(id(Kind::Tariff, 1, 2, 0, 2));
    for refused in [customer::offer(&mut tx, foreign, true).await, tariffs::discard(&mut tx, foreign).await] {
        assert!(matches!(refused, Err(TariffError::NotFound)), "{refused:?}");
    }
}

#[tokio::test]
async fn a_version_that_is_no_draft_has_faults_or_stands_behind_a_billed_one_is_not_activated() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, CLEO).await;
    let refused = tariffs::activate(&mut tx, version(1)).await;
    assert!(matches!(refused, Err(TariffError::NotADraft { version: 1 })), "{refused:?}");
    drop(tx);
    let draft = version(2);
    truth.must(&format!("UPDATE tariff_rates SET effective_from = '2024-06-01' WHERE id = '{draft}'")).await;
    let mut tx = write(&db, CLEO).await;
    match tariffs::activate(&mut tx, draft).await {
        Err(TariffError::HasBilled { version: 1, from }) => assert_eq!(from, day("2025-01-01")),
        other => panic!("{other:?}"),
    }
    drop(tx);
    let without_end = r#"[{"to": "100", "price": "0.1"}]"#;
    truth
        .must(&format!(
            "UPDATE tariff_rates SET document = jsonb_set(document, '{{energy,0,prices,0,blocks}}', '{without_end}') WHERE id = '{draft}'"
        ))
        .await;
    let mut tx = write(&db, CLEO).await;
    let refused = tariffs::activate(&mut tx, draft).await;
    assert!(matches!(refused, Err(TariffError::Faulty(_))), "{refused:?}");
}

#[tokio::test]
async fn a_version_is_retired_on_a_day_of_its_own_and_a_draft_not_at_all() {
    let case = Case::world().await;
    let db = case.db(2);
    let mut tx = write(&db, CLEO).await;
    let refused = tariffs::retire(&mut tx, version(2), day("2026-12-01")).await;
    assert!(matches!(refused, Err(TariffError::NotActive { version: 2 })), "{refused:?}");
    let refused = tariffs::retire(&mut tx, version(1), day("2025-01-01")).await;
    assert!(matches!(refused, Err(TariffError::OutsideItsDays)), "{refused:?}");
    let refused = tariffs::retire(&mut tx, version(1), day("2199-01-01")).await;
    assert!(matches!(refused, Err(TariffError::Unlikely(Unlikely::After(_)))), "{refused:?}");
    let refused = tariffs::discard(&mut tx, version(1)).await;
    assert!(matches!(refused, Err(TariffError::NotADraft { version: 1 })), "{refused:?}");
    tariffs::retire(&mut tx, version(1), day("2027-01-01")).await.unwrap();
}

#[tokio::test]
async fn of_two_who_draft_the_same_version_at_once_one_does() {
    let case = Case::world().await;
    let (db, truth, document) = (case.db(4), case.superuser().await, document());
    let draft = async || {
        let mut tx = write(&db, CLEO).await;
        let made = tariffs::create(&mut tx, &new("NEW", &document, "2026-12-01")).await?;
        // The other one is at it meanwhile.
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        tx.commit().await?;
        Ok::<_, TariffError>(made)
    };
    let (one, two) = tokio::join!(draft(), draft());
    let lost = [&one, &two].into_iter().filter(|made| matches!(made, Err(TariffError::VersionTaken))).count();
    assert_eq!((lost, one.is_ok() || two.is_ok()), (1, true), "{one:?} {two:?}");
    assert_eq!(truth.count("SELECT count(*) FROM tariff_rates WHERE code = 'NEW'").await, 1);
}

#[tokio::test]
async fn of_two_who_activate_or_discard_a_draft_at_once_one_does() {
    let case = Case::world().await;
    let db = case.db(4);
    let activate = async {
        let mut tx = write(&db, CLEO).await;
        tariffs::activate(&mut tx, version(2)).await?;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        tx.commit().await.map_err(TariffError::from)
    };
    let discard = async {
        let mut tx = write(&db, CLEO).await;
        tariffs::discard(&mut tx, version(2)).await?;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        tx.commit().await.map_err(TariffError::from)
    };
    let (one, two) = tokio::join!(activate, discard);
    let lost =
        [&one, &two].into_iter().filter(|done| matches!(done, Err(TariffError::NotADraft { version: 2 }))).count();
    assert_eq!((lost, one.is_ok() || two.is_ok()), (1, true), "{one:?} {two:?}");
}

#[tokio::test]
async fn a_version_put_on_the_same_days_by_another_transaction_is_told() {
    let case = Case::world().await;
    let (db, other) = (case.db(2), case.superuser().await);
    other.must(&format!("UPDATE tariff_rates SET effective_to = '2026-01-01' WHERE id = '{}'", version(1))).await;
    other
        .must(&format!(
            "BEGIN; INSERT INTO tariff_rates (organization_id, client_id, id, code, version, name, kind, currency, document, effective_from, status)
             SELECT organization_id, client_id, gen_random_uuid(), code, 3, name, kind, currency, document, '2026-04-01', 'active'
             FROM tariff_rates WHERE id = '{}'",
            version(2)
        ))
        .await;
    let activate = async {
        let mut tx = write(&db, CLEO).await;
        tariffs::activate(&mut tx, version(2)).await.map(|_| ())
    };
    let commit = async {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        other.must("COMMIT").await;
    };
    let (refused, ()) = tokio::join!(activate, commit);
    assert!(matches!(refused, Err(TariffError::Overlaps)), "{refused:?}");
}

#[tokio::test]
async fn comparing_is_allowed_and_stopped_on_record_once_each() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, CLEO).await;
    for allowed in [true, false, false, true] {
        customer::let_compare(&mut tx, allowed).await.unwrap();
    }
    tx.commit().await.unwrap();
    let expected = ["Stopped customers comparing tariffs", "Let customers compare tariffs"];
    assert_eq!(on_record(&truth, "client").await, expected.map(|line| format!("Cleo Client 11 update {line}")));
}

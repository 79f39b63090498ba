//! What a transaction carries: where it stands, and who writes in it.

use eis::db::{Access, DbError};
use eis::tariffs::{self, TariffError, customer};
use eis::values::ids::{ClientId, OrganizationId, TariffRateId};

use crate::support::database::Case;
use crate::support::world::{Kind, Who, client, id, organization};
use crate::{CLEO, on_record, write};

#[tokio::test]
async fn a_transaction_stands_where_its_actor_does() {
    let case = Case::world().await;
    let db = case.db(2);
    let of = |o, c| (OrganizationId(organization(o)), ClientId(client(o, c)));
    assert_eq!(write(&db, CLEO).await.client().unwrap(), of(1, 1));
    let admin = Who::Admin(1).actor();
    let whole = db.as_tenant(&admin, Access::Write).await.unwrap();
    assert_eq!(whole.organization().unwrap(), of(1, 1).0);
    assert!(matches!(whole.client(), Err(DbError::Refused)));
    drop(whole);
    let at = db.as_tenant(&admin.at_client(of(1, 2).1), Access::Read).await.unwrap();
    assert_eq!(at.client().unwrap(), of(1, 2));
    assert!(matches!(at.author(), Err(DbError::Refused)), "nobody writes in one that reads");
}

#[tokio::test]
async fn a_command_in_a_transaction_that_reads_or_stands_at_no_client_is_refused() {
    let case = Case::world().await;
    let db = case.db(2);
    let draft = TariffRateId(id(Kind::Tariff, 1, 1, 0, 2));
    let mut whole = write(&db, Who::Admin(1)).await;
    assert!(matches!(tariffs::discard(&mut whole, draft).await, Err(TariffError::Db(DbError::Refused))));
    drop(whole);
    let mut reads = db.as_tenant(&CLEO.actor(), Access::Read).await.unwrap();
    assert!(tariffs::discard(&mut reads, draft).await.is_err());
}

#[tokio::test]
async fn a_command_and_its_record_stand_or_fall_together() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let offered = "SELECT offered FROM tariff_rates WHERE code = 'PLAIN' AND client_id =";
    let offered = format!("{offered} '{}'", client(1, 1));
    let plain = TariffRateId(id(Kind::Tariff, 1, 1, 0, 5));
    let mut tx = write(&db, CLEO).await;
    customer::offer(&mut tx, plain, true).await.unwrap();
    drop(tx);
    assert_eq!((truth.value(&offered).await.as_str(), on_record(&truth, "tariff_rate").await.len()), ("f", 0));
    let mut tx = write(&db, CLEO).await;
    customer::offer(&mut tx, plain, true).await.unwrap();
    customer::offer(&mut tx, plain, true).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(truth.value(&offered).await, "t");
    let told = on_record(&truth, "tariff_rate").await;
    assert_eq!(told, ["Cleo Client 11 offer Put PLAIN on offer"], "once: the second time changed nothing");
}

//! Clients: what making and changing one refuses.

use eis::db::refused::Refused;
use eis::parties::clients::{self, ClientFields, ClientViolation as V};
use eis::values::ids::{ClientId, OrganizationId};

use crate::support::database::Case;
use crate::support::world::{Who, client, organization};
use crate::{CLEO, on_record, write};

const ADA: Who = Who::Admin(1);

fn fields(slug: &str) -> ClientFields {
    ClientFields {
        slug: slug.to_owned(),
        name: "Harbor Light".into(),
        legal_name: "Harbor Light Ltd".into(),
        address: String::new(),
        tax_number: String::new(),
        currency: "EUR".into(),
        time_zone: "Europe/Berlin".into(),
        locale: "en-GB".into(),
        invoice_series: "HL".into(),
        tax_name: "VAT".into(),
        tax_rate: "0.19".parse().unwrap(),
        payment_terms_days: 14,
    }
}

fn violations<T: std::fmt::Debug>(refused: Result<T, Refused<V>>) -> Vec<V> {
    match refused {
        Err(Refused::Violated(found)) => found,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_client_is_made_and_changed_on_record() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let mut tx = write(&db, ADA).await;
    let id = clients::create(&mut tx, &fields("harbor")).await.unwrap();
    let changed = ClientFields { name: "Harbor".into(), currency: "USD".into(), ..fields("harbor") };
    let before = clients::update(&mut tx, id, &changed).await.unwrap();
    assert_eq!(before.name, "Harbor Light");
    tx.commit().await.unwrap();
    let told = ["create Created client Harbor Light", "update Changed client Harbor"];
    assert_eq!(on_record(&truth, "client").await, told.map(|line| format!("Ada Admin 1 {line}")));
    let own = format!("SELECT count(*) FROM audit_log WHERE client_id = '{id}'");
    assert_eq!(truth.count(&own).await, 2, "in the client's own log");
}

#[tokio::test]
async fn what_is_wrong_with_a_client_is_told_and_nothing_is_written() {
    let case = Case::world().await;
    let (db, truth) = (case.db(2), case.superuser().await);
    let one = ClientId(client(1, 1));
    let mut tx = write(&db, ADA).await;
    let wrong = ClientFields { currency: "JPY".into(), tax_name: " ".into(), ..fields("-") };
    assert_eq!(violations(clients::create(&mut tx, &wrong).await), [V::Missing("tax_name"), V::Slug, V::Currency]);
    assert_eq!(violations(clients::update(&mut tx, one, &wrong).await).len(), 3);
    let dollars = ClientFields { currency: "USD".into(), ..fields("client-1") };
    assert_eq!(violations(clients::update(&mut tx, one, &dollars).await), [V::CurrencyInUse("EUR".into())]);
    let foreign = ClientId(client(2, 1));
    let refused = clients::update(&mut tx, foreign, &fields("client-1")).await;
    assert!(matches!(refused, Err(Refused::NotFound)), "{refused:?}");
    assert_eq!(violations(clients::create(&mut tx, &fields("client-2")).await), [V::SlugTaken]);
    drop(tx);
    let mut tx = write(&db, ADA).await;
    assert_eq!(violations(clients::update(&mut tx, one, &fields("client-2")).await), [V::SlugTaken]);
    drop(tx);
    // A client's own admin makes no clients: the database says so.
    let mut tx = write(&db, CLEO).await;
    let refused = clients::create(&mut tx, &fields("mine")).await;
    assert!(matches!(refused, Err(Refused::Db(_))), "{refused:?}");
    drop(tx);
    let all = format!("SELECT count(*) FROM clients WHERE organization_id = '{}'", OrganizationId(organization(1)));
    assert_eq!((truth.count(&all).await, on_record(&truth, "client").await.len()), (2, 0));
}

#[tokio::test]
async fn of_two_clients_of_one_short_name_made_at_once_one_is() {
    let case = Case::world().await;
    let (db, truth) = (case.db(4), case.superuser().await);
    let make = async || {
        let mut tx = write(&db, ADA).await;
        clients::create(&mut tx, &fields("twin")).await?;
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        Ok::<_, Refused<V>>(tx.commit().await?)
    };
    let (one, two) = tokio::join!(make(), make());
    let lost = if one.is_ok() { two } else { one };
    assert_eq!(violations(lost), [V::SlugTaken]);
    assert_eq!(truth.count("SELECT count(*) FROM clients WHERE slug = 'twin'").await, 1);
}

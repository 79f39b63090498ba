//! Accounts: opened, changed, closed; and what each pays.

use eis::parties::accounts::{self, AccountError, AccountFields, Violation};
use eis::parties::contracts::{self, ContractFields};
use eis::values::ids::{AccountId, ContractId, CustomerId};

use super::support::database::Case;
use super::support::sql::Sql;
use super::support::world::{account_of, contract_of, customer};
use super::{day, violations, writing};

fn kim() -> CustomerId {
    CustomerId(customer(1, 1, 1))
}

fn first() -> AccountId {
    AccountId(account_of(customer(1, 1, 1)))
}

fn contract() -> ContractId {
    ContractId(contract_of(customer(1, 1, 1)))
}

/// The world's contract, billed to an account.
fn billed_to(account_id: AccountId) -> ContractFields {
    ContractFields {
        account_id,
        from_on: day("2024-01-01"),
        to_on: None,
        status: "agreed".to_owned(),
        billing_cycle: 1,
        billing_anchor: day("2024-01-01"),
        billing_from: None,
    }
}

fn closed(number: &str) -> AccountFields {
    AccountFields { status: "closed".to_owned(), ..AccountFields::opened(number, "") }
}

async fn state(looker: &Sql) -> String {
    let sql = format!(
        "SELECT string_agg(concat_ws(' ', account_number, status, CASE WHEN is_main THEN 'main' END), ', ' ORDER BY account_number)
         FROM accounts WHERE customer_id = '{}'",
        kim()
    );
    looker.value(&sql).await
}

#[tokio::test]
async fn an_account_s_number_is_its_own_and_its_terms_are_days() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let terms = |days| AccountFields { payment_terms_days: Some(days), ..AccountFields::opened("N-1", "") };
    for (fields, expected) in [
        (AccountFields::opened("a-2", ""), Violation::NumberTaken),
        (terms(-1), Violation::Terms(-1)),
        (terms(366), Violation::Terms(366)),
    ] {
        let mut tx = writing(&db).await;
        assert_eq!(violations(accounts::create(&mut tx, kim(), &fields).await), std::slice::from_ref(&expected));
        drop(tx);
        let mut tx = writing(&db).await;
        assert_eq!(violations(accounts::update(&mut tx, kim(), first(), &fields).await), [expected]);
    }
    for foreign in [customer(1, 2, 1), customer(2, 1, 1)] {
        let mut tx = writing(&db).await;
        let fields = AccountFields::opened("N-1", "");
        let refused = accounts::create(&mut tx, CustomerId(foreign), &fields).await;
        assert!(matches!(refused, Err(AccountError::NotFound)), "{refused:?}");
        let theirs = AccountId(account_of(foreign));
        for at in [CustomerId(foreign), kim()] {
            let refused = accounts::update(&mut tx, at, theirs, &fields).await;
            assert!(matches!(refused, Err(AccountError::NotFound)), "{refused:?}");
        }
    }
    assert_eq!(looker.count("SELECT count(*) FROM audit_log WHERE entity = 'account'").await, 0);
}

#[tokio::test]
async fn a_main_account_that_is_closed_hands_over_and_one_that_is_billed_stays_open() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    let refused = accounts::update(&mut tx, kim(), first(), &closed("A-1")).await;
    assert_eq!(violations(refused), [Violation::Billed]);
    let second = accounts::create(&mut tx, kim(), &AccountFields::opened("B-1", "Elsewhere")).await.unwrap();
    contracts::update(&mut tx, kim(), contract(), &billed_to(second)).await.unwrap();
    accounts::update(&mut tx, kim(), first(), &closed("A-1")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state(&looker).await, "A-1 closed, B-1 open main");
    let mut tx = writing(&db).await;
    let refused = accounts::update(&mut tx, kim(), second, &closed("B-1")).await;
    assert_eq!(violations(refused), [Violation::Billed]);
    drop(tx);
    // One that is only asked for waits for an answer, also where its days are over.
    let ended = |status: &str| {
        format!("UPDATE contracts SET to_on = '2026-11-01', status = '{status}' WHERE id = '{}'", contract())
    };
    looker.must(&ended("requested")).await;
    let mut tx = writing(&db).await;
    assert_eq!(violations(accounts::update(&mut tx, kim(), second, &closed("B-1")).await), [Violation::Billed]);
    drop(tx);
    // Who is no longer supplied may have none open; the next one is the main one again.
    looker.must(&ended("agreed")).await;
    let mut tx = writing(&db).await;
    accounts::update(&mut tx, kim(), second, &closed("B-1")).await.unwrap();
    accounts::create(&mut tx, kim(), &AccountFields::opened("C-1", "")).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(state(&looker).await, "A-1 closed, B-1 closed, C-1 open main");
    let told = "SELECT string_agg(summary, ', ' ORDER BY at, id) FROM audit_log WHERE entity = 'account'";
    assert_eq!(
        looker.value(told).await,
        "Opened account B-1 of Customer 111, Changed account A-1 of Customer 111, Changed account B-1 of Customer 111, Opened account C-1 of Customer 111"
    );
}

#[tokio::test]
async fn of_two_who_close_a_customer_s_two_accounts_at_once_one_does() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    let second = accounts::create(&mut tx, kim(), &AccountFields::opened("B-1", "")).await.unwrap();
    tx.commit().await.unwrap();
    let close = async |id: AccountId, number: &str| {
        let mut tx = writing(&db).await;
        let done = accounts::update(&mut tx, kim(), id, &closed(number)).await;
        if done.is_ok() {
            tx.commit().await.unwrap();
        }
        done
    };
    let (one, two) = tokio::join!(close(first(), "A-1"), close(second, "B-1"));
    let lost = if one.is_ok() { two } else { one };
    assert_eq!(violations(lost), [Violation::Billed]);
    let open = format!("SELECT count(*) FROM accounts WHERE customer_id = '{}' AND status = 'open' AND is_main", kim());
    assert_eq!(looker.count(&open).await, 1);
}

#[tokio::test]
async fn of_two_at_once_who_close_an_account_and_have_a_contract_billed_to_it_one_does() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    let second = accounts::create(&mut tx, kim(), &AccountFields::opened("B-1", "")).await.unwrap();
    tx.commit().await.unwrap();
    let close = async {
        let mut tx = writing(&db).await;
        let done = accounts::update(&mut tx, kim(), second, &closed("B-1")).await;
        if done.is_ok() {
            tx.commit().await.unwrap();
        }
        done
    };
    let bill = async {
        let mut tx = writing(&db).await;
        let done = contracts::update(&mut tx, kim(), contract(), &billed_to(second)).await;
        if done.is_ok() {
            tx.commit().await.unwrap();
        }
        done
    };
    let (closing, billing) = tokio::join!(close, bill);
    if closing.is_ok() {
        assert_eq!(violations(billing), [contracts::Violation::Account]);
    } else {
        assert_eq!(violations(closing), [Violation::Billed]);
        billing.unwrap();
    }
    let open = format!(
        "SELECT count(*) FROM contracts c JOIN accounts n ON n.id = c.account_id WHERE c.id = '{}' AND n.status = 'open'",
        contract()
    );
    assert_eq!(looker.count(&open).await, 1);
}

#[tokio::test]
async fn a_payment_on_one_account_pays_no_bill_of_another() {
    let case = Case::world().await;
    let (db, looker) = (case.db(2), case.superuser().await);
    let mut tx = writing(&db).await;
    let second = accounts::create(&mut tx, kim(), &AccountFields::opened("B-1", "")).await.unwrap();
    tx.commit().await.unwrap();
    let payment = uuid::Uuid::now_v7();
    let pays = |account: AccountId| {
        format!(
            "INSERT INTO payments (organization_id, client_id, id, customer_id, account_id, received_on, amount, currency, method)
             SELECT organization_id, client_id, '{payment}', customer_id, '{account}', '2026-11-01', 5, 'EUR', 'cash'
             FROM accounts WHERE id = '{account}';
             INSERT INTO allocations (organization_id, client_id, payment_id, invoice_id, customer_id, account_id, amount)
             SELECT organization_id, client_id, '{payment}', id, customer_id, '{account}', 5 FROM invoices
             WHERE customer_id = '{}' AND status = 'part_paid'",
            kim()
        )
    };
    let app = case.app().await;
    let refused = app.as_who(super::CLEO, &pays(second)).await.unwrap_err();
    assert_eq!(
        (refused.code.as_str(), refused.message.as_str()),
        ("23514", "a payment pays invoices of its own account")
    );
    assert_eq!(app.as_who(super::CLEO, &pays(first())).await, Ok(1), "the positive control");
    assert_eq!(looker.count("SELECT count(*) FROM allocations").await, 8);
}

//! A request that reads looks its session up in the transaction that its page then reads in: that transaction is
//! this session's alone, and never keeps a connection that somebody waits for.

use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;
use eis::access::{Actor, SessionSecret};
use eis::db::{Access, Db, DbError, Tenant};
use eis::values::ids::ClientId;

use crate::support::database::Case;
use crate::support::world::{Who, client};

const ADMIN: Who = Who::Admin(1);

#[derive(QueryableByName)]
struct Seen {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    customers: i64,
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

/// What a transaction sees: its customers and whose name stands first.
async fn seen(tx: &mut Tenant) -> (i64, String) {
    let query = "SELECT count(*) AS customers, coalesce(min(name), '') AS name FROM customers";
    let seen: Seen = sql_query(query).get_result(&mut **tx).await.unwrap();
    (seen.customers, seen.name)
}

/// What an actor sees in a request whose session is `session`'s.
async fn reads(db: &Db, session: SessionSecret, actor: &Actor) -> Result<(i64, String), DbError> {
    Db::entering(async {
        db.session_load(session).await?;
        let mut tx = db.as_tenant(actor, Access::Read).await?;
        Ok(seen(&mut tx).await)
    })
    .await
}

#[tokio::test]
async fn every_role_sees_what_it_sees_without_entering() {
    let case = Case::world().await;
    let db = case.db(1);
    let mut customers = Vec::new();
    for who in Who::all() {
        let mut plain = db.as_tenant(&who.actor(), Access::Read).await.unwrap();
        let expected = seen(&mut plain).await;
        drop(plain);
        assert_eq!(reads(&db, who.secret(), &who.actor()).await.unwrap(), expected, "{who:?}");
        customers.push(expected.0);
    }
    assert!(customers.contains(&4) && customers.contains(&2) && customers.contains(&1), "{customers:?}");
}

#[tokio::test]
async fn an_entered_transaction_is_taken_by_its_own_session_only() {
    let case = Case::world().await;
    let db = case.db(1);
    for other in [Who::Admin(2), Who::Client(1, 2), Who::Customer(2, 1, 1)] {
        let mut plain = db.as_tenant(&other.actor(), Access::Read).await.unwrap();
        let expected = seen(&mut plain).await;
        drop(plain);
        assert_eq!(reads(&db, ADMIN.secret(), &other.actor()).await.unwrap(), expected, "{other:?}");
    }
    // It serves once: the second transaction of a request is its own.
    Db::entering(async {
        db.session_load(ADMIN.secret()).await.unwrap();
        drop(db.as_tenant(&ADMIN.actor(), Access::Read).await.unwrap());
        let mut second = db.as_tenant(&Who::Admin(2).actor(), Access::Read).await.unwrap();
        assert_eq!(seen(&mut second).await.0, 4);
    })
    .await;
    // Left alone, it is rolled back: nothing of it stands when the connection serves the next.
    Db::entering(async { db.session_load(ADMIN.secret()).await.unwrap() }).await;
    let customer = Who::Customer(1, 1, 1);
    let mut tx = db.as_tenant(&customer.actor(), Access::Read).await.unwrap();
    assert_eq!(seen(&mut tx).await.0, 1);
}

#[tokio::test]
async fn an_entered_transaction_is_given_back_before_another_is_asked_for() {
    let case = Case::world().await;
    // One connection: whoever held it and asked for another would wait for ever.
    let db = case.db(1);
    Db::entering(async {
        db.session_load(ADMIN.secret()).await.unwrap();
        db.session_touch(ADMIN.secret()).await.unwrap();
        db.session_load(ADMIN.secret()).await.unwrap();
        let mut tx = db.as_tenant(&ADMIN.actor(), Access::Write).await.unwrap();
        assert_eq!(sql_query("UPDATE customers SET phone = 'x'").execute(&mut *tx).await, Ok(4));
    })
    .await;
}

#[tokio::test]
async fn entering_opens_nothing_for_a_session_that_does_not_stand() {
    let case = Case::world().await;
    let db = case.db(1);
    let owner = case.superuser().await;
    let ended = Who::Client(1, 1);
    assert!(reads(&db, ended.secret(), &ended.actor()).await.is_ok(), "the positive control");
    owner.must(&format!("UPDATE role_assignments SET valid_to = now() WHERE user_id = '{}'", ended.user())).await;
    let refused = Db::entering(async {
        db.session_load(ended.secret()).await.unwrap();
        let mut tx = db.as_tenant(&ended.actor(), Access::Read).await?;
        sql_query("SELECT 1 FROM customers").execute(&mut *tx).await.map_err(DbError::from)
    })
    .await;
    assert!(refused.is_err(), "{refused:?}");
    assert!(reads(&db, SessionSecret(7), &Who::Admin(2).actor()).await.is_ok(), "no such session: the actor's own");
    // A client that the entered organization does not have.
    let foreign = ADMIN.actor().at_client(ClientId(client(2, 1)));
    let refused = reads(&db, ADMIN.secret(), &foreign).await;
    assert!(matches!(refused, Err(DbError::Refused)), "{refused:?}");
    let own = ADMIN.actor().at_client(ClientId(client(1, 2)));
    assert_eq!(reads(&db, ADMIN.secret(), &own).await.unwrap().0, 2);
}

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl std::io::Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_missing_context_is_an_error_that_names_what_was_asked_for_never_an_empty_page() {
    let kept = Kept::default();
    let writer = kept.clone();
    let log = tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
    let _log = tracing::subscriber::set_default(log);
    let case = Case::world().await;
    let portal = case.portal().await;
    let browser = portal.browser_of(Who::Client(1, 1));
    let list = format!("/clients/{}/customers", client(1, 1));
    assert_eq!(browser.get(&list).await.status, 200, "the positive control");
    // As if somebody had forgotten to open the context: the gate's function does nothing.
    let forgotten = "CREATE OR REPLACE FUNCTION private.put_context(level text, organization uuid, client uuid, customer uuid, person uuid, role text, writable boolean, limits text DEFAULT NULL)
        RETURNS void LANGUAGE plpgsql AS 'BEGIN END'";
    case.superuser().await.must(forgotten).await;
    let answer = browser.get(&list).await;
    assert_eq!(answer.status, 500, "{}", answer.body);
    let told = format!("<code>GET /clients/{{client}}/customers ({})</code>", answer.header("x-request-id"));
    assert!(answer.body.contains(&told), "{}", answer.body);
    let token = Who::Client(1, 1).context_token();
    let (at, run) = (client(1, 1).to_string(), crate::targets::fill("{open_run}", (1, 1, 1), (1, 1, 1)));
    let form = [("context", token.as_str()), ("client", &at), ("run", &run)];
    let answer = browser.post("/api/rate_billing_run", &form).await;
    assert_eq!(answer.status, 500, "{}", answer.body);
    let told = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    for function in ["GET /clients/{client}/customers", "POST /api/rate_billing_run"] {
        let line = format!("{function} asked the database without a tenant context");
        assert!(told.contains(&line), "{function}: {told}");
    }
}

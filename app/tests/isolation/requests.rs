//! What customers send goes by the secret of their own session; their context writes nothing, before as after.

use crate::support::database::Case;
use crate::support::sql::Sql;
use crate::support::world::{Kind, Who, client, customer, id, organization};
use crate::{DENIED, SESSION_ENDED};

const KIM: Who = Who::Customer(1, 1, 1);
/// The customer's request that waits, in the world.
const WAITING: u8 = 2;

fn send(who: Who) -> String {
    format!("SELECT send_customer_request('\\x{}', gen_random_uuid(), 'dispute', '{{}}', 'here')", who.secret().hex())
}

fn withdraw(who: Who, (o, c, k): (u8, u8, u8)) -> String {
    let request = id(Kind::Request, o, c, k, WAITING);
    format!("SELECT withdraw_customer_request('\\x{}', '{request}', 'here')", who.secret().hex())
}

async fn of(truth: &Sql, (o, c, k): (u8, u8, u8)) -> String {
    truth
        .value(&format!(
            "SELECT string_agg(kind || ' ' || status, ', ' ORDER BY kind, status) FROM customer_requests WHERE customer_id = '{}'",
            customer(o, c, k)
        ))
        .await
}

#[tokio::test]
async fn a_customer_sends_requests_for_the_own_account_and_on_record() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    // As the portal calls it, under the customer's context; and without one.
    app.enter(KIM).await;
    assert_eq!(app.value(&send(KIM)).await, "t");
    app.must("COMMIT").await;
    assert_eq!(app.value(&send(KIM)).await, "t");
    assert_eq!(of(&truth, (1, 1, 1)).await, "details decided, details received, dispute received, dispute received");
    let elsewhere = "SELECT count(*) FROM customer_requests WHERE kind = 'dispute' AND customer_id <>";
    assert_eq!(truth.count(&format!("{elsewhere} '{}'", customer(1, 1, 1))).await, 0);
    let record = format!(
        "SELECT count(*) FROM audit_log WHERE entity = 'customer_request' AND action = 'send' AND user_id = '{}' AND customer_id = '{}' AND role = 'customer_user'",
        KIM.user(),
        customer(1, 1, 1)
    );
    assert_eq!(app.count_as(Who::Client(1, 1), &record).await, 2, "the client reads who sent it");
    assert_eq!(truth.count("SELECT count(*) FROM audit_chain_faults()").await, 0);
    // The same id again does nothing.
    let twice = format!(
        "SELECT send_customer_request('\\x{}', '{}', 'plan', '{{}}', 'here')",
        KIM.secret().hex(),
        id(Kind::Request, 1, 1, 1, 1)
    );
    assert_eq!(app.value(&twice).await, "f");
    assert_eq!(app.value(&withdraw(KIM, (1, 1, 1))).await, "t");
    assert_eq!(app.value(&withdraw(KIM, (1, 1, 1))).await, "f", "it was taken back already");
    assert_eq!(of(&truth, (1, 1, 1)).await, "details decided, details withdrawn, dispute received, dispute received");
}

#[tokio::test]
async fn nobody_sends_or_withdraws_for_somebody_else() {
    let case = Case::world().await;
    let (app, truth) = (case.app().await, case.superuser().await);
    let before = truth.value("SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM customer_requests t").await;
    // Another's request, one of another company and one that does not exist answer alike.
    for place in [(1, 1, 2), (1, 2, 1), (2, 1, 1), (9, 9, 9)] {
        assert_eq!(app.value(&withdraw(KIM, place)).await, "f", "{place:?}");
    }
    // Only a customer is one: not who sees their rows, and not who sees the portal as one.
    for who in [Who::Client(1, 1), Who::Admin(1), Who::Staff(1), Who::Staff(0), Who::Consultant(0)] {
        for sql in [send(who), withdraw(who, (1, 1, 1))] {
            assert_eq!(app.refused(&sql).await, DENIED, "{who:?} {sql}");
        }
    }
    for who in [Who::Client(1, 1), Who::Admin(1), Who::Staff(1)] {
        let view =
            format!("SELECT view_as('\\x{}', '{}', '{}', 'here')", who.secret().hex(), client(1, 1), customer(1, 1, 1));
        app.must(&view).await;
        app.enter(who).await;
        assert_eq!(app.value("SELECT get_current_role()").await, "customer_user", "{who:?} sees as the customer");
        assert_eq!(app.refused(&send(who)).await, DENIED, "{who:?}");
        app.leave().await;
        app.must(&format!("SELECT stop_viewing('\\x{}')", who.secret().hex())).await;
    }
    // Under another person's context; with a secret that is nobody's.
    app.enter(Who::Client(1, 1)).await;
    assert_eq!(app.refused(&send(KIM)).await, DENIED);
    app.leave().await;
    assert_eq!(
        app.refused("SELECT send_customer_request('\\x00', gen_random_uuid(), 'plan', '{}', '')").await,
        SESSION_ENDED
    );
    assert_eq!(app.refused("SELECT withdraw_customer_request('\\x00', gen_random_uuid(), '')").await, SESSION_ENDED);
    // Of a company whose organization is closed.
    truth.must(&format!("UPDATE organizations SET status = 'suspended' WHERE id = '{}'", organization(1))).await;
    assert_eq!(app.refused(&send(KIM)).await, DENIED);
    truth.must("UPDATE organizations SET status = 'active'").await;
    assert_eq!(
        truth.value("SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM customer_requests t").await,
        before
    );
    assert_eq!(app.value(&send(KIM)).await, "t", "the positive control");
}

#[tokio::test]
async fn a_customer_s_own_context_writes_no_request_and_decides_none() {
    let case = Case::world().await;
    let app = case.app().await;
    let insert = format!(
        "INSERT INTO customer_requests (organization_id, client_id, id, customer_id, kind, payload) VALUES ('{}', '{}', gen_random_uuid(), '{}', 'plan', '{{}}')",
        organization(1),
        client(1, 1),
        customer(1, 1, 1)
    );
    let decide = "UPDATE customer_requests SET status = 'decided', accepted = true, decided_at = now() WHERE status = 'received'";
    assert_eq!(app.as_who(KIM, &insert).await.unwrap_err().code, DENIED);
    assert_eq!(app.as_who(KIM, decide).await, Ok(0));
    assert_eq!(app.as_who(Who::Client(1, 1), &insert).await, Ok(1), "the positive control");
    assert_eq!(app.as_who(Who::Client(1, 1), decide).await, Ok(2));
    // What was decided stays so, and what was asked for stays what it was, whoever writes.
    for change in ["answer = 'x' WHERE status = 'decided'", "payload = '{\"a\": 1}' WHERE status = 'received'"] {
        let sql = format!("UPDATE customer_requests SET {change}");
        assert_eq!(app.as_who(Who::Client(1, 1), &sql).await.unwrap_err().code, "23514", "{change}");
    }
}

#[tokio::test]
async fn one_person_s_requests_that_wait_are_limited_also_when_many_come_at_once() {
    let case = Case::world().await;
    let truth = case.superuser().await;
    let senders: Vec<Sql> = futures_util::future::join_all((0..6).map(|_| case.app())).await;
    let sent = senders.iter().map(async |app| {
        let mut sent = 0;
        for _ in 0..8 {
            sent += i32::from(app.rows(&send(KIM)).await.is_ok());
        }
        sent
    });
    let all: i32 = futures_util::future::join_all(sent).await.into_iter().sum();
    // One waits in the world already.
    assert_eq!(all, 19);
    let refusal = senders[0].rows(&send(KIM)).await.unwrap_err();
    assert_eq!((refusal.code.as_str(), refusal.message.as_str()), ("23514", "too many requests wait for an answer"));
    let other = Who::Customer(1, 1, 2);
    assert_eq!(senders[0].value(&send(other)).await, "t", "nobody else is held up");
    assert_eq!(
        truth
            .count("SELECT count(*) FROM customer_requests WHERE status = 'received' AND created_by IS NOT NULL")
            .await,
        8 + 19 + 1
    );
}

//! Commands of rooms that have no pages yet, against a real database: every violation, what is on record, and two at once.

#[cfg(test)]
#[expect(dead_code, reason = "the isolation suite uses the rest")]
#[path = "../support/support.rs"]
mod support;

#[cfg(test)]
mod communities;
#[cfg(test)]
mod customer_requests;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod messages;
#[cfg(test)]
mod price_series;
#[cfg(test)]
mod workspace_contents;
#[cfg(test)]
mod workspaces;

#[cfg(test)]
use eis::access::Actor;
#[cfg(test)]
use eis::db::AtClient;
#[cfg(test)]
use eis::db::refused::{Outcome, Refused};
#[cfg(test)]
use eis::db::{Access, Db, Tenant};

#[cfg(test)]
use support::sql::Sql;
#[cfg(test)]
use support::world::{Who, customer};

#[cfg(test)]
const CLEO: Who = Who::Client(1, 1);
/// SQLSTATE: insufficient privilege.
#[cfg(test)]
const DENIED: &str = "42501";
#[cfg(test)]
const CARLA: Who = Who::Consultant(1);

/// What stood in the way.
#[cfg(test)]
fn because<T: std::fmt::Debug, V: std::fmt::Debug>(outcome: Outcome<T, V>) -> Vec<V> {
    match outcome {
        Err(Refused::Violated(all)) => all,
        other => panic!("not refused by a rule: {other:?}"),
    }
}

/// A transaction that writes, as somebody; at one client for who sees several.
#[cfg(test)]
async fn tx(db: &Db, actor: &Actor) -> Tenant {
    db.as_tenant(actor, Access::Write).await.expect("a transaction")
}

/// The here of somebody.
#[cfg(test)]
fn here(actor: &Actor) -> AtClient {
    AtClient::of(actor).expect("a client")
}

/// Somebody who sees all of the organization, at a client of it.
#[cfg(test)]
fn at(who: Who, c: u8) -> Actor {
    who.actor().at_client(eis::values::ids::ClientId(support::world::client(who.place().0, c)))
}

#[cfg(test)]
fn kim() -> eis::values::ids::CustomerId {
    eis::values::ids::CustomerId(customer(1, 1, 1))
}

/// The actions on record about something, in their order.
#[cfg(test)]
async fn records(truth: &Sql, entity: &str) -> String {
    let sql = format!(
        "SELECT coalesce(string_agg(action, ' ' ORDER BY at, id), '') FROM audit_log WHERE entity = '{entity}'"
    );
    truth.value(&sql).await
}

/// Runs something in a transaction of its own and commits it, unless it was refused.
#[macro_export]
#[cfg(test)]
macro_rules! done {
    ($db:expr, $actor:expr, |$tx:ident| $work:expr) => {{
        let mut $tx = $crate::tx(&$db, &$actor).await;
        let outcome = $work.await;
        if outcome.is_ok() {
            $tx.commit().await.expect("a commit");
        }
        outcome
    }};
}

/// Runs two in transactions of their own at the same time; whether each was done.
#[macro_export]
#[cfg(test)]
macro_rules! at_once {
    ($db:expr, $actor:expr, |$tx:ident| $one:expr, $two:expr) => {{
        let one = async { $crate::done!($db, $actor, |$tx| $one) };
        let two = async { $crate::done!($db, $actor, |$tx| $two) };
        tokio::join!(one, two)
    }};
}

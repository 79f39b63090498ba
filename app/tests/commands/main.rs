//! The rules of the business, each at the command that holds it, against a real database.

#[cfg(test)]
#[expect(dead_code, reason = "the other suites use the rest")]
#[path = "../support/support.rs"]
mod support;

mod accounts;
mod agreements;
mod customers;
mod meters;
mod readings;

use chrono::NaiveDate;
use eis::access::Actor;
use eis::db::{Access, Db, Tenant};
use eis::refused::Refused;
use support::world::Who;

/// Who does all of it: the admin of the first client of the first organization.
const CLEO: Who = Who::Client(1, 1);

fn cleo() -> Actor {
    CLEO.actor()
}

fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Today where the world's clients are.
fn today() -> NaiveDate {
    eis::clock::today(chrono_tz::Europe::Berlin)
}

/// More than two years from today: hardly meant.
fn too_late() -> NaiveDate {
    today() + chrono::Days::new(800)
}

async fn writing(db: &Db) -> Tenant {
    db.as_tenant(&cleo(), Access::Write).await.expect("a transaction")
}

/// What a command found.
fn violations<T: std::fmt::Debug, V: std::fmt::Debug>(result: Result<T, Refused<V>>) -> Vec<V> {
    match result {
        Err(Refused::Violated(found)) => found,
        other => panic!("{other:?}"),
    }
}

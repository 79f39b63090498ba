//! The business's commands against a real database: what each refuses, what it puts on record, and that of two at once
//! only one succeeds where both may not. And that the web changes nothing but through them.

#[cfg(test)]
#[expect(dead_code, reason = "the other suites use the rest")]
#[path = "../support/support.rs"]
mod support;

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod agreements;
#[cfg(test)]
mod billing;
#[cfg(test)]
mod circles;
#[cfg(test)]
mod clients;
#[cfg(test)]
mod contracts;
#[cfg(test)]
mod customers;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod meters;
#[cfg(test)]
mod payments;
#[cfg(test)]
mod readings;
#[cfg(test)]
mod tariffs;
#[cfg(test)]
mod transaction;
#[cfg(test)]
mod users;
#[cfg(test)]
mod what_ifs;

#[cfg(test)]
use {
    chrono::NaiveDate,
    eis::db::refused::Refused,
    eis::db::{Access, Db, Tenant},
    support::sql::Sql,
    support::world::Who,
};

/// The admin of the first client of the first organization.
#[cfg(test)]
const CLEO: Who = Who::Client(1, 1);

/// A transaction that writes, as somebody.
#[cfg(test)]
async fn write(db: &Db, who: Who) -> Tenant {
    db.as_tenant(&who.actor(), Access::Write).await.expect("a transaction")
}

#[cfg(test)]
fn day(text: &str) -> NaiveDate {
    text.parse().expect("a day")
}

/// Today where the world's clients are.
#[cfg(test)]
fn today() -> NaiveDate {
    eis::values::clock::today(chrono_tz::Europe::Berlin)
}

/// More than two years from today: hardly meant.
#[cfg(test)]
fn too_late() -> NaiveDate {
    today() + chrono::Days::new(800)
}

/// A transaction that writes, as the admin.
#[cfg(test)]
async fn writing(db: &Db) -> Tenant {
    write(db, CLEO).await
}

/// What a command found.
#[cfg(test)]
fn violations<T: std::fmt::Debug, V: std::fmt::Debug>(result: Result<T, Refused<V>>) -> Vec<V> {
    match result {
        Err(Refused::Violated(found)) => found,
        other => panic!("{other:?}"),
    }
}

/// What the log says that somebody did to a noun, in order.
#[cfg(test)]
async fn on_record(truth: &Sql, entity: &str) -> Vec<String> {
    // What the seed wrote is left out.
    let of = "SELECT concat_ws(' ', user_name, action, summary) FROM audit_log WHERE summary NOT LIKE 'Made client %' AND entity =";
    let rows = truth.rows(&format!("{of} '{entity}' ORDER BY at, id")).await.expect("the log");
    rows.into_iter().flatten().flatten().collect()
}

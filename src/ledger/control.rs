//! Recomputing the books: every entry against what it follows from, every customer's balance, every bill's status, and
//! the totals of each client.

use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::DbError;
use crate::db::check::Finding;
use crate::db::owner::Owner;
use crate::ids::OrganizationId;

const CHECK: &str = "ledger";

#[derive(QueryableByName)]
struct Place {
    #[diesel(sql_type = SqlUuid)]
    id: OrganizationId,
    #[diesel(sql_type = Text)]
    slug: String,
}

#[derive(QueryableByName)]
struct Fault {
    #[diesel(sql_type = Text)]
    client: String,
    #[diesel(sql_type = Text)]
    fault: String,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    entries: i64,
}

/// The first fault of each kind in the organization that the context is open at.
async fn faults(conn: &mut AsyncPgConnection, at: &Place) -> Result<Vec<Finding>, DbError> {
    let found: Vec<Fault> = sql_query(include_str!("control.sql")).bind::<SqlUuid, _>(at.id).load(conn).await?;
    let told = |Fault { client, fault }| {
        let slug = &at.slug;
        Finding::fault(
            CHECK,
            format!("Client {client} of {slug}: {fault}. Compare with a backup; correct it by another entry."),
        )
    };
    Ok(found.into_iter().map(told).collect())
}

/// Recomputes the ledgers of all organizations, one after the other; the first fault of each kind is named.
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn check(admin_url: &str) -> Result<Vec<Finding>, DbError> {
    let mut tx = Owner::begin(admin_url).await?;
    let places: Vec<Place> =
        sql_query("SELECT id, slug FROM public.organizations ORDER BY slug").load(&mut *tx).await?;
    let (mut findings, mut entries) = (vec![], 0);
    for place in places {
        tx.stand_at(place.id).await?;
        findings.extend(faults(&mut tx, &place).await?);
        let count: Count =
            sql_query("SELECT count(*) AS entries FROM public.ledger_entries").get_result(&mut *tx).await?;
        entries += count.entries;
    }
    if findings.is_empty() {
        let text = format!("{entries} entries; every balance, status and control total is what it should be");
        findings.push(Finding::fine(CHECK, text));
    }
    Ok(findings)
}

//! Whose usage is: every day of a profile and every read, against the contracts at its meter's service point.

use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use crate::db::DbError;
use crate::db::check::Finding;
use crate::db::owner::Owner;
use crate::ids::OrganizationId;

const CHECK: &str = "usage";

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
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

fn told(slug: &str, Fault { client, fault, rows }: Fault) -> Finding {
    let more = if rows > 1 { format!(", the first of {rows}") } else { String::new() };
    let mend = "A contract of its service point that is saved once more hands the usage there over again.";
    Finding::fault(CHECK, format!("Client {client} of {slug}: {fault}{more}. {mend}"))
}

/// Looks at the usage of all organizations, one after the other, for rows that carry another customer than the one whose
/// contract has their days; the first of each kind is named.
///
/// # Errors
/// When the database cannot be reached or read.
pub async fn check(admin_url: &str) -> Result<Vec<Finding>, DbError> {
    const ROWS: &str =
        "SELECT (SELECT count(*) FROM public.interval_days) + (SELECT count(*) FROM public.meter_readings) AS rows";
    let mut tx = Owner::begin(admin_url).await?;
    let places: Vec<Place> =
        sql_query("SELECT id, slug FROM public.organizations ORDER BY slug").load(&mut *tx).await?;
    let (mut findings, mut rows) = (vec![], 0);
    for place in places {
        tx.stand_at(place.id).await?;
        let faults: Vec<Fault> =
            sql_query(include_str!("control.sql")).bind::<SqlUuid, _>(place.id).load(&mut *tx).await?;
        findings.extend(faults.into_iter().map(|fault| told(&place.slug, fault)));
        rows += sql_query(ROWS).get_result::<Count>(&mut *tx).await?.rows;
    }
    if findings.is_empty() {
        let text = format!("{rows} days and reads; each carries the customer whose contract has it");
        findings.push(Finding::fine(CHECK, text));
    }
    Ok(findings)
}

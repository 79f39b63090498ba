//! What a customer reads of tariffs: the own one now and later, and those on offer. Which rows those are the database
//! decides (`migrations/…_offered_tariffs`).

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::agreements::{Agreement, SUPPLY};
use super::{Tariff, TariffError};
use crate::account::Key;
use crate::db::here;
use crate::db::schema::{clients, tariff_agreements, tariff_rates};
use crate::ids::{ClientId, TariffRateId};

/// The version that holds on `day` and every later one that is agreed or begins after it, each with its first day. The first
/// one's may lie before `day`; without a tariff on `day` it is the next to come.
///
/// # Errors
/// When the database fails.
pub async fn from_day_on(conn: &AsyncPgConnection, key: Key, day: NaiveDate) -> QueryResult<Vec<(NaiveDate, Tariff)>> {
    let (mut one, mut two) = (conn, conn);
    let agreements = tariff_agreements::table
        .filter(
            tariff_agreements::organization_id.eq(key.organization).and(tariff_agreements::client_id.eq(key.client)),
        )
        .filter(tariff_agreements::customer_id.eq(key.customer).and(tariff_agreements::part.eq(SUPPLY)))
        .filter(tariff_agreements::valid_to.is_null().or(tariff_agreements::valid_to.gt(day)))
        .select(Agreement::as_select())
        .order(tariff_agreements::valid_from)
        .load(&mut one);
    let versions = tariff_rates::table
        .filter(tariff_rates::organization_id.eq(key.organization).and(tariff_rates::client_id.eq(key.client)))
        .filter(
            tariff_rates::status
                .eq("active")
                .or(tariff_rates::status.eq("retired").and(tariff_rates::effective_to.is_not_null())),
        )
        .filter(tariff_rates::effective_to.is_null().or(tariff_rates::effective_to.gt(day)))
        .select(Tariff::as_select())
        .order((tariff_rates::effective_from, tariff_rates::version))
        .load(&mut two);
    let (agreements, versions) = tokio::try_join!(agreements, versions)?;
    Ok(in_turn(&of_one(agreements, day), &versions, day))
}

/// Of several contracts at once, the one whose agreement holds on the day, or the next to come.
fn of_one(mut agreements: Vec<Agreement>, day: NaiveDate) -> Vec<Agreement> {
    let now = agreements.iter().rev().find(|agreement| agreement.covers(day));
    let contract = now.or_else(|| agreements.first()).map(|agreement| agreement.contract_id);
    agreements.retain(|agreement| Some(agreement.contract_id) == contract);
    agreements
}

/// Which version holds from when, from `day` on.
fn in_turn(agreements: &[Agreement], versions: &[Tariff], day: NaiveDate) -> Vec<(NaiveDate, Tariff)> {
    let starts = agreements.iter().map(|agreement| agreement.valid_from);
    let mut days: Vec<NaiveDate> = starts.chain(versions.iter().map(|version| version.effective_from)).collect();
    days.retain(|start| *start > day);
    days.push(day);
    days.sort_unstable();
    days.dedup();
    let mut found: Vec<(NaiveDate, Tariff)> = vec![];
    for start in days {
        let Some(agreement) = agreements.iter().rev().find(|agreement| agreement.covers(start)) else { continue };
        let holds = |version: &&Tariff| version.code == agreement.tariff_code && version.holds(start);
        let Some(version) = versions.iter().rev().find(holds) else { continue };
        if found.last().is_none_or(|(_, last)| last.id != version.id) {
            let first = if start == day { agreement.valid_from.max(version.effective_from) } else { start };
            found.push((first, version.clone()));
        }
    }
    found
}

/// The tariffs that are on offer on a day, by name.
///
/// # Errors
/// When the database fails.
pub async fn offered(conn: &AsyncPgConnection, key: Key, day: NaiveDate) -> QueryResult<Vec<Tariff>> {
    let mut conn = conn;
    tariff_rates::table
        .filter(tariff_rates::organization_id.eq(key.organization).and(tariff_rates::client_id.eq(key.client)))
        .filter(tariff_rates::offered.and(tariff_rates::status.eq("active")))
        .filter(tariff_rates::effective_from.le(day))
        .filter(tariff_rates::effective_to.is_null().or(tariff_rates::effective_to.gt(day)))
        .select(Tariff::as_select())
        .order((tariff_rates::name, tariff_rates::code))
        .load(&mut conn)
        .await
}

/// Puts a tariff on offer, all versions of its code, or takes it back; gives the version named and whether anything changed.
///
/// # Errors
/// [`TariffError::NotFound`] for a version that the context does not see.
pub async fn offer(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: TariffRateId,
    offered: bool,
) -> Result<(Tariff, bool), TariffError> {
    let version = super::find(conn, client, id).await?.ok_or(TariffError::NotFound)?;
    let changed = diesel::update(
        tariff_rates::table
            .filter(tariff_rates::organization_id.eq(here!()).and(tariff_rates::client_id.eq(client)))
            .filter(tariff_rates::code.eq(&version.code).and(tariff_rates::offered.ne(offered))),
    )
    .set(tariff_rates::offered.eq(offered))
    .execute(conn)
    .await?;
    Ok((version, changed > 0))
}

/// Whether a client lets its customers compare tariffs.
///
/// # Errors
/// When the database fails.
pub async fn comparison(conn: &AsyncPgConnection, client: ClientId) -> QueryResult<bool> {
    let mut conn = conn;
    clients::table
        .filter(clients::organization_id.eq(here!()).and(clients::id.eq(client)))
        .select(clients::tariff_comparison)
        .first(&mut conn)
        .await
}

/// Lets a client's customers compare tariffs, or no longer; says whether that changed anything.
///
/// # Errors
/// When the database fails.
pub async fn let_compare(conn: &mut AsyncPgConnection, client: ClientId, allowed: bool) -> QueryResult<bool> {
    let changed = diesel::update(
        clients::table
            .filter(clients::organization_id.eq(here!()).and(clients::id.eq(client)))
            .filter(clients::tariff_comparison.ne(allowed)),
    )
    .set(clients::tariff_comparison.eq(allowed))
    .execute(conn)
    .await?;
    Ok(changed > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{ContractId, CustomerId, OrganizationId, TariffAgreementId};

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn version(code: &str, version: i32, from: &str, to: Option<&str>) -> Tariff {
        Tariff {
            organization_id: OrganizationId::fresh(),
            client_id: ClientId::fresh(),
            id: TariffRateId::fresh(),
            code: code.to_owned(),
            version,
            name: format!("{code} {version}"),
            kind: "flat".to_owned(),
            currency: "EUR".to_owned(),
            document: serde_json::Value::Null,
            effective_from: day(from),
            effective_to: to.map(day),
            status: "active".to_owned(),
            rated: false,
            offered: false,
        }
    }

    fn agreed(code: &str, from: &str, to: Option<&str>) -> Agreement {
        Agreement {
            id: TariffAgreementId::fresh(),
            customer_id: CustomerId::fresh(),
            contract_id: ContractId(uuid::Uuid::nil()),
            tariff_code: code.to_owned(),
            valid_from: day(from),
            valid_to: to.map(day),
        }
    }

    fn told(agreements: &[Agreement], versions: &[Tariff]) -> Vec<String> {
        let found = in_turn(agreements, versions, day("2026-11-23"));
        found.into_iter().map(|(from, tariff)| format!("{from} {}", tariff.name)).collect()
    }

    #[test]
    fn a_version_that_begins_later_follows_the_one_of_today() {
        let versions = [version("A", 1, "2020-01-01", Some("2027-01-01")), version("A", 2, "2027-01-01", None)];
        assert_eq!(told(&[agreed("A", "2024-05-01", None)], &versions), ["2024-05-01 A 1", "2027-01-01 A 2"]);
    }

    #[test]
    fn another_tariff_agreed_for_later_follows_too() {
        let versions = [version("A", 1, "2020-01-01", None), version("B", 1, "2020-01-01", None)];
        let agreements = [agreed("A", "2020-01-01", Some("2026-12-01")), agreed("B", "2026-12-01", None)];
        assert_eq!(told(&agreements, &versions), ["2020-01-01 A 1", "2026-12-01 B 1"]);
        assert_eq!(told(&agreements[1..], &versions), ["2026-12-01 B 1"]);
        assert!(told(&[], &versions).is_empty());
    }
}

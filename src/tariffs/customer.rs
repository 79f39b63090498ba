//! What a customer reads of tariffs: the own one now and later, and those on offer. Which rows those are the database
//! decides (`migrations/…_tariffs`).

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::agreements::{Agreement, SUPPLY};
use super::{Tariff, TariffError, entry};
use crate::audit::{self, Entry};
use crate::db::schema::{clients, tariff_agreements, tariff_rates};
use crate::db::{DbError, Tenant};
use crate::values::ids::{CustomerId, TariffRateId};

/// The version that holds on `day` and every later one that is agreed or begins after it, each with its first day. The first
/// one's may lie before `day`; without a tariff on `day` it is the next to come.
///
/// # Errors
/// When the database fails.
pub async fn from_day_on(tx: &Tenant, customer: CustomerId, day: NaiveDate) -> QueryResult<Vec<(NaiveDate, Tariff)>> {
    let ((organization, client), mut one, mut two) = (tx.here()?, tx.shared(), tx.shared());
    let agreements = tariff_agreements::table
        .filter(tariff_agreements::organization_id.eq(organization).and(tariff_agreements::client_id.eq(client)))
        .filter(tariff_agreements::customer_id.eq(customer).and(tariff_agreements::part.eq(SUPPLY)))
        .filter(tariff_agreements::valid_to.is_null().or(tariff_agreements::valid_to.gt(day)))
        .select(Agreement::as_select())
        .order(tariff_agreements::valid_from)
        .load(&mut one);
    let versions = tariff_rates::table
        .filter(tariff_rates::organization_id.eq(organization).and(tariff_rates::client_id.eq(client)))
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
    let contract = now.or_else(|| agreements.as_slice().first()).map(|agreement| agreement.contract_id);
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
pub async fn offered(tx: &Tenant, day: NaiveDate) -> QueryResult<Vec<Tariff>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    tariff_rates::table
        .filter(tariff_rates::organization_id.eq(organization).and(tariff_rates::client_id.eq(client)))
        .filter(tariff_rates::offered.and(tariff_rates::status.eq("active")))
        .filter(tariff_rates::effective_from.le(day))
        .filter(tariff_rates::effective_to.is_null().or(tariff_rates::effective_to.gt(day)))
        .select(Tariff::as_select())
        .order((tariff_rates::name, tariff_rates::code))
        .load(&mut conn)
        .await
}

/// Puts a tariff on offer, all versions of its code, or takes it back, on record where that changes anything; gives the
/// version named.
///
/// # Errors
/// [`TariffError::NotFound`] for a version that the context does not see.
pub async fn offer(tx: &mut Tenant, id: TariffRateId, offered: bool) -> Result<Tariff, TariffError> {
    let (organization, client) = tx.client()?;
    let version = super::find(tx, id).await?.ok_or(TariffError::NotFound)?;
    let changed = diesel::update(
        tariff_rates::table
            .filter(tariff_rates::organization_id.eq(organization).and(tariff_rates::client_id.eq(client)))
            .filter(tariff_rates::code.eq(&version.code).and(tariff_rates::offered.ne(offered))),
    )
    .set(tariff_rates::offered.eq(offered))
    .execute(&mut **tx)
    .await?;
    if changed > 0 {
        let code = &version.code;
        let summary = if offered { format!("Put {code} on offer") } else { format!("Took {code} off offer") };
        let details = audit::changed(json!({ "offered": !offered }), json!({ "offered": offered }));
        audit::note(tx, entry("offer", id, summary, details)).await?;
    }
    Ok(version)
}

/// Whether a client lets its customers compare tariffs.
///
/// # Errors
/// When the database fails.
pub async fn comparison(tx: &Tenant) -> Result<bool, DbError> {
    let ((organization, client), mut conn) = (tx.client()?, tx.shared());
    let client = clients::table.filter(clients::organization_id.eq(organization).and(clients::id.eq(client)));
    Ok(client.select(clients::tariff_comparison).first(&mut conn).await?)
}

/// Lets a client's customers compare tariffs, or no longer, on record where that changes anything.
///
/// # Errors
/// When the database fails.
pub async fn let_compare(tx: &mut Tenant, allowed: bool) -> Result<(), DbError> {
    let (organization, client) = tx.client()?;
    let changed = diesel::update(
        clients::table
            .filter(clients::organization_id.eq(organization).and(clients::id.eq(client)))
            .filter(clients::tariff_comparison.ne(allowed)),
    )
    .set(clients::tariff_comparison.eq(allowed))
    .execute(&mut **tx)
    .await?;
    if changed == 0 {
        return Ok(());
    }
    let summary = if allowed { "Let customers compare tariffs" } else { "Stopped customers comparing tariffs" };
    let entry = Entry {
        action: "update",
        entity: "client",
        entity_id: Some(client.0),
        customer: None,
        summary: summary.to_owned(),
        details: audit::changed(json!({ "tariff_comparison": !allowed }), json!({ "tariff_comparison": allowed })),
    };
    audit::note(tx, entry).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::ids::{ClientId, ContractId, OrganizationId, TariffAgreementId};

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

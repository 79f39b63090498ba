//! The life of a version: activate a draft, retire what is active, discard a draft.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{Tariff, TariffError, TariffRow, agreements};
use crate::db::here;
use crate::db::schema::tariff_rates;
use crate::ids::{ClientId, TariffRateId};

/// The constraint that lets one version of a code hold on a day, also when two are activated at once.
pub(super) const OVERLAP: &str = "tariff_rates_no_overlap";

/// What activating a version does, in numbers: shown before, recorded after.
#[derive(Debug, Clone, Default)]
pub struct Activation {
    /// Versions that hold until then and now end the day the new one begins; normally one at most.
    pub ends: Vec<TariffRow>,
    /// Versions that would begin on that day or later and have billed nothing: they become drafts again.
    pub set_back: Vec<TariffRow>,
    /// Versions that begin on that day or later and have billed: they stand in the way.
    pub in_the_way: Vec<TariffRow>,
    /// Customers on the tariff on the new version's first day or later.
    pub customers: i64,
}

/// Works out what activating a draft would do.
///
/// # Errors
/// When the database fails.
pub async fn activation(conn: &mut AsyncPgConnection, draft: &Tariff) -> QueryResult<Activation> {
    let overlapping: Vec<TariffRow> = tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(here!())
                .and(tariff_rates::client_id.eq(draft.client_id))
                .and(tariff_rates::code.eq(&draft.code)),
        )
        .filter(tariff_rates::id.ne(draft.id).and(tariff_rates::status.ne("draft")))
        .filter(
            (tariff_rates::effective_to.is_null().and(tariff_rates::status.eq("active")))
                .or(tariff_rates::effective_to.gt(draft.effective_from)),
        )
        .select(TariffRow::as_select())
        .order(tariff_rates::version.desc())
        .load(conn)
        .await?;
    let mut found = Activation::default();
    for row in overlapping {
        if row.effective_from < draft.effective_from {
            found.ends.push(row);
        } else if row.rated {
            found.in_the_way.push(row);
        } else {
            found.set_back.push(row);
        }
    }
    found.customers = agreements::customers_from(conn, draft.client_id, &draft.code, draft.effective_from).await?;
    Ok(found)
}

/// Makes a draft the version that applies from its first day on.
///
/// # Errors
/// [`TariffError::Faulty`] when its document does not validate, `Refused` when it is no draft or a later
/// version has billed already.
pub async fn activate(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: TariffRateId,
    today: NaiveDate,
) -> Result<(Tariff, Activation), TariffError> {
    let draft = locked(conn, client, id).await?;
    if draft.status != "draft" {
        return Err(TariffError::Refused(format!("Version {} is not a draft any more.", draft.version)));
    }
    let faults = draft.document()?.validate();
    if !faults.is_empty() {
        return Err(TariffError::Faulty(faults));
    }
    let plan = activation(conn, &draft).await?;
    if let [other, ..] = plan.in_the_way.as_slice() {
        let (version, from) = (other.version, other.effective_from);
        return Err(TariffError::Refused(format!(
            "Version {version}, from {from}, has billed already. Make a version that begins after {from}."
        )));
    }
    for row in &plan.ends {
        let status = if draft.effective_from <= today { "retired" } else { row.status.as_str() };
        set(conn, client, row.id, status, Some(draft.effective_from)).await?;
    }
    for row in &plan.set_back {
        set(conn, client, row.id, "draft", None).await?;
    }
    set(conn, client, id, "active", None).await?;
    Ok((draft, plan))
}

/// Ends an active version on a day: from then on no version applies until another one is activated.
///
/// # Errors
/// `Refused` when it is not active or the day does not lie after its first.
pub async fn retire(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: TariffRateId,
    from: NaiveDate,
) -> Result<Tariff, TariffError> {
    let version = locked(conn, client, id).await?;
    if version.status != "active" {
        return Err(TariffError::Refused(format!("Version {} is not active.", version.version)));
    }
    if from <= version.effective_from || version.effective_to.is_some_and(|to| from > to) {
        return Err(TariffError::Refused("Choose a day after the version's first and not after its last.".into()));
    }
    set(conn, client, id, "retired", Some(from)).await?;
    Ok(version)
}

/// Puts a draft aside for good; it never applied.
///
/// # Errors
/// `Refused` when it is no draft.
pub async fn discard(conn: &mut AsyncPgConnection, client: ClientId, id: TariffRateId) -> Result<Tariff, TariffError> {
    let draft = locked(conn, client, id).await?;
    if draft.status != "draft" {
        return Err(TariffError::Refused(format!("Version {} is not a draft any more.", draft.version)));
    }
    set(conn, client, id, "retired", None).await?;
    Ok(draft)
}

/// The version, with all versions of its code locked until the transaction ends.
pub(super) async fn locked(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: TariffRateId,
) -> Result<Tariff, TariffError> {
    let found = super::find(conn, client, id).await?.ok_or(TariffError::NotFound)?;
    let all: Vec<Tariff> = tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(here!())
                .and(tariff_rates::client_id.eq(client))
                .and(tariff_rates::code.eq(&found.code)),
        )
        .select(Tariff::as_select())
        .order(tariff_rates::version)
        .for_update()
        .load(conn)
        .await?;
    all.into_iter().find(|row| row.id == id).ok_or(TariffError::NotFound)
}

async fn set(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: TariffRateId,
    status: &str,
    effective_to: Option<NaiveDate>,
) -> QueryResult<()> {
    diesel::update(tariff_rates::table.filter(
        tariff_rates::organization_id.eq(here!()).and(tariff_rates::client_id.eq(client)).and(tariff_rates::id.eq(id)),
    ))
    .set((tariff_rates::status.eq(status), tariff_rates::effective_to.eq(effective_to)))
    .execute(conn)
    .await?;
    Ok(())
}

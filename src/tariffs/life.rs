//! The life of a version: activate a draft, retire what is active, discard a draft.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::{Tariff, TariffError, TariffRow, agreements, entry};
use crate::audit;
use crate::db::Tenant;
use crate::db::schema::tariff_rates;
use crate::parties::clients;
use crate::values::days;
use crate::values::ids::TariffRateId;

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
pub async fn activation(tx: &Tenant, draft: &Tariff) -> QueryResult<Activation> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let overlapping: Vec<TariffRow> = tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(organization)
                .and(tariff_rates::client_id.eq(client))
                .and(tariff_rates::code.eq(&draft.code)),
        )
        .filter(tariff_rates::id.ne(draft.id).and(tariff_rates::status.ne("draft")))
        .filter(
            (tariff_rates::effective_to.is_null().and(tariff_rates::status.eq("active")))
                .or(tariff_rates::effective_to.gt(draft.effective_from)),
        )
        .select(TariffRow::as_select())
        .order(tariff_rates::version.desc())
        .load(&mut conn)
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
    found.customers = agreements::customers_from(tx, &draft.code, draft.effective_from).await?;
    Ok(found)
}

/// Makes a draft the version that applies from its first day on, on record.
///
/// # Errors
/// [`TariffError::Faulty`] when its document does not validate, `NotADraft`, `HasBilled` when a later version has billed
/// already, `Overlaps` when another was activated meanwhile.
pub async fn activate(tx: &mut Tenant, id: TariffRateId) -> Result<(Tariff, Activation), TariffError> {
    let draft = locked(tx, id).await?;
    if draft.status != "draft" {
        return Err(TariffError::NotADraft { version: draft.version });
    }
    let faults = draft.document()?.validate();
    if !faults.is_empty() {
        return Err(TariffError::Faulty(faults));
    }
    let today = clients::current(tx).await?.today();
    let plan = activation(tx, &draft).await?;
    if let [other, ..] = plan.in_the_way.as_slice() {
        return Err(TariffError::HasBilled { version: other.version, from: other.effective_from });
    }
    for row in &plan.ends {
        let status = if draft.effective_from <= today { "retired" } else { row.status.as_str() };
        set(tx, row.id, status, Some(draft.effective_from)).await?;
    }
    for row in &plan.set_back {
        set(tx, row.id, "draft", None).await?;
    }
    set(tx, id, "active", None).await?;
    let summary = format!("Activated {} version {} from {}", draft.code, draft.version, draft.effective_from);
    let details = json!({
        "before": { "status": "draft" },
        "after": { "status": "active", "effective_from": draft.effective_from },
        "customers": plan.customers,
        "ended": plan.ends.iter().map(|row| row.version).collect::<Vec<_>>(),
        "set_back": plan.set_back.iter().map(|row| row.version).collect::<Vec<_>>(),
    });
    audit::note(tx, entry("activate", id, summary, details)).await?;
    Ok((draft, plan))
}

/// Ends an active version on a day, on record: from then on no version applies until another one is activated.
///
/// # Errors
/// `NotActive`, `OutsideItsDays` when the day does not lie after its first, `Unlikely` when it is hardly meant.
pub async fn retire(tx: &mut Tenant, id: TariffRateId, from: NaiveDate) -> Result<Tariff, TariffError> {
    let version = locked(tx, id).await?;
    if version.status != "active" {
        return Err(TariffError::NotActive { version: version.version });
    }
    if let Some(unlikely) = days::announced(from, clients::current(tx).await?.today()) {
        return Err(TariffError::Unlikely(unlikely));
    }
    if from <= version.effective_from || version.effective_to.is_some_and(|to| from > to) {
        return Err(TariffError::OutsideItsDays);
    }
    set(tx, id, "retired", Some(from)).await?;
    let details = audit::changed(
        json!({ "status": version.status, "effective_to": version.effective_to }),
        json!({ "status": "retired", "effective_to": from }),
    );
    let summary = format!("Retired {} version {} from {from}", version.code, version.version);
    audit::note(tx, entry("retire", id, summary, details)).await?;
    Ok(version)
}

/// Puts a draft aside for good, on record; it never applied.
///
/// # Errors
/// `NotADraft`.
pub async fn discard(tx: &mut Tenant, id: TariffRateId) -> Result<Tariff, TariffError> {
    let draft = locked(tx, id).await?;
    if draft.status != "draft" {
        return Err(TariffError::NotADraft { version: draft.version });
    }
    set(tx, id, "retired", None).await?;
    let details = audit::removed(json!({
        "code": draft.code, "name": draft.name, "kind": draft.kind, "version": draft.version,
        "effective_from": draft.effective_from, "document": draft.document,
    }));
    let summary = format!("Discarded the draft of {} version {}", draft.code, draft.version);
    audit::note(tx, entry("discard", id, summary, details)).await?;
    Ok(draft)
}

/// The version, with all versions of its code locked until the transaction ends.
pub(super) async fn locked(tx: &mut Tenant, id: TariffRateId) -> Result<Tariff, TariffError> {
    let (organization, client) = tx.client()?;
    let found = super::find(tx, id).await?.ok_or(TariffError::NotFound)?;
    let all: Vec<Tariff> = tariff_rates::table
        .filter(tariff_rates::organization_id.eq(organization).and(tariff_rates::client_id.eq(client)))
        .filter(tariff_rates::code.eq(&found.code))
        .select(Tariff::as_select())
        .order(tariff_rates::version)
        .for_update()
        .load(&mut **tx)
        .await?;
    all.into_iter().find(|row| row.id == id).ok_or(TariffError::NotFound)
}

async fn set(
    tx: &mut Tenant,
    id: TariffRateId,
    status: &str,
    effective_to: Option<NaiveDate>,
) -> Result<(), TariffError> {
    let (organization, client) = tx.client()?;
    let version = tariff_rates::organization_id
        .eq(organization)
        .and(tariff_rates::client_id.eq(client))
        .and(tariff_rates::id.eq(id));
    diesel::update(tariff_rates::table.filter(version))
        .set((tariff_rates::status.eq(status), tariff_rates::effective_to.eq(effective_to)))
        .execute(&mut **tx)
        .await?;
    Ok(())
}

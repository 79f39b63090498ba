//! Drafts of versions: making one, and writing over it as it was seen.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{BlockRow, Tariff, TariffError, blocks_of, entry, kind_of, life, spelling};
use crate::audit;
use crate::db::Tenant;
use crate::db::schema::{tariff_blocks, tariff_rates};
use crate::parties::clients;
use crate::tariff_document::{Fault, TariffDocument};
use crate::values::days;
use crate::values::hex;
use crate::values::ids::TariffRateId;

/// What makes a version.
#[derive(Debug, Clone)]
pub struct NewTariff<'a> {
    /// What agreements call it; letters, digits, `-` and `_`.
    pub code: &'a str,
    /// The tariff.
    pub document: &'a TariffDocument,
    /// First day it shall apply.
    pub effective_from: NaiveDate,
}

impl NewTariff<'_> {
    /// Its document as the database keeps it, when nothing is wrong with it, it is in the client's currency, and its first
    /// day is meant.
    async fn checked(&self, tx: &Tenant) -> Result<Value, TariffError> {
        let faults = self.document.validate();
        if !faults.is_empty() {
            return Err(TariffError::Faulty(faults));
        }
        let owner = clients::current(tx).await?;
        if self.document.currency != owner.currency {
            let tariff = self.document.currency.clone();
            return Err(TariffError::OtherCurrency { tariff, client: owner.currency });
        }
        if let Some(unlikely) = days::announced(self.effective_from, owner.today()) {
            return Err(TariffError::Unlikely(unlikely));
        }
        serde_json::to_value(self.document)
            .map_err(|fault| TariffError::Faulty(vec![Fault::new("", fault.to_string())]))
    }
}

/// Makes the next version of a code, whatever its case, as a draft, on record: its id, and which version it is.
///
/// # Errors
/// [`TariffError::Faulty`] when the document does not validate, `OtherCurrency`, `Unlikely` for its first day,
/// `VersionTaken` when two people do so at once.
pub async fn create(tx: &mut Tenant, new: &NewTariff<'_>) -> Result<(TariffRateId, i32), TariffError> {
    let json = new.checked(tx).await?;
    let (organization, client) = tx.client()?;
    let (id, by) = (TariffRateId::fresh(), tx.author()?.user);
    let code = spelling(tx, new.code).await?;
    let latest: Option<(i32, bool)> = tariff_rates::table
        .filter(tariff_rates::organization_id.eq(organization).and(tariff_rates::client_id.eq(client)))
        .filter(tariff_rates::code.eq(&code))
        .select((tariff_rates::version, tariff_rates::offered))
        .order(tariff_rates::version.desc())
        .first(&mut **tx)
        .await
        .optional()?;
    // What is on offer stays so with its next version.
    let (latest, offered) = latest.unwrap_or_default();
    let version = latest + 1;
    diesel::insert_into(tariff_rates::table)
        .values((
            tariff_rates::organization_id.eq(organization),
            tariff_rates::client_id.eq(client),
            tariff_rates::id.eq(id),
            tariff_rates::code.eq(&code),
            tariff_rates::version.eq(version),
            tariff_rates::name.eq(&new.document.name),
            tariff_rates::kind.eq(kind_of(new.document)),
            tariff_rates::currency.eq(&new.document.currency),
            tariff_rates::document.eq(json),
            tariff_rates::effective_from.eq(new.effective_from),
            tariff_rates::offered.eq(offered),
            tariff_rates::created_by.eq(by.map(|user| user.0)),
        ))
        .execute(&mut **tx)
        .await?;
    write_blocks(tx, id, &blocks_of(new.document)).await?;
    let details = audit::created(json!({
        "code": code, "version": version, "status": "draft", "effective_from": new.effective_from, "document": new.document,
    }));
    audit::note(tx, entry("create", id, format!("Drafted {code} version {version}"), details)).await?;
    Ok((id, version))
}

/// Makes sure that a version is as it was seen, and that it stays so until the transaction ends.
///
/// # Errors
/// `Changed` when its [`digest`] is not `seen`.
pub async fn as_seen(tx: &mut Tenant, id: TariffRateId, seen: &str) -> Result<(), TariffError> {
    let version = life::locked(tx, id).await?;
    if digest(&version) == seen { Ok(()) } else { Err(TariffError::Changed) }
}

/// Rewrites a draft, on record: its document and its first day. The code and the version stay. Gives the draft as it was.
///
/// # Errors
/// As [`create`]; `Fixed` when the version is not a draft any more; `Changed` when it was since the document whose
/// [`digest`] is `seen` was read.
pub async fn revise(tx: &mut Tenant, id: TariffRateId, seen: &str, new: &NewTariff<'_>) -> Result<Tariff, TariffError> {
    let json = new.checked(tx).await?;
    let draft = life::locked(tx, id).await?;
    if draft.status != "draft" || draft.rated {
        return Err(TariffError::Fixed { version: draft.version });
    }
    if digest(&draft) != seen {
        return Err(TariffError::Changed);
    }
    let (organization, client) = tx.client()?;
    let version = tariff_rates::organization_id
        .eq(organization)
        .and(tariff_rates::client_id.eq(client))
        .and(tariff_rates::id.eq(id));
    diesel::update(tariff_rates::table.filter(version))
        .set((
            tariff_rates::name.eq(&new.document.name),
            tariff_rates::kind.eq(kind_of(new.document)),
            tariff_rates::currency.eq(&new.document.currency),
            tariff_rates::document.eq(json),
            tariff_rates::effective_from.eq(new.effective_from),
        ))
        .execute(&mut **tx)
        .await?;
    let blocks = tariff_blocks::organization_id
        .eq(organization)
        .and(tariff_blocks::client_id.eq(client))
        .and(tariff_blocks::tariff_rate_id.eq(id));
    diesel::delete(tariff_blocks::table.filter(blocks)).execute(&mut **tx).await?;
    write_blocks(tx, id, &blocks_of(new.document)).await?;
    let details = audit::changed(
        json!({ "effective_from": draft.effective_from, "document": draft.document }),
        json!({ "effective_from": new.effective_from, "document": new.document }),
    );
    let summary = format!("Changed the draft of {} version {}", draft.code, draft.version);
    audit::note(tx, entry("update", id, summary, details)).await?;
    Ok(draft)
}

/// Tells a version as it is now from the same one changed by somebody else.
#[must_use]
pub fn digest(version: &Tariff) -> String {
    let text = format!("{} {} {}", version.status, version.effective_from, version.document);
    hex::of(&Sha256::digest(text)[..8])
}

async fn write_blocks(tx: &mut Tenant, id: TariffRateId, blocks: &[BlockRow]) -> Result<(), TariffError> {
    let (organization, client) = tx.client()?;
    let by = tx.author()?.user.map(|user| user.0);
    let rows: Vec<_> = (0_i16..)
        .zip(blocks)
        .map(|(position, block)| {
            (
                tariff_blocks::organization_id.eq(organization),
                tariff_blocks::client_id.eq(client),
                tariff_blocks::tariff_rate_id.eq(id),
                tariff_blocks::position.eq(position),
                tariff_blocks::tou_period.eq(&block.tou_period),
                tariff_blocks::from_kwh.eq(block.from_kwh),
                tariff_blocks::to_kwh.eq(block.to_kwh),
                tariff_blocks::price.eq(block.price),
                tariff_blocks::created_by.eq(by),
            )
        })
        .collect();
    let conn: &mut AsyncPgConnection = tx;
    diesel::insert_into(tariff_blocks::table).values(&rows).execute(conn).await?;
    Ok(())
}

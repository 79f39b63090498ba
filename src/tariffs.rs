//! Tariffs: versions of tariff documents, and which customer is on which from when ([`agreements`]).
//!
//! A version is a draft until it is activated; from then on it applies from its first day until a later
//! version's first day, or until the tariff is retired. Past days keep the version that held then, so a
//! retired version still rates its own days. The document itself is [`crate::tariff_document`].

pub mod agreements;
pub mod customer;
mod life;
mod shape;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::db::schema::{tariff_blocks, tariff_rates};
use crate::db::{DbError, here, lower};
use crate::hex;
use crate::ids::{ClientId, OrganizationId, TariffRateId, UserId};
use crate::tariff_document::{Fault, TariffDocument};
pub use life::{Activation, activate, activation, discard, retire};
pub use shape::{BlockRow, as_billed, blocks_of, kind_label, kind_of};

/// Why a tariff was not changed.
#[derive(Debug, thiserror::Error)]
pub enum TariffError {
    /// No such version, or not to be seen.
    #[error("there is no such tariff version")]
    NotFound,
    /// Its document has faults.
    #[error("the tariff has faults: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faulty(Vec<Fault>),
    /// The step does not fit the state; the sentence says why and what to do.
    #[error("{0}")]
    Refused(String),
    /// Somebody changed it meanwhile.
    #[error("someone changed this version meanwhile: look at it as it is now, then decide again")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for TariffError {
    /// Days that may not overlap and were taken meanwhile are told as such.
    fn from(error: diesel::result::Error) -> Self {
        let error = DbError::from(error);
        if error.violates(life::OVERLAP) {
            Self::Refused(
                "Another version of this tariff holds on these days already. Look at its versions again, then choose another first day."
                    .to_owned(),
            )
        } else {
            Self::Db(error)
        }
    }
}

/// A version of a tariff.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tariff_rates)]
pub struct Tariff {
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its client.
    pub client_id: ClientId,
    /// Its id.
    pub id: TariffRateId,
    /// What agreements call it; the same for all its versions.
    pub code: String,
    /// 1, 2, …
    pub version: i32,
    /// What people call it.
    pub name: String,
    /// `flat`, `tiered`, `time_of_use`, `demand` or `mixed`.
    pub kind: String,
    /// ISO 4217.
    pub currency: String,
    /// The document as JSON.
    pub document: Value,
    /// First day it applies.
    pub effective_from: NaiveDate,
    /// First day it no longer applies.
    pub effective_to: Option<NaiveDate>,
    /// `draft`, `active` or `retired`.
    pub status: String,
    /// Whether it has rated anything: then its document and first day are fixed.
    pub rated: bool,
    /// Whether the tariff is on offer to the client's customers; the same for all versions of a code.
    pub offered: bool,
}

impl Tariff {
    /// Whether its days include this one.
    #[must_use]
    pub fn holds(&self, day: NaiveDate) -> bool {
        self.effective_from <= day && self.effective_to.is_none_or(|to| day < to)
    }

    /// The document, read.
    ///
    /// # Errors
    /// One fault when the JSON kept is not a document.
    pub fn document(&self) -> Result<TariffDocument, TariffError> {
        serde_json::from_value(self.document.clone())
            .map_err(|fault| TariffError::Faulty(vec![Fault::new("", fault.to_string())]))
    }
}

/// A version in a list, without its document.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = tariff_rates)]
pub struct TariffRow {
    /// Its id.
    pub id: TariffRateId,
    /// What agreements call it.
    pub code: String,
    /// 1, 2, …
    pub version: i32,
    /// What people call it.
    pub name: String,
    /// `flat`, `tiered`, `time_of_use`, `demand` or `mixed`.
    pub kind: String,
    /// ISO 4217.
    pub currency: String,
    /// First day it applies.
    pub effective_from: NaiveDate,
    /// First day it no longer applies.
    pub effective_to: Option<NaiveDate>,
    /// `draft`, `active` or `retired`.
    pub status: String,
    /// Whether it has rated anything.
    pub rated: bool,
    /// Whether the tariff is on offer to the client's customers.
    pub offered: bool,
}

/// Which versions to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of code or name; empty: all.
    pub search: String,
    /// A status; empty: all.
    pub status: String,
}

/// Versions of a client's tariffs by code, the latest first; one page, and how many there are in all.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    filter: &Filter,
    offset: i64,
    limit: i64,
) -> QueryResult<(Vec<TariffRow>, i64)> {
    let matching = || {
        let mut query = tariff_rates::table
            .filter(tariff_rates::organization_id.eq(organization).and(tariff_rates::client_id.eq(client)))
            .into_boxed();
        if !filter.search.is_empty() {
            let pattern = format!("%{}%", crate::db::literal(&filter.search));
            query = query.filter(tariff_rates::code.ilike(pattern.clone()).or(tariff_rates::name.ilike(pattern)));
        }
        if !filter.status.is_empty() {
            query = query.filter(tariff_rates::status.eq(filter.status.clone()));
        }
        query
    };
    let total = matching().count().get_result(conn).await?;
    let rows = matching()
        .select(TariffRow::as_select())
        .order((tariff_rates::code.asc(), tariff_rates::version.desc()))
        .offset(offset)
        .limit(limit)
        .load(conn)
        .await?;
    Ok((rows, total))
}

/// The version of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut AsyncPgConnection, client: ClientId, id: TariffRateId) -> QueryResult<Option<Tariff>> {
    tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(here!())
                .and(tariff_rates::client_id.eq(client))
                .and(tariff_rates::id.eq(id)),
        )
        .select(Tariff::as_select())
        .first(conn)
        .await
        .optional()
}

/// Every version of a tariff, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn versions(conn: &mut AsyncPgConnection, client: ClientId, code: &str) -> QueryResult<Vec<TariffRow>> {
    tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(here!())
                .and(tariff_rates::client_id.eq(client))
                .and(tariff_rates::code.eq(code)),
        )
        .select(TariffRow::as_select())
        .order(tariff_rates::version.desc())
        .load(conn)
        .await
}

/// The version that applies on a day; `None` when no one does.
///
/// # Errors
/// When the database fails.
pub async fn version_for(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    code: &str,
    day: NaiveDate,
) -> QueryResult<Option<Tariff>> {
    // A discarded draft is retired without ever having had an end.
    let applied = tariff_rates::status
        .eq("active")
        .or(tariff_rates::status.eq("retired").and(tariff_rates::effective_to.is_not_null()));
    tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(here!())
                .and(tariff_rates::client_id.eq(client))
                .and(tariff_rates::code.eq(code)),
        )
        .filter(applied)
        .filter(tariff_rates::effective_from.le(day))
        .filter(tariff_rates::effective_to.is_null().or(tariff_rates::effective_to.gt(day)))
        .select(Tariff::as_select())
        .order(tariff_rates::version.desc())
        .first(conn)
        .await
        .optional()
}

/// Every version that applies somewhere in `from`..`to`, of all codes: what a billing run loads once.
///
/// # Errors
/// When the database fails.
pub async fn versions_within(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<Vec<Tariff>> {
    let applied = tariff_rates::status
        .eq("active")
        .or(tariff_rates::status.eq("retired").and(tariff_rates::effective_to.is_not_null()));
    tariff_rates::table
        .filter(tariff_rates::organization_id.eq(organization).and(tariff_rates::client_id.eq(client)))
        .filter(applied)
        .filter(tariff_rates::effective_from.lt(to))
        .filter(tariff_rates::effective_to.is_null().or(tariff_rates::effective_to.gt(from)))
        .select(Tariff::as_select())
        .order((tariff_rates::code, tariff_rates::effective_from, tariff_rates::version))
        .load(conn)
        .await
}

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

/// A code as the client's tariffs spell it; as given where there is none of it in any case.
///
/// # Errors
/// When the database fails.
pub async fn spelling(conn: &mut AsyncPgConnection, client: ClientId, code: &str) -> QueryResult<String> {
    let found = tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(here!())
                .and(tariff_rates::client_id.eq(client))
                .and(lower(tariff_rates::code).eq(lower(code))),
        )
        .select(tariff_rates::code)
        .first(conn)
        .await
        .optional()?;
    Ok(found.unwrap_or_else(|| code.to_owned()))
}

/// Whether a write was refused because there is this version of the code already.
#[must_use]
pub fn is_version_taken(error: &DbError) -> bool {
    ["tariff_rates_organization_id_client_id_code_version_key", "tariff_rates_code"]
        .iter()
        .any(|constraint| error.violates(constraint))
}

/// Makes the next version of a code, whatever its case, as a draft and says which version it is.
///
/// # Errors
/// [`TariffError::Faulty`] when the document does not validate; `Db` with [`is_version_taken`] when two people do so at
/// once.
pub async fn create(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    id: TariffRateId,
    by: UserId,
    new: &NewTariff<'_>,
) -> Result<i32, TariffError> {
    let faults = new.document.validate();
    if !faults.is_empty() {
        return Err(TariffError::Faulty(faults));
    }
    let json = serde_json::to_value(new.document)
        .map_err(|fault| TariffError::Faulty(vec![Fault::new("", fault.to_string())]))?;
    let code = spelling(conn, client, new.code).await?;
    let latest: Option<(i32, bool)> = tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(here!())
                .and(tariff_rates::client_id.eq(client))
                .and(tariff_rates::code.eq(&code)),
        )
        .select((tariff_rates::version, tariff_rates::offered))
        .order(tariff_rates::version.desc())
        .first(conn)
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
            tariff_rates::created_by.eq(by.0),
        ))
        .execute(conn)
        .await?;
    write_blocks(conn, organization, client, id, by, &blocks_of(new.document)).await?;
    Ok(version)
}

/// Makes sure that a version is as it was seen, and that it stays so until the transaction ends.
///
/// # Errors
/// `Changed` when its [`digest`] is not `seen`.
pub async fn as_seen(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: TariffRateId,
    seen: &str,
) -> Result<(), TariffError> {
    let version = life::locked(conn, client, id).await?;
    if digest(&version) == seen { Ok(()) } else { Err(TariffError::Changed) }
}

/// Rewrites a draft: its document and its first day. The code and the version stay.
///
/// # Errors
/// [`TariffError::Faulty`] when the document does not validate; `Refused` when the version is not a draft any more;
/// `Changed` when it was since the document whose [`digest`] is `seen` was read.
pub async fn revise(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: TariffRateId,
    by: UserId,
    seen: &str,
    new: &NewTariff<'_>,
) -> Result<Tariff, TariffError> {
    let faults = new.document.validate();
    if !faults.is_empty() {
        return Err(TariffError::Faulty(faults));
    }
    let json = serde_json::to_value(new.document)
        .map_err(|fault| TariffError::Faulty(vec![Fault::new("", fault.to_string())]))?;
    let draft = life::locked(conn, client, id).await?;
    if draft.status != "draft" || draft.rated {
        return Err(TariffError::Refused(format!(
            "Version {} is not a draft any more: make a new version.",
            draft.version
        )));
    }
    if digest(&draft) != seen {
        return Err(TariffError::Changed);
    }
    diesel::update(tariff_rates::table.filter(
        tariff_rates::organization_id.eq(here!()).and(tariff_rates::client_id.eq(client)).and(tariff_rates::id.eq(id)),
    ))
    .set((
        tariff_rates::name.eq(&new.document.name),
        tariff_rates::kind.eq(kind_of(new.document)),
        tariff_rates::currency.eq(&new.document.currency),
        tariff_rates::document.eq(json),
        tariff_rates::effective_from.eq(new.effective_from),
    ))
    .execute(conn)
    .await?;
    diesel::delete(
        tariff_blocks::table.filter(
            tariff_blocks::organization_id
                .eq(here!())
                .and(tariff_blocks::client_id.eq(client))
                .and(tariff_blocks::tariff_rate_id.eq(id)),
        ),
    )
    .execute(conn)
    .await?;
    write_blocks(conn, draft.organization_id, client, id, by, &blocks_of(new.document)).await?;
    Ok(draft)
}

/// Tells a version as it is now from the same one changed by somebody else.
#[must_use]
pub fn digest(version: &Tariff) -> String {
    let text = format!("{} {} {}", version.status, version.effective_from, version.document);
    hex::of(&Sha256::digest(text)[..8])
}

async fn write_blocks(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    id: TariffRateId,
    by: UserId,
    blocks: &[BlockRow],
) -> QueryResult<()> {
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
                tariff_blocks::created_by.eq(by.0),
            )
        })
        .collect();
    diesel::insert_into(tariff_blocks::table).values(&rows).execute(conn).await?;
    Ok(())
}

/// The energy steps of a version, in order.
///
/// # Errors
/// When the database fails.
pub async fn blocks(conn: &mut AsyncPgConnection, client: ClientId, id: TariffRateId) -> QueryResult<Vec<BlockRow>> {
    let rows: Vec<(String, Decimal, Option<Decimal>, Decimal)> = tariff_blocks::table
        .filter(
            tariff_blocks::organization_id
                .eq(here!())
                .and(tariff_blocks::client_id.eq(client))
                .and(tariff_blocks::tariff_rate_id.eq(id)),
        )
        .select((tariff_blocks::tou_period, tariff_blocks::from_kwh, tariff_blocks::to_kwh, tariff_blocks::price))
        .order(tariff_blocks::position)
        .load(conn)
        .await?;
    let row = |(tou_period, from_kwh, to_kwh, price)| BlockRow { tou_period, from_kwh, to_kwh, price };
    Ok(rows.into_iter().map(row).collect())
}

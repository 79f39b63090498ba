//! Tariffs: versions of tariff documents, and which customer is on which from when ([`agreements`]).
//!
//! A version is a draft until it is activated; from then on it applies from its first day until a later
//! version's first day, or until the tariff is retired. Past days keep the version that held then, so a
//! retired version still rates its own days. The document itself is [`crate::tariff_document`].

pub mod agreements;
pub mod customer;
mod draft;
mod life;
pub mod price_series;
mod shape;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::audit::Entry;
use crate::db::schema::{tariff_blocks, tariff_rates};
use crate::db::{DbError, Tenant, lower};
use crate::tariff_document::{Fault, TariffDocument};
use crate::values::days::Unlikely;
use crate::values::ids::{ClientId, OrganizationId, TariffRateId};
pub use draft::{NewTariff, as_seen, create, digest, revise};
pub use life::{Activation, activate, activation, discard, retire};
pub use shape::{BlockRow, as_billed, blocks_of, kind_label, kind_of};

/// Why a tariff was not changed: codes with their figures; the words are the web's.
#[derive(Debug, thiserror::Error)]
pub enum TariffError {
    /// No such version, or not to be seen.
    #[error("there is no such tariff version")]
    NotFound,
    /// Its document has faults.
    #[error("the tariff has faults: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Faulty(Vec<Fault>),
    /// The version is not a draft any more.
    #[error("version {version} is no draft")]
    NotADraft {
        /// Which.
        version: i32,
    },
    /// The version's document never changes any more: it is no draft, or has rated.
    #[error("version {version} is fixed")]
    Fixed {
        /// Which.
        version: i32,
    },
    /// The version is not active.
    #[error("version {version} is not active")]
    NotActive {
        /// Which.
        version: i32,
    },
    /// A version that begins on the new one's first day or later has billed already.
    #[error("version {version} from {from} has billed")]
    HasBilled {
        /// Which.
        version: i32,
        /// Its first day.
        from: NaiveDate,
    },
    /// The day does not lie after the version's first, or lies after its last.
    #[error("the day lies outside the version's days")]
    OutsideItsDays,
    /// The day is hardly meant.
    #[error("the day is hardly meant: {0:?}")]
    Unlikely(Unlikely),
    /// The document is in another currency than the client's invoices.
    #[error("the tariff is in {tariff}, the client in {client}")]
    OtherCurrency {
        /// The document's.
        tariff: String,
        /// The client's.
        client: String,
    },
    /// Another version of the code has some of these days, since just now.
    #[error("another version has these days")]
    Overlaps,
    /// Somebody made this version of the code at the same moment.
    #[error("the version was made at the same moment")]
    VersionTaken,
    /// Somebody changed it meanwhile.
    #[error("someone changed this version meanwhile: look at it as it is now, then decide again")]
    Changed,
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

/// The key that lets a code have each version once, whatever its case.
const VERSIONS: [&str; 2] = ["tariff_rates_organization_id_client_id_code_version_key", "tariff_rates_code"];

impl From<diesel::result::Error> for TariffError {
    /// Days and versions that were taken meanwhile are told as such.
    fn from(error: diesel::result::Error) -> Self {
        let error = DbError::from(error);
        if error.violates(life::OVERLAP) {
            Self::Overlaps
        } else if VERSIONS.iter().any(|constraint| error.violates(constraint)) {
            Self::VersionTaken
        } else {
            Self::Db(error)
        }
    }
}

/// A record about a version.
fn entry(action: &'static str, version: TariffRateId, summary: String, details: Value) -> Entry<'static> {
    Entry { action, entity: "tariff_rate", entity_id: Some(version.0), customer: None, summary, details }
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
pub async fn list(tx: &Tenant, filter: &Filter, offset: i64, limit: i64) -> QueryResult<(Vec<TariffRow>, i64)> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
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
    let total = matching().count().get_result(&mut conn).await?;
    let rows = matching()
        .select(TariffRow::as_select())
        .order((tariff_rates::code.asc(), tariff_rates::version.desc()))
        .offset(offset)
        .limit(limit)
        .load(&mut conn)
        .await?;
    Ok((rows, total))
}

/// The version of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, id: TariffRateId) -> QueryResult<Option<Tariff>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(organization)
                .and(tariff_rates::client_id.eq(client))
                .and(tariff_rates::id.eq(id)),
        )
        .select(Tariff::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// Every version of a tariff, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn versions(tx: &Tenant, code: &str) -> QueryResult<Vec<TariffRow>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(organization)
                .and(tariff_rates::client_id.eq(client))
                .and(tariff_rates::code.eq(code)),
        )
        .select(TariffRow::as_select())
        .order(tariff_rates::version.desc())
        .load(&mut conn)
        .await
}

/// The version that applies on a day; `None` when no one does.
///
/// # Errors
/// When the database fails.
pub async fn version_for(tx: &Tenant, code: &str, day: NaiveDate) -> QueryResult<Option<Tariff>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    // A discarded draft is retired without ever having had an end.
    let applied = tariff_rates::status
        .eq("active")
        .or(tariff_rates::status.eq("retired").and(tariff_rates::effective_to.is_not_null()));
    tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(organization)
                .and(tariff_rates::client_id.eq(client))
                .and(tariff_rates::code.eq(code)),
        )
        .filter(applied)
        .filter(tariff_rates::effective_from.le(day))
        .filter(tariff_rates::effective_to.is_null().or(tariff_rates::effective_to.gt(day)))
        .select(Tariff::as_select())
        .order(tariff_rates::version.desc())
        .first(&mut conn)
        .await
        .optional()
}

/// A code as the client's tariffs spell it; as given where there is none of it in any case.
///
/// # Errors
/// When the database fails.
pub async fn spelling(tx: &Tenant, code: &str) -> Result<String, DbError> {
    let ((organization, client), mut conn) = (tx.client()?, tx.shared());
    let found = tariff_rates::table
        .filter(
            tariff_rates::organization_id
                .eq(organization)
                .and(tariff_rates::client_id.eq(client))
                .and(lower(tariff_rates::code).eq(lower(code))),
        )
        .select(tariff_rates::code)
        .first(&mut conn)
        .await
        .optional()?;
    Ok(found.unwrap_or_else(|| code.to_owned()))
}

/// The energy steps of a version, in order.
///
/// # Errors
/// When the database fails.
pub async fn blocks(tx: &Tenant, id: TariffRateId) -> QueryResult<Vec<BlockRow>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let rows: Vec<(String, Decimal, Option<Decimal>, Decimal)> = tariff_blocks::table
        .filter(
            tariff_blocks::organization_id
                .eq(organization)
                .and(tariff_blocks::client_id.eq(client))
                .and(tariff_blocks::tariff_rate_id.eq(id)),
        )
        .select((tariff_blocks::tou_period, tariff_blocks::from_kwh, tariff_blocks::to_kwh, tariff_blocks::price))
        .order(tariff_blocks::position)
        .load(&mut conn)
        .await?;
    let row = |(tou_period, from_kwh, to_kwh, price)| BlockRow { tou_period, from_kwh, to_kwh, price };
    Ok(rows.into_iter().map(row).collect())
}

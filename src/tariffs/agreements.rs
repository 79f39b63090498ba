//! Tariff agreements: which contract is on which tariff for a part of its price, from a day to a day. One at a time.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use serde_json::json;

use crate::audit::{self, Entry};
use crate::db::refused::Refused;
use crate::db::schema::tariff_agreements;
use crate::db::{DbError, Tenant};
use crate::parties::clients;
use crate::parties::contracts;
use crate::parties::customers;
use crate::values::days::{self, Unlikely};
use crate::values::ids::{ContractId, CustomerId, TariffAgreementId};

/// The constraints that let a contract be on one tariff a day, also when two agreements are made at once.
const OVERLAP: [&str; 2] = ["tariff_agreements_no_overlap", "tariff_agreements_same_day"];

/// The part of a price that is rated: what the supplier itself asks for. Grid and levies are parts of their own.
pub(crate) const SUPPLY: &str = "supply";

/// A contract's being on a tariff.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = tariff_agreements)]
pub struct Agreement {
    /// Its id.
    pub id: TariffAgreementId,
    /// The customer.
    pub customer_id: CustomerId,
    /// The contract.
    pub contract_id: ContractId,
    /// The tariff; its version follows from the day.
    pub tariff_code: String,
    /// First day.
    pub valid_from: NaiveDate,
    /// First day no longer.
    pub valid_to: Option<NaiveDate>,
}

impl Agreement {
    /// Whether it holds on a day.
    #[must_use]
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|to| day < to)
    }
}

/// The agreements of a customer's contracts about supply, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, customer: CustomerId) -> QueryResult<Vec<Agreement>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    tariff_agreements::table
        .filter(
            tariff_agreements::organization_id
                .eq(organization)
                .and(tariff_agreements::client_id.eq(client))
                .and(tariff_agreements::customer_id.eq(customer)),
        )
        .filter(tariff_agreements::part.eq(SUPPLY))
        .select(Agreement::as_select())
        .order(tariff_agreements::valid_from.desc())
        .load(&mut conn)
        .await
}

/// How many customers are on a tariff on a day or later.
///
/// # Errors
/// When the database fails.
pub async fn customers_from(tx: &Tenant, code: &str, day: NaiveDate) -> QueryResult<i64> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    tariff_agreements::table
        .filter(
            tariff_agreements::organization_id
                .eq(organization)
                .and(tariff_agreements::client_id.eq(client))
                .and(tariff_agreements::tariff_code.eq(code)),
        )
        .filter(tariff_agreements::valid_to.is_null().or(tariff_agreements::valid_to.gt(day)))
        .select(diesel::dsl::count(tariff_agreements::customer_id).aggregate_distinct())
        .first(&mut conn)
        .await
}

/// How many customers are on each of a client's tariffs today, by code.
///
/// # Errors
/// When the database fails.
pub async fn counts(tx: &Tenant, codes: &[String], day: NaiveDate) -> QueryResult<Vec<(String, i64)>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    tariff_agreements::table
        .filter(tariff_agreements::organization_id.eq(organization).and(tariff_agreements::client_id.eq(client)))
        .filter(tariff_agreements::tariff_code.eq_any(codes))
        .filter(tariff_agreements::valid_from.le(day))
        .filter(tariff_agreements::valid_to.is_null().or(tariff_agreements::valid_to.gt(day)))
        .group_by(tariff_agreements::tariff_code)
        .select((tariff_agreements::tariff_code, diesel::dsl::count_star()))
        .load(&mut conn)
        .await
}

/// What forbids an agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// No active version of this tariff applies on this day.
    NoVersion(String, NaiveDate),
    /// The first day is hardly meant.
    From(Unlikely),
    /// Another agreement of these days was made at the same time.
    TakenMeanwhile,
}

/// Why an agreement was not made.
pub type AgreementError = Refused<Violation>;

fn taken(error: diesel::result::Error) -> AgreementError {
    let error = DbError::from(error);
    let overlaps = OVERLAP.iter().any(|constraint| error.violates(constraint));
    if overlaps { Refused::by(Violation::TakenMeanwhile) } else { error.into() }
}

/// Puts a contract on a tariff from a day on, and puts it on record. The agreement that held until then ends on that day, one
/// from that very day is replaced, and a later one stays: then the new one lasts until it begins.
///
/// # Errors
/// [`AgreementError`].
pub async fn create(
    tx: &mut Tenant,
    customer: CustomerId,
    contract: ContractId,
    code: &str,
    from: NaiveDate,
) -> Result<(), AgreementError> {
    let owner = clients::current(tx).await?;
    // Locked: of two at once, one waits here and then finds the other's agreement.
    let customer = customers::locked(tx, customer).await?.ok_or(Refused::NotFound)?;
    let contract = contracts::find(tx, customer.id, contract).await?.ok_or(Refused::NotFound)?;
    let unlikely = days::planned(from, owner.today()).map(Violation::From);
    Refused::unless(unlikely.into_iter().collect(), ())?;
    if super::version_for(tx, code, from).await?.is_none() {
        return Err(Refused::by(Violation::NoVersion(code.to_owned(), from)));
    }
    let before = write(tx, (customer.id, contract.id), code, from).await?;
    let entry = Entry {
        action: "update",
        entity: "tariff_agreement",
        entity_id: None,
        customer: Some(customer.id),
        summary: format!("Put {} on tariff {code} from {from}", customer.name),
        details: audit::changed(
            before.map(|was| json!({ "tariff": was.tariff_code, "from": was.valid_from })),
            json!({ "tariff": code, "from": from }),
        ),
    };
    Ok(audit::note(tx, entry).await?)
}

/// Writes the agreement; the one that it ended or replaced.
async fn write(
    tx: &mut Tenant,
    (customer, contract): (CustomerId, ContractId),
    code: &str,
    from: NaiveDate,
) -> Result<Option<Agreement>, AgreementError> {
    let ((organization, client), by) = (tx.client()?, tx.author()?.user);
    let mut all = list(tx, customer).await?;
    all.retain(|agreement| agreement.contract_id == contract);
    let row = |id: TariffAgreementId| {
        tariff_agreements::table.filter(
            tariff_agreements::organization_id
                .eq(organization)
                .and(tariff_agreements::client_id.eq(client))
                .and(tariff_agreements::id.eq(id)),
        )
    };
    if let Some(same) = all.iter().find(|agreement| agreement.valid_from == from) {
        diesel::update(row(same.id)).set(tariff_agreements::tariff_code.eq(code)).execute(&mut **tx).await?;
        return Ok(Some(same.clone()));
    }
    let before = all.iter().find(|agreement| agreement.valid_from < from && agreement.covers(from));
    if let Some(before) = before {
        diesel::update(row(before.id))
            .set(tariff_agreements::valid_to.eq(from))
            .execute(&mut **tx)
            .await
            .map_err(taken)?;
    }
    let next = all.iter().map(|agreement| agreement.valid_from).filter(|start| *start > from).min();
    diesel::insert_into(tariff_agreements::table)
        .values((
            tariff_agreements::organization_id.eq(organization),
            tariff_agreements::client_id.eq(client),
            tariff_agreements::id.eq(TariffAgreementId::fresh()),
            tariff_agreements::customer_id.eq(customer),
            tariff_agreements::contract_id.eq(contract),
            tariff_agreements::part.eq(SUPPLY),
            tariff_agreements::tariff_code.eq(code),
            tariff_agreements::valid_from.eq(from),
            tariff_agreements::valid_to.eq(next),
            tariff_agreements::created_by.eq(by.map(|user| user.0)),
        ))
        .execute(&mut **tx)
        .await
        .map_err(taken)?;
    Ok(before.cloned())
}

//! Contracts: an account at a service point, from a day to a day. A contract says whose the usage of its days is and which
//! account is billed for it; moving is the end of one and the beginning of another.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::audit::{self, Entry};
use crate::db::refused::Refused;
use crate::db::schema::{contracts, service_points};
use crate::db::{DbError, Tenant};
use crate::parties::accounts;
use crate::parties::clients;
pub use crate::parties::contract_stage::Stage;
use crate::parties::customers::{self, Customer};
use crate::parties::service_points::{self as places, ServicePointError, ServicePointFields};
use crate::values::days::{self, Unlikely};
use crate::values::ids::{AccountId, ClientId, ContractId, CustomerId, OrganizationId, ServicePointId};

/// How many months one bill may cover.
pub const CYCLES: [i16; 5] = [1, 2, 3, 6, 12];

/// What people decide of a contract, as the database spells it and as they say it.
pub const STATUSES: [(&str, &str); 3] = [("requested", "Requested"), ("agreed", "Agreed"), ("withdrawn", "Withdrawn")];

/// A contract.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = contracts)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The account that is billed.
    pub account_id: AccountId,
    /// Where the energy is used.
    pub service_point_id: ServicePointId,
    /// The service point's address.
    pub address: String,
    /// First day supplied.
    pub from_on: NaiveDate,
    /// First day no longer supplied.
    pub to_on: Option<NaiveDate>,
    /// One of [`STATUSES`].
    pub status: String,
    /// One of [`CYCLES`].
    pub billing_cycle: i16,
    /// A day from which the cycle is counted.
    pub billing_anchor: NaiveDate,
    /// First day that is billed here, where the days before were billed elsewhere.
    pub billing_from: Option<NaiveDate>,
}

impl Contract {
    /// Where it is in its life on a day.
    #[must_use]
    pub fn stage(&self, day: NaiveDate) -> Stage {
        Stage::of(&self.status, self.from_on, self.to_on, day)
    }

    /// Whether it still needs an account on a day: it was not withdrawn and is not over.
    #[must_use]
    pub fn is_alive(&self, day: NaiveDate) -> bool {
        self.stage(day).is_alive()
    }
}

/// What makes or changes a contract.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset, Insertable, serde::Serialize)]
#[diesel(table_name = contracts, treat_none_as_null = true)]
pub struct ContractFields {
    /// The account that is billed.
    pub account_id: AccountId,
    /// First day supplied.
    pub from_on: NaiveDate,
    /// First day no longer supplied.
    pub to_on: Option<NaiveDate>,
    /// One of [`STATUSES`].
    pub status: String,
    /// One of [`CYCLES`].
    pub billing_cycle: i16,
    /// A day from which the cycle is counted: bills end on it and so many months before and after.
    pub billing_anchor: NaiveDate,
    /// First day that is billed here; `None`: all its days are.
    pub billing_from: Option<NaiveDate>,
}

impl From<&Contract> for ContractFields {
    fn from(row: &Contract) -> Self {
        Self {
            account_id: row.account_id,
            from_on: row.from_on,
            to_on: row.to_on,
            status: row.status.clone(),
            billing_cycle: row.billing_cycle,
            billing_anchor: row.billing_anchor,
            billing_from: row.billing_from,
        }
    }
}

/// Where a new contract is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// At a service point that is there: somebody moves in.
    Known(ServicePointId),
    /// At a new one with this address.
    New(String),
}

/// A customer's contracts, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, customer: CustomerId) -> QueryResult<Vec<Contract>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    contracts::table
        .filter(contracts::organization_id.eq(organization).and(contracts::client_id.eq(client)))
        .filter(contracts::customer_id.eq(customer))
        .select(Contract::as_select())
        .order((contracts::from_on.desc(), contracts::id.desc()))
        .load(&mut conn)
        .await
}

/// The row of this id at a customer.
#[diesel::dsl::auto_type]
fn row(at: (OrganizationId, ClientId), customer: CustomerId, id: ContractId) -> _ {
    let (organization, client): (OrganizationId, ClientId) = at;
    contracts::table
        .filter(contracts::organization_id.eq(organization).and(contracts::client_id.eq(client)))
        .filter(contracts::customer_id.eq(customer).and(contracts::id.eq(id)))
}

/// The contract of this id at a customer, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, customer: CustomerId, id: ContractId) -> QueryResult<Option<Contract>> {
    row(tx.here()?, customer, id).select(Contract::as_select()).first(&mut tx.shared()).await.optional()
}

/// The same, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(tx: &mut Tenant, customer: CustomerId, id: ContractId) -> QueryResult<Option<Contract>> {
    let row = row(tx.here()?, customer, id).select(Contract::as_select()).for_no_key_update();
    row.first(&mut **tx).await.optional()
}

/// The contracts at some service points, those withdrawn left out: whose the usage of a day there is.
///
/// # Errors
/// When the database fails.
pub async fn at(tx: &Tenant, places: &[ServicePointId]) -> QueryResult<Vec<Contract>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    contracts::table
        .filter(contracts::organization_id.eq(organization).and(contracts::client_id.eq(client)))
        .filter(contracts::service_point_id.eq_any(places).and(contracts::status.ne("withdrawn")))
        .select(Contract::as_select())
        .order((contracts::service_point_id, contracts::from_on))
        .load(&mut conn)
        .await
}

/// As [`at`], and the service points are held until the transaction ends: nobody changes whose their days are meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn held_at(tx: &mut Tenant, places: &[ServicePointId]) -> QueryResult<Vec<Contract>> {
    let (organization, client) = tx.here()?;
    service_points::table
        .filter(service_points::organization_id.eq(organization).and(service_points::client_id.eq(client)))
        .filter(service_points::id.eq_any(places))
        .select(service_points::id)
        .order(service_points::id)
        .for_share()
        .load::<ServicePointId>(&mut **tx)
        .await?;
    at(tx, places).await
}

/// What forbids a contract to be made or changed so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The first day supplied is hardly meant.
    From(Unlikely),
    /// The first day no longer supplied is hardly meant.
    To(Unlikely),
    /// It ends before it begins, or on the same day.
    EndsBeforeItBegins,
    /// So many months are no billing cycle.
    Cycle(i16),
    /// The first day billed here is none of the contract's days.
    BilledFrom,
    /// The account is not the customer's, or it is closed while the contract is not over.
    Account,
    /// The service point is not there.
    NoPlace,
    /// The new service point may not be so.
    Place(places::Violation),
    /// Another contract has one of these days at the service point, from a day until another.
    Overlaps(NaiveDate, Option<NaiveDate>),
    /// The same, made at the same time: the other one is not known here.
    TakenMeanwhile,
}

/// Why a contract was not made or changed.
pub type ContractError = Refused<Violation>;

fn taken(error: diesel::result::Error) -> ContractError {
    Refused::constraint(error, [("contracts_no_overlap", Violation::TakenMeanwhile)])
}

/// A refusal of the service point, as the contract's.
pub(crate) fn of_place(refused: ServicePointError) -> ContractError {
    match refused {
        Refused::Violated(found) => Refused::Violated(found.into_iter().map(Violation::Place).collect()),
        Refused::NotFound => Refused::by(Violation::NoPlace),
        Refused::Db(error) => Refused::Db(error),
    }
}

fn has_day(fields: &ContractFields, day: NaiveDate) -> bool {
    day >= fields.from_on && fields.to_on.is_none_or(|to| day < to)
}

/// What a contract's own fields break.
pub(crate) fn faults(fields: &ContractFields, today: NaiveDate) -> Vec<Violation> {
    let found = [
        days::planned(fields.from_on, today).map(Violation::From),
        fields.to_on.and_then(|day| days::planned(day, today)).map(Violation::To),
        fields.to_on.is_some_and(|to| to <= fields.from_on).then_some(Violation::EndsBeforeItBegins),
        (!CYCLES.contains(&fields.billing_cycle)).then_some(Violation::Cycle(fields.billing_cycle)),
        fields.billing_from.is_some_and(|day| !has_day(fields, day)).then_some(Violation::BilledFrom),
    ];
    found.into_iter().flatten().collect()
}

/// Another contract at a service point on one of these days.
async fn in_the_way(
    tx: &Tenant,
    place: ServicePointId,
    fields: &ContractFields,
    except: Option<ContractId>,
) -> QueryResult<Option<Violation>> {
    if fields.status == "withdrawn" {
        return Ok(None);
    }
    let others = at(tx, &[place]).await?;
    let other = others.into_iter().find(|other| {
        Some(other.id) != except
            && fields.to_on.is_none_or(|to| other.from_on < to)
            && other.to_on.is_none_or(|to| fields.from_on < to)
    });
    Ok(other.map(|other| Violation::Overlaps(other.from_on, other.to_on)))
}

/// Whether a contract may be billed to an account: it is the customer's, and open while the contract is not over.
async fn may_bill(tx: &Tenant, customer: CustomerId, fields: &ContractFields, today: NaiveDate) -> QueryResult<bool> {
    let over = fields.status == "withdrawn" || fields.to_on.is_some_and(|to| to <= today);
    let account = accounts::find(tx, customer, fields.account_id).await?;
    Ok(account.is_some_and(|account| over || account.status == "open"))
}

/// What forbids a contract at a service point. One that is there is held: who brings usage in there waits, and then sees
/// whose the days are.
pub(crate) async fn unfit(tx: &mut Tenant, place: &At, fields: &ContractFields) -> Result<Vec<Violation>, DbError> {
    let At::Known(place) = place else { return Ok(vec![]) };
    Ok(match places::locked(tx, *place).await? {
        Some(place) => in_the_way(tx, place.id, fields, None).await?.into_iter().collect(),
        None => vec![Violation::NoPlace],
    })
}

/// The service point of a new contract; a new one is made.
pub(crate) async fn place_of(tx: &mut Tenant, place: &At, zone: &str) -> Result<ServicePointId, ContractError> {
    match place {
        At::Known(place) => Ok(*place),
        At::New(address) => places::create(tx, &ServicePointFields::named(address, zone)).await.map_err(of_place),
    }
}

/// A contract that is to be changed, with its customer: its service point, its customer and itself are held, in the order
/// in which issuing does.
///
/// # Errors
/// When the database fails.
pub async fn held(
    tx: &mut Tenant,
    customer: CustomerId,
    id: ContractId,
) -> Result<Option<(Customer, Contract)>, DbError> {
    // A contract stays at its place.
    let Some(known) = find(tx, customer, id).await? else { return Ok(None) };
    places::locked(tx, known.service_point_id).await?.ok_or(DbError::Refused)?;
    let customer = customers::locked(tx, customer).await?;
    let contract = locked(tx, known.customer_id, id).await?;
    Ok(customer.zip(contract))
}

/// Makes a contract of a customer, and puts it on record.
///
/// # Errors
/// [`ContractError`].
pub async fn create(
    tx: &mut Tenant,
    customer: CustomerId,
    place: &At,
    fields: &ContractFields,
) -> Result<ContractId, ContractError> {
    let owner = clients::current(tx).await?;
    // Before the customer, as issuing does.
    let unfit = unfit(tx, place, fields).await?;
    // Held, so that nobody closes its accounts meanwhile.
    let customer = customers::locked(tx, customer).await?.ok_or(Refused::NotFound)?;
    let mut found = faults(fields, owner.today());
    if !may_bill(tx, customer.id, fields, owner.today()).await? {
        found.push(Violation::Account);
    }
    found.extend(unfit);
    Refused::unless(found, ())?;
    let place = place_of(tx, place, &owner.time_zone).await?;
    let id = insert(tx, customer.id, place, fields).await?;
    record(tx, (id, &customer), ("create", "Made"), fields, audit::created(fields)).await?;
    Ok(id)
}

/// The row alone, for [`create`] and for the first contract of a customer.
pub(crate) async fn insert(
    tx: &mut Tenant,
    customer: CustomerId,
    place: ServicePointId,
    fields: &ContractFields,
) -> Result<ContractId, ContractError> {
    let ((organization, client), by) = (tx.client()?, tx.author()?.user);
    let id = ContractId::fresh();
    let keys = (
        contracts::organization_id.eq(organization),
        contracts::client_id.eq(client),
        contracts::customer_id.eq(customer),
        contracts::id.eq(id),
        contracts::service_point_id.eq(place),
        contracts::created_by.eq(by.map(|user| user.0)),
    );
    diesel::insert_into(contracts::table).values((keys, fields)).execute(&mut **tx).await.map_err(taken)?;
    Ok(id)
}

/// Changes a contract: its days, which end it or move it, its account, or its cycle; and puts it on record. The usage of days that change hands goes with them, in the same transaction.
///
/// # Errors
/// [`ContractError`].
pub async fn update(
    tx: &mut Tenant,
    customer: CustomerId,
    id: ContractId,
    fields: &ContractFields,
) -> Result<(), ContractError> {
    let owner = clients::current(tx).await?;
    let (customer, before) = held(tx, customer, id).await?.ok_or(Refused::NotFound)?;
    let mut found = faults(fields, owner.today());
    if !may_bill(tx, customer.id, fields, owner.today()).await? {
        found.push(Violation::Account);
    }
    found.extend(in_the_way(tx, before.service_point_id, fields, Some(id)).await?);
    Refused::unless(found, ())?;
    let row = row(tx.client()?, customer.id, id);
    // A row that is seen and that nobody may change.
    if diesel::update(row).set(fields).execute(&mut **tx).await.map_err(taken)? != 1 {
        return Err(DbError::Refused.into());
    }
    let details = audit::changed(ContractFields::from(&before), fields);
    record(tx, (id, &customer), ("update", "Changed"), fields, details).await?;
    Ok(())
}

async fn record(
    tx: &mut Tenant,
    (id, customer): (ContractId, &Customer),
    (action, did): (&str, &str),
    fields: &ContractFields,
    details: serde_json::Value,
) -> Result<(), DbError> {
    let until = fields.to_on.map(|to| format!(" until {to}")).unwrap_or_default();
    let entry = Entry {
        action,
        entity: "contract",
        entity_id: Some(id.0),
        customer: Some(customer.id),
        summary: format!("{did} a contract of {} from {}{until}", customer.name, fields.from_on),
        details,
    };
    audit::note(tx, entry).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stage_of_a_contract_follows_from_its_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let contract = Contract {
            id: ContractId::fresh(),
            customer_id: CustomerId::fresh(),
            account_id: AccountId::fresh(),
            service_point_id: ServicePointId::fresh(),
            address: String::new(),
            from_on: day("2026-03-01"),
            to_on: Some(day("2026-06-01")),
            status: "agreed".to_owned(),
            billing_cycle: 1,
            billing_anchor: day("2026-03-01"),
            billing_from: None,
        };
        let stage = |on: &str| contract.stage(day(on));
        assert_eq!(stage("2026-02-28"), Stage::Planned);
        assert_eq!((stage("2026-03-01"), stage("2026-05-31")), (Stage::Running, Stage::Running));
        assert_eq!(stage("2026-06-01"), Stage::Ended);
        let withdrawn = Contract { status: "withdrawn".to_owned(), ..contract.clone() };
        assert!(!withdrawn.is_alive(day("2026-03-01")) && contract.is_alive(day("2026-03-01")));
    }

    #[test]
    fn the_first_day_billed_here_is_one_of_the_contract_s_days() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let fields = |billed: &str| ContractFields {
            account_id: AccountId::fresh(),
            from_on: day("2026-03-01"),
            to_on: Some(day("2026-06-01")),
            status: "agreed".to_owned(),
            billing_cycle: 1,
            billing_anchor: day("2026-03-01"),
            billing_from: Some(day(billed)),
        };
        for (billed, found) in [
            ("2026-02-28", vec![Violation::BilledFrom]),
            ("2026-03-01", vec![]),
            ("2026-05-31", vec![]),
            ("2026-06-01", vec![Violation::BilledFrom]),
        ] {
            assert_eq!(faults(&fields(billed), day("2026-03-01")), found, "{billed}");
        }
    }
}

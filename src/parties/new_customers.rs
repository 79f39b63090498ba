//! A new customer: with its first account, and its first contract at a service point.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::audit;
use crate::db::Tenant;
use crate::db::refused::Refused;
use crate::db::schema::customers;
use crate::parties::accounts::{self, AccountError, AccountFields};
use crate::parties::clients;
use crate::parties::contracts::{self, At, ContractError, ContractFields};
use crate::parties::customers::{CustomerFields, record};
use crate::values::ids::{AccountId, CustomerId, ServicePointId};
use crate::values::period::Period;

/// A new customer, with its first account and contract.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NewCustomer {
    /// The number of its account.
    pub account_number: String,
    /// Where bills go; empty: the service address.
    pub billing_address: String,
    /// Where the energy is used: the address of a new service point.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub service_address: String,
    /// The service point that is there already: somebody moves in. Then no address is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_point: Option<ServicePointId>,
    /// First day supplied.
    pub moved_in_on: NaiveDate,
    /// First day no longer supplied.
    pub moved_out_on: Option<NaiveDate>,
    /// What it is itself.
    #[serde(flatten)]
    pub fields: CustomerFields,
}

/// What forbids a customer to be made so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Another account of the client has the number of the first, whatever its case.
    AccountTaken,
    /// The first contract may not be so.
    Contract(contracts::Violation),
}

/// Why a customer was not made.
pub type CustomerError = Refused<Violation>;

/// A refusal of the first contract, as the customer's.
fn of_contract(refused: ContractError) -> CustomerError {
    match refused {
        ContractError::Violated(found) => Refused::Violated(found.into_iter().map(Violation::Contract).collect()),
        ContractError::NotFound => Refused::NotFound,
        ContractError::Db(error) => Refused::Db(error),
    }
}

fn of_account(refused: AccountError) -> CustomerError {
    match refused {
        AccountError::Violated(_) => Refused::by(Violation::AccountTaken),
        AccountError::NotFound => Refused::NotFound,
        AccountError::Db(error) => Refused::Db(error),
    }
}

impl NewCustomer {
    fn place(&self) -> At {
        self.service_point.map_or_else(|| At::New(self.service_address.clone()), At::Known)
    }

    fn contract(&self, account_id: AccountId) -> ContractFields {
        ContractFields {
            account_id,
            from_on: self.moved_in_on,
            to_on: self.moved_out_on,
            status: "agreed".to_owned(),
            billing_cycle: 1,
            // Months of the calendar.
            billing_anchor: Period::month_of(self.moved_in_on).from(),
            billing_from: None,
        }
    }
}

/// Makes a customer with its first account and its first contract, at a new service point or at one that is there, and puts
/// it on record.
///
/// # Errors
/// [`CustomerError`].
pub async fn create(tx: &mut Tenant, new: &NewCustomer) -> Result<CustomerId, CustomerError> {
    let ((organization, client), by) = (tx.client()?, tx.author()?.user);
    let owner = clients::current(tx).await?;
    let (place, contract) = (new.place(), new.contract(AccountId::fresh()));
    let mut found = contracts::faults(&contract, owner.today());
    found.extend(contracts::unfit(tx, &place, &contract).await?);
    Refused::unless(found.into_iter().map(Violation::Contract).collect(), ())?;
    let id = CustomerId::fresh();
    let keys = (
        customers::organization_id.eq(organization),
        customers::client_id.eq(client),
        customers::id.eq(id),
        customers::created_by.eq(by.map(|user| user.0)),
    );
    diesel::insert_into(customers::table).values((keys, &new.fields)).execute(&mut **tx).await?;
    let account = AccountFields::opened(&new.account_number, &new.billing_address);
    let account = accounts::insert(tx, id, &account, true).await.map_err(of_account)?;
    let place = contracts::place_of(tx, &place, &owner.time_zone).await.map_err(of_contract)?;
    contracts::insert(tx, id, place, &new.contract(account)).await.map_err(of_contract)?;
    let names = (new.fields.name.as_str(), new.account_number.as_str());
    record(tx, id, names, ("create", "Created"), audit::created(new)).await?;
    Ok(id)
}

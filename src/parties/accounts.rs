//! Accounts: what a customer owes under one number, and how they are written to.
//!
//! A customer has one account as a rule, and may have several; each contract is billed to one of them. One is the main one:
//! lists name the customer by its number.

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::audit::{self, Entry};
use crate::db::refused::Refused;
use crate::db::schema::{accounts, contracts};
use crate::db::{DbError, Tenant};
use crate::parties::clients;
use crate::parties::contract_stage::Stage;
use crate::parties::customers::{self, Customer};
use crate::values::ids::{AccountId, ClientId, CustomerId, OrganizationId};

/// How bills reach a customer, as the database spells it and as people say it.
pub const DELIVERIES: [(&str, &str); 3] =
    [("post", "By post"), ("mail", "By e-mail"), ("portal", "In the portal only")];

/// The most days that a bill may be open before it is due.
pub const MOST_TERMS: i16 = 365;

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = accounts)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// The client's own number for it.
    pub account_number: String,
    /// Whether lists name the customer by its number.
    pub is_main: bool,
    /// Where bills go; empty: the service address.
    pub billing_address: String,
    /// One of [`DELIVERIES`].
    pub delivery: String,
    /// BCP 47; empty: as the client writes.
    pub language: String,
    /// Days from issue until a bill is due; `None`: the client's.
    pub payment_terms_days: Option<i16>,
    /// Whether one bill is made for all its contracts that are due together.
    pub collective: bool,
    /// `open` or `closed`.
    pub status: String,
}

/// What makes or changes an account.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset, Insertable, serde::Serialize)]
#[diesel(table_name = accounts, treat_none_as_null = true)]
pub struct AccountFields {
    /// The client's own number for it, unique within the client.
    pub account_number: String,
    /// Empty: the service address.
    pub billing_address: String,
    /// One of [`DELIVERIES`].
    pub delivery: String,
    /// Empty: as the client writes.
    pub language: String,
    /// `None`: the client's.
    pub payment_terms_days: Option<i16>,
    /// Whether one bill is made for all its contracts that are due together.
    pub collective: bool,
    /// `open` or `closed`.
    pub status: String,
}

impl From<&Account> for AccountFields {
    fn from(row: &Account) -> Self {
        let row = row.clone();
        Self {
            account_number: row.account_number,
            billing_address: row.billing_address,
            delivery: row.delivery,
            language: row.language,
            payment_terms_days: row.payment_terms_days,
            collective: row.collective,
            status: row.status,
        }
    }
}

impl AccountFields {
    /// An account as it begins: a bill a contract, by post, in the client's language and by its terms.
    #[must_use]
    pub fn opened(account_number: &str, billing_address: &str) -> Self {
        Self {
            account_number: account_number.to_owned(),
            billing_address: billing_address.to_owned(),
            delivery: "post".to_owned(),
            language: String::new(),
            payment_terms_days: None,
            collective: false,
            status: "open".to_owned(),
        }
    }
}

/// A customer's accounts, the main one first, then by number.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, customer: CustomerId) -> QueryResult<Vec<Account>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    accounts::table
        .filter(accounts::organization_id.eq(organization).and(accounts::client_id.eq(client)))
        .filter(accounts::customer_id.eq(customer))
        .select(Account::as_select())
        .order((accounts::is_main.desc(), accounts::account_number))
        .load(&mut conn)
        .await
}

/// The row of this id at a customer.
#[diesel::dsl::auto_type]
fn row(at: (OrganizationId, ClientId), customer: CustomerId, id: AccountId) -> _ {
    let (organization, client): (OrganizationId, ClientId) = at;
    accounts::table
        .filter(accounts::organization_id.eq(organization).and(accounts::client_id.eq(client)))
        .filter(accounts::customer_id.eq(customer).and(accounts::id.eq(id)))
}

/// The account of this id at a customer, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, customer: CustomerId, id: AccountId) -> QueryResult<Option<Account>> {
    row(tx.here()?, customer, id).select(Account::as_select()).first(&mut tx.shared()).await.optional()
}

/// The same, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(tx: &mut Tenant, customer: CustomerId, id: AccountId) -> QueryResult<Option<Account>> {
    let row = row(tx.here()?, customer, id).select(Account::as_select()).for_no_key_update();
    row.first(&mut **tx).await.optional()
}

/// Whether a contract that is not over is billed to an account.
async fn is_billed(tx: &mut Tenant, customer: CustomerId, id: AccountId) -> Result<bool, DbError> {
    let ((organization, client), today) = (tx.client()?, clients::current(tx).await?.today());
    let billed: Vec<(String, NaiveDate, Option<NaiveDate>)> = contracts::table
        .filter(contracts::organization_id.eq(organization).and(contracts::client_id.eq(client)))
        .filter(contracts::customer_id.eq(customer).and(contracts::account_id.eq(id)))
        .select((contracts::status, contracts::from_on, contracts::to_on))
        .load(&mut **tx)
        .await?;
    Ok(billed.iter().any(|(status, from_on, to_on)| Stage::of(status, *from_on, *to_on, today).is_alive()))
}

/// What forbids an account to be made or changed so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Another account of the client has the number, whatever its case.
    NumberTaken,
    /// So many days to pay: fewer than none, or more than [`MOST_TERMS`].
    Terms(i16),
    /// A contract that is not over is billed to it: that needs another account first.
    Billed,
}

/// Why an account was not made or changed.
pub type AccountError = Refused<Violation>;

/// Whether a write was refused because another account of the client has the number.
pub(crate) fn is_number_taken(error: &DbError) -> bool {
    ["accounts_organization_id_client_id_account_number_key", "accounts_number"]
        .iter()
        .any(|constraint| error.violates(constraint))
}

fn taken(error: diesel::result::Error) -> AccountError {
    let error = DbError::from(error);
    if is_number_taken(&error) { Refused::by(Violation::NumberTaken) } else { error.into() }
}

fn faults(fields: &AccountFields) -> Vec<Violation> {
    let terms = fields.payment_terms_days.filter(|days| !(0..=MOST_TERMS).contains(days));
    terms.map(Violation::Terms).into_iter().collect()
}

/// Opens an account for a customer, and puts it on record.
///
/// # Errors
/// [`AccountError`].
pub async fn create(tx: &mut Tenant, customer: CustomerId, fields: &AccountFields) -> Result<AccountId, AccountError> {
    // Held, so that nobody closes the other accounts meanwhile.
    let customer = customers::locked(tx, customer).await?.ok_or(Refused::NotFound)?;
    Refused::unless(faults(fields), ())?;
    let id = insert(tx, customer.id, fields, false).await?;
    lead(tx, customer.id).await?;
    record(tx, (id, &customer), ("create", "Opened"), fields, audit::created(fields)).await?;
    Ok(id)
}

/// The row alone, for [`create`] and for the first account of a customer.
pub(crate) async fn insert(
    tx: &mut Tenant,
    customer: CustomerId,
    fields: &AccountFields,
    is_main: bool,
) -> Result<AccountId, AccountError> {
    let ((organization, client), by) = (tx.client()?, tx.author()?.user);
    let id = AccountId::fresh();
    let keys = (
        accounts::organization_id.eq(organization),
        accounts::client_id.eq(client),
        accounts::customer_id.eq(customer),
        accounts::id.eq(id),
        accounts::is_main.eq(is_main),
        accounts::created_by.eq(by.map(|user| user.0)),
    );
    diesel::insert_into(accounts::table).values((keys, fields)).execute(&mut **tx).await.map_err(taken)?;
    Ok(id)
}

/// Makes an open account the main one where the main one is closed.
async fn lead(tx: &mut Tenant, customer: CustomerId) -> QueryResult<()> {
    let (at, all) = (tx.here()?, list(tx, customer).await?);
    let main = all.iter().find(|account| account.is_main).filter(|main| main.status != "open");
    let Some((main, heir)) = main.zip(all.iter().find(|account| account.status == "open")) else { return Ok(()) };
    // One after the other: a customer has one main account at any time.
    for (id, is_main) in [(main.id, false), (heir.id, true)] {
        diesel::update(row(at, customer, id)).set(accounts::is_main.eq(is_main)).execute(&mut **tx).await?;
    }
    Ok(())
}

/// Changes an account, closes it or opens it again, and puts it on record. A main account that is closed hands over to the
/// first of the others that is open.
///
/// # Errors
/// [`AccountError`].
pub async fn update(
    tx: &mut Tenant,
    customer: CustomerId,
    id: AccountId,
    fields: &AccountFields,
) -> Result<(), AccountError> {
    // Held: of two who close a customer's accounts at once, one waits here and then sees the other's closed.
    let customer = customers::locked(tx, customer).await?.ok_or(Refused::NotFound)?;
    let before = locked(tx, customer.id, id).await?.ok_or(Refused::NotFound)?;
    let mut found = faults(fields);
    if fields.status == "closed" {
        found.extend(is_billed(tx, customer.id, id).await?.then_some(Violation::Billed));
    }
    Refused::unless(found, ())?;
    let row = row(tx.client()?, customer.id, id);
    // A row that is seen and that nobody may change.
    if diesel::update(row).set(fields).execute(&mut **tx).await.map_err(taken)? != 1 {
        return Err(DbError::Refused.into());
    }
    lead(tx, customer.id).await?;
    let details = audit::changed(AccountFields::from(&before), fields);
    record(tx, (id, &customer), ("update", "Changed"), fields, details).await?;
    Ok(())
}

async fn record(
    tx: &mut Tenant,
    (id, customer): (AccountId, &Customer),
    (action, did): (&str, &str),
    fields: &AccountFields,
    details: serde_json::Value,
) -> Result<(), DbError> {
    let entry = Entry {
        action,
        entity: "account",
        entity_id: Some(id.0),
        customer: Some(customer.id),
        summary: format!("{did} account {} of {}", fields.account_number, customer.name),
        details,
    };
    audit::note(tx, entry).await
}

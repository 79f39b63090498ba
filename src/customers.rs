//! Customers: the people and companies that a client supplies. What they owe stands on their accounts
//! ([`crate::accounts`]).

use chrono::NaiveDate;
use diesel::dsl::{exists, not, sql};
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::access::Actor;
use crate::accounts::{AccountError, AccountFields};
use crate::audit::{self, Entry};
use crate::clients;
use crate::days::{self, Unlikely};
use crate::db::schema::{accounts, customers, meters, tariff_agreements};
use crate::db::{DbError, here};
use crate::ids::{ClientId, CustomerId, OrganizationId};
use crate::refused::Refused;

/// What a customer is, as the database spells it and as people say it.
pub const KINDS: [(&str, &str); 2] = [("person", "Person"), ("company", "Company")];

/// A customer.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = customers)]
pub struct Customer {
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its client.
    pub client_id: ClientId,
    /// Its id.
    pub id: CustomerId,
    /// The number of its main account.
    #[diesel(select_expression = accounts::account_number)]
    pub account_number: String,
    /// `person` or `company`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Where to write to; may be empty.
    pub email: String,
    /// May be empty.
    pub phone: String,
    /// A company's; may be empty.
    pub tax_number: String,
    /// Where the energy is used.
    pub service_address: String,
    /// Where bills of its main account go; empty: the service address.
    #[diesel(select_expression = accounts::billing_address)]
    pub billing_address: String,
    /// `active` or `closed`.
    pub status: String,
    /// First day supplied.
    pub moved_in_on: NaiveDate,
    /// First day no longer supplied.
    pub moved_out_on: Option<NaiveDate>,
}

/// What makes or changes a customer.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset, Insertable, serde::Serialize)]
#[diesel(table_name = customers, treat_none_as_null = true)]
pub struct CustomerFields {
    /// `person` or `company`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// May be empty.
    pub email: String,
    /// May be empty.
    pub phone: String,
    /// A company's; may be empty.
    pub tax_number: String,
    /// Where the energy is used.
    pub service_address: String,
    /// `active` or `closed`.
    pub status: String,
    /// First day supplied.
    pub moved_in_on: NaiveDate,
    /// First day no longer supplied.
    pub moved_out_on: Option<NaiveDate>,
}

impl From<&Customer> for CustomerFields {
    fn from(row: &Customer) -> Self {
        let row = row.clone();
        Self {
            kind: row.kind,
            name: row.name,
            email: row.email,
            phone: row.phone,
            tax_number: row.tax_number,
            service_address: row.service_address,
            status: row.status,
            moved_in_on: row.moved_in_on,
            moved_out_on: row.moved_out_on,
        }
    }
}

/// A new customer, with its first account.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NewCustomer {
    /// The number of its account.
    pub account_number: String,
    /// Where bills go; empty: the service address.
    pub billing_address: String,
    /// What it is itself.
    #[serde(flatten)]
    pub fields: CustomerFields,
}

/// How a list of customers is ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By name.
    #[default]
    Name,
    /// By account number.
    Account,
    /// The latest move-in first.
    MovedIn,
}

/// What an active customer lacks on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// A tariff.
    Tariff(NaiveDate),
    /// A meter.
    Meter(NaiveDate),
}

/// Which customers to list.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Part of name, account number or address; empty: all.
    pub search: String,
    /// A status; empty: all.
    pub status: String,
    /// Active ones only that lack this; `None`: all.
    pub lacks: Option<Lack>,
    /// How they are ordered.
    pub order: Order,
}

/// Customers of a client, one page, and how many there are in all.
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
) -> QueryResult<(Vec<Customer>, i64)> {
    // Counted without the accounts, listed with them.
    macro_rules! matching {
        ($from:expr) => {{
            let mut query = $from
                .filter(customers::organization_id.eq(organization).and(customers::client_id.eq(client)))
                .into_boxed();
            if !filter.search.is_empty() {
                let pattern = format!("%{}%", crate::db::literal(&filter.search));
                let numbered = sql::<Bool>(
                    "customers.id IN (SELECT n.customer_id FROM public.accounts n WHERE n.organization_id = ",
                )
                .bind::<SqlUuid, _>(organization)
                .sql(" AND n.client_id = ")
                .bind::<SqlUuid, _>(client)
                .sql(" AND n.account_number ILIKE ")
                .bind::<Text, _>(pattern.clone())
                .sql(")");
                let named = customers::name.ilike(pattern.clone());
                query = query.filter(named.or(customers::service_address.ilike(pattern)).or(numbered));
            }
            if !filter.status.is_empty() {
                query = query.filter(customers::status.eq(filter.status.clone()));
            }
            match filter.lacks {
                Some(Lack::Tariff(day)) => query.filter(customers::status.eq("active")).filter(not(exists(
                    tariff_agreements::table.filter(
                        tariff_agreements::organization_id
                            .eq(organization)
                            .and(tariff_agreements::client_id.eq(client))
                            .and(tariff_agreements::customer_id.eq(customers::id))
                            .and(tariff_agreements::valid_from.le(day))
                            .and(tariff_agreements::valid_to.is_null().or(tariff_agreements::valid_to.gt(day))),
                    ),
                ))),
                Some(Lack::Meter(day)) => query.filter(customers::status.eq("active")).filter(not(exists(
                    meters::table.filter(
                        meters::organization_id
                            .eq(organization)
                            .and(meters::client_id.eq(client))
                            .and(meters::customer_id.eq(customers::id))
                            .and(meters::valid_from.le(day))
                            .and(meters::valid_to.is_null().or(meters::valid_to.gt(day))),
                    ),
                ))),
                None => query,
            }
        }};
    }
    let total = matching!(customers::table).count().get_result(conn).await?;
    let page = matching!(with_account()).select(Customer::as_select());
    let page = match filter.order {
        Order::Name => page.order((customers::name.asc(), customers::id.asc())),
        Order::Account => page.order((accounts::account_number.asc(), customers::id.asc())),
        Order::MovedIn => page.order((customers::moved_in_on.desc(), customers::id.asc())),
    };
    Ok((page.offset(offset).limit(limit).load(conn).await?, total))
}

/// Customers, each with its main account.
#[diesel::dsl::auto_type]
pub(crate) fn with_account() -> _ {
    let main = accounts::organization_id
        .eq(customers::organization_id)
        .and(accounts::client_id.eq(customers::client_id))
        .and(accounts::customer_id.eq(customers::id))
        .and(accounts::is_main);
    customers::table.inner_join(accounts::table.on(main))
}

/// The customer of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    id: CustomerId,
) -> QueryResult<Option<Customer>> {
    let mut conn = conn;
    with_account()
        .filter(customers::organization_id.eq(organization))
        .filter(customers::client_id.eq(client).and(customers::id.eq(id)))
        .select(Customer::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// The customer of this id, if the context sees it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    id: CustomerId,
) -> QueryResult<Option<Customer>> {
    // The row alone: whoever waits here finds the accounts as they are then, also when the main one is another by then.
    customers::table
        .filter(customers::organization_id.eq(organization))
        .filter(customers::client_id.eq(client).and(customers::id.eq(id)))
        .select(customers::id)
        .for_no_key_update()
        .first::<CustomerId>(conn)
        .await
        .optional()?;
    find(conn, organization, client, id).await
}

/// The customer who has an account of this number, whatever its case, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find_by_account(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    account_number: &str,
) -> QueryResult<Option<Customer>> {
    let Some(id) = crate::accounts::customer_of(conn, client, account_number).await? else { return Ok(None) };
    with_account()
        .filter(customers::organization_id.eq(here!()))
        .filter(customers::client_id.eq(client).and(customers::id.eq(id)))
        .select(Customer::as_select())
        .first(conn)
        .await
        .optional()
}

/// What forbids a customer to be made or changed so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Another account of the client has the number of the first, whatever its case.
    AccountTaken,
    /// The first day supplied is hardly meant.
    MovedIn(Unlikely),
    /// The first day no longer supplied is hardly meant.
    MovedOut(Unlikely),
    /// The supply ends before it begins, or on the same day.
    EndsBeforeItBegins,
    /// A closed account has no end: it would be billed on.
    ClosedWithoutEnd,
}

/// Why a customer was not made or changed.
pub type CustomerError = Refused<Violation>;

/// What a customer's own fields break.
fn faults(fields: &CustomerFields, today: NaiveDate) -> Vec<Violation> {
    let ended = fields.moved_out_on;
    let found = [
        days::planned(fields.moved_in_on, today).map(Violation::MovedIn),
        ended.and_then(|day| days::planned(day, today)).map(Violation::MovedOut),
        ended.is_some_and(|day| day <= fields.moved_in_on).then_some(Violation::EndsBeforeItBegins),
        (fields.status == "closed" && ended.is_none()).then_some(Violation::ClosedWithoutEnd),
    ];
    found.into_iter().flatten().collect()
}

/// Makes a customer with its first account, and puts it on record.
///
/// # Errors
/// [`CustomerError`].
pub async fn create(conn: &mut AsyncPgConnection, by: &Actor, new: &NewCustomer) -> Result<CustomerId, CustomerError> {
    let (client, organization) = by.tenant()?;
    let owner = clients::face(conn, organization, client).await?.ok_or(DbError::Refused)?;
    Refused::unless(faults(&new.fields, owner.today()), ())?;
    let id = CustomerId::fresh();
    let keys = (
        customers::organization_id.eq(organization),
        customers::client_id.eq(client),
        customers::id.eq(id),
        customers::created_by.eq(by.user.0),
    );
    diesel::insert_into(customers::table).values((keys, &new.fields)).execute(conn).await?;
    let account = AccountFields::opened(&new.account_number, &new.billing_address);
    crate::accounts::insert(conn, by, id, &account, true).await.map_err(|refused| match refused {
        AccountError::Violated(_) => Refused::by(Violation::AccountTaken),
        AccountError::NotFound => Refused::NotFound,
        AccountError::Db(error) => Refused::Db(error),
    })?;
    let names = (new.fields.name.as_str(), new.account_number.as_str());
    record(conn, by, id, names, ("create", "Created"), audit::created(new)).await?;
    Ok(id)
}

/// Changes a customer, and puts it on record.
///
/// # Errors
/// [`CustomerError`].
pub async fn update(
    conn: &mut AsyncPgConnection,
    by: &Actor,
    id: CustomerId,
    fields: &CustomerFields,
) -> Result<(), CustomerError> {
    let (client, organization) = by.tenant()?;
    let owner = clients::face(conn, organization, client).await?.ok_or(DbError::Refused)?;
    let before = locked(conn, organization, client, id).await?.ok_or(Refused::NotFound)?;
    Refused::unless(faults(fields, owner.today()), ())?;
    let row = customers::table
        .filter(customers::organization_id.eq(organization))
        .filter(customers::client_id.eq(client).and(customers::id.eq(id)));
    let changed = diesel::update(row).set(fields).execute(conn).await?;
    // A row that is seen and that nobody may change.
    if changed != 1 {
        return Err(DbError::Refused.into());
    }
    let details = audit::changed(CustomerFields::from(&before), fields);
    record(conn, by, id, (&fields.name, &before.account_number), ("update", "Changed"), details).await
}

async fn record(
    conn: &mut AsyncPgConnection,
    by: &Actor,
    id: CustomerId,
    (name, account_number): (&str, &str),
    (action, did): (&str, &str),
    details: serde_json::Value,
) -> Result<(), CustomerError> {
    let entry = Entry {
        action,
        entity: "customer",
        entity_id: Some(id.0),
        customer: Some(id),
        summary: format!("{did} customer {name} ({account_number})"),
        details,
    };
    Ok(audit::record(conn, by, entry).await?)
}

//! Customers: the people and companies that a client supplies. What they owe stands on their accounts
//! ([`crate::parties::accounts`]); where and when they are supplied, on their contracts ([`crate::parties::contracts`]).

use std::convert::Infallible;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Date, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;

use crate::audit::{self, Entry};
use crate::db::refused::Refused;
use crate::db::schema::{accounts, customers};
use crate::db::{Cached, DbError, Tenant, lower};
use crate::values::identifiers;
use crate::values::ids::{ClientId, CustomerId, OrganizationId};

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
    /// Where bills of its main account go; empty: the service address.
    #[diesel(select_expression = accounts::billing_address)]
    pub billing_address: String,
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
}

impl From<&Customer> for CustomerFields {
    fn from(row: &Customer) -> Self {
        let row = row.clone();
        Self { kind: row.kind, name: row.name, email: row.email, phone: row.phone, tax_number: row.tax_number }
    }
}

/// A customer as lists show it, with the latest of its contracts that was not withdrawn.
#[derive(Debug, Clone, QueryableByName)]
pub struct Listed {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: CustomerId,
    /// The number of its main account.
    #[diesel(sql_type = Text)]
    pub account_number: String,
    /// One of [`KINDS`].
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// May be empty.
    #[diesel(sql_type = Text)]
    pub email: String,
    /// May be empty.
    #[diesel(sql_type = Text)]
    pub phone: String,
    /// May be empty.
    #[diesel(sql_type = Text)]
    pub tax_number: String,
    /// Where it is supplied; empty without a contract.
    #[diesel(sql_type = Text)]
    pub service_address: String,
    /// Where bills of its main account go; empty: the service address.
    #[diesel(sql_type = Text)]
    pub billing_address: String,
    /// First day supplied.
    #[diesel(sql_type = Nullable<Date>)]
    pub moved_in_on: Option<NaiveDate>,
    /// First day no longer supplied.
    #[diesel(sql_type = Nullable<Date>)]
    pub moved_out_on: Option<NaiveDate>,
    /// `active`: it has a contract that is not over; else `closed`.
    #[diesel(sql_type = Text)]
    pub status: String,
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

/// What a contract that runs on a day lacks on it.
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
    /// `active` or `closed`, on `today`; empty: all.
    pub status: String,
    /// Those alone with a running contract that lacks this; `None`: all.
    pub lacks: Option<Lack>,
    /// How they are ordered.
    pub order: Order,
    /// Today where the client is.
    pub today: NaiveDate,
}

/// Contracts of a customer `k`, those withdrawn left out: $1 organization, $2 client, $3 today.
const CONTRACTS: &str = "FROM public.contracts c WHERE c.organization_id = $1 AND c.client_id = $2 AND c.customer_id = k.id \
    AND c.status <> 'withdrawn'";
/// A contract `c` that is not over on $3.
const ALIVE: &str = "(c.to_on IS NULL OR c.to_on > $3)";
/// A contract `c` that runs on $5.
const RUNS: &str = "c.status = 'agreed' AND c.from_on <= $5 AND (c.to_on IS NULL OR c.to_on > $5)";

impl Filter {
    /// $4: the pattern that is searched for; $5: the day on which something lacks.
    fn condition(&self) -> String {
        let mut sql = "k.organization_id = $1 AND k.client_id = $2 AND $3 = $3 AND $4 = $4 AND $5 = $5".to_owned();
        if !self.search.is_empty() {
            sql.push_str(
                " AND (k.name ILIKE $4 OR k.id IN (SELECT n.customer_id FROM public.accounts n WHERE n.organization_id = $1 \
                 AND n.client_id = $2 AND n.account_number ILIKE $4) OR k.id IN (SELECT c.customer_id FROM public.contracts c \
                 WHERE c.organization_id = $1 AND c.client_id = $2 AND c.address ILIKE $4))",
            );
        }
        match self.status.as_str() {
            "active" => sql.push_str(&format!(" AND EXISTS (SELECT 1 {CONTRACTS} AND {ALIVE})")),
            "closed" => sql.push_str(&format!(" AND NOT EXISTS (SELECT 1 {CONTRACTS} AND {ALIVE})")),
            _ => {}
        }
        match self.lacks {
            Some(Lack::Tariff(_)) => sql.push_str(&format!(
                " AND EXISTS (SELECT 1 {CONTRACTS} AND {RUNS} AND NOT EXISTS (SELECT 1 FROM public.tariff_agreements a \
                 WHERE a.organization_id = $1 AND a.client_id = $2 AND a.customer_id = c.customer_id AND a.contract_id = c.id \
                 AND a.part = 'supply' AND a.valid_from <= $5 AND (a.valid_to IS NULL OR a.valid_to > $5)))"
            )),
            Some(Lack::Meter(_)) => sql.push_str(&format!(
                " AND EXISTS (SELECT 1 {CONTRACTS} AND {RUNS} AND NOT EXISTS (SELECT 1 FROM public.contract_meters m \
                 WHERE m.organization_id = $1 AND m.client_id = $2 AND m.customer_id = c.customer_id AND m.contract_id = c.id \
                 AND m.from_on <= $5 AND (m.to_on IS NULL OR m.to_on > $5)))"
            )),
            None => {}
        }
        sql
    }

    /// What the page is ordered by, and again once its contracts are added.
    const fn order(&self) -> (&'static str, &'static str) {
        match self.order {
            Order::Name => ("k.name, k.id", "p.name, p.id"),
            Order::Account => ("n.account_number, k.id", "p.account_number, p.id"),
            Order::MovedIn => ("l.latest DESC NULLS LAST, k.id", "c.from_on DESC NULLS LAST, p.id"),
        }
    }

    /// The rows of a page: $6 offset, $7 limit.
    fn page(&self) -> String {
        let (inner, outer) = self.order();
        let latest = match self.order {
            Order::MovedIn => {
                "LEFT JOIN (SELECT c.customer_id, max(c.from_on) AS latest FROM public.contracts c WHERE c.organization_id = $1 \
                 AND c.client_id = $2 AND c.status <> 'withdrawn' GROUP BY c.customer_id) l ON l.customer_id = k.id"
            }
            Order::Name | Order::Account => "",
        };
        let contracts = CONTRACTS.replace("k.id", "p.id");
        format!(
            "SELECT p.*, coalesce(c.address, '') AS service_address, c.from_on AS moved_in_on, c.to_on AS moved_out_on, \
                 CASE WHEN EXISTS (SELECT 1 {contracts} AND {ALIVE}) THEN 'active' ELSE 'closed' END AS status \
             FROM (SELECT k.id, n.account_number, k.kind, k.name, k.email, k.phone, k.tax_number, n.billing_address \
                 FROM public.customers k JOIN public.accounts n ON n.organization_id = $1 AND n.client_id = $2 \
                     AND n.customer_id = k.id AND n.is_main {latest} \
                 WHERE {} ORDER BY {inner} OFFSET $6 LIMIT $7) p \
             LEFT JOIN LATERAL (SELECT c.address, c.from_on, c.to_on {contracts} ORDER BY c.from_on DESC LIMIT 1) c ON true \
             ORDER BY {outer}",
            self.condition()
        )
    }
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// Customers of a client, one page, and how many there are in all.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, filter: &Filter, offset: i64, limit: i64) -> QueryResult<(Vec<Listed>, i64)> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let pattern = format!("%{}%", crate::db::literal(&filter.search));
    let day = match filter.lacks {
        Some(Lack::Tariff(day) | Lack::Meter(day)) => day,
        None => filter.today,
    };
    let count = format!("SELECT count(*) AS value FROM public.customers k WHERE {}", filter.condition());
    let count = sql_query(count)
        .bind::<SqlUuid, _>(organization)
        .bind::<SqlUuid, _>(client)
        .bind::<Date, _>(filter.today)
        .bind::<Text, _>(&pattern)
        .bind::<Date, _>(day);
    let total: Count = Cached(count).get_result(&mut conn).await?;
    let page = sql_query(filter.page())
        .bind::<SqlUuid, _>(organization)
        .bind::<SqlUuid, _>(client)
        .bind::<Date, _>(filter.today)
        .bind::<Text, _>(&pattern)
        .bind::<Date, _>(day)
        .bind::<BigInt, _>(offset)
        .bind::<BigInt, _>(limit);
    Ok((Cached(page).load(&mut conn).await?, total.value))
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
pub async fn find(tx: &Tenant, id: CustomerId) -> QueryResult<Option<Customer>> {
    of_client(tx, tx.here()?, id).await
}

async fn of_client(
    tx: &Tenant,
    (organization, client): (OrganizationId, ClientId),
    id: CustomerId,
) -> QueryResult<Option<Customer>> {
    with_account()
        .filter(customers::organization_id.eq(organization))
        .filter(customers::client_id.eq(client).and(customers::id.eq(id)))
        .select(Customer::as_select())
        .first(&mut tx.shared())
        .await
        .optional()
}

/// The customer of this id, if the context sees it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(tx: &mut Tenant, id: CustomerId) -> QueryResult<Option<Customer>> {
    let (organization, client) = tx.here()?;
    // The row alone: whoever waits here finds the accounts as they are then, also when the main one is another by then.
    customers::table
        .filter(customers::organization_id.eq(organization))
        .filter(customers::client_id.eq(client).and(customers::id.eq(id)))
        .select(customers::id)
        .for_no_key_update()
        .first::<CustomerId>(&mut **tx)
        .await
        .optional()?;
    find(tx, id).await
}

/// The id of the customer who has an account of this number at a client, whatever its case, if the context sees it. The client is any
/// of the organization's: whoever invites or makes a login names it.
///
/// # Errors
/// [`DbError::Refused`] where no organization is open; else when the database fails.
pub async fn with_number(tx: &Tenant, client: ClientId, account_number: &str) -> Result<Option<CustomerId>, DbError> {
    let (organization, mut conn) = (tx.organization()?, tx.shared());
    let found = accounts::table
        .filter(accounts::organization_id.eq(organization).and(accounts::client_id.eq(client)))
        .filter(lower(accounts::account_number).eq(lower(identifiers::plain(account_number))))
        .select(accounts::customer_id)
        .first(&mut conn)
        .await;
    Ok(found.optional()?)
}

/// The customer who has an account of this number at a client of the organization, whatever its case, if the context sees it.
///
/// # Errors
/// As [`with_number`].
pub async fn find_by_account(tx: &Tenant, client: ClientId, account_number: &str) -> Result<Option<Customer>, DbError> {
    let Some(id) = with_number(tx, client, account_number).await? else { return Ok(None) };
    Ok(of_client(tx, (tx.organization()?, client), id).await?)
}

/// Changes a customer, and puts it on record.
///
/// # Errors
/// [`Refused`]; there is nothing that forbids one.
pub async fn update(tx: &mut Tenant, id: CustomerId, fields: &CustomerFields) -> Result<(), Refused<Infallible>> {
    let (organization, client) = tx.client()?;
    let before = locked(tx, id).await?.ok_or(Refused::NotFound)?;
    let row = customers::table
        .filter(customers::organization_id.eq(organization))
        .filter(customers::client_id.eq(client).and(customers::id.eq(id)));
    let changed = diesel::update(row).set(fields).execute(&mut **tx).await?;
    // A row that is seen and that nobody may change.
    if changed != 1 {
        return Err(DbError::Refused.into());
    }
    let details = audit::changed(CustomerFields::from(&before), fields);
    Ok(record(tx, id, (&fields.name, &before.account_number), ("update", "Changed"), details).await?)
}

pub(super) async fn record(
    tx: &mut Tenant,
    id: CustomerId,
    (name, account_number): (&str, &str),
    (action, did): (&str, &str),
    details: serde_json::Value,
) -> Result<(), DbError> {
    let entry = Entry {
        action,
        entity: "customer",
        entity_id: Some(id.0),
        customer: Some(id),
        summary: format!("{did} customer {name} ({account_number})"),
        details,
    };
    audit::note(tx, entry).await
}

//! Customers: the accounts of a client.

use chrono::NaiveDate;
use diesel::dsl::{exists, not};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::schema::{customers, meters, tariff_agreements};
use crate::db::{DbError, here, lower};
use crate::identifiers;
use crate::ids::{ClientId, CustomerId, OrganizationId, UserId};

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
    /// The client's own number for it.
    pub account_number: String,
    /// Its name.
    pub name: String,
    /// Where to write to; may be empty.
    pub email: String,
    /// May be empty.
    pub phone: String,
    /// Where the energy is used.
    pub service_address: String,
    /// Where bills go; empty: the service address.
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
    /// The client's own number for it, unique within the client.
    pub account_number: String,
    /// Its name.
    pub name: String,
    /// May be empty.
    pub email: String,
    /// May be empty.
    pub phone: String,
    /// Where the energy is used.
    pub service_address: String,
    /// Empty: the service address.
    pub billing_address: String,
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
            account_number: row.account_number,
            name: row.name,
            email: row.email,
            phone: row.phone,
            service_address: row.service_address,
            billing_address: row.billing_address,
            status: row.status,
            moved_in_on: row.moved_in_on,
            moved_out_on: row.moved_out_on,
        }
    }
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
    let matching = || {
        let mut query = customers::table
            .filter(customers::organization_id.eq(organization).and(customers::client_id.eq(client)))
            .into_boxed();
        if !filter.search.is_empty() {
            let pattern = format!("%{}%", crate::db::literal(&filter.search));
            query = query.filter(
                customers::name
                    .ilike(pattern.clone())
                    .or(customers::account_number.ilike(pattern.clone()))
                    .or(customers::service_address.ilike(pattern)),
            );
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
    };
    let total = matching().count().get_result(conn).await?;
    let page = matching().select(Customer::as_select());
    let page = match filter.order {
        Order::Name => page.order((customers::name.asc(), customers::id.asc())),
        Order::Account => page.order((customers::account_number.asc(), customers::id.asc())),
        Order::MovedIn => page.order((customers::moved_in_on.desc(), customers::id.asc())),
    };
    Ok((page.offset(offset).limit(limit).load(conn).await?, total))
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
    customers::table
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
    customers::table
        .filter(customers::organization_id.eq(organization))
        .filter(customers::client_id.eq(client).and(customers::id.eq(id)))
        .select(Customer::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()
}

/// The customer of this account number, whatever its case, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find_by_account(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    account_number: &str,
) -> QueryResult<Option<Customer>> {
    customers::table
        .filter(
            customers::organization_id
                .eq(here!())
                .and(customers::client_id.eq(client))
                .and(lower(customers::account_number).eq(lower(identifiers::plain(account_number)))),
        )
        .select(Customer::as_select())
        .first(conn)
        .await
        .optional()
}

/// Whether a write was refused because another customer of the client has the account number.
#[must_use]
pub fn is_account_taken(error: &DbError) -> bool {
    ["customers_organization_id_client_id_account_number_key", "customers_account_number"]
        .iter()
        .any(|constraint| error.violates(constraint))
}

/// Makes a customer.
///
/// # Errors
/// [`is_account_taken`] when another customer has the number, whatever its case.
pub async fn create(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    id: CustomerId,
    by: UserId,
    fields: &CustomerFields,
) -> QueryResult<()> {
    let keys = (
        customers::organization_id.eq(organization),
        customers::client_id.eq(client),
        customers::id.eq(id),
        customers::created_by.eq(by.0),
    );
    diesel::insert_into(customers::table).values((keys, fields)).execute(conn).await?;
    Ok(())
}

/// Changes a customer; false when the context does not see it.
///
/// # Errors
/// As [`create`].
pub async fn update(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: CustomerId,
    fields: &CustomerFields,
) -> QueryResult<bool> {
    let changed =
        diesel::update(customers::table.filter(
            customers::organization_id.eq(here!()).and(customers::client_id.eq(client)).and(customers::id.eq(id)),
        ))
        .set(fields)
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

//! Clients: the energy companies of an organization.

use chrono::NaiveDate;
use chrono_tz::Tz;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use crate::clock;
use crate::db::here;
use crate::db::schema::{clients, invoices, payments, tariff_rates};
use crate::db::zone_of_row;
use crate::ids::{ClientId, OrganizationId, UserId};

/// A client.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = clients)]
pub struct Client {
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its id.
    pub id: ClientId,
    /// Its short name in addresses and files.
    pub slug: String,
    /// Its brand, as customers know it.
    pub name: String,
    /// Its name in law.
    pub legal_name: String,
    /// Its postal address.
    pub address: String,
    /// Its tax number.
    pub tax_number: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA.
    pub time_zone: String,
    /// BCP 47.
    pub locale: String,
    /// What its invoice numbers begin with.
    pub invoice_series: String,
    /// What its tax is called.
    pub tax_name: String,
    /// A share: 0.19 is 19 %.
    pub tax_rate: Decimal,
    /// Days from issue until an invoice is due.
    pub payment_terms_days: i16,
    /// `active` or `closed`.
    pub status: String,
    /// Whether customers may compare what they paid with the tariffs on offer.
    pub tariff_comparison: bool,
    /// The zone of `time_zone`.
    #[diesel(embed)]
    pub zone: ClientZone,
}

/// What every page of a client's knows of it. For those who belong to one client it comes with their session.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, serde::Serialize, serde::Deserialize)]
#[diesel(table_name = clients)]
pub struct ClientFace {
    /// Its id.
    pub id: ClientId,
    /// Its short name in addresses and files.
    pub slug: String,
    /// Its brand, as customers know it.
    pub name: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA.
    pub time_zone: String,
    /// BCP 47.
    pub locale: String,
    /// The zone of `time_zone`.
    #[diesel(embed)]
    pub zone: ClientZone,
}

impl ClientFace {
    /// The zone whose days and midnights count here.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone.0
    }

    /// Today where the client is.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        clock::today(self.zone())
    }
}

zone_of_row!(
    /// A client's zone.
    #[derive(serde::Serialize, serde::Deserialize)]
    #[serde(transparent)]
    ClientZone,
    clients,
    ClientId
);

impl Client {
    /// The zone whose days and midnights count here.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone.0
    }

    /// Today where the client is.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        clock::today(self.zone())
    }
}

/// The client of this id as its pages know it, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn face(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    id: ClientId,
) -> QueryResult<Option<ClientFace>> {
    let mut conn = conn;
    clients::table
        .filter(clients::organization_id.eq(organization).and(clients::id.eq(id)))
        .select(ClientFace::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// The client of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, organization: OrganizationId, id: ClientId) -> QueryResult<Option<Client>> {
    // Shared, so that it can share a round trip with a page's own queries.
    let mut conn = conn;
    clients::table
        .filter(clients::organization_id.eq(organization).and(clients::id.eq(id)))
        .select(Client::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// The client of this id, if the context sees it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    id: ClientId,
) -> QueryResult<Option<Client>> {
    clients::table
        .filter(clients::organization_id.eq(organization).and(clients::id.eq(id)))
        .select(Client::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()
}

/// The clients that the context sees, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut AsyncPgConnection) -> QueryResult<Vec<Client>> {
    clients::table.select(Client::as_select()).order((clients::name, clients::id)).load(conn).await
}

/// What makes or changes a client.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset, Insertable, serde::Serialize)]
#[diesel(table_name = clients)]
pub struct ClientFields {
    /// Its short name.
    pub slug: String,
    /// Its brand.
    pub name: String,
    /// Its name in law.
    pub legal_name: String,
    /// Its postal address.
    pub address: String,
    /// Its tax number.
    pub tax_number: String,
    /// ISO 4217.
    pub currency: String,
    /// IANA.
    pub time_zone: String,
    /// BCP 47.
    pub locale: String,
    /// What its invoice numbers begin with.
    pub invoice_series: String,
    /// What its tax is called.
    pub tax_name: String,
    /// A share.
    pub tax_rate: Decimal,
    /// Days until an invoice is due.
    pub payment_terms_days: i16,
}

impl From<&Client> for ClientFields {
    fn from(row: &Client) -> Self {
        let row = row.clone();
        Self {
            slug: row.slug,
            name: row.name,
            legal_name: row.legal_name,
            address: row.address,
            tax_number: row.tax_number,
            currency: row.currency,
            time_zone: row.time_zone,
            locale: row.locale,
            invoice_series: row.invoice_series,
            tax_name: row.tax_name,
            tax_rate: row.tax_rate,
            payment_terms_days: row.payment_terms_days,
        }
    }
}

/// Makes a client.
///
/// # Errors
/// `clients_organization_id_slug_key` when the short name is taken; anything else when the database fails.
pub async fn create(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    id: ClientId,
    by: UserId,
    fields: &ClientFields,
) -> QueryResult<()> {
    diesel::insert_into(clients::table)
        .values((clients::organization_id.eq(organization), clients::id.eq(id), clients::created_by.eq(by.0), fields))
        .execute(conn)
        .await?;
    Ok(())
}

/// The names of the organization's other clients that number their invoices in this series.
///
/// # Errors
/// When the database fails.
pub async fn others_with_series(conn: &mut AsyncPgConnection, id: ClientId, series: &str) -> QueryResult<Vec<String>> {
    clients::table
        .filter(clients::organization_id.eq(here!()).and(clients::id.ne(id)).and(clients::invoice_series.eq(series)))
        .select(clients::name)
        .order(clients::name)
        .load(conn)
        .await
}

/// Changes a client; false when the context does not see it.
///
/// # Errors
/// As [`create`].
pub async fn update(conn: &mut AsyncPgConnection, id: ClientId, fields: &ClientFields) -> QueryResult<bool> {
    let changed = diesel::update(clients::table.filter(clients::organization_id.eq(here!()).and(clients::id.eq(id))))
        .set(fields)
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Whether a client has tariffs, invoices or payments: amounts in its currency, which would become another's.
///
/// # Errors
/// When the database fails.
pub async fn has_amounts(conn: &mut AsyncPgConnection, id: ClientId) -> QueryResult<bool> {
    let tariffs =
        tariff_rates::table.filter(tariff_rates::organization_id.eq(here!()).and(tariff_rates::client_id.eq(id)));
    let invoices = invoices::table.filter(invoices::organization_id.eq(here!()).and(invoices::client_id.eq(id)));
    let payments = payments::table.filter(payments::organization_id.eq(here!()).and(payments::client_id.eq(id)));
    diesel::select(exists(tariffs).or(exists(invoices)).or(exists(payments))).get_result(conn).await
}

/// Currencies in use that count two decimals (ISO 4217), which is what amounts are kept with.
pub const CURRENCIES: [&str; 52] = [
    "USD", "EUR", "GBP", "SEK", "AED", "ALL", "AMD", "ARS", "AUD", "AZN", "BAM", "BGN", "BRL", "CAD", "CHF", "CNY",
    "COP", "CZK", "DKK", "DOP", "EGP", "GEL", "GHS", "GTQ", "HKD", "HUF", "IDR", "ILS", "INR", "JMD", "KES", "KZT",
    "MAD", "MDL", "MKD", "MXN", "MYR", "NGN", "NOK", "NZD", "PEN", "PHP", "PLN", "QAR", "RON", "RSD", "SAR", "SGD",
    "THB", "TRY", "UAH", "ZAR",
];

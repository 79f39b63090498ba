//! Clients: the energy companies of an organization.

use chrono::NaiveDate;
use chrono_tz::Tz;
use diesel::dsl::exists;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;

use crate::access::ClientSummary;
use crate::audit::{self, Entry};
use crate::db::refused::Refused;
use crate::db::schema::{clients, invoices, payments, tariff_rates};
use crate::db::{DbError, Tenant, zone_of_row};
use crate::values::clock;
use crate::values::ids::{ClientId, OrganizationId};
use crate::values::written::Locale;

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

/// A [`ClientSummary`] as its row has it.
#[derive(Queryable, Selectable)]
#[diesel(table_name = clients)]
struct SummaryRow {
    id: ClientId,
    slug: String,
    name: String,
    currency: String,
    time_zone: String,
    locale: String,
    #[diesel(embed)]
    zone: ClientZone,
}

impl From<SummaryRow> for ClientSummary {
    fn from(row: SummaryRow) -> Self {
        let SummaryRow { id, slug, name, currency, time_zone, locale, zone } = row;
        Self { id, slug, name, currency, time_zone, locale, zone: zone.0 }
    }
}

zone_of_row!(
    /// A client's zone.
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
pub async fn summary(
    conn: &AsyncPgConnection,
    organization: OrganizationId,
    id: ClientId,
) -> QueryResult<Option<ClientSummary>> {
    let mut conn = conn;
    clients::table
        .filter(clients::organization_id.eq(organization).and(clients::id.eq(id)))
        .select(SummaryRow::as_select())
        .first(&mut conn)
        .await
        .optional()
        .map(|row| row.map(ClientSummary::from))
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

/// The client at which a transaction stands.
///
/// # Errors
/// [`DbError::Refused`] where it stands at none, or at one that its context does not see.
pub async fn current(tx: &Tenant) -> Result<Client, DbError> {
    let (organization, client) = tx.client()?;
    find(tx, organization, client).await?.ok_or(DbError::Refused)
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

/// What is wrong with a client, in the business's own terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientViolation {
    /// A name is missing: `name`, `legal_name` or `tax_name`.
    Missing(&'static str),
    /// The short name is not 2 to 63 small letters, digits and hyphens.
    Slug,
    /// Another client of the organization has this short name.
    SlugTaken,
    /// The series is not 1 to 12 capital letters, digits and hyphens.
    Series,
    /// None of [`CURRENCIES`].
    Currency,
    /// The currency stays this one: there are amounts in it.
    CurrencyInUse(String),
    /// No zone of the IANA list.
    TimeZone,
    /// No locale that the portal writes in.
    Locale,
    /// The tax is less than nothing, or [`MOST_TAX`] and more.
    Tax,
    /// The terms are less than no day, or more than [`MOST_TERMS`].
    Terms,
}

/// A share that a tax stays below.
const MOST_TAX: Decimal = Decimal::ONE;
/// Days of payment terms, at most.
pub const MOST_TERMS: i16 = 365;

impl ClientFields {
    /// All that is wrong with them by themselves.
    #[must_use]
    pub fn violations(&self) -> Vec<ClientViolation> {
        use ClientViolation as V;
        let names = [("name", &self.name), ("legal_name", &self.legal_name), ("tax_name", &self.tax_name)];
        let missing = names.into_iter().filter(|(_, text)| text.trim().is_empty()).map(|(field, _)| V::Missing(field));
        let broken = [
            (!is_slug(&self.slug), V::Slug),
            (!is_series(&self.invoice_series), V::Series),
            (!CURRENCIES.contains(&self.currency.as_str()), V::Currency),
            (self.time_zone.parse::<Tz>().is_err(), V::TimeZone),
            (!Locale::ALL.iter().any(|locale| locale.tag() == self.locale), V::Locale),
            (self.tax_rate < Decimal::ZERO || self.tax_rate >= MOST_TAX, V::Tax),
            (!(0..=MOST_TERMS).contains(&self.payment_terms_days), V::Terms),
        ];
        missing.chain(broken.into_iter().filter(|(broken, _)| *broken).map(|(_, violation)| violation)).collect()
    }
}

fn is_slug(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    plain && (2..=63).contains(&text.len()) && !text.starts_with('-')
}

fn is_series(text: &str) -> bool {
    let plain = text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '-');
    plain && (1..=12).contains(&text.len())
}

/// A short name that another client has is told as such.
fn taken(error: diesel::result::Error) -> Refused<ClientViolation> {
    let error = DbError::from(error);
    if error.violates("clients_organization_id_slug_key") {
        Refused::by(ClientViolation::SlugTaken)
    } else {
        error.into()
    }
}

fn entry(action: &'static str, id: ClientId, summary: String, details: serde_json::Value) -> Entry<'static> {
    Entry { action, entity: "client", entity_id: Some(id.0), customer: None, summary, details }
}

/// Makes a client, on record.
///
/// # Errors
/// All that is wrong with it.
pub async fn create(tx: &mut Tenant, fields: &ClientFields) -> Result<ClientId, Refused<ClientViolation>> {
    Refused::unless(fields.violations(), ())?;
    let (organization, by) = (tx.organization()?, tx.author()?.user);
    let id = ClientId::fresh();
    let keys =
        (clients::organization_id.eq(organization), clients::id.eq(id), clients::created_by.eq(by.map(|user| user.0)));
    diesel::insert_into(clients::table).values((keys, fields)).execute(&mut **tx).await.map_err(taken)?;
    let entry = entry("create", id, format!("Created client {}", fields.name), audit::created(fields));
    audit::note_at(tx, Some(id), entry).await?;
    Ok(id)
}

/// The names of the organization's other clients that number their invoices in this series.
///
/// # Errors
/// When the database fails.
pub async fn others_with_series(tx: &Tenant, id: ClientId, series: &str) -> Result<Vec<String>, DbError> {
    let (organization, mut conn) = (tx.organization()?, tx.shared());
    let others = clients::organization_id.eq(organization).and(clients::id.ne(id));
    let others = clients::table.filter(others.and(clients::invoice_series.eq(series)));
    Ok(others.select(clients::name).order(clients::name).load(&mut conn).await?)
}

/// Changes a client, on record; gives it as it was.
///
/// # Errors
/// `NotFound` when the context does not see it; `Db` with [`DbError::Refused`] when it may not change it; all that is
/// wrong with the new fields.
pub async fn update(tx: &mut Tenant, id: ClientId, fields: &ClientFields) -> Result<Client, Refused<ClientViolation>> {
    Refused::unless(fields.violations(), ())?;
    let organization = tx.organization()?;
    let before = locked(tx, organization, id).await?.ok_or(Refused::NotFound)?;
    if before.currency != fields.currency && has_amounts(tx, id).await? {
        return Err(Refused::by(ClientViolation::CurrencyInUse(before.currency)));
    }
    let row = clients::table.filter(clients::organization_id.eq(organization).and(clients::id.eq(id)));
    if diesel::update(row).set(fields).execute(&mut **tx).await.map_err(taken)? != 1 {
        return Err(DbError::Refused.into());
    }
    let details = audit::changed(ClientFields::from(&before), fields);
    audit::note_at(tx, Some(id), entry("update", id, format!("Changed client {}", fields.name), details)).await?;
    Ok(before)
}

/// Whether a client has tariffs, invoices or payments: amounts in its currency, which would become another's.
async fn has_amounts(tx: &Tenant, id: ClientId) -> Result<bool, DbError> {
    let (here, mut conn) = (tx.organization()?, tx.shared());
    let tariffs =
        tariff_rates::table.filter(tariff_rates::organization_id.eq(here).and(tariff_rates::client_id.eq(id)));
    let invoices = invoices::table.filter(invoices::organization_id.eq(here).and(invoices::client_id.eq(id)));
    let payments = payments::table.filter(payments::organization_id.eq(here).and(payments::client_id.eq(id)));
    let any = diesel::select(exists(tariffs).or(exists(invoices)).or(exists(payments)));
    Ok(any.get_result(&mut conn).await?)
}

/// Currencies in use that count two decimals (ISO 4217), which is what amounts are kept with.
pub const CURRENCIES: [&str; 52] = [
    "USD", "EUR", "GBP", "SEK", "AED", "ALL", "AMD", "ARS", "AUD", "AZN", "BAM", "BGN", "BRL", "CAD", "CHF", "CNY",
    "COP", "CZK", "DKK", "DOP", "EGP", "GEL", "GHS", "GTQ", "HKD", "HUF", "IDR", "ILS", "INR", "JMD", "KES", "KZT",
    "MAD", "MDL", "MKD", "MXN", "MYR", "NGN", "NOK", "NZD", "PEN", "PHP", "PLN", "QAR", "RON", "RSD", "SAR", "SGD",
    "THB", "TRY", "UAH", "ZAR",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> ClientFields {
        ClientFields {
            slug: "harbor-light".into(),
            name: "Harbor Light".into(),
            legal_name: "Harbor Light Inc.".into(),
            address: String::new(),
            tax_number: String::new(),
            currency: "USD".into(),
            time_zone: "America/New_York".into(),
            locale: "en-US".into(),
            invoice_series: "HL".into(),
            tax_name: "Sales tax".into(),
            tax_rate: Decimal::new(825, 4),
            payment_terms_days: 21,
        }
    }

    #[test]
    fn everything_wrong_with_a_client_is_told_at_once() {
        use ClientViolation as V;
        assert_eq!(fields().violations(), []);
        let wrong = ClientFields {
            slug: "-x".into(),
            name: " ".into(),
            legal_name: String::new(),
            currency: "JPY".into(),
            time_zone: "Mars/Olympus".into(),
            locale: "tlh".into(),
            invoice_series: "hl".into(),
            tax_name: String::new(),
            tax_rate: Decimal::ONE,
            payment_terms_days: 366,
            ..fields()
        };
        let told = [V::Slug, V::Series, V::Currency, V::TimeZone, V::Locale, V::Tax, V::Terms];
        let missing = ["name", "legal_name", "tax_name"].map(V::Missing);
        assert_eq!(wrong.violations(), missing.into_iter().chain(told).collect::<Vec<_>>());
        let least = ClientFields { tax_rate: Decimal::ZERO, payment_terms_days: 0, slug: "ab".into(), ..fields() };
        assert_eq!(least.violations(), []);
        let negative = ClientFields { tax_rate: Decimal::NEGATIVE_ONE, payment_terms_days: -1, ..fields() };
        assert_eq!(negative.violations(), [V::Tax, V::Terms]);
    }
}

//! Series of market prices: where they come from, in which unit and resolution. Their prices are in [`points`].

pub mod points;

use chrono_tz::Tz;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde::Serialize;
use serde_json::json;

use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::price_series;
use crate::db::{DbError, lower, zone_of_row};
use crate::values::codes::codes;
use crate::values::identifiers;
use crate::values::ids::{ClientId, OrganizationId, PriceSeriesId};
use crate::values::texts::{TextFault, line, note};

codes! {
    /// What a price is a price of.
    Unit {
        /// A kilowatt-hour.
        Kwh = "kWh",
        /// A megawatt-hour.
        Mwh = "MWh",
    }
    /// Whether new prices come.
    Status {
        /// They do.
        Active = "active",
        /// No more.
        Retired = "retired",
    }
}

/// How long a price holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// A quarter of an hour.
    QuarterHour,
    /// An hour.
    Hour,
    /// A local day, however long.
    Day,
}

impl Resolution {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::QuarterHour, Self::Hour, Self::Day];

    /// In minutes; of a day as long as most.
    #[must_use]
    pub const fn minutes(self) -> i16 {
        match self {
            Self::QuarterHour => 15,
            Self::Hour => 60,
            Self::Day => 1440,
        }
    }

    /// The one of so many minutes.
    #[must_use]
    pub fn of(minutes: i16) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.minutes() == minutes)
    }
}

zone_of_row! {
    /// Whose days the prices are of.
    SeriesZone, price_series, PriceSeriesId
}

/// A series.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = price_series)]
pub struct PriceSeries {
    /// Its id.
    pub id: PriceSeriesId,
    /// What tariffs call it.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Where its prices come from.
    pub source: String,
    /// What a price is a price of.
    pub unit: Unit,
    /// ISO 4217.
    pub currency: String,
    /// How long a price holds, in minutes ([`Resolution`]).
    pub minutes: i16,
    /// Whose days they are.
    #[diesel(embed)]
    pub zone: SeriesZone,
    /// The last load that brought something new; 0: none did.
    pub revision: i32,
    /// Whether new prices come.
    pub status: Status,
}

/// What makes a series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSeries {
    /// What tariffs call it.
    pub code: String,
    /// What people call it.
    pub name: String,
    /// Where its prices come from.
    pub source: String,
    /// What a price is a price of.
    pub unit: Unit,
    /// ISO 4217.
    pub currency: String,
    /// How long a price holds.
    pub resolution: Resolution,
    /// Whose days they are.
    pub zone: Tz,
}

/// What may be changed of a series: the rest decides what its prices mean.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset, Serialize)]
#[diesel(table_name = price_series)]
pub struct Fields {
    /// What people call it.
    pub name: String,
    /// Where its prices come from.
    pub source: String,
    /// Whether new prices come.
    pub status: Status,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// A code has 1 to 40 letters, digits, `-` and `_`, and begins with one of the first two.
    Code,
    /// Another series of the client has the code, whatever its case.
    CodeTaken,
    /// Of the name.
    Name(TextFault),
    /// Of the source.
    Source(TextFault),
    /// A currency has three great letters.
    Currency,
    /// The actor reads and changes nothing.
    MayNotWrite,
    /// There is no such series that the actor may change.
    NotThere,
}

fn is_code(text: &str) -> bool {
    let begins = text.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    begins && text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
}

impl NewSeries {
    fn checked(&self) -> Outcome<Self, Violation> {
        let mut violations = vec![];
        let code = identifiers::plain(&self.code);
        if !is_code(&code) {
            violations.push(Violation::Code);
        }
        let name = note(line(&self.name, 200), &mut violations, Violation::Name);
        let source = note(line(&self.source, 200), &mut violations, Violation::Source);
        if self.currency.len() != 3 || !self.currency.bytes().all(|b| b.is_ascii_uppercase()) {
            violations.push(Violation::Currency);
        }
        Refused::unless(violations, ())?;
        Ok(Self { code, name, source, ..self.clone() })
    }
}

async fn record(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (action, summary): (&str, String),
    id: PriceSeriesId,
    details: serde_json::Value,
) -> Result<(), DbError> {
    let (entity, entity_id) = ("price_series", Some(id.0));
    audit::record(conn, actor, audit::Entry { action, entity, entity_id, customer: None, summary, details }).await
}

/// Makes a series, without prices.
///
/// # Errors
/// The violations of its fields; [`Violation::CodeTaken`], also of two at once.
pub async fn create(conn: &mut AsyncPgConnection, actor: &Actor, new: &NewSeries) -> Outcome<PriceSeriesId, Violation> {
    let (here, new, id) = (AtClient::of(actor)?, new.checked()?, PriceSeriesId::fresh());
    let keys = (
        price_series::organization_id.eq(here.organization),
        price_series::client_id.eq(here.client),
        price_series::id.eq(id),
        price_series::created_by.eq(actor.user.0),
    );
    let row = (
        price_series::code.eq(&new.code),
        price_series::name.eq(&new.name),
        price_series::source.eq(&new.source),
        price_series::unit.eq(new.unit),
        price_series::currency.eq(&new.currency),
        price_series::minutes.eq(new.resolution.minutes()),
        price_series::time_zone.eq(new.zone.name()),
    );
    let taken = [("price_series_code", Violation::CodeTaken)];
    diesel::insert_into(price_series::table)
        .values((keys, row))
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint_or_policy(error, Violation::MayNotWrite, taken))?;
    let details = audit::created(json!({
        "code": new.code, "name": new.name, "source": new.source, "unit": new.unit, "currency": new.currency,
        "minutes": new.resolution.minutes(), "time_zone": new.zone.name(),
    }));
    record(conn, actor, ("create", format!("Created the price series {}", new.code)), id, details).await?;
    Ok(id)
}

/// Changes what a series is called, where it comes from, and whether new prices come.
///
/// # Errors
/// [`Violation::Name`], [`Violation::Source`], [`Violation::NotThere`].
pub async fn update(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: PriceSeriesId,
    fields: &Fields,
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let mut violations = vec![];
    let name = note(line(&fields.name, 200), &mut violations, Violation::Name);
    let source = note(line(&fields.source, 200), &mut violations, Violation::Source);
    Refused::unless(violations, ())?;
    let row = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    let before = Fields { name: row.name, source: row.source, status: row.status };
    let after = Fields { name, source, status: fields.status };
    diesel::update(of(&here).filter(price_series::id.eq(id))).set(&after).execute(conn).await?;
    let details = audit::changed(before, after);
    record(conn, actor, ("update", format!("Changed the price series {}", row.code)), id, details).await?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(here: &AtClient) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    price_series::table
        .filter(price_series::organization_id.eq(organization))
        .filter(price_series::client_id.eq(client))
}

/// A client's series, by code.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &AsyncPgConnection, here: &AtClient) -> QueryResult<Vec<PriceSeries>> {
    let mut conn = conn;
    of(here).select(PriceSeries::as_select()).order(lower(price_series::code)).load(&mut conn).await
}

/// The series of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, here: &AtClient, id: PriceSeriesId) -> QueryResult<Option<PriceSeries>> {
    let mut conn = conn;
    of(here).filter(price_series::id.eq(id)).select(PriceSeries::as_select()).first(&mut conn).await.optional()
}

/// The series that tariffs call so, whatever its case, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find_by_code(conn: &AsyncPgConnection, here: &AtClient, code: &str) -> QueryResult<Option<PriceSeries>> {
    let mut conn = conn;
    of(here)
        .filter(lower(price_series::code).eq(lower(identifiers::plain(code))))
        .select(PriceSeries::as_select())
        .first(&mut conn)
        .await
        .optional()
}

/// The series of this id, if the context may change it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: PriceSeriesId,
) -> QueryResult<Option<PriceSeries>> {
    of(here)
        .filter(price_series::id.eq(id))
        .select(PriceSeries::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()
}

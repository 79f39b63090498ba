//! Service points: where energy is delivered or fed in. They are the client's; who lives there is said by a contract
//! ([`crate::parties::contracts`]), and meters are installed here, whoever comes and goes ([`crate::metering::meters`]).

use chrono_tz::Tz;
use diesel::prelude::*;
use diesel_async::RunQueryDsl;

use crate::audit::{self, Entry};
use crate::db::refused::Refused;
use crate::db::schema::{contracts, meters, service_points};
use crate::db::{DbError, Tenant};
use crate::values::ids::{ClientId, OrganizationId, ServicePointId};
use crate::values::texts::{TextFault, lines, note, optional_line};

/// Which way energy goes, as the database spells it and as people say it.
pub const DIRECTIONS: [(&str, &str); 3] =
    [("import", "Delivered here"), ("export", "Fed in here"), ("both", "Delivered and fed in")];

/// The connections of one or three phases.
pub const PHASES: [i16; 2] = [1, 3];

/// The longest address, in characters.
pub const LONGEST_ADDRESS: usize = 400;

/// A service point.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = service_points)]
pub struct ServicePoint {
    /// Its id.
    pub id: ServicePointId,
    /// Its address.
    pub address: String,
    /// As its market calls it; empty: not known.
    pub supply_point_id: String,
    /// Whose grid it is in; empty: not known.
    pub grid_operator: String,
    /// Phases of its connection: 1 or 3.
    pub phases: Option<i16>,
    /// The fuse of each phase, in amperes.
    pub fuse_amps: Option<i16>,
    /// One of [`DIRECTIONS`].
    pub direction: String,
    /// IANA.
    pub time_zone: String,
}

/// What makes or changes a service point.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset, Insertable, serde::Serialize)]
#[diesel(table_name = service_points, treat_none_as_null = true)]
pub struct ServicePointFields {
    /// Its address.
    pub address: String,
    /// Empty: not known.
    pub supply_point_id: String,
    /// Empty: not known.
    pub grid_operator: String,
    /// 1 or 3.
    pub phases: Option<i16>,
    /// In amperes, above 0.
    pub fuse_amps: Option<i16>,
    /// One of [`DIRECTIONS`].
    pub direction: String,
    /// IANA.
    pub time_zone: String,
}

impl From<&ServicePoint> for ServicePointFields {
    fn from(row: &ServicePoint) -> Self {
        let row = row.clone();
        Self {
            address: row.address,
            supply_point_id: row.supply_point_id,
            grid_operator: row.grid_operator,
            phases: row.phases,
            fuse_amps: row.fuse_amps,
            direction: row.direction,
            time_zone: row.time_zone,
        }
    }
}

impl ServicePointFields {
    /// A place of which only the address is known yet.
    #[must_use]
    pub fn named(address: &str, time_zone: &str) -> Self {
        Self {
            address: address.to_owned(),
            supply_point_id: String::new(),
            grid_operator: String::new(),
            phases: None,
            fuse_amps: None,
            direction: "import".to_owned(),
            time_zone: time_zone.to_owned(),
        }
    }
}

/// What forbids a service point to be made or changed so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Of the address.
    Address(TextFault),
    /// Of the market's id.
    SupplyPointId(TextFault),
    /// Of the grid operator's name.
    GridOperator(TextFault),
    /// Another service point of the client has the market's id, whatever its case.
    SupplyPointTaken,
    /// So many phases has no connection.
    Phases(i16),
    /// So many amperes has no fuse.
    Fuse(i16),
    /// Which way energy goes is not one of [`DIRECTIONS`].
    Direction(String),
    /// No known time zone.
    TimeZone(String),
    /// Its contracts and meters count their days in its zone, which therefore stays.
    ZoneInUse,
}

/// Why a service point was not made or changed.
pub type ServicePointError = Refused<Violation>;

/// The service points of a client whose address or market id has this in it, by address; those after a place of the list.
///
/// # Errors
/// When the database fails.
pub async fn list(
    tx: &Tenant,
    search: &str,
    after: Option<(String, ServicePointId)>,
    limit: i64,
) -> QueryResult<Vec<ServicePoint>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let pattern = format!("%{}%", crate::db::literal(search));
    let mut query = service_points::table
        .filter(service_points::organization_id.eq(organization).and(service_points::client_id.eq(client)))
        .filter(service_points::address.ilike(pattern.clone()).or(service_points::supply_point_id.ilike(pattern)))
        .select(ServicePoint::as_select())
        .order((service_points::address, service_points::id))
        .limit(limit)
        .into_boxed();
    if let Some((address, id)) = after {
        let same = service_points::address.eq(address.clone()).and(service_points::id.gt(id));
        query = query.filter(service_points::address.gt(address).or(same));
    }
    query.load(&mut conn).await
}

/// The row of this id.
#[diesel::dsl::auto_type]
fn row(at: (OrganizationId, ClientId), id: ServicePointId) -> _ {
    let (organization, client): (OrganizationId, ClientId) = at;
    service_points::table
        .filter(service_points::organization_id.eq(organization).and(service_points::client_id.eq(client)))
        .filter(service_points::id.eq(id))
}

/// The service point of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, id: ServicePointId) -> QueryResult<Option<ServicePoint>> {
    row(tx.here()?, id).select(ServicePoint::as_select()).first(&mut tx.shared()).await.optional()
}

/// The same as [`find`], locked until the transaction ends: nobody installs a meter or makes a contract there meanwhile.
///
/// # Errors
/// When the database fails.
pub async fn locked(tx: &mut Tenant, id: ServicePointId) -> QueryResult<Option<ServicePoint>> {
    let row = row(tx.here()?, id).select(ServicePoint::as_select()).for_update();
    row.first(&mut **tx).await.optional()
}

impl ServicePointFields {
    /// The fields as they are written, or what is wrong with them.
    pub(crate) fn checked(&self) -> Result<Self, ServicePointError> {
        let mut found = vec![];
        let address = note(lines(&self.address, LONGEST_ADDRESS), &mut found, Violation::Address);
        let supply_point_id = note(optional_line(&self.supply_point_id, 60), &mut found, Violation::SupplyPointId);
        let grid_operator = note(optional_line(&self.grid_operator, 200), &mut found, Violation::GridOperator);
        found.extend(self.phases.filter(|phases| !PHASES.contains(phases)).map(Violation::Phases));
        found.extend(self.fuse_amps.filter(|amps| *amps <= 0).map(Violation::Fuse));
        if !DIRECTIONS.iter().any(|(code, _)| *code == self.direction) {
            found.push(Violation::Direction(self.direction.clone()));
        }
        if self.time_zone.parse::<Tz>().is_err() {
            found.push(Violation::TimeZone(self.time_zone.clone()));
        }
        Refused::unless(found, Self { address, supply_point_id, grid_operator, ..self.clone() })
    }
}

fn taken(error: diesel::result::Error) -> ServicePointError {
    Refused::constraint(error, [("service_points_supply_point_id", Violation::SupplyPointTaken)])
}

/// Makes a service point, and puts it on record.
///
/// # Errors
/// [`ServicePointError`].
pub async fn create(tx: &mut Tenant, fields: &ServicePointFields) -> Result<ServicePointId, ServicePointError> {
    let ((organization, client), by) = (tx.client()?, tx.author()?.user);
    let fields = fields.checked()?;
    let id = ServicePointId::fresh();
    let keys = (
        service_points::organization_id.eq(organization),
        service_points::client_id.eq(client),
        service_points::id.eq(id),
        service_points::created_by.eq(by.map(|user| user.0)),
    );
    diesel::insert_into(service_points::table).values((keys, &fields)).execute(&mut **tx).await.map_err(taken)?;
    record(tx, id, ("create", "Made"), &fields, audit::created(&fields)).await?;
    Ok(id)
}

/// Changes a service point, and puts it on record; its contracts are told of a new address by the database.
///
/// # Errors
/// [`ServicePointError`].
pub async fn update(tx: &mut Tenant, id: ServicePointId, fields: &ServicePointFields) -> Result<(), ServicePointError> {
    let before = locked(tx, id).await?.ok_or(Refused::NotFound)?;
    let fields = fields.checked()?;
    if fields.time_zone != before.time_zone && is_used(tx, id).await? {
        return Err(Refused::by(Violation::ZoneInUse));
    }
    let row = row(tx.client()?, id);
    // A row that is seen and that nobody may change.
    if diesel::update(row).set(&fields).execute(&mut **tx).await.map_err(taken)? != 1 {
        return Err(DbError::Refused.into());
    }
    let details = audit::changed(ServicePointFields::from(&before), &fields);
    record(tx, id, ("update", "Changed"), &fields, details).await
}

/// Whether a contract or a meter is there.
async fn is_used(tx: &Tenant, id: ServicePointId) -> QueryResult<bool> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let contracts = contracts::table
        .filter(contracts::organization_id.eq(organization).and(contracts::client_id.eq(client)))
        .filter(contracts::service_point_id.eq(id));
    let meters = meters::table
        .filter(meters::organization_id.eq(organization).and(meters::client_id.eq(client)))
        .filter(meters::service_point_id.eq(id));
    diesel::select(diesel::dsl::exists(contracts).or(diesel::dsl::exists(meters))).get_result(&mut conn).await
}

async fn record(
    tx: &mut Tenant,
    id: ServicePointId,
    (action, did): (&str, &str),
    fields: &ServicePointFields,
    details: serde_json::Value,
) -> Result<(), ServicePointError> {
    let entry = Entry {
        action,
        entity: "service_point",
        entity_id: Some(id.0),
        customer: None,
        summary: format!("{did} service point {}", fields.address),
        details,
    };
    Ok(audit::note(tx, entry).await?)
}

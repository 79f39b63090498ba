//! Service points: where energy is delivered or fed in. They are the client's; who lives there is said by a contract
//! ([`crate::contracts`]), and meters are installed here, whoever comes and goes ([`crate::meters`]).

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::db::schema::service_points;
use crate::db::{DbError, here};
use crate::ids::{ClientId, ServicePointId};

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
    /// IANA.
    pub time_zone: String,
}

/// The service points of a client whose address or market id has this in it, by address.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    search: &str,
    limit: i64,
) -> QueryResult<Vec<ServicePoint>> {
    let pattern = format!("%{}%", crate::db::literal(search));
    service_points::table
        .filter(service_points::organization_id.eq(here!()).and(service_points::client_id.eq(client)))
        .filter(service_points::address.ilike(pattern.clone()).or(service_points::supply_point_id.ilike(pattern)))
        .select(ServicePoint::as_select())
        .order((service_points::address, service_points::id))
        .limit(limit)
        .load(conn)
        .await
}

/// The service point of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: ServicePointId,
) -> QueryResult<Option<ServicePoint>> {
    service_points::table
        .filter(service_points::organization_id.eq(here!()).and(service_points::client_id.eq(client)))
        .filter(service_points::id.eq(id))
        .select(ServicePoint::as_select())
        .first(conn)
        .await
        .optional()
}

/// Makes a service point in the client's zone, and puts it on record.
///
/// # Errors
/// When the database fails.
pub(crate) async fn create(
    conn: &mut AsyncPgConnection,
    by: &Actor,
    address: &str,
    time_zone: &str,
) -> Result<ServicePointId, DbError> {
    let (client, organization) = by.tenant()?;
    let id = ServicePointId::fresh();
    diesel::insert_into(service_points::table)
        .values((
            service_points::organization_id.eq(organization),
            service_points::client_id.eq(client),
            service_points::id.eq(id),
            service_points::address.eq(address),
            service_points::time_zone.eq(time_zone),
            service_points::created_by.eq(by.user.0),
        ))
        .execute(conn)
        .await?;
    Ok(id)
}

/// Gives a service point another address, and puts it on record; its contracts are told of it by the database.
///
/// # Errors
/// When the database fails.
pub(crate) async fn rename(
    conn: &mut AsyncPgConnection,
    by: &Actor,
    before: &ServicePoint,
    address: &str,
) -> Result<(), DbError> {
    if before.address == address {
        return Ok(());
    }
    let (client, organization) = by.tenant()?;
    let row = service_points::table
        .filter(service_points::organization_id.eq(organization).and(service_points::client_id.eq(client)))
        .filter(service_points::id.eq(before.id));
    if diesel::update(row).set(service_points::address.eq(address)).execute(conn).await? != 1 {
        return Err(DbError::Refused);
    }
    let entry = Entry {
        action: "update",
        entity: "service_point",
        entity_id: Some(before.id.0),
        customer: None,
        summary: format!("Changed the address of a service point to {address}"),
        details: audit::changed(
            serde_json::json!({ "address": before.address }),
            serde_json::json!({ "address": address }),
        ),
    };
    audit::record(conn, by, entry).await
}

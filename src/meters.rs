//! Meters: the registers that measure a customer, each for one direction and from a day to a day.
//!
//! A physical meter that counts both ways is two rows with the same serial. A meter that moves to another
//! customer is ended at the one and added at the other; two rows of one serial and direction never overlap, unless
//! they are of different registers, each with its names.

use chrono::NaiveDate;
use chrono_tz::Tz;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::clock;
use crate::db::schema::{clients, meters};
use crate::db::zone_of_row;
use crate::db::{DbError, here};
use crate::identifiers;
use crate::ids::{ClientId, CustomerId, MeterId, OrganizationId, UserId};
use crate::usage::Direction;

pub use crate::tariff_document::same_register;

/// The interval lengths a meter may have, in minutes.
pub const INTERVALS: [i16; 4] = [5, 15, 30, 60];

/// A meter.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = meters)]
pub struct Meter {
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its client.
    pub client_id: ClientId,
    /// Its id.
    pub id: MeterId,
    /// Whose usage it measures.
    pub customer_id: CustomerId,
    /// What stands on it, and in the files that carry its values.
    pub serial: String,
    /// `import` (drawn from the grid) or `export`.
    pub direction: String,
    /// `register` (read now and then) or `interval`.
    pub kind: String,
    /// Length of an interval in minutes; of interval meters only.
    pub interval_minutes: Option<i16>,
    /// Names of the registers of a file that it adds up, such as `E1`; empty: one without a name, or not known.
    pub registers: Vec<String>,
    /// IANA; its days are local to it.
    pub time_zone: String,
    /// First day in service at this customer.
    pub valid_from: NaiveDate,
    /// First day no longer in service.
    pub valid_to: Option<NaiveDate>,
    /// The zone of `time_zone`.
    #[diesel(embed)]
    pub zone: MeterZone,
}

zone_of_row!(
    /// A meter's zone.
    MeterZone,
    meters,
    MeterId
);

impl Meter {
    /// Its zone.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.zone.0
    }

    /// Today where the meter is.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        clock::today(self.zone())
    }

    /// Which way it counts: the table's CHECK knows the two.
    #[must_use]
    pub fn way(&self) -> Direction {
        if self.direction == "export" { Direction::Export } else { Direction::Import }
    }

    /// Whether it is in service on a day.
    #[must_use]
    pub fn covers(&self, day: NaiveDate) -> bool {
        self.valid_from <= day && self.valid_to.is_none_or(|to| day < to)
    }
}

/// What makes or changes a meter.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset, Insertable, serde::Serialize)]
#[diesel(table_name = meters, treat_none_as_null = true)]
pub struct MeterFields {
    /// What stands on it.
    pub serial: String,
    /// `import` or `export`.
    pub direction: String,
    /// `register` or `interval`.
    pub kind: String,
    /// 5, 15, 30 or 60 for interval meters, else `None`.
    pub interval_minutes: Option<i16>,
    /// Names of its registers.
    pub registers: Vec<String>,
    /// IANA.
    pub time_zone: String,
    /// First day in service.
    pub valid_from: NaiveDate,
    /// First day no longer in service: the meter is removed.
    pub valid_to: Option<NaiveDate>,
}

impl From<&Meter> for MeterFields {
    fn from(row: &Meter) -> Self {
        let row = row.clone();
        Self {
            serial: row.serial,
            direction: row.direction,
            kind: row.kind,
            interval_minutes: row.interval_minutes,
            registers: row.registers,
            time_zone: row.time_zone,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        }
    }
}

/// The most registers that a meter adds up.
pub const MOST_REGISTERS: usize = 20;

/// Reads names of registers written with commas between them: `E1, E2`.
///
/// # Errors
/// A sentence that says what is wrong with them.
pub fn register_names(text: &str) -> Result<Vec<String>, String> {
    let names: Vec<String> =
        text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect();
    if names.len() > MOST_REGISTERS {
        return Err(format!("A meter has at most {MOST_REGISTERS} registers."));
    }
    if let Some(name) = names.iter().find(|name| name.chars().count() > 20 || name.contains(char::is_control)) {
        return Err(format!("The name of a register has at most 20 characters: {name:?} is none."));
    }
    for (at, name) in names.iter().enumerate() {
        if names.iter().take(at).any(|other| same_register(other, name)) {
            return Err(format!("The register {name} is there twice."));
        }
    }
    Ok(names)
}

/// Whether both name their registers and have none in common.
fn of_other_registers(one: &[String], other: &[String]) -> bool {
    let shared = |name: &String| other.iter().any(|known| same_register(known, name));
    !one.is_empty() && !other.is_empty() && !one.iter().any(shared)
}

/// A customer's meters, those in service first, then by their first day.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &mut AsyncPgConnection, client: ClientId, customer: CustomerId) -> QueryResult<Vec<Meter>> {
    meters::table
        .filter(
            meters::organization_id.eq(here!()).and(meters::client_id.eq(client)).and(meters::customer_id.eq(customer)),
        )
        .select(Meter::as_select())
        .order((meters::valid_to.desc().nulls_first(), meters::valid_from.desc(), meters::serial, meters::direction))
        .load(conn)
        .await
}

/// The meter of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &mut AsyncPgConnection, client: ClientId, id: MeterId) -> QueryResult<Option<Meter>> {
    meters::table
        .filter(meters::organization_id.eq(here!()).and(meters::client_id.eq(client)).and(meters::id.eq(id)))
        .select(Meter::as_select())
        .first(conn)
        .await
        .optional()
}

/// The meter of this id, if the context sees it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(conn: &mut AsyncPgConnection, client: ClientId, id: MeterId) -> QueryResult<Option<Meter>> {
    meters::table
        .filter(meters::organization_id.eq(here!()).and(meters::client_id.eq(client)).and(meters::id.eq(id)))
        .select(Meter::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()
}

/// Every row with one of these serials, whatever their case: both directions, all customers it was ever at, the latest
/// first. Which row has which of them is told by [`identifiers::same`].
///
/// # Errors
/// When the database fails.
pub async fn with_serials(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    serials: &[String],
) -> QueryResult<Vec<Meter>> {
    meters::table
        .filter(meters::organization_id.eq(organization).and(meters::client_id.eq(client)))
        .filter(
            sql::<Bool>("lower(serial) = ANY (SELECT lower(one) FROM unnest(")
                .bind::<Array<Text>, _>(serials.iter().map(|serial| identifiers::plain(serial)).collect::<Vec<_>>())
                .sql(") AS one)"),
        )
        .select(Meter::as_select())
        .order((meters::serial, meters::direction, meters::valid_from.desc()))
        .load(conn)
        .await
}

/// A row of the same serial and direction whose days in service overlap these, other than `except`. Rows of different
/// registers stand side by side. Holds the client until the transaction ends: of two who write meters at once, one waits
/// and then sees the other's.
///
/// # Errors
/// When the database fails.
pub async fn overlapping(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    fields: &MeterFields,
    except: Option<MeterId>,
) -> QueryResult<Option<Meter>> {
    clients::table
        .filter(clients::organization_id.eq(organization).and(clients::id.eq(client)))
        .select(clients::id)
        .for_no_key_update()
        .first::<ClientId>(conn)
        .await?;
    let rows = with_serials(conn, organization, client, std::slice::from_ref(&fields.serial)).await?;
    Ok(rows.into_iter().find(|row| {
        let starts_before_end = fields.valid_to.is_none_or(|to| row.valid_from < to);
        let ends_after_start = row.valid_to.is_none_or(|to| fields.valid_from < to);
        row.direction == fields.direction
            && Some(row.id) != except
            && starts_before_end
            && ends_after_start
            && !of_other_registers(&row.registers, &fields.registers)
    }))
}

/// The constraint that lets two rows of one serial, direction and list of registers not be in service on the same day, also when both are
/// written at once.
const OVERLAP: &str = "meters_no_overlap";

/// Whether a write was refused because another row of the serial and direction is in service on one of the days.
#[must_use]
pub fn is_taken(error: &DbError) -> bool {
    error.violates(OVERLAP) || error.violates("meters_organization_id_client_id_serial_direction_registers_key")
}

/// Makes a meter.
///
/// # Errors
/// One that [`is_taken`] knows when another one of the serial and direction is in service on one of the days.
pub async fn create(
    conn: &mut AsyncPgConnection,
    organization: OrganizationId,
    client: ClientId,
    customer: CustomerId,
    id: MeterId,
    by: UserId,
    fields: &MeterFields,
) -> QueryResult<()> {
    let keys = (
        meters::organization_id.eq(organization),
        meters::client_id.eq(client),
        meters::customer_id.eq(customer),
        meters::id.eq(id),
        meters::created_by.eq(by.0),
    );
    diesel::insert_into(meters::table).values((keys, fields)).execute(conn).await?;
    Ok(())
}

/// Changes a meter; false when the context does not see it.
///
/// # Errors
/// As [`create`].
pub async fn update(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: MeterId,
    fields: &MeterFields,
) -> QueryResult<bool> {
    let changed = diesel::update(
        meters::table
            .filter(meters::organization_id.eq(here!()).and(meters::client_id.eq(client)).and(meters::id.eq(id))),
    )
    .set(fields)
    .execute(conn)
    .await?;
    Ok(changed == 1)
}

/// First and last day with values or reads, if the meter has any: what its dates and kind may no longer deny.
///
/// # Errors
/// When the database fails.
pub async fn measured_days(
    conn: &mut AsyncPgConnection,
    client: ClientId,
    id: MeterId,
) -> QueryResult<Option<(NaiveDate, NaiveDate)>> {
    use crate::db::schema::{interval_days, meter_readings};
    use diesel::dsl::{max, min};
    let days: (Option<NaiveDate>, Option<NaiveDate>) = interval_days::table
        .filter(
            interval_days::organization_id
                .eq(here!())
                .and(interval_days::client_id.eq(client))
                .and(interval_days::meter_id.eq(id)),
        )
        .select((min(interval_days::day), max(interval_days::day)))
        .first(conn)
        .await?;
    let reads: (Option<NaiveDate>, Option<NaiveDate>) = meter_readings::table
        .filter(
            meter_readings::organization_id
                .eq(here!())
                .and(meter_readings::client_id.eq(client))
                .and(meter_readings::meter_id.eq(id)),
        )
        .filter(meter_readings::superseded_by.is_null())
        .select((min(meter_readings::from_on), max(meter_readings::to_on)))
        .first(conn)
        .await?;
    let first = days.0.into_iter().chain(reads.0).min();
    let last = days.1.into_iter().chain(reads.1.and_then(|to| to.pred_opt())).max();
    Ok(first.zip(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_registers_are_read_between_commas_and_none_is_there_twice() {
        assert_eq!(register_names(" E1, e2 ,"), Ok(vec!["E1".to_owned(), "e2".to_owned()]));
        assert_eq!(register_names("  "), Ok(vec![]));
        assert_eq!(register_names("E1,e1 "), Err("The register e1 is there twice.".to_owned()));
        assert!(register_names(&"x".repeat(21)).is_err());
        assert!(register_names(&(0..21).map(|at| format!("E{at},")).collect::<String>()).is_err());
    }

    #[test]
    fn rows_stand_side_by_side_only_where_both_name_other_registers() {
        let names = |text: &str| register_names(text).unwrap();
        assert!(of_other_registers(&names("E1"), &names("E2, E3")));
        assert!(!of_other_registers(&names("E1"), &names("e1, E3")));
        assert!(!of_other_registers(&names("E1"), &names("")));
    }
}

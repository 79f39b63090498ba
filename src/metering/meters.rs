//! Meters: what measures a service point, each for one direction and from a day to a day. They stay when people move.
//! What people read of one is its [`registers`].
//!
//! A physical meter that counts both ways is two rows with the same serial. A meter that goes to another
//! service point is ended at the one and added at the other; two rows of one serial and direction never overlap, unless
//! they are of different registers, each with its names.

use chrono::NaiveDate;
use chrono_tz::Tz;
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Array, Bool, Text};
use diesel_async::RunQueryDsl;

use crate::audit::{self, Entry};
use crate::db::refused::Refused;
use crate::db::schema::{self, meters};
use crate::db::zone_of_row;
use crate::db::{DbError, Tenant};
use crate::metering::registers::{self, REGISTER_NAME, RegisterError, RegisterFields};
use crate::parties::clients;
use crate::parties::contracts;
use crate::parties::service_points;
use crate::usage::Direction;
use crate::values::clock;
use crate::values::days::{self, Unlikely};
use crate::values::identifiers;
use crate::values::ids::{ClientId, CustomerId, MeterId, OrganizationId, ServicePointId};

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
    /// Where it measures.
    pub service_point_id: ServicePointId,
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
    /// First day in service here.
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

/// What is wrong with names of registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NamesFault {
    /// More than [`MOST_REGISTERS`].
    TooMany,
    /// This is no name of a register: longer than [`REGISTER_NAME`], or not to be seen.
    NoName(String),
    /// This one is there twice, whatever its case.
    Twice(String),
}

/// Reads names of registers written with commas between them: `E1, E2`.
#[must_use]
pub fn register_names(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// What is wrong with names of registers, if anything.
fn names_fault(names: &[String]) -> Option<NamesFault> {
    if names.len() > MOST_REGISTERS {
        return Some(NamesFault::TooMany);
    }
    let is_none = |name: &&String| name.chars().count() > REGISTER_NAME || name.contains(char::is_control);
    let twice = |at: usize, name: &String| names.iter().take(at).any(|other| same_register(other, name));
    let none = names.iter().find(is_none).cloned().map(NamesFault::NoName);
    none.or_else(|| {
        let found = names.iter().enumerate().find(|(at, name)| twice(*at, name));
        found.map(|(_, name)| NamesFault::Twice(name.clone()))
    })
}

/// Whether both name their registers and have none in common.
fn of_other_registers(one: &[String], other: &[String]) -> bool {
    let shared = |name: &String| other.iter().any(|known| same_register(known, name));
    !one.is_empty() && !other.is_empty() && !one.iter().any(shared)
}

/// The meters of some service points, those in service first, then by their first day.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, places: &[ServicePointId]) -> QueryResult<Vec<Meter>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    meters::table
        .filter(meters::organization_id.eq(organization).and(meters::client_id.eq(client)))
        .filter(meters::service_point_id.eq_any(places))
        .select(Meter::as_select())
        .order((meters::valid_to.desc().nulls_first(), meters::valid_from.desc(), meters::serial, meters::direction))
        .load(&mut conn)
        .await
}

/// The customer at a meter today, or who was there last: whom what is done to it is about.
///
/// # Errors
/// When the database fails.
pub async fn customer(tx: &Tenant, meter: &Meter) -> QueryResult<Option<CustomerId>> {
    let there = contracts::at(tx, &[meter.service_point_id]).await?;
    let today = meter.today();
    let now = there.iter().find(|contract| contract.from_on <= today && contract.to_on.is_none_or(|to| today < to));
    let before = there.iter().rev().find(|contract| contract.from_on <= today);
    Ok(now.or(before).or_else(|| there.as_slice().first()).map(|contract| contract.customer_id))
}

/// The row of this id.
#[diesel::dsl::auto_type]
fn row(at: (OrganizationId, ClientId), id: MeterId) -> _ {
    let (organization, client): (OrganizationId, ClientId) = at;
    meters::table
        .filter(meters::organization_id.eq(organization).and(meters::client_id.eq(client)))
        .filter(meters::id.eq(id))
}

/// The meter of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &Tenant, id: MeterId) -> QueryResult<Option<Meter>> {
    row(tx.here()?, id).select(Meter::as_select()).first(&mut tx.shared()).await.optional()
}

/// The meter of this id, if the context sees it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(tx: &mut Tenant, id: MeterId) -> QueryResult<Option<Meter>> {
    let row = row(tx.here()?, id).select(Meter::as_select()).for_no_key_update();
    row.first(&mut **tx).await.optional()
}

/// Every row with one of these serials, whatever their case: both directions, all places it was ever at, the latest
/// first. Which row has which of them is told by [`identifiers::same`].
///
/// # Errors
/// When the database fails.
pub async fn with_serials(tx: &Tenant, serials: &[String]) -> QueryResult<Vec<Meter>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    meters::table
        .filter(meters::organization_id.eq(organization).and(meters::client_id.eq(client)))
        .filter(
            sql::<Bool>("lower(serial) = ANY (SELECT lower(one) FROM unnest(")
                .bind::<Array<Text>, _>(serials.iter().map(|serial| identifiers::plain(serial)).collect::<Vec<_>>())
                .sql(") AS one)"),
        )
        .select(Meter::as_select())
        .order((meters::serial, meters::direction, meters::valid_from.desc()))
        .load(&mut conn)
        .await
}

/// A row of the same serial and direction whose days in service overlap these, other than `except`. Rows of different
/// registers stand side by side. Holds the client until the transaction ends: of two who write meters at once, one waits
/// and then sees the other's.
///
/// # Errors
/// When the database fails.
async fn overlapping(tx: &mut Tenant, fields: &MeterFields, except: Option<MeterId>) -> QueryResult<Option<Meter>> {
    let (organization, client) = tx.here()?;
    schema::clients::table
        .filter(schema::clients::organization_id.eq(organization).and(schema::clients::id.eq(client)))
        .select(schema::clients::id)
        .for_no_key_update()
        .first::<ClientId>(&mut **tx)
        .await?;
    let rows = with_serials(tx, std::slice::from_ref(&fields.serial)).await?;
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

/// The constraints that let two rows of one serial, direction and list of registers not be in service on the same day, also
/// when both are written at once.
const OVERLAP: [&str; 2] = ["meters_no_overlap", "meters_organization_id_client_id_serial_direction_registers_key"];

/// What forbids a meter to be installed or changed so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// No known time zone.
    TimeZone(String),
    /// Not names of registers.
    Registers(NamesFault),
    /// The first day in service is hardly meant.
    FirstDay(Unlikely),
    /// The first day no longer in service is hardly meant.
    LastDay(Unlikely),
    /// It is removed before it is in service, or on the same day.
    EndsBeforeItBegins,
    /// The service point is not there.
    NoPlace,
    /// Another row of its serial and direction is in service on one of its days, from a day until another.
    Overlaps(NaiveDate, Option<NaiveDate>),
    /// The same, written at the same time: the other one is not known here.
    TakenMeanwhile,
    /// The meter has usage, and this stays as it is.
    Measured(Fixed),
    /// The meter has usage from this day on.
    UsageFrom(NaiveDate),
    /// The meter has usage until this day.
    UsageUntil(NaiveDate),
    /// What is wrong with the registers that are read.
    Read(registers::Violation),
}

/// What of a meter stays as it is once there is usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fixed {
    /// Which way it counts.
    Direction,
    /// Whether it measures in intervals, and in which.
    Interval,
    /// Its time zone.
    TimeZone,
}

/// Why a meter was not installed or changed.
pub type MeterError = Refused<Violation>;

/// What a meter's own fields break.
fn faults(fields: &MeterFields, today: NaiveDate) -> Vec<Violation> {
    let no_zone = fields.time_zone.parse::<Tz>().is_err();
    let found = [
        names_fault(&fields.registers).map(Violation::Registers),
        no_zone.then(|| Violation::TimeZone(fields.time_zone.clone())),
        days::planned(fields.valid_from, today).map(Violation::FirstDay),
        fields.valid_to.and_then(|day| days::planned(day, today)).map(Violation::LastDay),
        fields.valid_to.is_some_and(|day| day <= fields.valid_from).then_some(Violation::EndsBeforeItBegins),
    ];
    found.into_iter().flatten().collect()
}

/// What usage that is there already forbids.
fn against_usage(before: &Meter, fields: &MeterFields, measured: Option<(NaiveDate, NaiveDate)>) -> Vec<Violation> {
    let Some((first, last)) = measured else { return vec![] };
    let fixed = |is: bool, what: Fixed| (!is).then_some(Violation::Measured(what));
    let found = [
        fixed(before.direction == fields.direction, Fixed::Direction),
        fixed(before.interval_minutes == fields.interval_minutes, Fixed::Interval),
        fixed(before.time_zone == fields.time_zone, Fixed::TimeZone),
        (fields.valid_from > first).then_some(Violation::UsageFrom(first)),
        fields.valid_to.is_some_and(|to| to <= last).then_some(Violation::UsageUntil(last)),
    ];
    found.into_iter().flatten().collect()
}

/// A meter as the log tells of its making.
#[derive(serde::Serialize)]
struct Made<'a> {
    #[serde(flatten)]
    fields: &'a MeterFields,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    read: &'a [RegisterFields],
}

fn taken(error: diesel::result::Error) -> MeterError {
    let error = DbError::from(error);
    let overlaps = OVERLAP.iter().any(|constraint| error.violates(constraint));
    if overlaps { Refused::by(Violation::TakenMeanwhile) } else { error.into() }
}

/// Holds the client and refuses a meter that another one stands in the way of.
async fn alone(tx: &mut Tenant, fields: &MeterFields, except: Option<MeterId>) -> Result<(), MeterError> {
    match overlapping(tx, fields, except).await? {
        Some(other) => Err(Refused::by(Violation::Overlaps(other.valid_from, other.valid_to))),
        None => Ok(()),
    }
}

/// Installs a meter at a service point, and puts it on record. One that people read gets these registers; where none are
/// told, the one that households have.
///
/// # Errors
/// [`MeterError`].
pub async fn install(
    tx: &mut Tenant,
    place: ServicePointId,
    fields: &MeterFields,
    registers: &[RegisterFields],
) -> Result<MeterId, MeterError> {
    let ((organization, client), by) = (tx.client()?, tx.author()?.user);
    let owner = clients::current(tx).await?;
    let mut found = faults(fields, owner.today());
    if service_points::find(tx, place).await?.is_none() {
        found.push(Violation::NoPlace);
    }
    let is_read = fields.kind == "register";
    if !(is_read && registers.is_empty()) {
        found.extend(registers::faults(is_read, registers).into_iter().map(Violation::Read));
    }
    Refused::unless(found, ())?;
    alone(tx, fields, None).await?;
    let id = MeterId::fresh();
    let keys = (
        meters::organization_id.eq(organization),
        meters::client_id.eq(client),
        meters::service_point_id.eq(place),
        meters::id.eq(id),
        meters::created_by.eq(by.map(|user| user.0)),
    );
    diesel::insert_into(meters::table).values((keys, fields)).execute(&mut **tx).await.map_err(taken)?;
    let made = find(tx, id).await?.ok_or(DbError::Refused)?;
    if is_read {
        registers::give(tx, made.id, registers).await?;
    }
    let summary = format!("Added meter {} ({})", fields.serial, fields.direction);
    record(tx, &made, "create", summary, audit::created(Made { fields, read: registers })).await?;
    Ok(id)
}

/// Changes a meter or removes it, and puts it on record. One that people read from now on gets the register that households
/// have, where it has none.
///
/// # Errors
/// [`MeterError`].
pub async fn update(tx: &mut Tenant, id: MeterId, fields: &MeterFields) -> Result<(), MeterError> {
    let owner = clients::current(tx).await?;
    let before = locked(tx, id).await?.ok_or(Refused::NotFound)?;
    let mut found = faults(fields, owner.today());
    found.extend(against_usage(&before, fields, measured_days(tx, id).await?));
    Refused::unless(found, ())?;
    alone(tx, fields, Some(id)).await?;
    // A row that is seen and that nobody may change.
    if !write(tx, id, fields).await.map_err(taken)? {
        return Err(DbError::Refused.into());
    }
    let is_read = fields.kind == "register";
    if is_read && registers::of_meters(tx, &[id]).await?.is_empty() {
        registers::give(tx, before.id, &[]).await?;
    }
    let summary = format!("Changed meter {} ({})", fields.serial, fields.direction);
    let details = audit::changed(MeterFields::from(&before), fields);
    Ok(record(tx, &before, "update", summary, details).await?)
}

/// Changes the registers of a meter that nobody has read yet, and puts it on record. The same ones again change nothing.
///
/// # Errors
/// [`RegisterError`].
pub async fn change_registers(tx: &mut Tenant, meter: MeterId, fields: &[RegisterFields]) -> Result<(), RegisterError> {
    use crate::db::schema::registers as rows;
    let (organization, client) = tx.client()?;
    // Of this and a reading at once, one waits here.
    let meter = locked(tx, meter).await?.ok_or(Refused::NotFound)?;
    let before: Vec<RegisterFields> =
        registers::of_meters(tx, &[meter.id]).await?.iter().map(RegisterFields::from).collect();
    let sorted = |fields: &[RegisterFields]| {
        let mut fields: Vec<_> =
            fields.iter().map(|one| RegisterFields { multiplier: one.multiplier.normalize(), ..one.clone() }).collect();
        fields.sort_unstable();
        fields
    };
    if sorted(&before) == sorted(fields) {
        return Ok(());
    }
    let mut found = registers::faults(meter.kind == "register", fields);
    found.extend(registers::was_read(tx, meter.id).await?.then_some(registers::Violation::Read));
    Refused::unless(found, ())?;
    let there = rows::table
        .filter(rows::organization_id.eq(organization).and(rows::client_id.eq(client)))
        .filter(rows::meter_id.eq(meter.id));
    diesel::delete(there).execute(&mut **tx).await?;
    if !fields.is_empty() {
        registers::give(tx, meter.id, fields).await?;
    }
    let summary = format!("Changed the registers of meter {}", meter.serial);
    let told = |fields: &[RegisterFields]| serde_json::json!({ "registers": fields });
    Ok(record(tx, &meter, "update", summary, audit::changed(told(&before), told(fields))).await?)
}

/// Keeps the names of the registers that a meter adds up, as its file has them, and puts it on record.
///
/// # Errors
/// When the database fails.
pub(crate) async fn learn_registers(tx: &mut Tenant, meter: &Meter, registers: &[String]) -> Result<(), DbError> {
    let was = MeterFields::from(meter);
    let is = MeterFields { registers: registers.to_vec(), ..was.clone() };
    write(tx, meter.id, &is).await?;
    let summary =
        format!("Meter {} adds up the registers {}, as its file has them", meter.serial, registers.join(", "));
    record(tx, meter, "update", summary, audit::changed(was, &is)).await
}

async fn write(tx: &mut Tenant, id: MeterId, fields: &MeterFields) -> QueryResult<bool> {
    let row = row(tx.here()?, id);
    Ok(diesel::update(row).set(fields).execute(&mut **tx).await? == 1)
}

pub(crate) async fn record(
    tx: &mut Tenant,
    meter: &Meter,
    action: &str,
    summary: String,
    details: serde_json::Value,
) -> Result<(), DbError> {
    let customer = customer(tx, meter).await?;
    let entry = Entry { action, entity: "meter", entity_id: Some(meter.id.0), customer, summary, details };
    audit::note(tx, entry).await
}

/// First and last day with values or between readings, if the meter has any: what its dates and kind may no longer deny. Of
/// a single reading the last day is the one before it.
///
/// # Errors
/// When the database fails.
pub async fn measured_days(tx: &Tenant, id: MeterId) -> QueryResult<Option<(NaiveDate, NaiveDate)>> {
    use crate::db::schema::{interval_days, meter_readings};
    use diesel::dsl::{max, min};
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let days: (Option<NaiveDate>, Option<NaiveDate>) = interval_days::table
        .filter(
            interval_days::organization_id
                .eq(organization)
                .and(interval_days::client_id.eq(client))
                .and(interval_days::meter_id.eq(id)),
        )
        .select((min(interval_days::day), max(interval_days::day)))
        .first(&mut conn)
        .await?;
    let reads: (Option<NaiveDate>, Option<NaiveDate>) = meter_readings::table
        .filter(
            meter_readings::organization_id
                .eq(organization)
                .and(meter_readings::client_id.eq(client))
                .and(meter_readings::meter_id.eq(id)),
        )
        .filter(meter_readings::superseded_by.is_null())
        .select((min(meter_readings::read_on), max(meter_readings::read_on)))
        .first(&mut conn)
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
        let fault = |text: &str| names_fault(&register_names(text));
        assert_eq!(register_names(" E1, e2 ,"), ["E1", "e2"]);
        assert_eq!(register_names("  "), Vec::<String>::new());
        assert_eq!(fault(" E1, e2 ,"), None);
        assert_eq!(fault("E1,e1 "), Some(NamesFault::Twice("e1".to_owned())));
        assert_eq!(fault(&"x".repeat(21)), Some(NamesFault::NoName("x".repeat(21))));
        assert_eq!(fault("E\u{7}1"), Some(NamesFault::NoName("E\u{7}1".to_owned())));
        assert_eq!(fault(&(0..21).map(|at| format!("E{at},")).collect::<String>()), Some(NamesFault::TooMany));
    }

    #[test]
    fn rows_stand_side_by_side_only_where_both_name_other_registers() {
        let names = register_names;
        assert!(of_other_registers(&names("E1"), &names("E2, E3")));
        assert!(!of_other_registers(&names("E1"), &names("e1, E3")));
        assert!(!of_other_registers(&names("E1"), &names("")));
    }
}

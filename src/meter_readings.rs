//! Readings of register meters, as people enter them: the kWh from a day (included) to a day (excluded). One for days that
//! have a reading already takes its place; the old one is kept.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Date, Jsonb, Nullable, Numeric, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::access::Actor;
use crate::audit::{self, Entry};
use crate::contracts;
use crate::days::{self, Unlikely};
use crate::db::Unreadable;
use crate::db::schema::meter_readings;
use crate::ids::{ClientId, CustomerId, MeterId, MeterReadingId, OrganizationId};
use crate::meters::{self, Meter};
use crate::period::Period;
use crate::refused::Refused;

/// Who read it, as the database spells it and as people say it.
pub const QUALITIES: [(&str, &str); 3] =
    [("actual", "Read by us"), ("customer", "Read by the customer"), ("estimated", "Estimated")];

/// A reading that counts.
#[derive(Debug, Clone, PartialEq, Queryable, Selectable)]
#[diesel(table_name = meter_readings)]
pub struct MeterReading {
    /// Its id.
    pub id: MeterReadingId,
    /// First day.
    pub from_on: NaiveDate,
    /// The day after the last: when the meter was read.
    pub to_on: NaiveDate,
    /// Energy.
    pub kwh: Decimal,
    /// Energy by time-of-use period, where the meter keeps it: an object of decimals as text.
    pub kwh_by_period: Value,
    /// Highest demand, where the meter keeps it.
    pub peak_kw: Option<Decimal>,
    /// One of [`QUALITIES`].
    pub quality: String,
}

/// What makes a reading.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct NewReading {
    /// First day.
    pub from_on: NaiveDate,
    /// The day after the last.
    pub to_on: NaiveDate,
    /// Energy.
    pub kwh: Decimal,
    /// Energy by time-of-use period; empty where the meter has one register.
    pub kwh_by_period: BTreeMap<String, Decimal>,
    /// Highest demand.
    pub peak_kw: Option<Decimal>,
    /// One of [`QUALITIES`].
    pub quality: String,
}

impl MeterReading {
    /// Its energy by time-of-use period; empty where the meter has one register.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn periods(&self) -> Result<BTreeMap<String, Decimal>, Unreadable> {
        Unreadable::json(&self.kwh_by_period, "meter_readings", self.id, "kwh_by_period")
    }
}

impl TryFrom<MeterReading> for NewReading {
    type Error = Unreadable;

    fn try_from(there: MeterReading) -> Result<Self, Unreadable> {
        Ok(Self {
            from_on: there.from_on,
            to_on: there.to_on,
            kwh: there.kwh,
            kwh_by_period: there.periods()?,
            peak_kw: there.peak_kw,
            quality: there.quality,
        })
    }
}

/// How many readings of a meter were ever recorded, those corrected since included: it grows with each.
///
/// # Errors
/// When the database fails.
pub async fn recorded(conn: &mut AsyncPgConnection, meter: &Meter) -> QueryResult<i64> {
    meter_readings::table
        .filter(meter_readings::organization_id.eq(meter.organization_id))
        .filter(meter_readings::client_id.eq(meter.client_id).and(meter_readings::meter_id.eq(meter.id)))
        .count()
        .get_result(conn)
        .await
}

/// The reading that counts of a meter for these very days.
///
/// # Errors
/// When the database fails.
pub async fn of_days(
    conn: &mut AsyncPgConnection,
    meter: &Meter,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<Option<MeterReading>> {
    of(meter)
        .filter(meter_readings::from_on.eq(from).and(meter_readings::to_on.eq(to)))
        .select(MeterReading::as_select())
        .first(conn)
        .await
        .optional()
}

/// What forbids a reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// The meter measures in intervals: it tells its values itself.
    IntervalMeter,
    /// The day of the reading is hardly meant.
    ReadOn(Unlikely),
    /// It ends before it begins, or on the same day.
    EndsBeforeItBegins,
    /// The meter is in service from this day on only.
    InServiceFrom(NaiveDate),
    /// The meter was removed on this day.
    Removed(NaiveDate),
    /// The kWh of the periods come to another total than what was used.
    PeriodsAddUp {
        /// What they come to.
        sum: Decimal,
        /// What was used.
        total: Decimal,
    },
    /// These days have a reading already, and they are not the same days.
    Overlaps(Period),
}

/// Why a reading was not recorded.
pub type ReadingError = Refused<Violation>;

impl From<Unreadable> for ReadingError {
    fn from(fault: Unreadable) -> Self {
        Self::Db(fault.into())
    }
}

/// A reading that was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Its id.
    pub id: MeterReadingId,
    /// Its meter.
    pub meter: Meter,
    /// Whether it counts in place of an earlier one of the same days.
    pub corrects: bool,
}

/// The readings that count of a meter, the latest first, from a row on, and how many there are.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &mut AsyncPgConnection,
    meter: &Meter,
    offset: i64,
    rows: i64,
) -> QueryResult<(Vec<MeterReading>, i64)> {
    let total = of(meter).count().get_result(conn).await?;
    let found = of(meter)
        .select(MeterReading::as_select())
        .order(meter_readings::from_on.desc())
        .offset(offset)
        .limit(rows)
        .load(conn)
        .await?;
    Ok((found, total))
}

#[diesel::dsl::auto_type]
fn of<'m>(meter: &'m Meter) -> _ {
    let (organization, client, id): (OrganizationId, ClientId, MeterId) =
        (meter.organization_id, meter.client_id, meter.id);
    meter_readings::table
        .filter(meter_readings::organization_id.eq(organization).and(meter_readings::client_id.eq(client)))
        .filter(meter_readings::meter_id.eq(id).and(meter_readings::superseded_by.is_null()))
}

/// What a reading breaks by itself.
fn faults(meter: &Meter, reading: &NewReading) -> Vec<Violation> {
    let sum: Decimal = reading.kwh_by_period.values().sum();
    let added = reading.kwh_by_period.is_empty() || sum == reading.kwh;
    let empty = reading.to_on <= reading.from_on;
    let found = [
        (meter.kind != "register").then_some(Violation::IntervalMeter),
        (reading.from_on < meter.valid_from).then_some(Violation::InServiceFrom(meter.valid_from)),
        days::read(reading.to_on, meter.today()).map(Violation::ReadOn),
        empty.then_some(Violation::EndsBeforeItBegins),
        meter.valid_to.filter(|end| !empty && reading.to_on > *end).map(Violation::Removed),
        (!added).then_some(Violation::PeriodsAddUp { sum, total: reading.kwh }),
    ];
    found.into_iter().flatten().collect()
}

/// Records a reading of a meter, and puts it on record. One of the same days as another corrects that.
///
/// # Errors
/// [`ReadingError`].
pub async fn create(
    conn: &mut AsyncPgConnection,
    by: &Actor,
    meter: MeterId,
    reading: &NewReading,
) -> Result<Recorded, ReadingError> {
    let (client, _) = by.tenant()?;
    // Of two at once, one waits here and then sees the other's days.
    let meter = meters::locked(conn, client, meter).await?.ok_or(Refused::NotFound)?;
    Refused::unless(faults(&meter, reading), ())?;
    let there = of(&meter)
        .filter(meter_readings::from_on.lt(reading.to_on).and(meter_readings::to_on.gt(reading.from_on)))
        .select(MeterReading::as_select())
        .order(meter_readings::from_on)
        .first(conn)
        .await
        .optional()?;
    let same = |old: &MeterReading| (old.from_on, old.to_on) == (reading.from_on, reading.to_on);
    if let Some(old) = there.as_ref().filter(|old| !same(old))
        && let Ok(days) = Period::new(old.from_on, old.to_on)
    {
        return Err(Refused::by(Violation::Overlaps(days)));
    }
    let customer = whose(conn, &meter, reading).await?;
    let id = insert(conn, by, &meter, (reading, customer), there.as_ref().map(|old| old.id)).await?;
    let corrects = there.is_some();
    record(conn, by, (id, &meter, customer), reading, there).await?;
    Ok(Recorded { id, meter, corrects })
}

/// Whose a reading is: the customer's who alone has contracts on its days. Days that nobody has leave it theirs; where two
/// share its days it is nobody's, so that neither reads of the other's.
async fn whose(conn: &mut AsyncPgConnection, meter: &Meter, reading: &NewReading) -> QueryResult<Option<CustomerId>> {
    let mut found: Vec<CustomerId> = contracts::held_at(conn, meter.client_id, &[meter.service_point_id])
        .await?
        .into_iter()
        .filter(|contract| contract.from_on < reading.to_on && contract.to_on.is_none_or(|to| to > reading.from_on))
        .map(|contract| contract.customer_id)
        .collect();
    found.sort_unstable();
    found.dedup();
    Ok(if let [one] = found[..] { Some(one) } else { None })
}

/// In one statement: the old one names the new one, and of each day one reading counts.
async fn insert(
    conn: &mut AsyncPgConnection,
    by: &Actor,
    meter: &Meter,
    (reading, customer): (&NewReading, Option<CustomerId>),
    old: Option<MeterReadingId>,
) -> QueryResult<MeterReadingId> {
    let id = MeterReadingId::fresh();
    let periods = serde_json::to_value(&reading.kwh_by_period)
        .map_err(|fault| diesel::result::Error::SerializationError(Box::new(fault)))?;
    sql_query(
        "WITH old AS (UPDATE public.meter_readings SET superseded_by = $4
             WHERE organization_id = $1 AND client_id = $2 AND id = $5 RETURNING id)
         INSERT INTO public.meter_readings (organization_id, client_id, id, customer_id, meter_id, from_on, to_on, kwh,
             kwh_by_period, peak_kw, quality, source, created_by)
         SELECT $1, $2, $4, $6, $3, $7, $8, $9, $10, $11, $12, 'typed', $13 FROM (SELECT count(*) FROM old) AS before",
    )
    .bind::<SqlUuid, _>(meter.organization_id)
    .bind::<SqlUuid, _>(meter.client_id)
    .bind::<SqlUuid, _>(meter.id)
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<SqlUuid>, _>(old)
    .bind::<Nullable<SqlUuid>, _>(customer)
    .bind::<Date, _>(reading.from_on)
    .bind::<Date, _>(reading.to_on)
    .bind::<Numeric, _>(reading.kwh)
    .bind::<Jsonb, _>(periods)
    .bind::<Nullable<Numeric>, _>(reading.peak_kw)
    .bind::<Text, _>(&reading.quality)
    .bind::<SqlUuid, _>(by.user.0)
    .execute(conn)
    .await?;
    Ok(id)
}

async fn record(
    conn: &mut AsyncPgConnection,
    by: &Actor,
    (id, meter, customer): (MeterReadingId, &Meter, Option<CustomerId>),
    reading: &NewReading,
    old: Option<MeterReading>,
) -> Result<(), ReadingError> {
    let last = reading.to_on.pred_opt().unwrap_or(reading.to_on);
    let used = audit::grouped(reading.kwh);
    let said = format!("{used} kWh of meter {} for {} to {last}", meter.serial, reading.from_on);
    let (action, did, details) = match old {
        None => ("record", "Recorded a reading:", audit::created(reading)),
        Some(old) => ("update", "Corrected the reading to", audit::changed(NewReading::try_from(old)?, reading)),
    };
    let entry = Entry {
        action,
        entity: "meter_reading",
        entity_id: Some(id.0),
        customer,
        summary: format!("{did} {said}"),
        details,
    };
    Ok(audit::record(conn, by, entry).await?)
}

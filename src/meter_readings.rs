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

use crate::db::Unreadable;
use crate::db::schema::{meter_readings, meters};
use crate::ids::{ClientId, MeterId, MeterReadingId, OrganizationId, UserId};
use crate::meters::Meter;
use crate::period::Period;

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

/// What became of a reading.
#[derive(Debug, Clone, PartialEq)]
pub enum Recorded {
    /// It counts.
    New(MeterReadingId),
    /// It counts in place of an earlier one of the same days.
    InPlaceOf(MeterReadingId, Box<MeterReading>),
    /// It was not written: these days have a reading already, and they are not the same days.
    Overlaps(Period),
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

/// Records a reading of a meter.
///
/// # Errors
/// When the database refuses.
pub async fn record(
    conn: &mut AsyncPgConnection,
    by: UserId,
    meter: &Meter,
    reading: &NewReading,
) -> QueryResult<Recorded> {
    // Of two at once, one waits here and then sees the other's days.
    meters::table
        .filter(meters::organization_id.eq(meter.organization_id).and(meters::client_id.eq(meter.client_id)))
        .filter(meters::id.eq(meter.id))
        .select(meters::id)
        .for_update()
        .first::<MeterId>(conn)
        .await?;
    let there = of(meter)
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
        return Ok(Recorded::Overlaps(days));
    }
    let id = MeterReadingId::fresh();
    let periods = serde_json::to_value(&reading.kwh_by_period)
        .map_err(|fault| diesel::result::Error::SerializationError(Box::new(fault)))?;
    // In one statement: the old one names the new one, and of each day one reading counts.
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
    .bind::<Nullable<SqlUuid>, _>(there.as_ref().map(|old| old.id))
    .bind::<SqlUuid, _>(meter.customer_id)
    .bind::<Date, _>(reading.from_on)
    .bind::<Date, _>(reading.to_on)
    .bind::<Numeric, _>(reading.kwh)
    .bind::<Jsonb, _>(periods)
    .bind::<Nullable<Numeric>, _>(reading.peak_kw)
    .bind::<Text, _>(&reading.quality)
    .bind::<SqlUuid, _>(by.0)
    .execute(conn)
    .await?;
    Ok(match there {
        Some(old) => Recorded::InPlaceOf(id, Box::new(old)),
        None => Recorded::New(id),
    })
}

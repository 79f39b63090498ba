//! Usage of a customer as the database holds it: totals by month, by day and by hour.
//!
//! Days are local days of the meter's zone, as stored. Register reads say how much between two days; they are
//! spread evenly over these days, and every total says whether a part of it was.

pub mod control;
pub mod periods;

use std::collections::BTreeMap;

use chrono::{DateTime, Datelike, Duration, NaiveDate, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, BigInt, Bool, Date, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;

use crate::db::{Cached, Tenant, Unreadable};
use crate::metering::meter_readings::{self, Used};
use crate::usage::days::day_start;
use crate::values::ids::{CustomerId, MeterId};

/// What was used from a day on: a day's or a month's total.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Total {
    /// kWh drawn from the grid.
    pub imported: Decimal,
    /// kWh fed into it.
    pub exported: Decimal,
    /// Whether a part was spread evenly between two register reads.
    pub spread: bool,
    /// Whether a part was estimated.
    pub estimated: bool,
}

impl Total {
    fn add(&mut self, direction: &str, kwh: Decimal, estimated: bool) {
        if direction == "export" {
            self.exported += kwh
        } else {
            self.imported += kwh
        }
        self.estimated |= estimated;
    }
}

/// How totals are grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// Keyed by the first day of the month.
    Month,
    /// Keyed by the day.
    Day,
}

impl By {
    /// The key of the group in which a day lies.
    #[must_use]
    pub fn key(self, day: NaiveDate) -> NaiveDate {
        match self {
            Self::Month => day.with_day(1).unwrap_or(day),
            Self::Day => day,
        }
    }
}

#[derive(QueryableByName)]
struct IntervalSum {
    #[diesel(sql_type = Date)]
    starts: NaiveDate,
    #[diesel(sql_type = Text)]
    direction: String,
    #[diesel(sql_type = BigInt)]
    wh: i64,
    #[diesel(sql_type = Bool)]
    estimated: bool,
}

#[derive(Debug, Clone)]
struct Read {
    direction: String,
    from_on: NaiveDate,
    to_on: NaiveDate,
    kwh: Decimal,
    estimated: bool,
}

#[derive(QueryableByName)]
struct Way {
    #[diesel(sql_type = SqlUuid)]
    meter_id: MeterId,
    #[diesel(sql_type = Text)]
    direction: String,
}

/// Totals of a customer from `from` (included) to `to` (excluded). Groups without any usage are left out.
///
/// # Errors
/// When the database fails.
pub async fn totals(
    tx: &Tenant,
    customer: CustomerId,
    by: By,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<BTreeMap<NaiveDate, Total>> {
    let mut groups: BTreeMap<NaiveDate, Total> = BTreeMap::new();
    let (sums, reads) = tokio::try_join!(interval_sums(tx, customer, by, from, to), reads(tx, customer, from, to))?;
    for sum in sums {
        groups.entry(sum.starts).or_default().add(&sum.direction, kwh(sum.wh), sum.estimated);
    }
    for read in &reads {
        spread(&mut groups, by, read, from, to);
    }
    Ok(groups)
}

/// Watt-hours as kWh.
#[must_use]
pub fn kwh(wh: i64) -> Decimal {
    Decimal::new(wh, 3)
}

async fn interval_sums(
    tx: &Tenant,
    customer: CustomerId,
    by: By,
    from: NaiveDate,
    to: NaiveDate,
) -> QueryResult<Vec<IntervalSum>> {
    let unit = if by == By::Month { "month" } else { "day" };
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let query = sql_query(
        "SELECT s.starts, m.direction, sum(s.wh)::bigint AS wh, bool_or(s.estimated) AS estimated
         FROM (SELECT date_trunc($6, d.day::timestamp)::date AS starts, d.meter_id, sum(d.total_wh) AS wh,
                   coalesce(bool_or(1 = ANY (d.flags)), false) AS estimated
               FROM public.interval_days d
               WHERE d.organization_id = $1 AND d.client_id = $2 AND d.customer_id = $3 AND d.day >= $4 AND d.day < $5
               GROUP BY 1, 2) s
         JOIN (SELECT DISTINCT ON (k.meter_id) k.meter_id, k.serial, k.direction, k.time_zone FROM public.contract_meters k
             WHERE k.organization_id = $1 AND k.client_id = $2 AND k.customer_id = $3 ORDER BY k.meter_id, k.from_on DESC) m ON m.meter_id = s.meter_id
         GROUP BY 1, 2 ORDER BY 1",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(client)
    .bind::<SqlUuid, _>(customer)
    .bind::<Date, _>(from)
    .bind::<Date, _>(to)
    .bind::<Text, _>(unit);
    Cached(query).load(&mut conn).await
}

async fn reads(tx: &Tenant, customer: CustomerId, from: NaiveDate, to: NaiveDate) -> QueryResult<Vec<Read>> {
    let alone = [customer];
    let figures = meter_readings::figures(tx.shared(), tx.here()?, &alone, (from, to));
    let (figures, ways) = tokio::try_join!(figures, ways(tx, customer))?;
    let read = |used: Used| {
        let direction = ways.iter().find(|way| way.meter_id == used.meter_id)?.direction.clone();
        let (from_on, to_on, estimated) = (used.from_on, used.to_on, used.quality == "estimated");
        let inside = from_on < to && to_on > from;
        inside.then_some(Read { direction, from_on, to_on, kwh: used.kwh, estimated })
    };
    Ok(meter_readings::used(&figures).into_iter().filter_map(read).collect())
}

/// Which way each meter of a customer counts.
async fn ways(tx: &Tenant, customer: CustomerId) -> QueryResult<Vec<Way>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let query = sql_query(
        "SELECT DISTINCT k.meter_id, k.direction FROM public.contract_meters k
         WHERE k.organization_id = $1 AND k.client_id = $2 AND k.customer_id = $3",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(client)
    .bind::<SqlUuid, _>(customer);
    Cached(query).load(&mut conn).await
}

/// Adds a read to the groups that it touches, in proportion to its days in each.
fn spread(groups: &mut BTreeMap<NaiveDate, Total>, by: By, read: &Read, from: NaiveDate, to: NaiveDate) {
    let days = (read.to_on - read.from_on).num_days().max(1);
    let mut touched: BTreeMap<NaiveDate, i64> = BTreeMap::new();
    let (first, last) = (read.from_on.max(from), read.to_on.min(to));
    for day in first.iter_days().take_while(|day| *day < last) {
        *touched.entry(by.key(day)).or_default() += 1;
    }
    for (group, share) in touched {
        let total = groups.entry(group).or_default();
        total.add(&read.direction, read.kwh * Decimal::from(share) / Decimal::from(days), read.estimated);
        total.spread |= share < days;
    }
}

#[derive(QueryableByName)]
struct Span {
    #[diesel(sql_type = Nullable<Date>)]
    first: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    last: Option<NaiveDate>,
}

/// The first and the last day of which anything is known; `None` when nothing is.
///
/// # Errors
/// When the database fails.
pub async fn span(tx: &Tenant, customer: CustomerId) -> QueryResult<Option<(NaiveDate, NaiveDate)>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let query = sql_query(
        "SELECT least(i.first, r.first) AS first, greatest(i.last, r.last) AS last
         FROM (SELECT min(d.day) AS first, max(d.day) AS last FROM public.interval_days d
               WHERE d.organization_id = $1 AND d.client_id = $2 AND d.customer_id = $3) i,
              (SELECT CASE WHEN max(r.read_on) > min(r.read_on) THEN min(r.read_on) END AS first,
                   CASE WHEN max(r.read_on) > min(r.read_on) THEN max(r.read_on) - 1 END AS last FROM public.meter_readings r
               WHERE r.organization_id = $1 AND r.client_id = $2 AND r.customer_id = $3 AND r.superseded_by IS NULL) r",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(client)
    .bind::<SqlUuid, _>(customer);
    let span: Span = Cached(query).get_result(&mut conn).await?;
    Ok(span.first.zip(span.last))
}

/// The profile of one meter on one local day.
#[derive(Debug, Clone)]
pub struct MeterDay {
    /// The meter.
    pub meter_id: MeterId,
    /// Its serial number.
    pub serial: String,
    /// `import` or `export`.
    pub direction: String,
    /// The meter's zone.
    pub zone: Tz,
    /// The local day.
    pub day: NaiveDate,
    /// Length of an interval.
    pub interval_minutes: i16,
    /// Watt-hours in order of time; `None` is a gap.
    pub wh: Vec<Option<i32>>,
    /// Quality of each value; `None`: all actual.
    pub flags: Option<Vec<Option<i16>>>,
}

#[derive(QueryableByName)]
struct ProfileRow {
    #[diesel(sql_type = SqlUuid)]
    meter_id: MeterId,
    #[diesel(sql_type = Text)]
    serial: String,
    #[diesel(sql_type = Text)]
    direction: String,
    #[diesel(sql_type = Text)]
    time_zone: String,
    #[diesel(sql_type = Date)]
    day: NaiveDate,
    #[diesel(sql_type = SmallInt)]
    interval_minutes: i16,
    #[diesel(sql_type = Array<Nullable<diesel::sql_types::Integer>>)]
    wh: Vec<Option<i32>>,
    #[diesel(sql_type = Nullable<Array<Nullable<SmallInt>>>)]
    flags: Option<Vec<Option<i16>>>,
}

impl TryFrom<ProfileRow> for MeterDay {
    type Error = Unreadable;

    fn try_from(row: ProfileRow) -> Result<Self, Unreadable> {
        let ProfileRow { meter_id, serial, direction, time_zone, day, interval_minutes, wh, flags } = row;
        let zone = Unreadable::zone(&time_zone, "meters", meter_id)?;
        Ok(Self { meter_id, serial, direction, zone, day, interval_minutes, wh, flags })
    }
}

impl MeterDay {
    /// Each value with the instant at which its interval begins and the code of its quality.
    pub fn values(&self) -> impl Iterator<Item = (DateTime<Utc>, Option<i32>, i16)> + '_ {
        let start = day_start(self.zone, self.day);
        let length = Duration::minutes(i64::from(self.interval_minutes));
        self.wh.iter().enumerate().map(move |(at, wh)| {
            let flag = self.flags.as_ref().and_then(|flags| flags.get(at).copied().flatten()).unwrap_or(0);
            (start + length * i32::try_from(at).unwrap_or(0), *wh, flag)
        })
    }
}

/// The profiles of a customer's meters from `from` (included) to `to` (excluded), in order of time.
///
/// # Errors
/// When the database fails.
pub async fn profiles(tx: &Tenant, customer: CustomerId, from: NaiveDate, to: NaiveDate) -> QueryResult<Vec<MeterDay>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let query = sql_query(
        "SELECT d.meter_id, m.serial, m.direction, m.time_zone, d.day, d.interval_minutes, d.wh, d.flags
         FROM public.interval_days d
         JOIN (SELECT DISTINCT ON (k.meter_id) k.meter_id, k.serial, k.direction, k.time_zone FROM public.contract_meters k
             WHERE k.organization_id = $1 AND k.client_id = $2 AND k.customer_id = $3 ORDER BY k.meter_id, k.from_on DESC) m ON m.meter_id = d.meter_id
         WHERE d.organization_id = $1 AND d.client_id = $2 AND d.customer_id = $3 AND d.day >= $4 AND d.day < $5
         ORDER BY d.day, m.direction DESC, m.serial",
    )
    .bind::<SqlUuid, _>(organization)
    .bind::<SqlUuid, _>(client)
    .bind::<SqlUuid, _>(customer)
    .bind::<Date, _>(from)
    .bind::<Date, _>(to);
    let rows: Vec<ProfileRow> = Cached(query).load(&mut conn).await?;
    Ok(rows.into_iter().map(MeterDay::try_from).collect::<Result<_, _>>()?)
}

/// Totals of a day's hours by the instant at which each begins: 23, 24 or 25 of them where the day is whole.
#[must_use]
pub fn hours(day: &[MeterDay]) -> BTreeMap<DateTime<Utc>, Total> {
    let mut hours: BTreeMap<DateTime<Utc>, Total> = BTreeMap::new();
    for meter in day {
        let start = day_start(meter.zone, meter.day);
        for (at, wh, flag) in meter.values() {
            let hour = start + Duration::hours((at - start).num_hours());
            hours.entry(hour).or_default().add(&meter.direction, kwh(wh.map_or(0, i64::from)), flag == 1);
        }
    }
    hours
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn a_read_is_spread_by_its_days_and_nothing_is_lost() {
        let read = Read {
            direction: "import".into(),
            from_on: day("2026-01-17"),
            to_on: day("2026-02-16"),
            kwh: Decimal::from(300),
            estimated: false,
        };
        let mut groups = BTreeMap::new();
        spread(&mut groups, By::Month, &read, day("2026-01-01"), day("2026-03-01"));
        assert_eq!(groups[&day("2026-01-01")].imported, Decimal::from(150));
        assert_eq!(groups[&day("2026-02-01")].imported, Decimal::from(150));
        assert!(groups.values().all(|total| total.spread));
        let mut part = BTreeMap::new();
        spread(&mut part, By::Day, &read, day("2026-02-01"), day("2026-02-03"));
        assert_eq!(part.len(), 2);
        assert_eq!(part[&day("2026-02-02")].imported, Decimal::from(10));
    }

    #[test]
    fn a_day_of_changing_clocks_has_23_or_25_hours() {
        for (date, quarters, count) in [("2026-03-29", 92, 23), ("2026-10-25", 100, 25)] {
            let meter = MeterDay {
                meter_id: MeterId::fresh(),
                serial: "1".into(),
                direction: "import".into(),
                zone: Tz::Europe__Berlin,
                day: day(date),
                interval_minutes: 15,
                wh: vec![Some(250); quarters],
                flags: None,
            };
            let hours = hours(&[meter]);
            assert_eq!(hours.len(), count);
            assert!(hours.values().all(|hour| hour.imported == Decimal::ONE));
        }
    }
}

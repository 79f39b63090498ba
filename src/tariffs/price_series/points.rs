//! Prices of a series. A load adds what is new and changes nothing: of one start the highest revision holds, and a bill that
//! says up to which revision it read can be made again.

use std::collections::BTreeSet;

use chrono::{DateTime, NaiveDate, TimeZone, Timelike, Utc};
use chrono_tz::Tz;
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Array, Integer, Numeric, SmallInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rust_decimal::Decimal;
use serde_json::json;

use super::{PriceSeries, Resolution, Status, locked, of, record};
use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::Unreadable;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::price_series;
use crate::values::clock::local_day;
use crate::values::ids::PriceSeriesId;

/// The most decimals of a price.
pub const DECIMALS: u32 = 6;
/// What a price lies below, either way.
const BELOW: i64 = 1_000_000;
/// The most prices that are loaded at a time: quarter-hours of ten years.
pub const MOST: usize = 366 * 10 * 100;

/// A price from a moment on, for as long as its series says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Point {
    /// Its first moment.
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    /// Per unit of the series; may be below nothing.
    #[diesel(sql_type = Numeric)]
    pub price: Decimal,
}

/// What a load did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loaded {
    /// The revision that holds now.
    pub revision: i32,
    /// Prices that are new or other than before.
    pub new: usize,
    /// Prices that were there already.
    pub unchanged: usize,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// There is no such series that the actor may change.
    NotThere,
    /// No new prices come into it.
    Retired,
    /// There is none.
    NoPoints,
    /// There are more than so many.
    TooMany(usize),
    /// A price begins where none begins in this resolution.
    OffGrid(DateTime<Utc>),
    /// Two prices begin at the same time.
    Twice(DateTime<Utc>),
    /// A price has more than so many decimals.
    Decimals(DateTime<Utc>, u32),
    /// A price is beyond what is kept.
    TooLarge(DateTime<Utc>),
}

impl Resolution {
    /// Whether a price may begin at a moment: on local quarters, hours or midnights, whole seconds.
    #[must_use]
    pub fn begins(self, zone: Tz, at: DateTime<Utc>) -> bool {
        let local = at.with_timezone(&zone);
        let whole = local.second() == 0 && local.nanosecond() == 0;
        whole
            && match self {
                Self::QuarterHour => local.minute().is_multiple_of(15),
                Self::Hour => local.minute() == 0,
                Self::Day => first_moment(zone, local_day(zone, at)) == Some(at),
            }
    }

    /// Where the price holds no longer that begins at a moment.
    #[must_use]
    pub fn end_of(self, zone: Tz, at: DateTime<Utc>) -> DateTime<Utc> {
        let after = at + chrono::TimeDelta::minutes(i64::from(self.minutes()));
        match self {
            Self::QuarterHour | Self::Hour => after,
            // A calendar ends far behind any price; a day as long as most is right to there.
            Self::Day => local_day(zone, at).succ_opt().and_then(|day| first_moment(zone, day)).unwrap_or(after),
        }
    }
}

/// The first moment of a local day: midnight, or where the clock skips it, what it skips to.
fn first_moment(zone: Tz, day: NaiveDate) -> Option<DateTime<Utc>> {
    (0..=12).find_map(|quarter| {
        let time = chrono::NaiveTime::from_hms_opt(quarter / 4, quarter % 4 * 15, 0)?;
        zone.from_local_datetime(&day.and_time(time)).earliest().map(|moment| moment.to_utc())
    })
}

fn checked(series: &PriceSeries, resolution: Resolution, points: &[Point]) -> Vec<Violation> {
    let mut violations = vec![];
    if series.status == Status::Retired {
        violations.push(Violation::Retired);
    }
    if points.is_empty() {
        violations.push(Violation::NoPoints);
    }
    if points.len() > MOST {
        return vec![Violation::TooMany(MOST)];
    }
    let mut seen = BTreeSet::new();
    for point in points {
        let at = point.starts_at;
        if !resolution.begins(series.zone.0, at) {
            violations.push(Violation::OffGrid(at));
        }
        if !seen.insert(at) {
            violations.push(Violation::Twice(at));
        }
        if point.price.normalize().scale() > DECIMALS {
            violations.push(Violation::Decimals(at, DECIMALS));
        }
        if point.price.abs() >= Decimal::from(BELOW) {
            violations.push(Violation::TooLarge(at));
        }
    }
    violations
}

/// Loads prices: those that are new or other than what holds become the next revision; the same again does nothing. The
/// series is locked meanwhile, so that of two at once the second sees what the first brought.
///
/// # Errors
/// Every violation of the series and its prices.
pub async fn load(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: PriceSeriesId,
    points: &[Point],
) -> Outcome<Loaded, Violation> {
    let here = AtClient::of(actor)?;
    let series = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    let resolution = resolution_of(&series)?;
    Refused::unless(checked(&series, resolution, points), ())?;
    let revision = series.revision + 1;
    let (starts, prices): (Vec<_>, Vec<_>) = points.iter().map(|point| (point.starts_at, point.price)).unzip();
    let new = sql_query(
        "INSERT INTO public.price_points (organization_id, client_id, series_id, starts_at, revision, minutes, price) \
         SELECT $1, $2, $3, n.starts_at, $4, $5, n.price FROM unnest($6, $7) n (starts_at, price) \
         LEFT JOIN LATERAL (SELECT p.price FROM public.price_points p WHERE p.organization_id = $1 AND p.client_id = $2 \
           AND p.series_id = $3 AND p.starts_at = n.starts_at ORDER BY p.revision DESC LIMIT 1) b ON true \
         WHERE b.price IS DISTINCT FROM n.price",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(id)
    .bind::<Integer, _>(revision)
    .bind::<SmallInt, _>(series.minutes)
    .bind::<Array<Timestamptz>, _>(starts)
    .bind::<Array<Numeric>, _>(prices)
    .execute(conn)
    .await?;
    let unchanged = points.len() - new;
    if new == 0 {
        return Ok(Loaded { revision: series.revision, new, unchanged });
    }
    let next = price_series::revision.eq(revision);
    diesel::update(of(&here).filter(price_series::id.eq(id))).set(next).execute(conn).await?;
    let (first, last) = (points.iter().map(|p| p.starts_at).min(), points.iter().map(|p| p.starts_at).max());
    let details = audit::created(
        json!({ "revision": revision, "new": new, "unchanged": unchanged, "from": first, "last": last }),
    );
    let summary = format!("Loaded {} prices into {}", audit::grouped(new), series.code);
    record(conn, actor, ("load", summary), id, details).await?;
    Ok(Loaded { revision, new, unchanged })
}

/// The resolution that a row says.
fn resolution_of(series: &PriceSeries) -> Result<Resolution, Unreadable> {
    let odd = || Unreadable::new("price_series", series.id, "minutes", format!("{} is no resolution", series.minutes));
    Resolution::of(series.minutes).ok_or_else(odd)
}

impl From<Unreadable> for Refused<Violation> {
    fn from(fault: Unreadable) -> Self {
        Self::Db(fault.into())
    }
}

/// The prices that begin from a moment (included) to a moment (excluded), in order, as they stood at a revision; `None`: as
/// they stand. Where none was loaded there is none: gaps are the reader's to tell.
///
/// # Errors
/// When the database fails.
pub async fn within(
    conn: &AsyncPgConnection,
    here: &AtClient,
    series: PriceSeriesId,
    (from, to): (DateTime<Utc>, DateTime<Utc>),
    revision: Option<i32>,
) -> QueryResult<Vec<Point>> {
    let mut conn = conn;
    sql_query(
        "SELECT DISTINCT ON (p.starts_at) p.starts_at, p.price FROM public.price_points p \
         WHERE p.organization_id = $1 AND p.client_id = $2 AND p.series_id = $3 AND p.starts_at >= $4 AND p.starts_at < $5 \
           AND p.revision <= $6 ORDER BY p.starts_at, p.revision DESC",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<SqlUuid, _>(series)
    .bind::<Timestamptz, _>(from)
    .bind::<Timestamptz, _>(to)
    .bind::<Integer, _>(revision.unwrap_or(i32::MAX))
    .load(&mut conn)
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn prices_begin_on_the_local_grid() {
        let berlin = Tz::Europe__Berlin;
        for (resolution, moment, begins) in [
            (Resolution::QuarterHour, "2026-03-29T00:45:00Z", true),
            (Resolution::QuarterHour, "2026-03-29T00:50:00Z", false),
            (Resolution::Hour, "2026-03-29T01:00:00Z", true),
            (Resolution::Hour, "2026-03-29T01:15:00Z", false),
            (Resolution::Hour, "2026-03-29T01:00:01Z", false),
            (Resolution::Day, "2026-03-28T23:00:00Z", true),
            (Resolution::Day, "2026-03-29T22:00:00Z", true),
            (Resolution::Day, "2026-03-29T23:00:00Z", false),
        ] {
            assert_eq!(resolution.begins(berlin, at(moment)), begins, "{resolution:?} {moment}");
        }
        assert!(Resolution::Hour.begins(Tz::Asia__Kolkata, at("2026-03-29T00:30:00Z")));
        assert!(!Resolution::Hour.begins(Tz::Asia__Kolkata, at("2026-03-29T01:00:00Z")));
    }

    #[test]
    fn a_day_s_price_holds_for_its_day_however_long() {
        let berlin = Tz::Europe__Berlin;
        for (from, to) in [
            ("2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
            ("2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z"),
            ("2026-06-01T22:00:00Z", "2026-06-02T22:00:00Z"),
        ] {
            assert_eq!(Resolution::Day.end_of(berlin, at(from)), at(to));
        }
        // Where the clock skips midnight, the day begins at one o'clock.
        let santiago = Tz::America__Santiago;
        let skipped = at("2026-09-06T04:00:00Z");
        assert!(Resolution::Day.begins(santiago, skipped));
        assert_eq!(Resolution::Day.end_of(santiago, skipped), at("2026-09-07T03:00:00Z"));
        assert_eq!(Resolution::Hour.end_of(berlin, at("2026-03-29T00:00:00Z")), at("2026-03-29T01:00:00Z"));
    }
}

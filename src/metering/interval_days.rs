//! Interval data as it is kept: one row per meter and local day, the day's values in order of time.
//!
//! A value that is not there is NULL in the row and [`Quality::Missing`] in a [`DayUsage`].

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel::upsert::excluded;
use diesel_async::RunQueryDsl;

use crate::db::schema::{interval_days, superseded_interval_days};
use crate::db::{DbError, Tenant, Unreadable};
use crate::usage::{DayUsage, Quality};
use crate::values::ids::{ClientId, CustomerId, ImportId, MeterId, OrganizationId};

/// Rows written by one statement.
pub const CHUNK: usize = 500;

/// A meter's day.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = interval_days)]
pub struct IntervalDay {
    /// Its organization.
    pub organization_id: OrganizationId,
    /// Its client.
    pub client_id: ClientId,
    /// Whose usage it is; `None`: nobody has a contract on the day.
    pub customer_id: Option<CustomerId>,
    /// The meter.
    pub meter_id: MeterId,
    /// Local to the meter's zone.
    pub day: NaiveDate,
    /// Length of an interval.
    pub interval_minutes: i16,
    /// Wh in order of time; NULL is a gap.
    pub wh: Vec<Option<i32>>,
    /// Quality of each value, only where one differs from actual.
    pub flags: Option<Vec<Option<i16>>>,
    /// Sum of the values.
    pub total_wh: i64,
    /// The import that wrote it last.
    pub import_id: Option<ImportId>,
}

impl IntervalDay {
    /// The day as rating reads it.
    ///
    /// # Errors
    /// As [`read`].
    pub fn usage(&self) -> Result<DayUsage, Unreadable> {
        read(self.meter_id, self.day, &self.wh, self.flags.as_deref())
    }

    /// Takes over a day's values; sums and flags follow.
    pub fn set(&mut self, usage: &DayUsage) {
        let missing = |at: usize| matches!(usage.quality(at), Quality::Missing | Quality::Absent);
        self.wh = usage.values.iter().enumerate().map(|(at, value)| (!missing(at)).then_some(*value)).collect();
        let code = |at: usize| if missing(at) { 0 } else { i16::from(usage.quality(at).code()) };
        let flags: Vec<Option<i16>> = (0..usage.values.len()).map(|at| Some(code(at))).collect();
        self.flags = flags.iter().any(|code| *code != Some(0)).then_some(flags);
        self.total_wh = self.wh.iter().flatten().map(|value| i64::from(*value)).sum();
    }
}

/// A day's values as they are stored, as rating reads them.
///
/// # Errors
/// When a flag is no quality of a value.
pub fn read(
    meter: MeterId,
    day: NaiveDate,
    wh: &[Option<i32>],
    flags: Option<&[Option<i16>]>,
) -> Result<DayUsage, Unreadable> {
    let fault = || {
        let row = format!("of meter {meter} on {day}");
        Unreadable::new("interval_days", row, "flags", "a flag is no quality of a value")
    };
    let flag = |at: usize| flags.and_then(|flags| flags.get(at).copied().flatten());
    let code = |(at, value): (usize, &Option<i32>)| match (value, flags) {
        (None, _) => Ok(Quality::Missing.code()),
        // A day without flags was measured.
        (Some(_), None) => Ok(Quality::Actual.code()),
        (Some(_), Some(_)) => {
            let code = flag(at).and_then(|flag| u8::try_from(flag).ok());
            code.filter(|code| *code <= Quality::Edited.code()).ok_or_else(fault)
        }
    };
    let codes = wh.iter().enumerate().map(code).collect::<Result<Vec<u8>, _>>()?;
    Ok(DayUsage {
        date: day,
        // A gap counts nothing, and its flag says that it is one.
        values: wh.iter().map(|value| value.unwrap_or(0)).collect(),
        flags: codes.iter().any(|code| *code != 0).then_some(codes),
    })
}

/// The days of some meters from a day to a day (excluded), by meter and day.
///
/// # Errors
/// When the database fails.
pub async fn list(tx: &Tenant, meters: &[MeterId], from: NaiveDate, to: NaiveDate) -> QueryResult<Vec<IntervalDay>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    interval_days::table
        .filter(interval_days::organization_id.eq(organization).and(interval_days::client_id.eq(client)))
        .filter(interval_days::meter_id.eq_any(meters))
        .filter(interval_days::day.ge(from).and(interval_days::day.lt(to)))
        .select(IntervalDay::as_select())
        .order((interval_days::meter_id, interval_days::day))
        .load(&mut conn)
        .await
}

/// Writes days, new ones and ones that are there already, [`CHUNK`] a statement.
///
/// # Errors
/// When the transaction only reads or the database refuses.
pub async fn write(tx: &mut Tenant, days: &[IntervalDay]) -> Result<(), DbError> {
    let by = tx.author()?.user.map(|user| user.0);
    for chunk in days.chunks(CHUNK) {
        let rows: Vec<_> = chunk.iter().map(|day| (day.clone(), interval_days::created_by.eq(by))).collect();
        diesel::insert_into(interval_days::table)
            .values(&rows)
            .on_conflict((
                interval_days::organization_id,
                interval_days::client_id,
                interval_days::meter_id,
                interval_days::day,
            ))
            .do_update()
            .set((
                interval_days::interval_minutes.eq(excluded(interval_days::interval_minutes)),
                interval_days::wh.eq(excluded(interval_days::wh)),
                interval_days::flags.eq(excluded(interval_days::flags)),
                interval_days::total_wh.eq(excluded(interval_days::total_wh)),
                interval_days::import_id.eq(excluded(interval_days::import_id)),
            ))
            .execute(&mut **tx)
            .await?;
    }
    Ok(())
}

/// Keeps days as they are now, before they change.
///
/// # Errors
/// As [`write`].
pub async fn keep_superseded(tx: &mut Tenant, days: &[IntervalDay]) -> Result<(), DbError> {
    use superseded_interval_days as old;
    let by = tx.author()?.user.map(|user| user.0);
    for chunk in days.chunks(CHUNK) {
        let rows: Vec<_> = chunk
            .iter()
            .map(|day| {
                (
                    old::organization_id.eq(day.organization_id),
                    old::client_id.eq(day.client_id),
                    old::meter_id.eq(day.meter_id),
                    old::day.eq(day.day),
                    old::id.eq(uuid::Uuid::now_v7()),
                    old::wh.eq(&day.wh),
                    old::flags.eq(&day.flags),
                    old::import_id.eq(day.import_id),
                    old::created_by.eq(by),
                )
            })
            .collect();
        diesel::insert_into(old::table).values(&rows).execute(&mut **tx).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_null_in_the_row_and_missing_in_rating() {
        let mut row = IntervalDay {
            organization_id: OrganizationId::fresh(),
            client_id: ClientId::fresh(),
            customer_id: Some(CustomerId::fresh()),
            meter_id: MeterId::fresh(),
            day: "2026-01-01".parse().unwrap(),
            interval_minutes: 60,
            wh: vec![],
            flags: None,
            total_wh: 0,
            import_id: None,
        };
        let usage = DayUsage { date: row.day, values: vec![5, 0, 7], flags: Some(vec![0, 255, 1]) };
        row.set(&usage);
        assert_eq!((row.wh.clone(), row.total_wh), (vec![Some(5), None, Some(7)], 12));
        assert_eq!(row.flags, Some(vec![Some(0), Some(0), Some(1)]));
        assert_eq!(row.usage(), Ok(usage));
        row.flags = Some(vec![Some(9), None, None]);
        assert!(row.usage().is_err_and(|fault| fault.to_string().contains("interval_days.flags")));
        row.set(&DayUsage::actual(row.day, vec![1, 2, 3]));
        assert_eq!(row.flags, None);
    }
}

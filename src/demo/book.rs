//! A client's book: everything of one client, filled room by room.

use chrono::{DateTime, Duration, NaiveDate, NaiveTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::cast::{Group, Utility};
use super::rows::{AuditRow, Key, Rows};
use super::seed::Seed;
use crate::values::period::Period;

/// Months of usage and bills.
pub const MONTHS: u32 = 24;

/// One client on its way into the database.
pub struct Book<'c> {
    pub group: &'c Group,
    pub utility: &'c Utility,
    pub key: Key,
    /// Its admin, who did all this.
    pub admin: Uuid,
    pub as_of: NaiveDate,
    /// The months that have usage, the last one the last full month.
    pub months: Vec<Period>,
    pub rows: Rows,
}

impl Book<'_> {
    /// A stream of chance for one purpose.
    pub fn seed(&self, purpose: &str) -> Seed {
        Seed::named(&format!("{}/{purpose}", self.utility.slug))
    }

    /// A time of a day, never after the demo's own day.
    pub fn at(&self, date: NaiveDate, minute: i64) -> DateTime<Utc> {
        at(date.min(self.as_of), minute)
    }

    /// The first day with usage.
    pub fn begin(&self) -> NaiveDate {
        self.months.first().map_or(self.as_of, Period::from)
    }

    /// The first day that is billed.
    pub fn billed_from(&self) -> NaiveDate {
        let at = self.months.len().saturating_sub(self.utility.billed);
        self.months.get(at).map_or(self.as_of, Period::from)
    }

    /// The day after the last with usage.
    pub fn end(&self) -> NaiveDate {
        self.months.last().map_or(self.as_of, Period::to)
    }

    /// A record of what the admin did.
    pub fn record(
        &mut self,
        at: DateTime<Utc>,
        action: &'static str,
        entity: (&'static str, Uuid),
        summary: String,
        details: Value,
    ) {
        let id = Seed::named(&format!("{}/audit/{action}/{}", self.utility.slug, entity.1)).id(at);
        self.rows.audit_log.push(AuditRow {
            key: self.key,
            id,
            customer_id: None,
            user_name: self.utility.admin.0,
            role: "client_admin",
            action,
            entity: entity.0,
            entity_id: Some(entity.1),
            summary,
            details,
            address: "192.0.2.14",
            at,
        });
    }
}

/// So many minutes after six in the morning, UTC.
pub fn at(date: NaiveDate, minute: i64) -> DateTime<Utc> {
    date.and_time(NaiveTime::MIN).and_utc() + Duration::minutes(360 + minute)
}

/// The months of the demo: the last full one before `as_of` and those before it.
pub fn months(as_of: NaiveDate) -> Vec<Period> {
    let end = Period::month_of(as_of).from();
    let begin = end.checked_sub_months(chrono::Months::new(MONTHS)).unwrap_or(end);
    Period::new(begin, end).map(|all| all.months().collect()).unwrap_or_default()
}

//! Why usage cannot be rated; every error names the field that it is about.

use chrono::NaiveDate;
use chrono_tz::Tz;
use rust_decimal::Decimal;

/// Why usage cannot be rated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RatingError {
    /// The days of the usage are local to another zone than the tariff's.
    #[error("usage.zone: the usage has days of {usage}, the tariff of {tariff}")]
    Zone {
        /// The usage's zone.
        usage: Tz,
        /// The tariff's zone.
        tariff: Tz,
    },
    /// A day of the period is not there.
    #[error("usage.days: {0} is not there")]
    DayMissing(NaiveDate),
    /// A day has values missing.
    #[error("usage.days: {date} has {missing} values missing")]
    ValuesMissing {
        /// The day.
        date: NaiveDate,
        /// How many.
        missing: usize,
    },
    /// A day has another number of values than its clock says.
    #[error("usage.days: {date} has {have} values and should have {want}")]
    DayLength {
        /// The day.
        date: NaiveDate,
        /// Values there.
        have: usize,
        /// Values the day should have.
        want: usize,
    },
    /// Intervals are too long for the tariff's calendar or demand window.
    #[error("usage.minutes: intervals of {minutes} minutes are too long for {field}, which needs {needed}")]
    IntervalTooLong {
        /// Length of the usage's intervals.
        minutes: u16,
        /// The tariff's field.
        field: String,
        /// The longest that would do.
        needed: u16,
    },
    /// Register reads do not follow each other from the first to the last day.
    #[error("usage.reads: no read covers {0}, or more than one does")]
    ReadsDoNotTile(NaiveDate),
    /// A time-of-use register is missing.
    #[error("usage.reads[{read}].tou: the register {period:?} is missing, which {charge} needs")]
    RegisterMissing {
        /// Which read, from 0.
        read: usize,
        /// The tariff's period.
        period: String,
        /// The charge.
        charge: String,
    },
    /// A time-of-use register counted at a time at which the charge has no price for it.
    #[error(
        "usage.reads[{read}].tou: the register {period:?} counted, and {charge} has no price for it in that season"
    )]
    RegisterUnpriced {
        /// Which read, from 0.
        read: usize,
        /// The tariff's period.
        period: String,
        /// The charge.
        charge: String,
    },
    /// The registers of the time-of-use periods are not what the whole read is.
    #[error("usage.reads[{read}].tou: the registers that {charge} bills come to {sum} kWh, the read to {total} kWh")]
    RegistersDiffer {
        /// Which read, from 0.
        read: usize,
        /// The charge.
        charge: String,
        /// The registers, in kWh.
        sum: Decimal,
        /// The read, in kWh.
        total: Decimal,
    },
    /// Register reads cannot tell what the charge needs.
    #[error("usage.reads: {charge} needs interval data: {why}")]
    NeedsIntervals {
        /// The charge.
        charge: String,
        /// Why.
        why: String,
    },
    /// A highest demand is missing.
    #[error("usage.reads[{read}].{field}: the highest demand is missing, which {charge} needs")]
    PeakMissing {
        /// Which read, from 0.
        read: usize,
        /// `peak_kw`, or the register.
        field: String,
        /// The charge.
        charge: String,
    },
    /// Registers of the usage and those that the tariff prices do not fit.
    #[error("usage.registers: {0}")]
    Register(String),
    /// A calendar lists no holidays of a year that is billed.
    #[error("tariff.calendars.{calendar}.holidays: {message}")]
    Holidays {
        /// The calendar.
        calendar: String,
        /// What is listed and what to do.
        message: String,
    },
    /// Import and export are not of the same kind or interval length.
    #[error("usage.export: {0}")]
    Export(String),
    /// The versions of a tariff do not cover the period.
    #[error("versions: no version holds on {0}")]
    NoVersion(NaiveDate),
    /// Figures are beyond what a bill can hold.
    #[error("{0}: the amount is too large")]
    TooLarge(String),
}

//! What rating is given beside the tariff: usage, and what earlier bills left behind.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::bill::{Bill, Carried, Peaks};
use crate::usage::{Profile, RegisterRead};

/// Usage of one account. Several meters are added up before ([`crate::usage::merge`]).
#[derive(Debug, Clone, Copy)]
pub struct UsageInput<'u> {
    /// What was bought.
    pub import: Supply<'u>,
    /// What was fed in, where there is a generator.
    pub export: Option<Supply<'u>>,
}

/// Interval data or register reads.
#[derive(Debug, Clone, Copy)]
pub enum Supply<'u> {
    /// Interval data; days outside the period are passed over.
    Profile(&'u Profile),
    /// Register reads that follow each other over the whole period, such as before and after an exchange.
    Reads(&'u [RegisterRead]),
}

impl<'u> Supply<'u> {
    /// Register reads; none where it is interval data.
    #[must_use]
    pub const fn reads(&self) -> &'u [RegisterRead] {
        match self {
            Self::Profile(_) => &[],
            Self::Reads(reads) => reads,
        }
    }
}

impl<'u> UsageInput<'u> {
    /// Interval data without exports.
    #[must_use]
    pub const fn profile(import: &'u Profile) -> Self {
        Self { import: Supply::Profile(import), export: None }
    }

    /// Register reads without exports.
    #[must_use]
    pub const fn reads(import: &'u [RegisterRead]) -> Self {
        Self { import: Supply::Reads(import), export: None }
    }
}

/// What earlier bills left behind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct History {
    /// Highest demands of earlier billing periods, in any order.
    #[serde(default)]
    pub peaks: Vec<PastPeak>,
    /// What was carried over.
    #[serde(default)]
    pub carried: Carried,
}

/// The highest demands of an earlier billing period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PastPeak {
    /// First day of the period.
    pub from: NaiveDate,
    /// At any time, in kW.
    pub kw: Decimal,
    /// Per demand charge and per time-of-use period, in kW, as [`Bill::peaks`].
    #[serde(default)]
    pub tou: Peaks,
}

impl History {
    /// The history after a bill: its peaks added, its carry taken over, the year's charges begun anew after
    /// December.
    #[must_use]
    pub fn after(&self, bill: &Bill) -> Self {
        let mut next = Self { peaks: self.peaks.clone(), carried: bill.carried.clone() };
        if let Some(kw) = bill.peak_kw {
            next.peaks.push(PastPeak { from: bill.period.from(), kw, tou: bill.peaks.clone() });
        }
        if bill.period.to().year() != bill.period.from().year() {
            next.carried.year_to_date = crate::money::Money::ZERO;
        }
        next
    }
}

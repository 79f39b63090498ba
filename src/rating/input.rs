//! What rating is given beside the tariff: usage, and what earlier bills left behind.

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::bill::{Bill, Carried, Peaks};
use crate::usage::{Direction, Profile, RegisterRead};

/// Usage of one account. Several meters are added up before ([`crate::usage::merge`]); what each of them counted stands
/// beside it in `registers`, for tariffs that price one register.
#[derive(Debug, Clone, Copy)]
pub struct UsageInput<'u> {
    /// What was bought.
    pub import: Supply<'u>,
    /// What was fed in, where there is a generator.
    pub export: Option<Supply<'u>>,
    /// The registers of which these are the sums, each with every day of the period; empty: not known apart.
    pub registers: &'u [Register<'u>],
}

/// What one register counted, or several that are not known apart.
#[derive(Debug, Clone, Copy)]
pub struct Register<'u> {
    /// Its name, such as `E1`; empty: it has none. Several: all of them added up.
    pub names: &'u [String],
    /// The meter that it is of, for a person.
    pub meter: &'u str,
    /// Which way it counts.
    pub direction: Direction,
    /// What it counted.
    pub supply: Supply<'u>,
}

impl<'u> Register<'u> {
    /// Its name, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&'u str> {
        match self.names {
            [one] => Some(one.trim()).filter(|name| !name.is_empty()),
            _ => None,
        }
    }

    /// What it is called in messages.
    #[must_use]
    pub fn label(&self) -> String {
        let of = if self.meter.is_empty() { String::new() } else { format!(" of meter {}", self.meter) };
        match self.names {
            [] => format!("the register without a name{of}"),
            [one] if one.trim().is_empty() => format!("the register without a name{of}"),
            [one] => format!("the register {}{of}", one.trim()),
            several => format!("the registers {}{of}, which are added up,", several.join(" and ")),
        }
    }
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
        Self { import: Supply::Profile(import), export: None, registers: &[] }
    }

    /// Register reads without exports.
    #[must_use]
    pub const fn reads(import: &'u [RegisterRead]) -> Self {
        Self { import: Supply::Reads(import), export: None, registers: &[] }
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
            next.carried.year_to_date = crate::values::money::Money::ZERO;
        }
        next
    }
}

//! Register reads: how much a meter's counters advanced between two days.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::Quality;

/// What a meter's registers advanced from one day to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisterRead {
    /// First local day.
    pub from: NaiveDate,
    /// The local day after the last.
    pub to: NaiveDate,
    /// Energy in kWh; may be negative in a correction.
    pub kwh: Decimal,
    /// Energy in kWh per time-of-use period, by the tariff's names; empty where the meter has one register.
    #[serde(default)]
    pub tou: BTreeMap<String, Decimal>,
    /// Highest demand in kW, where the meter keeps it.
    #[serde(default)]
    pub peak_kw: Option<Decimal>,
    /// Highest demand in kW per time-of-use period, where the meter keeps it.
    #[serde(default)]
    pub tou_peak_kw: BTreeMap<String, Decimal>,
    /// Actual, estimated or read by the customer.
    #[serde(default)]
    pub quality: Quality,
}

impl RegisterRead {
    /// A total without more.
    #[must_use]
    pub fn total(from: NaiveDate, to: NaiveDate, kwh: Decimal) -> Self {
        Self {
            from,
            to,
            kwh,
            tou: BTreeMap::new(),
            peak_kw: None,
            tou_peak_kw: BTreeMap::new(),
            quality: Quality::Actual,
        }
    }
}

//! The tariff document: a tariff as data (rule 1 of rating), versioned, written as JSON.
//!
//! `format` is [`FORMAT`]. Amounts are decimal strings ("0.28"; plain numbers are read too), limits are
//! half-open ("from" included, "to" not) and gapless, names tie the parts together: a price names the
//! season and the time-of-use period of a calendar. [`TariffDocument::validate`] names the field of
//! every fault. [`read`] takes this format and URDB's (utilityrates v7, v8), told apart by content.

mod calendar;
mod charges;
mod difference;
pub mod hours;
mod locate;
mod now;
mod once;
mod prices;
mod read;
mod simple;
pub mod urdb;
mod validate;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::{Deserialize, Serialize};

pub use calendar::{Calendar, DayKind, DayPattern, MonthDay, Season};
pub use charges::{
    Adjustment, AdjustmentKind, ExportCredit, FixedBasis, FixedCharge, LineKind, Minimum, MinimumBasis, NetMetering,
    Netting, Proration, RoundingPolicy, Settlement, Tax,
};
pub use difference::{Change, difference};
pub use locate::place;
pub use now::Holding;
pub use prices::{Block, BlockBasis, DemandCharge, EnergyCharge, PriceCell, Ratchet, same_register};
pub use read::{has_zone, read};
pub use validate::Fault;

/// The format of this version of the document.
pub const FORMAT: &str = "eis-tariff/1";

/// The JSON schema of this format, for editors and for other programs. [`read`] refuses more: what needs looking at
/// two places at once, such as a price that names no period of its calendar.
pub const SCHEMA: &str = include_str!("../docs/tariff.schema.json");

/// The formats that the portal writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Format {
    /// [`FORMAT`].
    #[default]
    #[serde(rename = "eis-tariff/1")]
    V1,
}

/// Which clock the time-of-use calendar follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Clock {
    /// The clock on the wall, with daylight saving.
    #[default]
    DaylightSaving,
    /// Standard time all year: in summer the periods seem an hour later on the wall.
    Standard,
}

/// A tariff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TariffDocument {
    /// Always [`FORMAT`].
    pub format: Format,
    /// What people call it.
    pub name: String,
    /// A sentence or two about it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// ISO 4217 code of all amounts.
    pub currency: String,
    /// IANA zone of the calendar and of the billing days.
    pub zone: Tz,
    /// Whether the calendar follows daylight saving.
    #[serde(default)]
    pub clock: Clock,
    /// Calendars by name; charges refer to them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub calendars: BTreeMap<String, Calendar>,
    /// Charges on energy, per kWh.
    #[serde(default)]
    pub energy: Vec<EnergyCharge>,
    /// Charges on demand, per kW and billing period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub demand: Vec<DemandCharge>,
    /// Charges that do not depend on usage.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fixed: Vec<FixedCharge>,
    /// Riders and percentages, in the order in which they are worked out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub adjustments: Vec<Adjustment>,
    /// What the bill must at least come to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub minimums: Vec<Minimum>,
    /// Taxes on lines.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub taxes: Vec<Tax>,
    /// What exported energy is worth; `None`: exports are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<ExportCredit>,
    /// How figures are rounded.
    #[serde(default)]
    pub rounding: RoundingPolicy,
}

impl TariffDocument {
    /// Whether its energy charges are prices of registers, each of its own.
    #[must_use]
    pub fn names_registers(&self) -> bool {
        self.energy.iter().any(|charge| charge.register.is_some())
    }

    /// The document as JSON, which [`read`] reads back unchanged.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Texts and numbers under names that are texts: nothing of it fails to be written.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests;

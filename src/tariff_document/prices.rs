//! Prices of energy and demand: by season, by time-of-use period, by block.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::values::plain;

/// A price per kWh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyCharge {
    /// What it is called on the bill.
    pub name: String,
    /// The register that it is a price of, such as `E2`; `None`: of all, added up. Where one charge names a register, all
    /// do, and every register of the usage is named by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<String>,
    /// The calendar that tells seasons and periods; `None`: the same price at all times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// What the block limits are measured against.
    #[serde(default)]
    pub blocks_per: BlockBasis,
    /// One for every season and period of the calendar.
    pub prices: Vec<PriceCell>,
}

/// A price per kW of the highest demand (rule 4).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DemandCharge {
    /// What it is called on the bill.
    pub name: String,
    /// The register whose demand it is; `None`: of all, added up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<String>,
    /// The calendar that tells seasons and periods; `None`: the highest demand at any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Whether each time-of-use period has its own highest demand; otherwise the calendar tells only the
    /// season of the price.
    #[serde(default)]
    pub per_period: bool,
    /// Demand window in minutes: 15, 30 or 60; `None`: the meter's interval.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window_minutes: Option<u16>,
    /// One for every season and period of the calendar; block limits in kW, never prorated.
    pub prices: Vec<PriceCell>,
    /// What earlier peaks make of the billed demand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ratchet: Option<Ratchet>,
}

/// Billed demand = max(actual, `percent` % of the highest peak of the previous `months` months).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ratchet {
    /// Per cent of the earlier peak, such as "80".
    #[serde(deserialize_with = "plain::deserialize")]
    pub percent: Decimal,
    /// How many months back.
    pub months: u8,
    /// Only peaks of these calendar months (1 to 12) count; empty: all do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only: Vec<u8>,
}

/// The price of one season and period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceCell {
    /// The season's name; `None`: every season.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<String>,
    /// The time-of-use period's name; `None`: every period.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<String>,
    /// Steps from 0 upwards without gaps; the last has no end.
    pub blocks: Vec<Block>,
}

/// A step of a tiered rate: holds for `from` ≤ quantity < `to`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Block {
    /// Where it begins, in kWh or kW.
    #[serde(default, deserialize_with = "plain::deserialize")]
    pub from: Decimal,
    /// Where it ends; `None`: nowhere.
    #[serde(default, deserialize_with = "plain::optional", skip_serializing_if = "Option::is_none")]
    pub to: Option<Decimal>,
    /// Per kWh or kW, at most 6 decimals.
    #[serde(deserialize_with = "plain::deserialize")]
    pub price: Decimal,
}

/// What block limits are measured against (rule 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockBasis {
    /// The limits as they stand hold for a billing period, however long.
    #[default]
    Period,
    /// The limits hold for so many days and are scaled: limit x days of the period / normal days.
    NormalDays(u16),
    /// The limits hold for a day and are multiplied by the days of the billing period.
    Day,
}

/// Whether two names are of the same register: outer spaces and case make no difference.
#[must_use]
pub fn same_register(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

impl DemandCharge {
    /// The demand windows that there are, in minutes.
    pub const WINDOWS: [u16; 4] = [5, 15, 30, 60];
}

impl PriceCell {
    /// One price at all times.
    #[must_use]
    pub fn flat(price: Decimal) -> Self {
        Self { season: None, period: None, blocks: vec![Block { from: Decimal::ZERO, to: None, price }] }
    }

    /// Steps given as (end, price); the last end is `None`.
    #[must_use]
    pub fn tiered(steps: &[(Option<Decimal>, Decimal)]) -> Self {
        let mut from = Decimal::ZERO;
        let blocks = steps.iter().map(|(to, price)| {
            let block = Block { from, to: *to, price: *price };
            from = to.unwrap_or(from);
            block
        });
        Self { season: None, period: None, blocks: blocks.collect() }
    }

    /// The same for one time-of-use period.
    #[must_use]
    pub fn in_period(mut self, period: &str) -> Self {
        self.period = Some(period.to_owned());
        self
    }

    /// The same for one season.
    #[must_use]
    pub fn in_season(mut self, season: &str) -> Self {
        self.season = Some(season.to_owned());
        self
    }
}

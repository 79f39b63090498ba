//! Charges that are not prices of energy or demand: fixed, minimum, riders, taxes, export credit, rounding.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::prices::PriceCell;
use crate::values::money::Rounding;
use crate::values::plain;

/// What a line of a bill is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LineKind {
    /// Energy bought, per kWh.
    Energy,
    /// Highest demand, per kW.
    Demand,
    /// Independent of usage.
    Fixed,
    /// What is missing to the minimum.
    Minimum,
    /// Tax on other lines.
    Tax,
    /// Energy sold or credit used.
    Credit,
    /// Riders and percentages.
    Adjustment,
}

impl LineKind {
    /// As it is written in JSON and in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Energy => "energy",
            Self::Demand => "demand",
            Self::Fixed => "fixed",
            Self::Minimum => "minimum",
            Self::Tax => "tax",
            Self::Credit => "credit",
            Self::Adjustment => "adjustment",
        }
    }
}

/// An amount that does not depend on usage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FixedCharge {
    /// What it is called on the bill.
    pub name: String,
    /// Amount per month or day.
    #[serde(deserialize_with = "plain::deserialize")]
    pub price: Decimal,
    /// Per what.
    pub per: FixedBasis,
    /// What a period that is not a whole month costs; matters with [`FixedBasis::Month`].
    #[serde(default)]
    pub proration: Proration,
}

/// What a fixed price is per.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixedBasis {
    /// A month.
    Month,
    /// A day of the billing period.
    Day,
    /// A day, and a calendar month counts 365/12 days whatever its length (how NREL's utilityrate5 bills
    /// URDB's `$/day`); other periods count their days.
    AverageMonthDay,
}

/// What a period that is not a whole month costs of a monthly amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Proration {
    /// The whole amount once per billing period.
    #[default]
    None,
    /// Each calendar month's share of its own days.
    CalendarDays,
    /// Days of the period / so many normal days.
    NormalDays(u16),
}

/// What the bill must at least come to; what is missing is a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Minimum {
    /// What it is called on the bill.
    pub name: String,
    /// The least amount, before tax.
    #[serde(deserialize_with = "plain::deserialize")]
    pub amount: Decimal,
    /// Per what.
    pub per: MinimumBasis,
    /// Which lines count towards it; empty: energy, demand, fixed, adjustments and credits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counts: Vec<LineKind>,
}

/// What a minimum is per.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MinimumBasis {
    /// A billing period, however long.
    Period,
    /// A day of the billing period.
    Day,
    /// A calendar year, made up for in the bill that holds 31 December.
    Year,
}

/// A rider: something added to or taken from the other charges.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Adjustment {
    /// What it is called on the bill.
    pub name: String,
    /// How it is worked out.
    #[serde(flatten)]
    pub kind: AdjustmentKind,
}

/// How a rider is worked out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "per", rename_all = "snake_case", deny_unknown_fields)]
pub enum AdjustmentKind {
    /// On every kWh bought; negative for a discount.
    Kwh {
        /// Price per kWh.
        #[serde(deserialize_with = "plain::deserialize")]
        price: Decimal,
    },
    /// Once per billing period.
    Period {
        /// The amount.
        #[serde(deserialize_with = "plain::deserialize")]
        price: Decimal,
    },
    /// A percentage of lines worked out before it.
    Percent {
        /// Per cent, such as "2.5"; negative for a discount.
        #[serde(deserialize_with = "plain::deserialize")]
        percent: Decimal,
        /// Kinds of lines; empty: energy, demand and fixed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        of: Vec<LineKind>,
    },
}

/// A tax on lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// What it is called on the bill.
    pub name: String,
    /// Per cent, such as "19".
    #[serde(deserialize_with = "plain::deserialize")]
    pub percent: Decimal,
    /// Kinds of lines taxed; empty: all, unless `names` says which.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on: Vec<LineKind>,
    /// Names of charges taxed, beside `on`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// What exported energy is worth: three different things.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "form", rename_all = "snake_case", deny_unknown_fields)]
pub enum ExportCredit {
    /// Exports are taken off imports in kWh over the billing period, per time-of-use period; what is left
    /// over is kept in kWh for later bills.
    NetMetering(NetMetering),
    /// Imports and exports are netted within each interval or each hour; net exports are paid at a price of their own.
    NetBilling {
        /// The calendar of the prices.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calendar: Option<String>,
        /// Over which time they are netted.
        #[serde(default, skip_serializing_if = "Netting::is_interval")]
        netting: Netting,
        /// Price per kWh; no blocks.
        prices: Vec<PriceCell>,
        /// Whether credit beyond the charges is kept for later bills instead of being paid.
        #[serde(default)]
        roll_over: bool,
    },
    /// Everything used is bought and everything generated is sold; nothing is netted.
    BuyAllSellAll {
        /// The calendar of the prices.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        calendar: Option<String>,
        /// Price per kWh; no blocks.
        prices: Vec<PriceCell>,
        /// Whether credit beyond the charges is kept for later bills instead of being paid.
        #[serde(default)]
        roll_over: bool,
    },
}

/// Over which time net billing takes exports off imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Netting {
    /// Within each of the meter's intervals.
    #[default]
    Interval,
    /// Within each hour of the clock.
    Hour,
}

impl Netting {
    /// Whether it is what a document that does not say it means.
    #[must_use]
    pub fn is_interval(&self) -> bool {
        *self == Self::Interval
    }
}

/// What happens to kWh left over under net metering.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NetMetering {
    /// Whether they are kept for later bills; otherwise they are lost, or paid under `settlement`.
    #[serde(default)]
    pub roll_over: bool,
    /// When and at what price they are paid out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settlement: Option<Settlement>,
}

/// Paying out what is left over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settlement {
    /// The calendar month (1 to 12) whose bill pays it out; 0: every bill.
    pub month: u8,
    /// Price per kWh.
    #[serde(deserialize_with = "plain::deserialize")]
    pub price: Decimal,
}

/// How figures are rounded (rule 6).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundingPolicy {
    /// Lines and taxes, to two decimals.
    #[serde(default)]
    pub money: Rounding,
    /// Decimals of billed kWh, 0 to 3; `None`: as measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kwh_decimals: Option<u8>,
    /// The payable amount is a multiple of this, such as "0.05" or "1"; the difference is an amount of its own.
    #[serde(default, deserialize_with = "plain::optional", skip_serializing_if = "Option::is_none")]
    pub payable_step: Option<Decimal>,
}

//! What a line charges for: everything about it that does not depend on usage. Made ready with the tariff and shared by
//! the lines of all its bills.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::tariff_document::{FixedBasis, FixedCharge, LineKind, Tax};
use crate::values::period::Period;

/// What a quantity is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unit {
    /// Kilowatt-hours.
    #[serde(rename = "kWh")]
    KilowattHour,
    /// Kilowatts.
    #[serde(rename = "kW")]
    Kilowatt,
    /// Months, or parts of one.
    #[serde(rename = "month")]
    Month,
    /// Days.
    #[serde(rename = "day")]
    Day,
    /// Once.
    #[serde(rename = "each")]
    Each,
    /// An amount of money, multiplied by a rate.
    #[serde(rename = "amount")]
    Amount,
}

impl Unit {
    /// What a fixed charge is counted in.
    pub(super) const fn of_fixed(charge: &FixedCharge) -> Self {
        match charge.per {
            FixedBasis::Day | FixedBasis::AverageMonthDay => Self::Day,
            FixedBasis::Month => Self::Month,
        }
    }

    /// As it is written in JSON and on the bill.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::KilowattHour => "kWh",
            Self::Kilowatt => "kW",
            Self::Month => "month",
            Self::Day => "day",
            Self::Each => "each",
            Self::Amount => "amount",
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What a line charges for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What it is.
    pub kind: LineKind,
    /// The charge's name in the tariff.
    pub name: String,
    /// Name, season, period, block and days, for a person.
    pub description: String,
    /// Season of the price.
    pub season: Option<String>,
    /// Time-of-use period of the price.
    pub tou_period: Option<String>,
    /// Which block, from 1, where the price has several.
    pub block: Option<u16>,
    /// Of what there is a quantity.
    pub unit: Unit,
    /// Price of one.
    pub price: Decimal,
    /// Per cent of tax on it, all taxes together; `None`: not taxed.
    pub tax_rate: Option<Decimal>,
    /// The taxes on it.
    pub(super) taxes: Vec<TaxOn>,
}

/// A tax on a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaxOn {
    pub name: String,
    pub percent: Decimal,
}

impl Item {
    /// An item that its name describes, with those of the tariff's taxes that fall on it.
    pub(super) fn new(kind: LineKind, name: &str, unit: Unit, price: Decimal, taxes: &[Tax]) -> Self {
        let all = |tax: &Tax| tax.on.is_empty() && tax.names.is_empty();
        let falls = |tax: &&Tax| all(tax) || tax.on.contains(&kind) || tax.names.iter().any(|known| known == name);
        let on = |tax: &Tax| TaxOn { name: tax.name.clone(), percent: tax.percent };
        let taxes: Vec<TaxOn> = taxes.iter().filter(falls).map(on).collect();
        Self {
            kind,
            name: name.to_owned(),
            description: name.to_owned(),
            season: None,
            tou_period: None,
            block: None,
            unit,
            price,
            tax_rate: (!taxes.is_empty()).then(|| taxes.iter().map(|tax| tax.percent).sum()),
            taxes,
        }
    }

    /// The item of a season, a time-of-use period and a block.
    pub(super) fn of_price(self, season: Option<&str>, tou_period: Option<&str>, block: Option<u16>) -> Self {
        let mut description = self.description;
        for part in [season, tou_period].into_iter().flatten() {
            description.push_str(", ");
            description.push_str(part);
        }
        if let Some(block) = block {
            description.push_str(&format!(", block {block}"));
        }
        let (season, tou_period) = (season.map(str::to_owned), tou_period.map(str::to_owned));
        Self { description, season, tou_period, block, ..self }
    }

    /// The item with what is to be said about its quantity in this bill.
    pub(super) fn noted(&self, note: &str) -> Self {
        Self { description: format!("{}, {note}", self.description), ..self.clone() }
    }

    /// The item for some days of the billing period only.
    pub(super) fn of_days(&self, days: Period) -> Self {
        Self { description: format!("{} ({days})", self.description), ..self.clone() }
    }
}

//! The bill: lines with quantity, price, amount and trace, and their sums.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::item::Item;
pub use crate::tariff_document::LineKind;
use crate::values::money::Money;
use crate::values::period::Period;

/// Highest demands in kW by name; the names are the tariff's, shared by all its bills.
pub type Peaks = BTreeMap<Arc<str>, Decimal>;

/// What rating makes of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bill {
    /// The days billed.
    pub period: Period,
    /// ISO 4217 code.
    pub currency: String,
    /// Energy bought, in kWh; under net metering still what was imported.
    pub kwh: Decimal,
    /// Energy fed in, in kWh.
    pub exported_kwh: Decimal,
    /// Highest average demand in kW; `None` where it was not measured.
    pub peak_kw: Option<Decimal>,
    /// Highest demand in kW, for later ratchets: of each demand charge (its name, then U+001F), of each with its
    /// time-of-use period (which follows), and per time-of-use period of all demand charges.
    pub peaks: Peaks,
    /// The charges, taxes last.
    pub lines: Vec<BillLine>,
    /// Sum of the lines before tax.
    pub net: Money,
    /// Sum of the tax lines.
    pub tax: Money,
    /// `net` + `tax`: the sum of all lines (EN 16931 BT-112).
    pub total: Money,
    /// What rounding the payable amount adds or takes (EN 16931 BT-114).
    pub payable_rounding: Money,
    /// `total` + `payable_rounding`: what the customer is asked for (EN 16931 BT-115).
    pub payable: Money,
    /// Whether any of the usage was estimated (rule 7).
    pub estimated: bool,
    /// Names of registers that were added up and billed as one, where there were several; to be told on the bill.
    pub added: Vec<String>,
    /// What later bills take over.
    pub carried: Carried,
}

/// What later bills take over.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Carried {
    /// Net metering: kWh left over per time-of-use period ("" where there is none).
    #[serde(default)]
    pub bank_kwh: BTreeMap<String, Decimal>,
    /// Credit left over, not negative.
    #[serde(default)]
    pub credit: Money,
    /// Charges since 1 January that count towards a minimum per year.
    #[serde(default)]
    pub year_to_date: Money,
}

/// One charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BillLine {
    /// What is charged for, and its price.
    pub item: Arc<Item>,
    /// The days it is for: the billing period, or the part before or after a rate change.
    pub period: Period,
    /// How much, in the item's unit.
    pub quantity: Decimal,
    /// quantity x price, rounded by the tariff's rule.
    pub amount: Money,
    /// Whether any of the quantity was estimated.
    pub estimated: bool,
    /// Where the quantity comes from, day by day (register reads: read by read); sums to it.
    pub trace: Vec<TraceDay>,
}

/// A day's, or a read's, share of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceDay {
    /// First local day.
    pub date: NaiveDate,
    /// The day after the last.
    pub until: NaiveDate,
    /// The share, in the line's unit.
    pub quantity: Decimal,
    /// Whether it was estimated.
    pub estimated: bool,
}

impl Bill {
    /// Sum of the lines of a kind.
    #[must_use]
    pub fn sum(&self, kind: LineKind) -> Money {
        self.lines.iter().filter(|line| line.item.kind == kind).map(|line| line.amount).sum()
    }
}

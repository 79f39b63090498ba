//! Faults of a document, each with the field that it is about.

mod calendar;
mod charges;
mod prices;
mod registers;

use std::fmt;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;
use serde::Serialize;

use super::{Calendar, TariffDocument};

/// A fault and its field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// The field, such as `energy[0].prices[1].blocks[0].to`; empty for the document as a whole.
    pub path: String,
    /// What is wrong, as a sentence for a person.
    pub message: String,
    /// Line of the text, from 1, where the document was read from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Column of the text, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
}

impl Fault {
    /// A fault of a field.
    #[must_use]
    pub fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self { path: path.into(), message: message.into(), line: None, column: None }
    }

    /// `file:line:column: path: message`.
    #[must_use]
    pub fn of_file(&self, file: &str) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        format!("{file}:{}:{}: {path}{}", self.line.unwrap_or(1), self.column.unwrap_or(1), self.message)
    }
}

impl fmt::Display for Fault {
    /// `line:column: path: message`, as far as known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "{line}:{column}: ")?;
        }
        if !self.path.is_empty() {
            write!(f, "{}: ", self.path)?;
        }
        f.write_str(&self.message)
    }
}

/// Where faults are noted.
#[derive(Default)]
struct Faults(Vec<Fault>);

impl Faults {
    fn add(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.0.push(Fault::new(path, message));
    }

    fn check(&mut self, right: bool, path: &str, message: &str) {
        if !right {
            self.add(path, message);
        }
    }

    /// A price has at most 6 decimals, as it is stored.
    fn price(&mut self, price: Decimal, path: &str) {
        self.check(price.normalize().scale() <= 6, path, "a price has at most 6 decimals");
        self.check(price.abs() < Decimal::from(1_000_000), path, "a price is below 1,000,000");
    }
}

impl TariffDocument {
    /// Every fault of the document; with any, it cannot become active or rate.
    #[must_use]
    pub fn validate(&self) -> Vec<Fault> {
        let mut faults = Faults::default();
        faults.check(!self.name.trim().is_empty(), "name", "the tariff needs a name");
        let code = self.currency.len() == 3 && self.currency.bytes().all(|byte| byte.is_ascii_uppercase());
        faults.check(code, "currency", "a currency is three capital letters, such as EUR");
        for (name, calendar) in &self.calendars {
            calendar::check(&mut faults, name, calendar);
        }
        prices::check(&mut faults, self);
        registers::check(&mut faults, self);
        charges::check(&mut faults, self);
        faults.0
    }

    /// What is no fault and may be one soon: a list of holidays that ends before this year or the next.
    #[must_use]
    pub fn warnings(&self, today: NaiveDate) -> Vec<Fault> {
        let years = [today.year(), today.year() + 1];
        let told = |(name, calendar): (&String, &Calendar)| {
            let year = years.into_iter().find(|year| !calendar.knows_holidays_of(*year))?;
            let uses = calendar.uses_holidays();
            uses.then(|| Fault::new(format!("calendars.{name}.holidays"), calendar.holidays_missing(year)))
        };
        self.calendars.iter().filter_map(told).collect()
    }
}

#[cfg(test)]
mod tests;

//! Rating from files, as the command line does it: `portal rate --tariff FILE --usage FILE`.
//!
//! [`rate_files`] takes texts and readers and gives one bill per calendar month of the usage, or every fault as
//! `file:line:column: message`; [`json`] and [`text`] print bills. No database, no file access of its own.

mod collect;
mod print;
mod supply;

use std::io::BufRead;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::{Bill, CompiledTariff, History, Register, Supply, UsageInput, rate};
use crate::tariff_document::{self, TariffDocument};
use crate::values::figures::Mark;
pub use print::{json, text};
use supply::{Counted, Usage};

/// What to rate.
#[derive(Debug, Clone, Copy)]
pub struct RateFiles<'f> {
    /// Name of the tariff file, for faults.
    pub tariff_name: &'f str,
    /// Its text: the portal's own format or URDB.
    pub tariff: &'f str,
    /// Name of the usage file, for faults.
    pub usage_name: &'f str,
    /// Zone of local times and of the billing days. `None`: the tariff's; for one that names none (URDB) the usage file's;
    /// where neither names one it is asked for.
    pub zone: Option<Tz>,
    /// First day; `None`: the first day of the usage.
    pub from: Option<NaiveDate>,
    /// The day after the last; `None`: the day after the last of the usage.
    pub to: Option<NaiveDate>,
    /// The decimal mark of a CSV file; `None`: its figures tell.
    pub mark: Option<Mark>,
    /// The values are net: above zero bought, below zero fed in.
    pub net: bool,
}

/// Bills, and what whoever reads them should know of the usage file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// One a calendar month.
    pub bills: Vec<Bill>,
    /// Sentences: what was added up, left out, or begins within the period.
    pub notes: Vec<String>,
}

/// Faults told before the rest is only counted.
const TOLD: usize = 50;

/// Rates every calendar month of the usage, or of the days asked for; the first and last month may be parts of whole days.
///
/// Every series of the file must fill the days by itself; then all imports are added up, and so are all exports. What each
/// month leaves behind (peaks for ratchets, kWh and credit carried over) the next takes over.
///
/// # Errors
/// Every fault as `file:line:column: message`; never empty. Exit code 2 for the command line.
pub fn rate_files(files: &RateFiles<'_>, usage: impl BufRead) -> Result<Rated, Vec<String>> {
    let told = |faults: Vec<tariff_document::Fault>| {
        shortened(faults.iter().map(|fault| fault.of_file(files.tariff_name)).collect())
    };
    let mut document = tariff(files).map_err(told)?;
    let known = files.zone.or_else(|| tariff_document::has_zone(files.tariff).then_some(document.zone));
    let mut collected = collect::collect(files, known, usage)?;
    document.zone = collected.zone;
    let tariff = CompiledTariff::new(&document).map_err(told)?;
    let mut notes = std::mem::take(&mut collected.notes);
    let usage = Usage::new(files, collected)?;
    notes.extend(usage.notes(tariff.document().names_registers()));
    let bills = months(&tariff, &usage).map_err(|fault| vec![format!("{}:1:1: {fault}", files.usage_name)])?;
    Ok(Rated { bills, notes })
}

fn tariff(files: &RateFiles<'_>) -> Result<TariffDocument, Vec<tariff_document::Fault>> {
    // A rate without a zone of its own gets the one that the usage file names, once that is read.
    tariff_document::read(files.tariff, files.zone.unwrap_or(Tz::UTC))
}

fn months(tariff: &CompiledTariff, usage: &Usage) -> Result<Vec<Bill>, String> {
    let mut history = History::default();
    let mut bills = vec![];
    for month in usage.period().months() {
        let (import, export) = usage.of(month).map_err(|fault| fault.to_string())?;
        let counted = usage.registers(month).map_err(|fault| fault.to_string())?;
        let registers: Vec<Register<'_>> = counted.iter().map(Counted::register).collect();
        let (import, export) = (Supply::Profile(&import), export.as_ref().map(Supply::Profile));
        let input = UsageInput { import, export, registers: &registers };
        let bill = rate(tariff, &input, month, &history).map_err(|fault| fault.to_string())?;
        history = history.after(&bill);
        bills.push(bill);
    }
    Ok(bills)
}

fn shortened(mut faults: Vec<String>) -> Vec<String> {
    let more = faults.len().saturating_sub(TOLD);
    if more > 0 {
        faults.truncate(TOLD);
        let place = faults.last().and_then(|fault| fault.split(": ").next()).unwrap_or_default().to_owned();
        faults.push(format!("{place}: and {more} more faults of this kind"));
    }
    faults
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;

//! `portal rate`: bills from a tariff file and a usage file.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono::NaiveDate;
use chrono_tz::Tz;
use clap::{Args, ValueEnum};
use eis::rating::report::{self, RateFiles, Rated};
use eis::values::figures::Mark;

use super::{CliResult, files};
use crate::out;

/// What to rate.
#[derive(Debug, Args)]
pub struct RateArgs {
    /// The tariff: the portal's own JSON or URDB's, told apart by content.
    #[arg(long, value_name = "FILE")]
    tariff: PathBuf,
    /// The usage: CSV with interval_start and kwh, Green Button XML or NEM12, told apart by content.
    #[arg(long, value_name = "FILE")]
    usage: PathBuf,
    /// Zone of local times and of the billing days. Default: the tariff's; for a rate without one (URDB) the one that a
    /// Green Button file names. Nothing falls back to UTC.
    #[arg(long, value_name = "IANA")]
    zone: Option<Tz>,
    /// First day. Default: the usage's first.
    #[arg(long, value_name = "DATE")]
    from: Option<NaiveDate>,
    /// The day after the last. Default: the day after the usage's last.
    #[arg(long, value_name = "DATE")]
    to: Option<NaiveDate>,
    /// The values are net: above zero bought, below zero fed in.
    #[arg(long)]
    net: bool,
    /// The decimal mark of a CSV file whose figures do not tell it.
    #[arg(long, value_enum, value_name = "MARK")]
    decimal: Option<Decimal>,
    /// How to print the bills.
    #[arg(long, value_enum, default_value_t = Format::Json)]
    format: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Text,
}

/// The decimal mark of a CSV file.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Decimal {
    /// 1.234 is a little more than one.
    Point,
    /// 1,234 is a little more than one.
    Comma,
}

impl From<Decimal> for Mark {
    fn from(mark: Decimal) -> Self {
        match mark {
            Decimal::Point => Self::Point,
            Decimal::Comma => Self::Comma,
        }
    }
}

/// Prints one bill a calendar month, and on standard error what to know of the usage; or tells every fault and ends with
/// exit code 2.
pub fn run(args: &RateArgs) -> CliResult {
    match bills(args) {
        Ok(Rated { bills, notes }) => {
            notes.iter().for_each(|note| files::note(note));
            let text = match args.format {
                Format::Json => report::json(&bills),
                Format::Text => report::text(&bills),
            };
            out::print(text.trim_end())?;
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => Ok(files::refuse(&faults)),
    }
}

fn bills(args: &RateArgs) -> Result<Rated, Vec<String>> {
    let tariff = files::tariff(&args.tariff)?;
    let usage = files::open(&args.usage)?;
    let input = RateFiles {
        tariff_name: &args.tariff.to_string_lossy(),
        tariff: &tariff,
        usage_name: &args.usage.to_string_lossy(),
        zone: args.zone,
        from: args.from,
        to: args.to,
        mark: args.decimal.map(Mark::from),
        net: args.net,
    };
    report::rate_files(&input, usage)
}

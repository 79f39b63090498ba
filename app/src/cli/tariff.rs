//! `portal tariff`: checking and turning tariff files.

use std::path::PathBuf;
use std::process::ExitCode;

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use eis::tariff_document::{self, TariffDocument};
use eis::tariffs::{kind_label, kind_of};

use super::{CliResult, files};
use crate::out;

/// What can be done with tariff files.
#[derive(Debug, Subcommand)]
pub enum TariffCommand {
    /// Check a tariff file, the portal's own JSON or URDB's. Exit code 2 and a line per fault where it has any.
    Check(FileArgs),
    /// Print a tariff file (URDB's, or the portal's own) in the portal's own form.
    Convert(FileArgs),
    /// Print the JSON schema of the portal's own form.
    Schema,
}

/// A tariff file.
#[derive(Debug, Args)]
pub struct FileArgs {
    /// The file.
    file: PathBuf,
    /// Zone of a tariff that names none (URDB); convert asks for it.
    #[arg(long, value_name = "IANA")]
    zone: Option<Tz>,
}

/// Runs the command.
pub fn run(command: &TariffCommand) -> CliResult {
    let told = match command {
        TariffCommand::Schema => Ok(tariff_document::SCHEMA.trim_end().to_owned()),
        TariffCommand::Check(args) => checked(args),
        TariffCommand::Convert(args) => converted(args),
    };
    match told {
        Ok(text) => {
            out::print(text)?;
            Ok(ExitCode::SUCCESS)
        }
        Err(faults) => Ok(files::refuse(&faults)),
    }
}

fn read(args: &FileArgs) -> Result<TariffDocument, Vec<String>> {
    let text = files::tariff(&args.file)?;
    let name = args.file.to_string_lossy();
    // What is checked does not depend on the zone, and what is written has one.
    tariff_document::read(&text, args.zone.unwrap_or(Tz::UTC))
        .map_err(|faults| faults.iter().map(|fault| fault.of_file(&name)).collect())
}

/// The tariff in the portal's own form. A zone that neither the tariff nor a person names is not made up.
fn converted(args: &FileArgs) -> Result<String, Vec<String>> {
    let tariff = read(args)?;
    if args.zone.is_none() && !tariff_document::has_zone(&files::tariff(&args.file)?) {
        let name = args.file.display();
        return Err(vec![format!("{name}:1:1: this rate names no time zone: say it, such as --zone America/Denver")]);
    }
    Ok(tariff.to_json())
}

/// A line for each thing that is to be seen to soon, then the summary of a tariff without faults.
fn checked(args: &FileArgs) -> Result<String, Vec<String>> {
    let tariff = read(args)?;
    let text = files::tariff(&args.file)?;
    let today = eis::values::clock::today(tariff.zone);
    let name = args.file.to_string_lossy();
    let warnings =
        tariff.warnings(today).into_iter().map(|warning| tariff_document::place(&text, warning).of_file(&name));
    let lines = warnings.map(|warning| format!("warning: {warning}")).chain([summary(args, &tariff)]);
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

/// `flat.json: Basic, flat, EUR: 1 energy, 0 demand, 1 fixed; no faults`.
fn summary(args: &FileArgs, tariff: &TariffDocument) -> String {
    format!(
        "{}: {}, {}, {}, {}: {} energy, {} demand and {} fixed charges, {} taxes; no faults",
        args.file.display(),
        tariff.name,
        kind_label(kind_of(tariff)).to_lowercase(),
        tariff.currency,
        tariff.zone,
        tariff.energy.len(),
        tariff.demand.len(),
        tariff.fixed.len(),
        tariff.taxes.len(),
    )
}

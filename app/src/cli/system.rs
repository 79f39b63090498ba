//! `portal system`: what looks at all organisations, for a reason that each of them reads in its log.

use std::process::ExitCode;

use clap::{Args, Subcommand};
use eis::operate::connect::Connected;
use eis::operate::platform::{self, Figures};

use super::{CliResult, bring_up, plain};
use crate::out;

/// What can be done across organisations.
#[derive(Debug, Subcommand)]
pub enum SystemCommand {
    /// How large each organisation is.
    Statistics(StatisticsArgs),
}

/// Why, and how it is printed.
#[derive(Debug, Args)]
pub struct StatisticsArgs {
    /// Why you look; each organisation's admin reads it in the audit log.
    #[arg(long)]
    reason: String,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Runs a command across organisations.
pub async fn run(connected: &Connected, command: SystemCommand) -> CliResult {
    let SystemCommand::Statistics(args) = command;
    let reason = args.reason.trim();
    if reason.chars().count() < 10 {
        return Err("say why in ten characters or more: --reason".to_owned());
    }
    bring_up(connected).await?;
    let operator = std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
    let all = platform::statistics_for_operator(connected.admin_url(), &operator, reason).await.map_err(plain)?;
    if args.json {
        out::print(serde_json::to_string_pretty(&all).map_err(plain)?)?;
        return Ok(ExitCode::SUCCESS);
    }
    out::print(format_args!(
        "{:<32} {:>9} {:>8} {:>10} {:>8} {:>10} {:>6}  billed to",
        "organisation", "status", "clients", "customers", "meters", "invoices", "users"
    ))?;
    for Figures { summary, holds } in all {
        let to = summary.billed_to.map(|day| day.to_string()).unwrap_or_default();
        out::print(format_args!(
            "{:<32} {:>9} {:>8} {:>10} {:>8} {:>10} {:>6}  {to}",
            summary.name, summary.status, holds.clients, holds.customers, holds.meters, holds.invoices, holds.users
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

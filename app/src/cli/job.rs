//! `portal job run`: the work of a schedule, done as a service identity: the same commands of the business as the pages call,
//! at the identity's own place, for as long as it has not ended.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::NaiveDate;
use clap::{Args, Subcommand};
use eis::access::Actor;
use eis::billing::{self, BillingError, BillingRun, log};
use eis::db::service::{Entered, Services};
use eis::db::{Access, DbError};
use eis::metering::imports::{self, ImportFile, ImportOptions};
use eis::operate::connect::{Connected, Login};
use eis::parties::clients::{self, Client};
use eis::parties::organizations;
use eis::parties::service_identities::{Command, Secret};
use eis::usage::Hints;

use super::rate::Decimal;
use super::{CliResult, bring_up, plain};
use crate::messages::billing::words;
use crate::out;

/// What can be done with the work of schedules.
#[derive(Debug, Subcommand)]
pub enum JobCommand {
    /// Do one command now. Make the service identity on the page “Service identities” of the organisation or client.
    Run(RunArgs),
}

/// As whom, and what.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The file that holds the identity's secret, and nothing else.
    #[arg(long = "as", value_name = "FILE")]
    secret: PathBuf,
    #[command(subcommand)]
    what: Work,
}

#[derive(Debug, Subcommand)]
enum Work {
    /// Import a file of usage: Green Button XML, CSV or NEM12, told apart by content.
    Import(ImportArgs),
    /// Make a billing run of what is due by a day and rate it, or rate the one that there is.
    Rate(DueArgs),
    /// Print how each client is doing, and what waits for somebody, as JSON.
    Overview,
}

#[derive(Debug, Args)]
struct ImportArgs {
    /// The file.
    file: PathBuf,
    /// The client's short name; an identity of one client needs none.
    #[arg(long, value_name = "SLUG")]
    client: Option<String>,
    /// The serial of the one meter that the file is from, where it does not say so itself.
    #[arg(long)]
    serial: Option<String>,
    /// The values are net: above zero bought, below zero fed in.
    #[arg(long)]
    net: bool,
    /// The decimal mark of a CSV file whose figures do not tell it.
    #[arg(long, value_enum, value_name = "MARK")]
    decimal: Option<Decimal>,
}

#[derive(Debug, Args)]
struct DueArgs {
    /// The client's short name; an identity of one client needs none.
    #[arg(long, value_name = "SLUG")]
    client: Option<String>,
    /// Bill what is due by this day: days before it. Default: today, where the client is.
    #[arg(long, value_name = "DATE")]
    due_on: Option<NaiveDate>,
}

impl Work {
    const fn command(&self) -> Command {
        match self {
            Self::Import(_) => Command::ImportUsage,
            Self::Rate(_) => Command::RateBillingRun,
            Self::Overview => Command::ReadOverview,
        }
    }
}

/// Runs a command about the work of schedules.
pub async fn run(connected: &Connected, command: JobCommand) -> CliResult {
    let JobCommand::Run(args) = command;
    let secret = secret_of(&args.secret)?;
    bring_up(connected).await?;
    let services = Services::new(&connected.url(Login::Worker), 1).map_err(plain)?;
    let entered = services.enter(secret, args.what.command(), &here()).await.map_err(refusal)?;
    let job = Job { services, entered };
    match args.what {
        Work::Import(args) => job.import(args).await?,
        Work::Rate(args) => job.rate(args).await?,
        Work::Overview => job.overview().await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// The secret in a file.
fn secret_of(path: &Path) -> Result<Secret, String> {
    let text = std::fs::read_to_string(path).map_err(|fault| format!("{}: {fault}", path.display()))?;
    Secret::of_hex(&text).ok_or_else(|| {
        format!("{} holds no secret: 64 digits and letters, as the page showed them once", path.display())
    })
}

/// Whose terminal it is, for the page and the log.
fn here() -> String {
    let user = std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("terminal of {user} at {}", host.trim())
}

fn refusal(error: DbError) -> String {
    match error {
        DbError::SessionEnded => {
            "this secret opens nothing: it was replaced, its service identity has ended, or its organisation is suspended".to_owned()
        }
        DbError::Refused => "this is not the service identity's to do".to_owned(),
        other => other.to_string(),
    }
}

/// A command under way.
struct Job {
    services: Services,
    entered: Entered,
}

impl Job {
    /// The client of the work, as its identity sees it, and the actor standing there.
    async fn client(&self, slug: Option<&str>) -> Result<Client, String> {
        let actor = self.entered.actor();
        let mut tx = self.services.stand(&self.entered, None, Access::Read).await.map_err(refusal)?;
        let mut clients = clients::list(&mut tx).await.map_err(plain)?;
        drop(tx);
        clients.retain(|client| slug.map_or(actor.client == Some(client.id), |slug| client.slug == slug));
        let Some(client) = clients.pop() else {
            return Err(slug.map_or_else(
                || "say which client: --client SLUG".to_owned(),
                |slug| format!("{} has no client {slug}, or it is not this service identity's", place(actor)),
            ));
        };
        Ok(client)
    }

    async fn import(&self, args: ImportArgs) -> Result<(), String> {
        let client = self.client(args.client.as_deref()).await?;
        let file = File::open(&args.file).map_err(|fault| format!("{}: {fault}", args.file.display()))?;
        let name = args.file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let hints = Hints { zone: Some(client.zone.0), mark: args.decimal.map(Into::into), net: args.net };
        // Looked through before the transaction is opened, as the page does.
        let survey = imports::survey(ImportFile::new(file, &name), hints).await.map_err(plain)?;
        let options = ImportOptions { serial: args.serial };
        let mut tx = self.services.stand(&self.entered, Some(client.id), Access::Write).await.map_err(refusal)?;
        let result = imports::import_usage(&mut tx, survey, &options).await.map_err(plain)?;
        tx.commit().await.map_err(plain)?;
        out::print(format_args!(
            "{name} for {}: {} new values, {} replaced, {} unchanged, {} rejected.",
            client.name, result.accepted, result.superseded, result.unchanged, result.rejected
        ))
    }

    async fn rate(&self, args: DueArgs) -> Result<(), String> {
        let client = self.client(args.client.as_deref()).await?;
        let day = args.due_on.unwrap_or_else(|| client.today());
        let mut tx = self.services.stand(&self.entered, Some(client.id), Access::Write).await.map_err(refusal)?;
        // A run of one cycle alone is somebody's own; one that is approved has its bills.
        let is_ours = |run: &BillingRun| run.cycle.is_none() && matches!(run.status.as_str(), "open" | "rated");
        let run = match billing::due_by(&tx, day).await.map_err(plain)?.filter(is_ours) {
            Some(run) => run.id,
            None => match billing::create(&mut tx, day, None).await {
                Ok(made) => made,
                Err(BillingError::NothingDue) => {
                    // Nothing is kept of it: a schedule asks again tomorrow.
                    return out::print(format_args!(
                        "{}: nothing is due by {day} that is not in another run.",
                        client.name
                    ));
                }
                Err(error) => return Err(words(&error)),
            },
        };
        let rated = billing::rate(&mut tx, run).await.map_err(|error| words(&error))?;
        tx.commit().await.map_err(plain)?;
        out::print(format_args!("{}, due by {day}. {}", client.name, log::rated(&rated, &client)))
    }

    async fn overview(&self) -> Result<(), String> {
        let mut tx = self.services.stand(&self.entered, None, Access::Read).await.map_err(refusal)?;
        let clients = organizations::overview(&mut tx).await.map_err(plain)?;
        let lines: Vec<serde_json::Value> = clients
            .iter()
            .map(|client| {
                serde_json::json!({
                    "client": client.name, "status": client.status, "currency": client.currency, "customers": client.customers,
                    "open_runs": client.open_runs, "waiting_runs": client.waiting_runs, "held": client.exceptions,
                    "overdue": client.overdue, "overdue_amount": client.overdue_amount, "open_amount": client.open_amount,
                    "faulty_imports": client.faulty_imports,
                })
            })
            .collect();
        out::print(serde_json::to_string_pretty(&lines).map_err(plain)?)
    }
}

/// The organization of an actor, by name.
fn place(actor: &Actor) -> &str {
    actor.organization.as_ref().map_or("", |open| &open.name)
}

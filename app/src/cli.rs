//! The command line of `portal`: what each command is called, takes and prints.

mod demo;
mod files;
mod job;
mod organization;
mod rate;
mod serve;
mod system;
mod tariff;
mod user;

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use eis::db::DbError;
use eis::metering::usage_data;
use eis::operate::connect::{Connected, Login, Settings};
use eis::operate::{check, migrate};
use eis::receivables::ledger;

use crate::out;
use crate::server::ServeArgs;

/// The EIS Power Portal: energy billing for many organisations, each seeing only its own.
#[derive(Debug, Parser)]
#[command(name = "portal", version, about, long_about = None, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(subcommand)]
    command: Command,
}

/// Which database: every program of the portal is told it alike.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    /// Where passwords and the private PostgreSQL live.
    #[arg(long, env = "PORTAL_DATA_DIR", default_value = ".portal", global = true, value_name = "DIR")]
    data_dir: PathBuf,
    /// A database of your own (an administrator's connection string); without it the portal runs a private PostgreSQL.
    #[arg(long, env = "DATABASE_URL", global = true, value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
}

impl DatabaseArgs {
    /// The database that is meant; an empty address is none.
    #[must_use]
    pub fn settings(self) -> Settings {
        Settings { database_url: self.database_url.filter(|url| !url.is_empty()), data_dir: self.data_dir }
    }
}

/// How long work on threads of its own may hold up the end; without a limit it could for ever.
const LAST_WORK: Duration = Duration::from_secs(1);

/// Runs a program's work to its end on the threads of this machine; its exit code. A fault is told at the terminal.
pub fn to_its_end(work: impl Future<Output = Result<ExitCode, String>>) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            out::tell(format_args!("portal: the program cannot start its threads: {error}"));
            return ExitCode::FAILURE;
        }
    };
    let code = runtime.block_on(work).unwrap_or_else(|message| {
        out::tell(format_args!("portal: {message}"));
        ExitCode::FAILURE
    });
    runtime.shutdown_timeout(LAST_WORK);
    code
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the portal until SIGTERM or Ctrl-C.
    Serve(ServeArgs),
    /// Load the demo data unless it is there, and print who can sign in.
    Demo(demo::DemoArgs),
    /// Make organisations.
    #[command(subcommand)]
    Organization(organization::OrganizationCommand),
    /// Make users, and new passwords for them.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Do one of a service identity's commands, as a schedule does.
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Look at all organisations, for a reason that each of them reads in its log.
    #[command(subcommand)]
    System(system::SystemCommand),
    /// Apply, take back or list migrations.
    #[command(subcommand)]
    Migrate(Migrate),
    /// Connection strings of the database, or stop the private PostgreSQL.
    #[command(subcommand)]
    Db(DbCommand),
    /// Rate usage by a tariff, both from files: one bill a calendar month. No database is needed.
    Rate(rate::RateArgs),
    /// Check a tariff file, turn it into the portal's own form, or print the JSON schema of that form.
    #[command(subcommand)]
    Tariff(tariff::TariffCommand),
    /// Measure, beside a peer in the same run, by `portal-bench`, a program of its own beside this one: `portal bench help`.
    #[command(disable_help_flag = true)]
    Bench {
        /// What to measure, and how.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<OsString>,
    },
    /// Check the database: version, roles, row-level security on every table, migrations, audit logs, and every table tried
    /// as every role on tenants made for it. Exit code 1 on a fault.
    Check {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Debug, Subcommand)]
enum Migrate {
    /// Apply what is pending (and make roles and the private database where they are missing).
    Up,
    /// Take back the latest migrations. Tables and their data go with them.
    Down {
        /// How many.
        #[arg(long, default_value_t = 1, conflicts_with = "all")]
        steps: usize,
        /// All of them.
        #[arg(long)]
        all: bool,
    },
    /// List the migrations and scripts, and whether each is applied.
    Status,
}

#[derive(Debug, Subcommand)]
enum DbCommand {
    /// Print the connection string of a role.
    Url {
        /// Whose.
        #[arg(long)]
        role: RoleArg,
    },
    /// Stop the private PostgreSQL.
    Stop,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum RoleArg {
    App,
    Worker,
    Owner,
    Monitor,
}

/// A fault in one sentence, for the person at the terminal.
type CliResult = Result<ExitCode, String>;

fn plain(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Runs a command; its exit code.
///
/// # Errors
/// A fault in one sentence, for the person at the terminal.
pub async fn run(cli: Cli) -> CliResult {
    let settings = cli.database.settings();
    match cli.command {
        Command::Serve(args) => serve::run(settings, args).await,
        Command::Rate(args) => rate::run(&args),
        Command::Tariff(command) => tariff::run(&command),
        Command::Demo(args) => demo::run(&settings.connect().map_err(plain)?, args).await,
        Command::Organization(command) => organization::run(&settings.connect().map_err(plain)?, command).await,
        Command::User(command) => user::run(&settings.connect().map_err(plain)?, command).await,
        Command::Job(command) => job::run(&settings.connect().map_err(plain)?, command).await,
        Command::System(command) => system::run(&settings.connect().map_err(plain)?, command).await,
        Command::Migrate(command) => run_migrate(&settings.connect().map_err(plain)?, command).await,
        Command::Db(DbCommand::Url { role }) => {
            let connected = settings.connect().map_err(plain)?;
            bring_up(&connected).await?;
            let login = match role {
                RoleArg::App => Login::App,
                RoleArg::Worker => Login::Worker,
                RoleArg::Owner => Login::Owner,
                RoleArg::Monitor => Login::Monitor,
            };
            out::print(connected.url(login))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Db(DbCommand::Stop) => {
            if settings.database_url.is_some() {
                return Err("there is no private PostgreSQL: DATABASE_URL is set".to_owned());
            }
            settings.stop().map_err(plain)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Bench { arguments } => bench(&settings, &arguments),
        Command::Check { json } => run_check(&settings.connect().map_err(plain)?, json).await,
    }
}

/// Has `portal-bench`, which lies beside this program, measure.
fn bench(settings: &Settings, arguments: &[OsString]) -> CliResult {
    let program = std::env::current_exe().map_err(plain)?.with_file_name("portal-bench");
    let mut command = std::process::Command::new(&program);
    command.args(arguments).env("PORTAL_DATA_DIR", &settings.data_dir);
    // In a list of processes everybody reads the arguments.
    match &settings.database_url {
        Some(url) => command.env("DATABASE_URL", url),
        None => command.env_remove("DATABASE_URL"),
    };
    // In this one's place, so that whoever ends it ends the measuring.
    Err(format!("{} does not start: {}", program.display(), command.exec()))
}

/// Brings the database up to date, and tells what a login had done to itself; what was applied.
async fn bring_up(connected: &Connected) -> Result<migrate::Applied, String> {
    let brought = connected.migrate_up().await.map_err(plain)?;
    for mended in brought.mended {
        out::tell(format_args!("portal: {mended}."));
    }
    Ok(brought.applied)
}

async fn run_migrate(connected: &Connected, command: Migrate) -> CliResult {
    match command {
        Migrate::Up => {
            let migrate::Applied { migrations, scripts } = bring_up(connected).await?;
            let applied = [migrations, scripts].concat();
            out::print(format_args!(
                "{}",
                if applied.is_empty() {
                    "Nothing was pending.".to_owned()
                } else {
                    format!("Applied {}.", applied.join(", "))
                }
            ))?;
        }
        Migrate::Down { steps, all } => {
            let reverted =
                migrate::down(connected.admin_url(), if all { usize::MAX } else { steps }).await.map_err(plain)?;
            out::print(format_args!(
                "{}",
                if reverted.is_empty() {
                    "Nothing was applied.".to_owned()
                } else {
                    format!("Took back {}.", reverted.join(", "))
                }
            ))?;
        }
        Migrate::Status => {
            for state in migrate::status(connected.admin_url()).await.map_err(plain)? {
                out::print(format_args!("{}  {}", if state.applied { "applied" } else { "pending" }, state.name))?;
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn run_check(connected: &Connected, json: bool) -> CliResult {
    let mut findings = check::run(connected.admin_url()).await.map_err(plain)?;
    findings.extend(connected.check_logins().await);
    if findings.iter().all(|finding| finding.ok || finding.check != "migrations") {
        // What cannot be looked at is a fault beside the others, not the end of the report.
        let failed =
            |name, error: DbError| vec![check::Finding::fault(name, format!("This could not be looked at: {error}."))];
        let url = connected.admin_url();
        findings.extend(check::audit(url).await.unwrap_or_else(|error| failed("audit log", error)));
        findings.extend(check::isolation(url).await.unwrap_or_else(|error| failed("isolation", error)));
        findings.extend(ledger::control::check(url).await.unwrap_or_else(|error| failed("ledger", error)));
        findings.extend(usage_data::control::check(url).await.unwrap_or_else(|error| failed("usage", error)));
    }
    let ok = findings.iter().all(|finding| finding.ok);
    if json {
        let report = serde_json::json!({ "ok": ok, "findings": findings });
        out::print(serde_json::to_string_pretty(&report).map_err(plain)?)?;
    } else {
        for finding in &findings {
            out::print(format_args!("{}  {}: {}", finding.mark(), finding.check, finding.message))?;
        }
    }
    Ok(if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

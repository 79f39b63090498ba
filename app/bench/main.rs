//! `portal-bench`, which `portal bench …` starts: measurements that anyone can repeat. They print ratios against a peer in
//! the same run. The portal's own binary has none of it.

// Typed release builds nest views deeper than the compiler's default allows.
#![recursion_limit = "512"]

mod billing;
mod company;
mod cpu;
mod door;
mod fairness;
mod import;
mod load;
mod pages;
mod peer;
mod rate;
mod rls;
mod scale;
mod twin;
mod visitor;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use portal::cli::{DatabaseArgs, to_its_end};
use portal::server;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures the portal, beside a peer in the same run.
#[derive(Debug, Parser)]
#[command(name = "portal bench", bin_name = "portal bench", version, long_about = None, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    database: DatabaseArgs,
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Debug, Subcommand)]
enum Bench {
    /// Signed-in pages on 200 organisations and 1.2 million invoices, beside bare handlers with the same SQL.
    Pages {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Only pages whose name begins so: `invoice list`.
        #[arg(long, value_name = "PAGE", default_value = "")]
        only: String,
        /// Connections to the database, as `portal serve` has them.
        #[arg(long, value_name = "N", default_value_t = server::connections())]
        db_connections: usize,
    },
    /// Pages of a normal client beside 200 slow ones of each kind, how long those are held, and SIGTERM under load.
    Door {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// A run of contracts with quarter-hour meters, from what is due to issued, beside a raw COPY of the rows that it writes.
    Billing {
        /// How many contracts.
        #[arg(long, value_name = "N", default_value_t = 20_000)]
        contracts: usize,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// A file of 1.34 million quarter-hours, beside a raw COPY of its rows.
    Import {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Bills a second on one core, beside NREL's utilityrate5 (PySAM). No database is needed.
    Rate {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// One organisation's pages while another loads the portal as much as it can, on the demo's data. Exit code 1 when they
    /// are more than three times as slow.
    Fairness {
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Row-level security on 200 organisations and 2 million invoices, beside an unprotected twin of the tables with
    /// hand-written conditions. Takes 5 GB in the private PostgreSQL.
    Rls {
        /// Print JSON.
        #[arg(long)]
        json: bool,
        /// Drop the database afterwards; otherwise it is kept for the next run.
        #[arg(long)]
        drop: bool,
    },
}

fn main() -> ExitCode {
    to_its_end(run(Cli::parse()))
}

async fn run(cli: Cli) -> Result<ExitCode, String> {
    let settings = cli.database.settings();
    let mut met = true;
    match cli.bench {
        Bench::Pages { json, only, db_connections } => pages::run(&settings, db_connections, json, &only).await?,
        Bench::Door { json } => door::run(&settings, json).await?,
        Bench::Billing { contracts, json } => billing::run(&settings, contracts, json).await?,
        Bench::Import { json } => import::run(&settings, json).await?,
        Bench::Rate { json } => rate::run(&settings, json)?,
        Bench::Fairness { json } => met = fairness::run(&settings, json).await?,
        Bench::Rls { json, drop } => rls::run(&settings, json, drop).await?,
    }
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A fault in one sentence.
fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Whole milliseconds.
fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The middle one of some times.
fn median(mut times: Vec<Duration>) -> Duration {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// The portal's own program, which lies beside this one.
fn portal() -> Result<PathBuf, String> {
    let here = std::env::current_exe().map_err(text)?;
    Ok(here.with_file_name("portal"))
}

//! `portal demo`: loads the demo and prints who can sign in.

use std::process::ExitCode;

use chrono::NaiveDate;
use clap::Args;
use eis::demo::{self, Loaded, Login};
use eis::operate::connect::Connected;

use super::{CliResult, bring_up, plain};
use crate::out;

/// How to load the demo.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Print the logins as JSON.
    #[arg(long)]
    json: bool,
    /// The day for which the data is made: two years up to the month before. Only the first call's counts. Default: today, where it is earliest among the demo's clients.
    #[arg(long, value_name = "YYYY-MM-DD")]
    as_of: Option<NaiveDate>,
}

/// Loads the demo unless it is there, and prints its logins.
pub async fn run(connected: &Connected, args: DemoArgs) -> CliResult {
    let loaded = load(connected, args.as_of).await?;
    if args.json {
        out::print(serde_json::to_string_pretty(&loaded.logins).map_err(plain)?)?;
    } else {
        print(&loaded)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Migrates and loads the demo of a day, or today's.
pub async fn load(connected: &Connected, as_of: Option<NaiveDate>) -> Result<Loaded, String> {
    bring_up(connected).await?;
    let as_of = as_of.unwrap_or_else(demo::today);
    demo::load_once(connected.admin_url(), as_of).await.map_err(plain)
}

/// Who can sign in, as a table, and where to begin.
pub fn print(loaded: &Loaded) -> Result<(), String> {
    let state = if loaded.fresh { "Loaded the demo data" } else { "The demo data is there" };
    out::print(format_args!(
        "{state} (as of {}). Demo only: every login has the password {}\n",
        loaded.as_of,
        demo::PASSWORD
    ))?;
    let rows: Vec<[&str; 4]> = loaded.logins.iter().map(row).collect();
    let head = ["role", "e-mail", "organisation", "client"];
    let width = |at: usize| rows.iter().chain([&head]).map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2)];
    for row in [head].iter().chain(&rows) {
        let line = format!(
            "{:<a$}  {:<b$}  {:<c$}  {}",
            row[0],
            row[1],
            row[2],
            row[3],
            a = widths[0],
            b = widths[1],
            c = widths[2]
        );
        out::print(line.trim_end())?;
    }
    out::print(format_args!(
        "\nFor the walk-through: sign in as {} ({}), open the customer {:?} and import the reference\n\
         Green Button file for meter {}; bill what is due by 2012-03-14.\n\
         Then sign in as {} to see the invoice.",
        demo::WALK_ADMIN,
        demo::WALK_CLIENT_NAME,
        demo::WALK_NAME,
        demo::WALK_SERIAL,
        demo::WALK_EMAIL
    ))
}

fn row(login: &Login) -> [&str; 4] {
    let several = if login.home == "/switch" { "several: chooses at sign-in" } else { "" };
    [
        &login.role,
        &login.email,
        login.organization.as_deref().unwrap_or(several),
        login.client.as_deref().unwrap_or_default(),
    ]
}

//! `portal organization`: making organisations at the terminal.

use std::process::ExitCode;

use clap::{Args, Subcommand, builder::PossibleValuesParser};
use eis::operate::connect::Connected;
use eis::parties::organizations::create::{self, NewOrganization};

use super::{CliResult, bring_up, plain};
use crate::format::Locale;
use crate::out;

/// What can be done with organisations.
#[derive(Debug, Subcommand)]
pub enum OrganizationCommand {
    /// Make an organisation. Give it an energy admin next: `portal user create --role energy_admin --organization SLUG …`.
    Create(CreateArgs),
}

/// Which to make.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// Its short name, for commands: small letters, digits and hyphens.
    #[arg(long)]
    slug: String,
    /// Its name, as people read it.
    #[arg(long)]
    name: String,
    /// ISO 4217; what its new clients begin with.
    #[arg(long, default_value = "USD")]
    currency: String,
    /// IANA, like Europe/Berlin; what its new clients begin with.
    #[arg(long, default_value = "UTC")]
    time_zone: String,
    /// How figures and dates are written; what its new clients begin with.
    #[arg(long, default_value = "en-US", value_parser = PossibleValuesParser::new(Locale::ALL.map(Locale::tag)))]
    locale: String,
}

/// Runs a command about organisations.
pub async fn run(connected: &Connected, command: OrganizationCommand) -> CliResult {
    let OrganizationCommand::Create(args) = command;
    bring_up(connected).await?;
    let new = NewOrganization {
        slug: args.slug,
        name: args.name.trim().to_owned(),
        currency: args.currency,
        time_zone: args.time_zone,
        locale: args.locale,
    };
    create::create(connected.admin_url(), &new).await.map_err(plain)?;
    out::print(format_args!("Made the organisation {} ({}).", new.name, new.slug))?;
    Ok(ExitCode::SUCCESS)
}

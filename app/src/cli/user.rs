//! `portal user`: making users at the terminal, and replacing what they lost.

use std::io::Read;
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use eis::access::Role;
use eis::operate::connect::Connected;
use eis::parties::users::create::{self, NewUser, Outcome};
use eis::parties::users::lost;
use eis::values::identifiers;

use super::{CliResult, bring_up, plain};
use crate::out;

/// Bytes that are read as a password: far more than one has, so that what is longer is told so.
const MOST_READ: u64 = 64 * 1024;

/// What can be done with users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Make a user with a role, or give another role to the user who has the e-mail address already.
    Create(CreateArgs),
    /// Give a user a new password. All sessions of theirs end; a second factor stays.
    Password(ResetArgs),
    /// Take the second factor of a user away who lost phone and codes on paper. All sessions of theirs end; EIS staff and
    /// energy admins set a new one up before anything opens. Make sure first that it is the person who asks.
    SecondFactorOff(LostArgs),
}

/// Whose second factor, and why.
#[derive(Debug, Args)]
pub struct LostArgs {
    /// The address that the user signs in with.
    #[arg(long)]
    email: String,
    /// Why, and how you know that it is the person who asks; it stands in the audit log, where the organisation's admins read it.
    #[arg(long)]
    reason: String,
}

/// Whose password, and which.
#[derive(Debug, Args)]
pub struct ResetArgs {
    /// The address that the user signs in with.
    #[arg(long)]
    email: String,
    #[command(flatten)]
    password: PasswordArgs,
}

/// Whom to make.
#[derive(Debug, Args)]
pub struct CreateArgs {
    /// The address to sign in with.
    #[arg(long)]
    email: String,
    /// The person's name.
    #[arg(long)]
    name: String,
    #[command(flatten)]
    password: PasswordArgs,
    /// What the user may act as.
    #[arg(long)]
    role: RoleName,
    /// May work as the system across organisations, for a reason, on record in each (eis_staff).
    #[arg(long)]
    administrator: bool,
    /// The organisation's short name (every role but eis_staff).
    #[arg(long, value_name = "SLUG")]
    organization: Option<String>,
    /// The client's short name (client_admin, customer_user).
    #[arg(long, value_name = "SLUG")]
    client: Option<String>,
    /// The customer's account number (customer_user).
    #[arg(long, value_name = "ACCOUNT")]
    customer: Option<String>,
}

/// Where the password comes from: never from the command line, which others can read.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct PasswordArgs {
    /// Read the password from standard input.
    #[arg(long)]
    password_stdin: bool,
    /// Read the password from this environment variable.
    #[arg(long, value_name = "VARIABLE")]
    password_env: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum RoleName {
    EisStaff,
    EnergyAdmin,
    ClientAdmin,
    CustomerUser,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::EisStaff => Self::EisStaff,
            RoleName::EnergyAdmin => Self::EnergyAdmin,
            RoleName::ClientAdmin => Self::ClientAdmin,
            RoleName::CustomerUser => Self::CustomerUser,
        }
    }
}

/// Runs a command about users.
pub async fn run(connected: &Connected, command: UserCommand) -> CliResult {
    match command {
        UserCommand::Create(args) => create_user(connected, args).await,
        UserCommand::Password(args) => {
            let (email, password) = (identifiers::canonical(&args.email), args.password.read()?);
            bring_up(connected).await?;
            lost::reset_password(connected.admin_url(), &email, &password).await.map_err(plain)?;
            out::print(format_args!("{email} has a new password; all sessions under the old one have ended."))?;
            Ok(ExitCode::SUCCESS)
        }
        UserCommand::SecondFactorOff(args) => {
            let email = identifiers::canonical(&args.email);
            bring_up(connected).await?;
            lost::take_second_factor(connected.admin_url(), &email, &args.reason).await.map_err(plain)?;
            out::print(format_args!(
                "{email} has no second factor any more; all sessions have ended. The password is asked for as before. EIS staff and energy admins set a new one up before anything opens."
            ))?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn create_user(connected: &Connected, args: CreateArgs) -> CliResult {
    let password = args.password.read()?;
    bring_up(connected).await?;
    let role = Role::from(args.role);
    let new = NewUser {
        email: args.email.trim().to_owned(),
        name: args.name,
        password,
        role,
        administrator: args.administrator,
        organization: args.organization,
        client: args.client,
        customer: args.customer,
    };
    let (email, role) = (&new.email, role.label());
    match create::create(connected.admin_url(), &new).await.map_err(plain)? {
        Outcome::Created => out::print(format_args!("Made the user {email} with the role {role}."))?,
        Outcome::RoleAdded => out::print(format_args!(
            "{email} was there already and has the role {role} too now; name and password stay as they were."
        ))?,
        Outcome::AlreadyThere => out::print(format_args!("{email} has this role already. Nothing was changed."))?,
    }
    Ok(ExitCode::SUCCESS)
}

impl PasswordArgs {
    fn read(&self) -> Result<String, String> {
        let password = match &self.password_env {
            Some(variable) => {
                std::env::var(variable).map_err(|_| format!("the environment variable {variable} is not set"))?
            }
            None => {
                let mut text = String::new();
                let mut start = std::io::stdin().take(MOST_READ);
                start.read_to_string(&mut text).map_err(|error| format!("standard input: {error}"))?;
                text.trim_end_matches(['\r', '\n']).to_owned()
            }
        };
        if password.is_empty() { Err("the password is empty".to_owned()) } else { Ok(password) }
    }
}

//! `portal serve`: what must be so before it serves.

use std::process::ExitCode;

use eis::db::owner::Owner;
use eis::db::{DbError, second_factor};
use eis::demo as data;
use eis::operate::check;
use eis::operate::connect::{Connected, Settings};

use super::{CliResult, bring_up, demo, plain};
use crate::server::{ServeArgs, host};
use crate::{out, routes};

/// Brings the database up to date, looks whether it is safe to serve from, and serves.
pub async fn run(settings: Settings, args: ServeArgs) -> CliResult {
    let connected = settings.connect().map_err(plain)?;
    // It holds the administrator's connection string, which is not kept while serving.
    drop(settings);
    bring_up(&connected).await?;
    refuse_faults(&connected).await?;
    refuse_known_passwords(&connected, &args).await?;
    if args.demo {
        demo::print(&demo::load(&connected, None).await?)?;
        out::print("")?;
    }
    if let Some(days) = args.second_factor_grace {
        set_grace(&connected, days).await.map_err(plain)?;
    }
    crate::server::serve(connected, args, routes::router).await?;
    Ok(ExitCode::SUCCESS)
}

/// As the owner: no login may.
async fn set_grace(connected: &Connected, days: u16) -> Result<(), DbError> {
    let mut owner = Owner::begin(connected.admin_url()).await?;
    second_factor::set_grace(&mut owner, days).await?;
    owner.commit().await
}

/// Nothing is served from a database whose isolation does not stand. An old server is warned of alone: it may be
/// the newest that there is for a system.
async fn refuse_faults(connected: &Connected) -> Result<(), String> {
    let told = check::run(connected.admin_url()).await.map_err(plain)?.into_iter();
    let (faults, fine): (Vec<_>, Vec<_>) = told.partition(|finding| !finding.ok);
    let (old, broken): (Vec<_>, Vec<_>) = faults.into_iter().partition(|fault| fault.check == "version");
    for finding in old.iter().chain(fine.iter().filter(|finding| finding.warns)) {
        out::tell(format_args!("portal: {}", finding.message));
    }
    if broken.is_empty() {
        return Ok(());
    }
    let told: Vec<String> = broken.into_iter().map(|fault| format!("  {}: {}", fault.check, fault.message)).collect();
    Err(format!("the database is not safe to serve from:\n{}\n`portal check` tells all of it", told.join("\n")))
}

/// Whether others than this machine may reach it: by the address itself, or through what stands before it.
fn is_reached_by_others(args: &ServeArgs) -> bool {
    !args.listen.ip().is_loopback()
        || args.trust_proxy
        || args.public_url.as_deref().is_some_and(|url| !host::is_this_machine(url))
}

/// The password of the demo's logins is in the program's text. Where others come in, nobody serves it without having said so.
async fn refuse_known_passwords(connected: &Connected, args: &ServeArgs) -> Result<(), String> {
    if args.demo_passwords_are_known || !is_reached_by_others(args) {
        return Ok(());
    }
    let open = data::known_passwords(connected.admin_url()).await.map_err(plain)?;
    if open == 0 && !args.demo {
        return Ok(());
    }
    let what = match open {
        0 => "--demo makes logins".to_owned(),
        n => format!("the demo data is in this database: {n} of its logins are there"),
    };
    Err(format!(
        "{what} whose password everybody knows, EIS staff among them, and others than this machine can reach --listen {}. Use another \
         database, serve on 127.0.0.1 alone, or say that it is meant: --demo-passwords-are-known",
        args.listen
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Told {
        #[command(flatten)]
        args: ServeArgs,
    }

    #[test]
    fn others_come_by_an_address_by_a_name_and_through_a_proxy() {
        let told = |flags: &[&str]| Told::parse_from([&["portal"], flags].concat()).args;
        for alone in [
            &[][..],
            &["--listen", "[::1]:80"],
            &["--public-url", "http://localhost:3000"],
            &["--public-url", "https://127.0.0.1"],
        ] {
            assert!(!is_reached_by_others(&told(alone)), "{alone:?}");
        }
        for open in [
            &["--listen", "0.0.0.0:3000"][..],
            &["--listen", "[::]:3000"],
            &["--listen", "192.0.2.1:3000"],
            &["--trust-proxy"],
            &["--public-url", "https://portal.example"],
        ] {
            assert!(is_reached_by_others(&told(open)), "{open:?}");
        }
    }
}

//! The portal's binary: parses the command line and runs it.

use clap::Parser;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    portal::cli::run(portal::cli::Cli::parse()).await
}

//! The portal's binary: parses the command line and runs it.

use clap::Parser;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> std::process::ExitCode {
    portal::cli::run(portal::cli::Cli::parse()).await
}

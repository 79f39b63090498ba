//! The portal's binary: parses the command line and runs it.

use std::process::ExitCode;

use clap::Parser;
use portal::cli::{self, Cli};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::to_its_end(cli::run(Cli::parse()))
}

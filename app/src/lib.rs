//! The web above the business: routes, pages, components, the server and the command line.

pub mod cli;
pub mod server;

//! The web above the business: routes, pages, components, the server and the command line.

pub mod components;
pub mod format;
pub mod server;

//! The web above the business: routes, pages, components, the server and the command line.

// Typed release builds nest views deeper than the compiler's default allows.
#![recursion_limit = "512"]

pub mod assets;
pub mod cli;
pub mod components;
pub mod format;
pub mod forms;
pub mod messages;
pub mod out;
pub mod pages;
pub mod routes;
pub mod server;

//! Running a deployment: the private PostgreSQL, migrations and scripts, logins, the check, the proof of isolation and its
//! report, figures across organizations.

pub mod admin;
pub mod check;
mod closed;
pub mod cluster;
pub mod connect;
pub mod expected;
pub mod isolation;
pub mod keep;
pub mod logins;
pub mod migrate;
mod own;
pub mod platform;
pub mod proof;
pub mod scripts;

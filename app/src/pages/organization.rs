//! Pages of a whole organization: for its energy admins, and EIS staff who look in.

pub mod clients;
pub mod isolation;
mod notices;
pub mod overview;

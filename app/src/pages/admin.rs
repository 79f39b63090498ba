//! Pages of a client (energy company): for its admins, its organization's admins, and staff who look in.

pub mod accounts;
pub mod agreements;
pub mod billing_runs;
pub mod contracts;
pub mod customers;
pub mod imports;
pub mod invoices;
pub mod ledger;
pub mod meters;
pub mod overview;
pub mod readings;
mod records;
pub mod service_points;
pub mod tariffs;
pub mod view_as;
pub mod what_ifs;

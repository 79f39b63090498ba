//! Pages of a client (energy company): for its admins, its organization's admins, and staff who look in.

pub mod agreements;
pub mod customers;
pub mod imports;
pub mod meters;
pub mod tariffs;
pub mod billing_periods;
pub mod invoices;
pub mod overview;

//! Pages of a client (energy company): for its admins, its organization's admins, and staff who look in.

pub mod customers;

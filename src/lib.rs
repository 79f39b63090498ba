//! The business of the EIS Power Portal: no HTML, no HTTP. This file is the map of the rooms.

pub mod access;
pub mod account;
pub mod audit;
pub mod billing;
pub mod clients;
pub mod customers;
pub mod db;
pub mod demo;
pub mod ids;
pub mod imports;
pub mod interval_days;
pub mod invoices;
pub mod jobs;
pub mod meters;
pub mod money;
pub mod organizations;
pub mod passwords;
pub mod payments;
pub mod period;
pub mod platform;
pub mod rating;
pub mod tariff_document;
pub mod tariffs;
pub mod usage;
pub mod usage_data;
pub mod users;

//! The business of the EIS Power Portal: no HTML, no HTTP. This file is the map of the rooms.

pub mod access;
pub mod audit;
pub mod clients;
pub mod customers;
pub mod db;
pub mod demo;
pub mod ids;
pub mod money;
pub mod passwords;
pub mod period;
pub mod rating;
pub mod tariff_document;
pub mod usage;
pub mod users;

//! The business of the EIS Power Portal: no HTML, no HTTP. This file is the map of the rooms.

pub mod access;
pub mod audit;
pub mod billing;
pub mod db;
pub mod demo;
pub mod documents;
pub mod jobs;
pub mod metering;
pub mod operate;
pub mod parties;
pub mod rating;
pub mod receivables;
pub mod tariff_document;
pub mod tariffs;
pub mod usage;
pub mod values;

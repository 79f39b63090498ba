//! The business of the EIS Power Portal: no HTML, no HTTP. This file is the map of the rooms.

pub mod money;
pub mod period;
pub mod rating;
pub mod tariff_document;
pub mod usage;

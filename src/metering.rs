//! Meters and what they measured: registers, figures, interval data, imports.

pub mod imports;
pub mod interval_days;
pub mod meter_readings;
pub mod meters;
pub mod registers;
pub mod usage_data;

//! Values: newtypes, their rounding and their spelling, each in one place. Nothing here knows a connection.

pub mod clock;
pub mod codes;
pub mod days;
pub mod figures;
pub mod hex;
pub mod identifiers;
pub mod ids;
pub mod money;
pub mod names;
pub mod period;
pub mod plain;
pub mod texts;
pub mod written;

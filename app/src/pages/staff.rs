//! Pages of EIS staff alone: which organization is open, and whether it may be changed.

pub mod organizations;
pub mod step_up;

//! Pages of EIS staff before an organization is open.

pub mod organizations;

//! Addresses that the server itself sends people to.

/// Where staff step up.
pub const STEP_UP: &str = "/staff/step-up";
/// Where a second factor is set up.
pub const SECOND_FACTOR: &str = "/profile/second-factor";
/// Where an organization reads how its isolation stands.
pub const ISOLATION_REPORT: &str = "/organization/isolation";

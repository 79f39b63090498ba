//! The isolation suite: every test tries to see or change what is not its own, and shows beside it that
//! the rightful one does. Numbers are those of the list of attacks (docs/isolation.md).

#[cfg(test)]
#[path = "../support/support.rs"]
mod support;

#[cfg(test)]
mod anonymous;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod check;
#[cfg(test)]
mod closed;
#[cfg(test)]
mod context;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod crosstalk;
#[cfg(test)]
mod database_away;
#[cfg(test)]
mod database_dies;
#[cfg(test)]
mod database_tls;
#[cfg(test)]
mod days;
#[cfg(test)]
mod demo_passwords;
#[cfg(test)]
mod door;
#[cfg(test)]
mod entering;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod factor_lost;
#[cfg(test)]
mod factor_needed;
#[cfg(test)]
mod fairness;
#[cfg(test)]
mod guards;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod invitations;
#[cfg(test)]
mod issued;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod model;
#[cfg(test)]
mod mutate;
#[cfg(test)]
mod names;
#[cfg(test)]
mod narrowed;
#[cfg(test)]
mod objects;
#[cfg(test)]
mod offers;
#[cfg(test)]
mod once;
#[cfg(test)]
mod operations;
#[cfg(test)]
mod password_resets;
#[cfg(test)]
mod passwords;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod readiness;
#[cfg(test)]
mod report;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod role_ends;
#[cfg(test)]
mod roles;
#[cfg(test)]
mod schema;
#[cfg(test)]
mod second_factor;
#[cfg(test)]
mod seen;
#[cfg(test)]
mod services;
#[cfg(test)]
mod session_limits;
#[cfg(test)]
mod sessions;
#[cfg(test)]
mod side_channels;
#[cfg(test)]
mod snapshots;
#[cfg(test)]
mod step_up;
#[cfg(test)]
mod system;
#[cfg(test)]
mod tables;
#[cfg(test)]
mod targets;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod thief;
#[cfg(test)]
mod timing;
#[cfg(test)]
mod typed;
#[cfg(test)]
mod uploads;
#[cfg(test)]
mod view_as;
mod what_ifs;
#[cfg(test)]
mod workspaces;
#[cfg(test)]
mod writers;
#[cfg(test)]
mod writes;

/// SQLSTATE: insufficient privilege, a policy's refusal, or the gate's.
const DENIED: &str = "42501";
/// SQLSTATE: the gate knows no live session of this secret.
const SESSION_ENDED: &str = "28000";

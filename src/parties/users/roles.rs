//! What is done to a role that somebody holds: its last day, taking it back, ending the sessions under it. Each is on record
//! in the log of the role's client, where it has one.

use chrono::NaiveDate;
use chrono_tz::Tz;
use serde_json::json;

use super::OrganizationUser;
use crate::access::Role;
use crate::audit::{self, Entry};
use crate::db::{DbError, Tenant, Unreadable};
use crate::values::clock;
use crate::values::ids::AssignmentId;

/// Why a role was not changed.
#[derive(Debug, thiserror::Error)]
pub enum RoleError {
    /// No such role in force, one's own, or not the actor's to change.
    #[error("there is no such role")]
    NotFound,
    /// The last day lies before today.
    #[error("the day has gone by")]
    GoneBy,
    /// The organization would be without an energy admin from then on.
    #[error("the organization would have no energy admin")]
    LastEnergyAdmin,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for RoleError {
    fn from(error: diesel::result::Error) -> Self {
        let error = DbError::from(error);
        if error.violates("last_energy_admin") { Self::LastEnergyAdmin } else { Self::Db(error) }
    }
}

impl OrganizationUser {
    /// The role as people read it, with what it is narrowed to.
    #[must_use]
    pub fn role_label(&self) -> String {
        Role::parse(&self.role).map_or_else(String::new, |role| role.narrowed_label(self.narrowed))
    }

    /// Today in the zone of the role's days.
    fn today(&self) -> Result<NaiveDate, DbError> {
        let zone: Tz = self
            .time_zone
            .parse()
            .map_err(|fault| Unreadable::new("role_assignments", self.assignment_id, "time_zone", fault))?;
        Ok(clock::today(zone))
    }
}

/// The assignment of this id while it is in force, held until the transaction ends: of two who change it at once, one waits
/// here.
///
/// # Errors
/// `NotFound`, or when the database fails.
pub async fn held(tx: &mut Tenant, id: AssignmentId) -> Result<OrganizationUser, RoleError> {
    super::hold(tx, id).await?;
    super::find(tx, id).await?.filter(|row| !row.ended()).ok_or(RoleError::NotFound)
}

fn entry(action: &'static str, row: &OrganizationUser, summary: String, details: serde_json::Value) -> Entry<'static> {
    let (entity_id, customer) = (Some(row.assignment_id.0), row.customer_id);
    Entry { action, entity: "role_assignment", entity_id, customer, summary, details }
}

/// Sets the last day on which a role holds, or gives it no end; gives the role as it was. The same day changes nothing.
///
/// # Errors
/// [`RoleError`].
pub async fn set_last_day(
    tx: &mut Tenant,
    id: AssignmentId,
    day: Option<NaiveDate>,
) -> Result<OrganizationUser, RoleError> {
    let row = held(tx, id).await?;
    if day == row.last_day {
        return Ok(row);
    }
    let today = row.today()?;
    if day.is_some_and(|day| day < today) {
        return Err(RoleError::GoneBy);
    }
    if !super::end_assignment(tx, id, day).await? {
        return Err(RoleError::NotFound);
    }
    let summary = format!("Changed until when {} ({}) is {}", row.name, row.email, row.role_label());
    let details = audit::changed(json!({ "last_day": row.last_day }), json!({ "last_day": day }));
    audit::note_at(tx, row.client_id, entry("update", &row, summary, details)).await?;
    Ok(row)
}

/// Takes a role back, from now on; gives it as it was.
///
/// # Errors
/// [`RoleError`].
pub async fn take_back(tx: &mut Tenant, id: AssignmentId) -> Result<OrganizationUser, RoleError> {
    let row = held(tx, id).await?;
    if !super::revoke_assignment(tx, id).await? {
        return Err(RoleError::NotFound);
    }
    let summary = format!("Took the role {} back from {} ({})", row.role_label(), row.name, row.email);
    let details = audit::removed(json!({
        "name": row.name, "email": row.email, "role": row.role, "client": row.client_name, "customer": row.customer_name,
        "valid_from": row.valid_from, "valid_to": row.valid_to, "last_day": row.last_day,
    }));
    audit::note_at(tx, row.client_id, entry("revoke", &row, summary, details)).await?;
    Ok(row)
}

/// Ends a person's sessions in the organization and no role: the role named, and how many there were.
///
/// # Errors
/// [`RoleError`].
pub async fn end_sessions(tx: &mut Tenant, id: AssignmentId) -> Result<(OrganizationUser, i32), RoleError> {
    let row = held(tx, id).await?;
    let ended = super::end_user_sessions(tx, id).await?;
    let entry = Entry {
        action: "end_sessions",
        entity: "user",
        entity_id: Some(row.user_id.0),
        customer: row.customer_id,
        summary: format!("Signed {} ({}) out of {ended} sessions", row.name, row.email),
        details: audit::created(json!({ "sessions": ended })),
    };
    audit::note_at(tx, row.client_id, entry).await?;
    Ok((row, ended))
}

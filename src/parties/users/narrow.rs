//! Narrowing a role that somebody holds to some of its commands, or giving all of it.

use diesel::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::RunQueryDsl;
use serde_json::json;

use super::OrganizationUser;
use super::roles::{RoleError, held};
use crate::access::Narrowed;
use crate::audit::{self, Entry};
use crate::db::Tenant;
use crate::values::ids::AssignmentId;

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    value: bool,
}

/// Says what a role that somebody holds includes from now on (`None`: all of it), on record; gives the role as it was. Links
/// that would give it otherwise stop working, and the person's sessions under it end. The same changes nothing.
///
/// # Errors
/// [`RoleError`].
pub async fn narrow(
    tx: &mut Tenant,
    id: AssignmentId,
    narrowed: Option<Narrowed>,
) -> Result<OrganizationUser, RoleError> {
    let row = held(tx, id).await?;
    if narrowed == row.narrowed {
        return Ok(row);
    }
    let done: Flag = sql_query("SELECT public.narrow_assignment($1, $2) AS value")
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<Text>, _>(narrowed)
        .get_result(&mut **tx)
        .await?;
    if !done.value {
        return Err(RoleError::NotFound);
    }
    let code = |narrowed: Option<Narrowed>| narrowed.map_or("all", Narrowed::code);
    let entry = Entry {
        action: "update",
        entity: "role_assignment",
        entity_id: Some(row.assignment_id.0),
        customer: row.customer_id,
        summary: format!("Changed what {} ({}) may do as {}", row.name, row.email, row.role.replace('_', " ")),
        details: audit::changed(json!({ "narrowed": code(row.narrowed) }), json!({ "narrowed": code(narrowed) })),
    };
    audit::note_at(tx, row.client_id, entry).await?;
    Ok(row)
}

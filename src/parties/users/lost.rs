//! What an operator replaces at the terminal for somebody who lost it: the password, or the second factor with the codes on
//! paper. Each organization that the login concerns reads it in its log.

use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use super::create::{CreateError, Password, input, not_ended, role_assignments, users};
use crate::access::Role;
use crate::audit::{self, Entry};
use crate::db::schema::organizations;
use crate::db::{lower, owner::Owner, second_factor};
use crate::values::identifiers;
use crate::values::ids::{OrganizationId, UserId};

/// Letters of a reason: it says more than `lost`.
const LEAST_REASON: usize = 10;

/// Whose login it is.
struct Person {
    id: UserId,
    name: String,
    email: String,
}

impl Person {
    /// Who signs in with an address.
    async fn find(conn: &mut AsyncPgConnection, email: &str) -> Result<Self, CreateError> {
        let email = identifiers::canonical(email);
        let known: Option<(UserId, String)> = users::table
            .filter(lower(users::email).eq(lower(&email)))
            .select((users::id, users::name))
            .first(conn)
            .await
            .optional()?;
        let Some((id, name)) = known else { return input(format!("nobody signs in with {email:?}")) };
        Ok(Self { id, name, email })
    }

    /// The organizations that the login concerns: those of its roles that have not ended, also of roles to come; every one
    /// for EIS staff, who may open any.
    async fn organizations(&self, conn: &mut AsyncPgConnection) -> QueryResult<Vec<OrganizationId>> {
        let held: Vec<(String, Option<OrganizationId>)> = role_assignments::table
            .filter(role_assignments::user_id.eq(self.id))
            .filter(not_ended())
            .select((role_assignments::role, role_assignments::organization_id))
            .distinct()
            .load(conn)
            .await?;
        if held.iter().any(|(role, _)| role == Role::EisStaff.code()) {
            return organizations::table.select(organizations::id).load(conn).await;
        }
        let mut all: Vec<OrganizationId> = held.into_iter().filter_map(|(_, organization)| organization).collect();
        all.sort_unstable();
        all.dedup();
        Ok(all)
    }

    /// Puts what was done on record in each of them.
    async fn record(&self, tx: &mut Owner, action: &str, summary: &str, details: &Value) -> Result<(), CreateError> {
        for organization in self.organizations(tx).await? {
            tx.stand_at(organization).await?;
            let entry = Entry {
                action,
                entity: "user",
                entity_id: Some(self.id.0),
                customer: None,
                summary: summary.to_owned(),
                details: details.clone(),
            };
            audit::record_at_terminal(tx, organization, None, entry).await?;
        }
        Ok(())
    }
}

/// Gives the user of this address a new password; all their sessions end, and half a sign-in with the old one is worth nothing.
/// A second factor stays.
///
/// # Errors
/// [`CreateError::Input`] with a sentence for whoever typed it.
pub async fn reset_password(admin_url: &str, email: &str, password: &str) -> Result<(), CreateError> {
    let mut tx = Owner::begin(admin_url).await?;
    let person = Person::find(&mut tx, email).await?;
    diesel::update(users::table.filter(users::id.eq(person.id)))
        .set(Password::of(password, &[&person.email, &person.name])?)
        .execute(&mut *tx)
        .await?;
    let summary = format!("Gave {} a new password at the terminal", person.name);
    person.record(&mut tx, "change_password", &summary, &json!({ "email": person.email })).await?;
    Ok(tx.commit().await?)
}

/// Takes the second factor of the user of this address away, who lost phone and paper; all their sessions end. EIS staff and
/// energy admins set a new one up before anything opens again: no days of grace begin. The organization's energy admins are told
/// of those who run it or a client of it.
///
/// # Errors
/// [`CreateError::Input`] with a sentence for whoever typed it: nobody has the address, or there is no second factor.
pub async fn take_second_factor(admin_url: &str, email: &str, reason: &str) -> Result<(), CreateError> {
    let reason = reason.trim();
    if reason.chars().count() < LEAST_REASON {
        return input(format!("say why in {LEAST_REASON} characters or more: --reason"));
    }
    let mut tx = Owner::begin(admin_url).await?;
    let person = Person::find(&mut tx, email).await?;
    if !second_factor::take_away(&mut tx, person.id, reason).await? {
        return input(format!("{} has no second factor; nothing was changed", person.email));
    }
    let summary = format!("Took the second factor of {} away at the terminal: {reason}", person.name);
    person.record(&mut tx, "second_factor", &summary, &json!({ "email": person.email, "reason": reason })).await?;
    Ok(tx.commit().await?)
}

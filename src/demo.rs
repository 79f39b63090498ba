//! Demo data: three organizations with eight clients, some 400 customers, two years of usage, bills and payments.
//!
//! [`plan`] makes customers, tariffs and usage from seeded chance and the day given; [`load_once`] writes them in one
//! transaction as the owner, under the policies, and bills them month by month by the commands that people use
//! ([`bills`]). The same day makes the same customers, usage and amounts.

mod accounts;
mod bills;
mod book;
mod cast;
mod comparison;
mod household;
mod logins;
mod names;
mod payments;
mod people;
mod plan;
mod rows;
mod seed;
mod tariffs;
mod usage;
mod whole;
mod write;

use chrono::NaiveDate;
use diesel::prelude::*;
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};
use serde_json::Value;
use uuid::Uuid;

use crate::billing::BillingError;
use crate::db::AtClient;
use crate::db::schema::organizations;
use crate::db::{DbError, owner::Owner, second_factor};
use crate::parties::clients;
use crate::parties::users::create::CreateError;
use crate::values::clock;
use crate::values::ids::{ClientId, OrganizationId};
pub use cast::{PASSWORD, WALK_ADMIN, WALK_CLIENT_NAME, WALK_EMAIL, WALK_NAME, WALK_SERIAL};
pub use logins::Login;

/// What loading came to.
#[derive(Debug)]
pub struct Loaded {
    /// Whether this call wrote it.
    pub fresh: bool,
    /// The day for which it was made.
    pub as_of: NaiveDate,
    /// Who can sign in.
    pub logins: Vec<Login>,
}

/// Why the demo was not loaded.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// Somebody else's organization has the name of the demo's first.
    #[error(
        "an organisation with the short name {0:?} is there already and is not the demo's; load the demo into a database of its own"
    )]
    Taken(&'static str),
    /// The generator failed.
    #[error("the demo data could not be made: {0}")]
    Plan(String),
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<diesel::result::Error> for DemoError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl From<BillingError> for DemoError {
    fn from(error: BillingError) -> Self {
        match error {
            BillingError::Db(error) => Self::Db(error),
            other => Self::Plan(other.to_string()),
        }
    }
}

impl From<CreateError> for DemoError {
    fn from(error: CreateError) -> Self {
        Self::Plan(error.to_string())
    }
}

/// Days that the demo's staff and energy admins may do without a second factor: nobody needs a phone to look at it.
pub const GRACE_DAYS: u16 = second_factor::MOST_GRACE_DAYS;

/// The day that has begun at every client of the demo: nothing in it happens tomorrow.
#[must_use]
pub fn today() -> NaiveDate {
    let zones = cast::GROUPS.iter().flat_map(|group| group.clients).map(|client| client.zone);
    zones.map(clock::today).fold(clock::today(chrono_tz::Tz::UTC), NaiveDate::min)
}

/// Loads the demo of a day unless one is there; then nothing changes and the day of the first call holds.
///
/// # Errors
/// When the database holds something else under the demo's names, or fails: then nothing was written.
pub async fn load_once(admin_url: &str, as_of: NaiveDate) -> Result<Loaded, DemoError> {
    let mut tx = Owner::begin(admin_url).await?;
    tx.batch_execute("SELECT pg_advisory_xact_lock(4711002)").await?;
    if let Some((as_of, users)) = remembered(&mut tx).await? {
        return Ok(Loaded { fresh: false, as_of, logins: logins::read(&mut tx, &users, as_of).await? });
    }
    let plan = tokio::task::spawn_blocking(move || whole::plan(as_of)).await;
    let mut plan = plan.map_err(|error| DemoError::Plan(error.to_string()))??;
    write(&mut tx, &mut plan, as_of).await?;
    second_factor::set_grace(&mut tx, GRACE_DAYS).await?;
    let users: Vec<Uuid> = plan.people.users.iter().map(|user| user.id).collect();
    let logins = logins::read(&mut tx, &users, as_of).await?;
    tx.batch_execute("ANALYZE").await?;
    tx.commit().await?;
    Ok(Loaded { fresh: true, as_of, logins })
}

/// Active logins of the demo, where it is there, that still have the password which everybody knows.
///
/// # Errors
/// When the database fails.
pub async fn known_passwords(admin_url: &str) -> Result<i64, DemoError> {
    let mut tx = Owner::begin(admin_url).await?;
    let there = match remembered(&mut tx).await {
        Ok(Some((_, users))) => users,
        Ok(None) | Err(DemoError::Taken(_)) => return Ok(0),
        Err(error) => return Err(error),
    };
    Ok(logins::unchanged(&mut tx, &there).await?)
}

/// The day and the logins of a demo that is there.
async fn remembered(tx: &mut Owner) -> Result<Option<(NaiveDate, Vec<Uuid>)>, DemoError> {
    let slug = cast::GROUPS[0].slug;
    let found: Option<Value> = organizations::table
        .filter(organizations::slug.eq(slug))
        .select(organizations::metadata)
        .first(&mut **tx)
        .await
        .optional()?;
    let Some(metadata) = found else { return Ok(None) };
    #[derive(serde::Deserialize)]
    struct Memory {
        as_of: NaiveDate,
        logins: Vec<Uuid>,
    }
    let memory = metadata.get("demo").and_then(|demo| serde_json::from_value::<Memory>(demo.clone()).ok());
    memory.map(|memory| Some((memory.as_of, memory.logins))).ok_or(DemoError::Taken(slug))
}

async fn write(tx: &mut Owner, plan: &mut whole::Plan<'_>, as_of: NaiveDate) -> Result<(), DemoError> {
    let mut first = true;
    for organization in &mut plan.organizations {
        let mut compared = false;
        write::insert(tx, "organizations", std::slice::from_ref(&organization.row)).await?;
        tx.stand_at(OrganizationId(organization.row.id)).await?;
        for client in &mut organization.clients {
            write::insert(tx, "clients", std::slice::from_ref(&client.row)).await?;
            write::client(tx, &client.book.rows).await?;
            let here = AtClient {
                organization: OrganizationId(organization.row.id),
                client: ClientId(client.row.id),
                by: None,
            };
            tx.stand_at_client(here.client);
            let Some(found) = clients::find(tx, here.organization, here.client).await? else { continue };
            // The first client's rows tell the planner enough to find the others' by index.
            if first {
                tx.batch_execute("ANALYZE").await?;
            }
            bills::fill(tx, &here, &found, &mut client.book, std::mem::take(&mut first)).await?;
            // One in each organization is enough to look at.
            if !std::mem::replace(&mut compared, true) {
                comparison::write(tx, &here, &found, client.utility, as_of).await?;
            }
        }
    }
    write::insert(tx, "users", &plan.people.users).await?;
    Ok(write::insert(tx, "role_assignments", &plan.people.assignments).await?)
}

#[cfg(test)]
mod tests;

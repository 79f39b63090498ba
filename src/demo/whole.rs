//! The whole demo as rows: the organizations, and who signs in.

use chrono::NaiveDate;
use serde_json::json;
use uuid::Uuid;

use super::cast::PASSWORD;
use super::people::{People, people};
use super::plan::{Organization, organizations};
use super::rows::UserRow;
use crate::parties::users::create::{CreateError, proof};

/// Everything.
pub struct Plan<'c> {
    pub organizations: Vec<Organization<'c>>,
    pub people: People,
}

/// Makes the demo of a day. Takes some seconds: call it off the runtime.
///
/// # Errors
/// Never in practice: the demo's password can be digested.
pub fn plan(as_of: NaiveDate) -> Result<Plan<'static>, CreateError> {
    let mut organizations = organizations(as_of);
    let mut people = people(&organizations);
    seal(&mut people.users)?;
    let logins: Vec<Uuid> = people.users.iter().map(|user| user.id).collect();
    if let Some(first) = organizations.first_mut() {
        first.row.metadata = json!({ "demo": { "as_of": as_of, "logins": logins } });
    }
    Ok(Plan { organizations, people })
}

/// Gives every user the demo's password, each with a salt of their own.
fn seal(users: &mut [UserRow]) -> Result<(), CreateError> {
    let half = users.len().div_ceil(2).max(1);
    std::thread::scope(|scope| {
        let parts: Vec<_> = users
            .chunks_mut(half)
            .map(|part| {
                scope.spawn(|| {
                    part.iter_mut().try_for_each(|user| {
                        let bytes = proof(PASSWORD, &user.password_salt)?;
                        user.password_proof = format!("\\x{}", crate::values::hex::of(&bytes));
                        Ok(())
                    })
                })
            })
            .collect();
        parts.into_iter().filter_map(|part| part.join().ok()).collect()
    })
}

//! Why nobody was invited, or a role was not changed.

use eis::db::refused::Refused;
use eis::parties::users::invitations::InviteViolation;
use eis::parties::users::roles::RoleError;

use super::told;
use crate::forms::FieldErrors;
use crate::server::errors::AppError;

/// What is said of a last day before today.
const GONE_BY: &str = "Enter today or a day to come, or take the role back below.";
/// What is said where nobody would run the organization.
const LAST_ADMIN: &str =
    "Nobody else is energy admin of the organisation for as long. Invite another energy admin first.";

/// The field of a violation, and what it says.
#[must_use]
pub fn words(violation: &InviteViolation) -> (&'static str, String) {
    let (field, text) = match violation {
        InviteViolation::NoSuchRole => ("role", "Choose a role."),
        InviteViolation::NoSuchClient => ("at_client", "Choose a client."),
        InviteViolation::NoAccount => ("account_number", "Enter the account number."),
        InviteViolation::NoSuchAccount => ("account_number", "No customer of this client has this account number."),
        InviteViolation::AccountWithoutCustomer => {
            ("account_number", "An account number is a customer's: choose the role Customer, or leave it empty.")
        }
        InviteViolation::OwnAddress => (
            "email",
            "This is your own address. EIS staff give roles to others, never to themselves: step up to work here, or have another person invited.",
        ),
    };
    (field, text.to_owned())
}

impl From<Refused<InviteViolation>> for AppError {
    fn from(refused: Refused<InviteViolation>) -> Self {
        told(refused, words)
    }
}

impl From<RoleError> for AppError {
    fn from(error: RoleError) -> Self {
        match error {
            RoleError::NotFound => Self::NotFound,
            RoleError::Db(error) => error.into(),
            RoleError::GoneBy => Self::Conflict(GONE_BY.to_owned()),
            RoleError::LastEnergyAdmin => Self::Conflict(LAST_ADMIN.to_owned()),
        }
    }
}

/// What a role may do that was refused, told at its field.
#[must_use]
pub fn of_narrowing(error: RoleError) -> AppError {
    match error {
        RoleError::LastEnergyAdmin => FieldErrors::one("narrowed", LAST_ADMIN).into(),
        other => other.into(),
    }
}

/// A last day that was refused, told at its field.
#[must_use]
pub fn of_last_day(error: RoleError) -> AppError {
    match error {
        RoleError::GoneBy => FieldErrors::one("last_day", GONE_BY).into(),
        RoleError::LastEnergyAdmin => FieldErrors::one("last_day", LAST_ADMIN).into(),
        other => other.into(),
    }
}

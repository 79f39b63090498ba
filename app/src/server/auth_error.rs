//! Why somebody is not signed in.

use eis::db::DbError;

use super::errors::AppError;
use super::network::too_many;
use crate::forms::FieldErrors;

/// Why there is no user, or no digest.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Too many wrong attempts.
    #[error("too many attempts; again in {0} seconds")]
    Limited(i32),
    /// More passwords wait than there is room for.
    #[error("too many passwords wait to be digested")]
    Busy,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Digesting failed.
    #[error("the password could not be digested")]
    Digest,
}

impl AuthError {
    /// What a form is told at the field of its password, or above it where the portal is busy.
    #[must_use]
    pub fn at(self, field: &str) -> AppError {
        match self {
            Self::Limited(seconds) => FieldErrors::one(field, too_many(seconds)).into(),
            Self::Busy => AppError::Busy,
            Self::Db(error) => error.into(),
            Self::Digest => AppError::Internal(self.to_string()),
        }
    }
}

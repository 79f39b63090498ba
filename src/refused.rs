//! What a command answers when it changed nothing. Each noun has its own enum of violations, with figures and without
//! sentences; whoever shows one writes the words.

use crate::db::DbError;

/// Why a command changed nothing.
#[derive(Debug, thiserror::Error)]
pub enum Refused<V: std::fmt::Debug> {
    /// Not there, or not to be seen.
    #[error("there is nothing here")]
    NotFound,
    /// What was asked for breaks these rules.
    #[error("refused: {0:?}")]
    Violated(Vec<V>),
    /// The database failed.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl<V: std::fmt::Debug> From<diesel::result::Error> for Refused<V> {
    fn from(error: diesel::result::Error) -> Self {
        Self::Db(error.into())
    }
}

impl<V: std::fmt::Debug> Refused<V> {
    /// For one broken rule.
    pub fn by(violation: V) -> Self {
        Self::Violated(vec![violation])
    }

    /// `value` when no rule is broken.
    ///
    /// # Errors
    /// The violations.
    pub fn unless<T>(violations: Vec<V>, value: T) -> Result<T, Self> {
        if violations.is_empty() { Ok(value) } else { Err(Self::Violated(violations)) }
    }
}

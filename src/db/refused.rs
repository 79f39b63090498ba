//! What a command answers when it changed nothing. Each noun has its own enum of violations, with figures and without
//! sentences; whoever shows one writes the words.

use crate::db::{DbError, QueryError};

/// What a command answers.
pub type Outcome<T, V> = Result<T, Refused<V>>;

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

    /// What the database refused, by the constraint that did; anything else is a failure. The transaction can only be rolled
    /// back then.
    #[must_use]
    pub fn constraint(error: QueryError, known: impl IntoIterator<Item = (&'static str, V)>) -> Self {
        let error = DbError::from(error);
        match known.into_iter().find(|(constraint, _)| error.violates(constraint)) {
            Some((_, violation)) => Self::by(violation),
            None => Self::Db(error),
        }
    }

    /// As [`Self::constraint`], where a policy may refuse the row too: `forbidden` then.
    #[must_use]
    pub fn constraint_or_policy(
        error: QueryError,
        forbidden: V,
        known: impl IntoIterator<Item = (&'static str, V)>,
    ) -> Self {
        match Self::constraint(error, known) {
            Self::Db(error) if error.is_refused_by_policy() => Self::by(forbidden),
            other => other,
        }
    }
}

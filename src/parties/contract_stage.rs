//! Where a contract is in its life: a rule of its status and its days, for contracts and for the accounts that they are
//! billed to.

use chrono::NaiveDate;

/// Where a contract is in its life on a day: it follows from what was decided and from its days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Asked for.
    Requested,
    /// Agreed, and not begun yet.
    Planned,
    /// Energy is delivered.
    Running,
    /// Over.
    Ended,
    /// It never came about.
    Withdrawn,
}

impl Stage {
    /// As addresses and style sheets spell it.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Planned => "planned",
            Self::Running => "running",
            Self::Ended => "ended",
            Self::Withdrawn => "withdrawn",
        }
    }

    /// Where a contract of this status and these days is on a day.
    #[must_use]
    pub fn of(status: &str, from_on: NaiveDate, to_on: Option<NaiveDate>, day: NaiveDate) -> Self {
        match status {
            "withdrawn" => Self::Withdrawn,
            "requested" => Self::Requested,
            _ if from_on > day => Self::Planned,
            _ if to_on.is_some_and(|to| to <= day) => Self::Ended,
            _ => Self::Running,
        }
    }

    /// Whether it still needs an account: it was not withdrawn and is not over.
    #[must_use]
    pub const fn is_alive(self) -> bool {
        !matches!(self, Self::Ended | Self::Withdrawn)
    }
}

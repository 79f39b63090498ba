//! What of a file is not taken.

/// A line, or a run of values, refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    pub line: u64,
    pub column: u64,
    pub content: String,
    pub reason: String,
    /// How many values it stands for; 0 where nothing was lost.
    pub values: u64,
}

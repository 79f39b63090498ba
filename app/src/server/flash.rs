//! What the next page says of what was done.

use serde::{Deserialize, Serialize};

/// What the last action did, shown once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FlashMessage {
    /// Whether it succeeded.
    pub ok: bool,
    /// A plain sentence.
    pub text: String,
}

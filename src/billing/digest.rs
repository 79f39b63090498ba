//! Fingerprints of what a bill is made of.

use diesel::QueryResult;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::values::hex;

/// The first half of the SHA-256 of a value's JSON, hex.
///
/// # Errors
/// When the value cannot be written as JSON.
pub(super) fn hash(value: &impl Serialize) -> QueryResult<String> {
    let json = serde_json::to_vec(value).map_err(unhashable)?;
    Ok(hex::of(&Sha256::digest(json)[..16]))
}

/// A value that cannot be written as JSON.
pub(super) fn unhashable(fault: serde_json::Error) -> diesel::result::Error {
    diesel::result::Error::SerializationError(Box::new(fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_has_no_fingerprint() {
        // JSON's keys are texts.
        assert!(hash(&std::collections::BTreeMap::from([(vec![1], 2)])).is_err());
    }
}

//! What a draft was rated from, as a fingerprint kept with it: made again before the draft is approved and issued,
//! it says whether anything has changed since, and what.

use diesel::QueryResult;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::account::Account;
use super::tariffs::Tariffs;
use crate::hex;
use crate::period::Period;

/// A hash of each thing that a draft is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inputs {
    customer: String,
    meters: String,
    usage: String,
    tariff: String,
    earlier_bills: String,
}

impl Inputs {
    /// What is no longer as it was, in words.
    pub fn changed(&self, now: &Self) -> Vec<&'static str> {
        let parts = [
            ("usage", &self.usage, &now.usage),
            ("tariff", &self.tariff, &now.tariff),
            ("meters", &self.meters, &now.meters),
            ("customer", &self.customer, &now.customer),
            ("earlier bills", &self.earlier_bills, &now.earlier_bills),
        ];
        parts.into_iter().filter(|(_, was, is)| was != is).map(|(name, ..)| name).collect()
    }
}

impl Account<'_> {
    /// The fingerprint of everything that rating reads about this customer.
    ///
    /// # Errors
    /// When something of it cannot be written as JSON: what has no fingerprint is not taken as unchanged.
    pub fn inputs(&self, tariffs: &Tariffs, period: Period) -> QueryResult<Inputs> {
        let held = tariffs.during(&self.agreements, self.span(period).unwrap_or(period));
        let held = held.map(|held| held.iter().map(|(from, version)| (*from, &version.hash)).collect::<Vec<_>>());
        Ok(Inputs {
            customer: hash(self.contract)?,
            meters: hash(&self.meters)?,
            usage: hash(&(&self.reads, &self.days))?,
            tariff: hash(&held)?,
            earlier_bills: hash(&(&self.past, &self.later))?,
        })
    }
}

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
    fn what_changed_is_named() {
        let of = |value: &i32| hash(value).unwrap();
        let was = Inputs { usage: of(&1), tariff: of(&2), ..Inputs::default() };
        let is = Inputs { usage: of(&3), ..was.clone() };
        assert_eq!(was.changed(&is), ["usage"]);
        assert_eq!(Inputs::default().changed(&is), ["usage", "tariff"]);
        assert_eq!(of(&1).len(), 32);
    }

    #[test]
    fn what_cannot_be_written_has_no_fingerprint() {
        // JSON's keys are texts.
        assert!(hash(&std::collections::BTreeMap::from([(vec![1], 2)])).is_err());
    }
}

//! What a draft was rated from, as a fingerprint kept with it: made again before the draft is approved and issued,
//! it says whether anything has changed since, and what.

use serde::{Deserialize, Serialize};

/// A hash of each thing that a draft is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Inputs {
    pub customer: String,
    pub meters: String,
    pub usage: String,
    pub tariff: String,
    pub earlier_bills: String,
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

#[cfg(test)]
mod tests {
    use super::super::digest::hash;
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
}

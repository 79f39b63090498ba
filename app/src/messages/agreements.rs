//! Why a customer is not put on a tariff.

use eis::tariffs::agreements::Violation;

use crate::forms::days;

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation) -> (&'static str, String) {
    let text = match violation {
        Violation::NoVersion(code, from) => format!("No active version of {code} applies on {from}."),
        Violation::From(unlikely) => days::words(*unlikely),
        Violation::TakenMeanwhile => "The customer was put on a tariff on these days just now. Look at the customer's tariffs again, then choose.".to_owned(),
    };
    ("tariff_from", text)
}

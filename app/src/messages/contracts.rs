//! Why a contract is not made or changed.

use eis::parties::contracts::Violation;

use super::service_points;
use crate::forms::days;

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation) -> (&'static str, String) {
    match violation {
        Violation::From(unlikely) => ("from_on", days::words(*unlikely)),
        Violation::To(unlikely) => ("to_on", days::words(*unlikely)),
        Violation::EndsBeforeItBegins => ("to_on", "The end must lie after the first day supplied.".to_owned()),
        Violation::Cycle(_) => ("billing_cycle", "Choose how many months a bill covers.".to_owned()),
        Violation::BilledFrom => {
            ("billing_from", "The first day billed here must be one of the contract's days, or empty.".to_owned())
        }
        Violation::Account => ("account", "Choose an open account of this customer.".to_owned()),
        Violation::NoPlace => ("place", "Choose a service point, or enter a new address.".to_owned()),
        Violation::Place(fault) => ("address", service_points::words(fault).1),
        Violation::Overlaps(from, to) => {
            let until = to.map(|to| format!(" until {to}")).unwrap_or_default();
            let text = format!(
                "Another contract has this service point from {from}{until}. End that one first, or choose other days."
            );
            ("from_on", text)
        }
        Violation::TakenMeanwhile => {
            let text = "Another contract of this service point was made for these days just now. Look at it first, then choose other days.";
            ("from_on", text.to_owned())
        }
    }
}

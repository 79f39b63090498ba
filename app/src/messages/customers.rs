//! Why a customer is not made or changed.

use eis::customers::Violation;

use crate::forms::days;

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation) -> (&'static str, String) {
    match violation {
        Violation::AccountTaken => {
            ("account_number", "Another customer has this account number. Choose a different one.".to_owned())
        }
        Violation::MovedIn(unlikely) => ("moved_in_on", days::words(*unlikely)),
        Violation::MovedOut(unlikely) => ("moved_out_on", days::words(*unlikely)),
        Violation::EndsBeforeItBegins => ("moved_out_on", "The end must lie after the first day supplied.".to_owned()),
        Violation::ClosedWithoutEnd => {
            let text = "Enter the first day no longer supplied: until then a closed account is billed.";
            ("moved_out_on", text.to_owned())
        }
    }
}

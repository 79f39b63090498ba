//! Why a customer is not made or changed.

use eis::parties::new_customers::Violation;

use super::contracts;

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation) -> (&'static str, String) {
    match violation {
        Violation::AccountTaken => {
            ("account_number", "Another customer has this account number. Choose a different one.".to_owned())
        }
        Violation::Contract(violation) => {
            let (field, text) = contracts::words(violation);
            // The form of a new customer calls its days by what happens on them.
            let field = match field {
                "from_on" => "moved_in_on",
                "to_on" => "moved_out_on",
                "address" => "service_address",
                other => other,
            };
            (field, text)
        }
    }
}

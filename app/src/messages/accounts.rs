//! Why an account is not opened, changed or closed.

use eis::accounts::{MOST_TERMS, Violation};

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation) -> (&'static str, String) {
    match violation {
        Violation::NumberTaken => {
            ("account_number", "Another account has this account number. Choose a different one.".to_owned())
        }
        Violation::Terms(_) => ("payment_terms_days", format!("Enter a number of days between 0 and {MOST_TERMS}.")),
        Violation::LastOpen => {
            let text = "This is the customer's last open account, and the customer is supplied: its bills need one. Open another first, or close the customer.";
            ("status", text.to_owned())
        }
    }
}

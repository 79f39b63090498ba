//! Why an account is not opened, changed or closed.

use eis::parties::accounts::{MOST_TERMS, Violation};

/// The field at which a violation is told, and its words.
#[must_use]
pub fn words(violation: &Violation) -> (&'static str, String) {
    match violation {
        Violation::NumberTaken => {
            ("account_number", "Another account has this account number. Choose a different one.".to_owned())
        }
        Violation::Terms(_) => ("payment_terms_days", format!("Enter a number of days between 0 and {MOST_TERMS}.")),
        Violation::Billed => {
            let text = "A contract that is not over is billed to this account. End the contract first, or have it billed to another account.";
            ("status", text.to_owned())
        }
    }
}

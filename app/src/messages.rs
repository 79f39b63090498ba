//! Words for what the business finds: codes and figures become sentences here, one file a noun.

pub mod accounts;
pub mod agreements;
pub mod billing;
pub mod clients;
pub mod contracts;
pub mod customers;
pub mod meters;
pub mod payments;
pub mod readings;
pub mod service_points;
pub mod tariffs;
pub mod users;
pub mod what_ifs;

use eis::db::refused::Refused;
use eis::values::names::Hidden;
use eis::values::texts::TextFault;

use crate::forms::FieldErrors;
use crate::server::errors::AppError;

/// A refusal as the form's page tells it: each violation at its field, in the words of its noun.
pub fn told<V: std::fmt::Debug, F: Into<String>>(refused: Refused<V>, words: impl Fn(&V) -> (F, String)) -> AppError {
    match refused {
        Refused::NotFound => AppError::NotFound,
        Refused::Db(error) => error.into(),
        Refused::Violated(found) => {
            let mut errors = FieldErrors::default();
            for (field, text) in found.iter().map(words) {
                errors.add(field, text);
            }
            errors.into()
        }
    }
}

/// What is wrong with a text that was typed; `what` is what it was to say: `the address`.
#[must_use]
pub fn of_text(fault: TextFault, what: &str) -> String {
    match fault {
        TextFault::Missing => format!("Enter {what}."),
        TextFault::TooLong(most) => format!("Use at most {most} characters."),
        TextFault::Forbidden(character) => Hidden(character).to_string(),
    }
}

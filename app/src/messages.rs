//! Words for what the business finds: codes and figures become sentences here, one file a noun.

pub mod accounts;
pub mod agreements;
pub mod contracts;
pub mod customers;
pub mod meters;
pub mod readings;

use eis::refused::Refused;

use crate::forms::FieldErrors;
use crate::server::errors::AppError;

/// A refusal as the form's page tells it: each violation at its field, in the words of its noun.
pub fn told<V: std::fmt::Debug>(refused: Refused<V>, words: impl Fn(&V) -> (&'static str, String)) -> AppError {
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

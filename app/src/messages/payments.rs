//! Why a payment was not recorded.

use eis::receivables::payments::PaymentError;

use crate::forms::{FieldErrors, days};
use crate::server::errors::AppError;

impl From<PaymentError> for AppError {
    fn from(error: PaymentError) -> Self {
        let (field, text) = match error {
            PaymentError::NotFound => return Self::NotFound,
            PaymentError::Db(error) => return error.into(),
            PaymentError::Draft => {
                return Self::Conflict("A draft cannot be paid. Issue its billing run first.".into());
            }
            // The page says it with the amount; nothing else shows it.
            PaymentError::RecordedBefore(_) => {
                return Self::Conflict("This payment was already recorded; nothing was recorded again.".into());
            }
            PaymentError::Nothing => ("amount", "Enter an amount of more than nothing.".to_owned()),
            PaymentError::Unlikely(unlikely) => ("received_on", days::words(unlikely)),
            PaymentError::NoSuchMethod => ("method", "Choose how the money came.".to_owned()),
            PaymentError::Alike => (
                "another",
                "The same payment is recorded already. Tick this only if the money came once more.".to_owned(),
            ),
        };
        FieldErrors::one(field, text).into()
    }
}

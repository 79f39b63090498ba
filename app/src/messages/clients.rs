//! What is wrong with a client.

use eis::db::refused::Refused;
use eis::parties::clients::{ClientViolation, MOST_TERMS};

use super::told;
use crate::forms::FieldErrors;
use crate::server::errors::AppError;

/// The field of a violation, and what it says.
#[must_use]
pub fn words(violation: &ClientViolation) -> (&'static str, String) {
    let (field, text) = match violation {
        ClientViolation::Missing(field) => (*field, "Enter a name."),
        ClientViolation::Slug => ("slug", "Use 2 to 63 small letters, digits and hyphens, like harbor-light."),
        ClientViolation::SlugTaken => ("slug", "Another client has this short name. Choose a different one."),
        ClientViolation::Series => ("invoice_series", "Use 1 to 12 capital letters, digits and hyphens, like HL."),
        ClientViolation::Currency => ("currency", "Choose a currency."),
        ClientViolation::CurrencyInUse(currency) => {
            return ("currency", format!("It stays {currency}: there are tariffs or invoices in it."));
        }
        ClientViolation::TimeZone => {
            ("time_zone", "Enter a time zone of the IANA list, like America/New_York or Europe/Berlin.")
        }
        ClientViolation::Locale => ("locale", "Choose a language and country."),
        ClientViolation::Tax => ("tax_percent", "Enter a tax from 0 to 99.99 percent."),
        ClientViolation::Terms => {
            return ("payment_terms_days", format!("Enter a whole number of days from 0 to {MOST_TERMS}."));
        }
    };
    (field, text.to_owned())
}

/// Adds each violation whose field has no fault yet.
pub fn tell(errors: &mut FieldErrors, violations: &[ClientViolation]) {
    for (field, text) in violations.iter().map(words) {
        if errors.of(field).is_empty() {
            errors.add(field, text);
        }
    }
}

impl From<Refused<ClientViolation>> for AppError {
    fn from(refused: Refused<ClientViolation>) -> Self {
        told(refused, words)
    }
}

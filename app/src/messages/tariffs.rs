//! Why a tariff was not changed.

use eis::tariffs::TariffError;

use crate::forms::FieldErrors;
use crate::forms::days;
use crate::forms::seen::{self, CHANGED};
use crate::server::errors::AppError;

/// What a refusal says.
#[must_use]
pub fn words(error: &TariffError) -> String {
    match error {
        TariffError::NotADraft { version } => format!("Version {version} is not a draft any more."),
        TariffError::Fixed { version } => format!("Version {version} is not a draft any more: make a new version."),
        TariffError::NotActive { version } => format!("Version {version} is not active."),
        TariffError::HasBilled { version, from } => {
            format!("Version {version}, from {from}, has billed already. Make a version that begins after {from}.")
        }
        TariffError::OutsideItsDays => "Choose a day after the version's first and not after its last.".to_owned(),
        TariffError::Unlikely(unlikely) => days::words(*unlikely),
        TariffError::OtherCurrency { tariff, client } => {
            format!("The tariff is in {tariff}, invoices here are in {client}.")
        }
        TariffError::Overlaps => "Another version of this tariff holds on these days already. Look at its versions again, then choose another first day.".to_owned(),
        TariffError::VersionTaken => {
            "Someone made a version of this code at the same moment. Send the form again.".to_owned()
        }
        TariffError::NotFound
        | TariffError::Faulty(_)
        | TariffError::Changed
        | TariffError::Db(_) => error.to_string(),
    }
}

impl From<TariffError> for AppError {
    fn from(error: TariffError) -> Self {
        match error {
            TariffError::NotFound => Self::NotFound,
            TariffError::Db(error) => error.into(),
            other => Self::Conflict(words(&other)),
        }
    }
}

/// A refused retirement: what is wrong with the day is told at its field.
#[must_use]
pub fn of_retiring(error: TariffError) -> AppError {
    match error {
        TariffError::NotActive { .. } | TariffError::OutsideItsDays | TariffError::Unlikely(_) => {
            FieldErrors::one("retire_from", words(&error)).into()
        }
        other => other.into(),
    }
}

/// A refused draft: the form comes back with everything typed.
#[must_use]
pub fn of_draft(error: TariffError) -> AppError {
    match error {
        TariffError::Changed => FieldErrors::one(CHANGED, seen::refusal()).into(),
        TariffError::VersionTaken => FieldErrors::one("code", words(&error)).into(),
        TariffError::Unlikely(_) => FieldErrors::one("effective_from", words(&error)).into(),
        TariffError::Fixed { .. } | TariffError::OtherCurrency { .. } | TariffError::Overlaps => {
            FieldErrors::one("", words(&error)).into()
        }
        other => other.into(),
    }
}

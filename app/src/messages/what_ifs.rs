//! What is wrong with a question of a what-if.

use eis::billing::what_ifs::{ACCOUNTS, CANDIDATES, MONTHS, WAITING, WhatIfViolation};
use eis::db::refused::Refused;

use crate::forms::FieldErrors;
use crate::server::errors::AppError;

/// Account numbers that are named.
const NAMED: usize = 5;

/// What a violation says.
#[must_use]
pub fn words(violation: &WhatIfViolation) -> String {
    match violation {
        WhatIfViolation::TooManyWaiting => {
            format!("{WAITING} what-ifs wait or run already. Wait for one of them, or delete it.")
        }
        WhatIfViolation::NoCandidate => "Choose a version to try.".to_owned(),
        WhatIfViolation::TooManyCandidates => format!("Choose at most {CANDIDATES} versions."),
        WhatIfViolation::Twice(_) => "This version is chosen above already.".to_owned(),
        WhatIfViolation::Candidate(_, fault) => fault.clone(),
        WhatIfViolation::TooManyMonths => format!("Choose at most {MONTHS} months."),
        WhatIfViolation::NoAccounts => "Enter the account numbers.".to_owned(),
        WhatIfViolation::TooManyAccounts => format!("Enter at most {ACCOUNTS} account numbers."),
        WhatIfViolation::UnknownAccounts(unknown) => {
            let shown = unknown.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
            let more = unknown.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            format!("There is no account {shown}{more}.")
        }
        WhatIfViolation::NoCustomers => "No such customer was supplied in these months.".to_owned(),
    }
}

/// The refusal of a question: `candidates` are the fields of its versions in order, `customers` that of the choice.
#[must_use]
pub fn of_form(refused: Refused<WhatIfViolation>, candidates: &[String], customers: &str) -> AppError {
    let violations = match refused {
        Refused::NotFound => return AppError::NotFound,
        Refused::Db(error) => return error.into(),
        Refused::Violated(violations) => violations,
    };
    let mut errors = FieldErrors::default();
    for violation in &violations {
        let field = match violation {
            WhatIfViolation::Twice(at) | WhatIfViolation::Candidate(at, _) => {
                candidates.get(*at).map_or("candidate_1", String::as_str)
            }
            WhatIfViolation::TooManyWaiting | WhatIfViolation::NoCandidate | WhatIfViolation::TooManyCandidates => {
                "candidate_1"
            }
            WhatIfViolation::TooManyMonths => "last_month",
            WhatIfViolation::NoAccounts | WhatIfViolation::TooManyAccounts | WhatIfViolation::UnknownAccounts(_) => {
                "accounts"
            }
            WhatIfViolation::NoCustomers => customers,
        };
        errors.add(field, words(violation));
    }
    errors.into()
}

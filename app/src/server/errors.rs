//! The one error type at the web's edge: it chooses status and page. Which error belongs where:
//!
//! - `SignedOut`: nobody is signed in → to the sign-in page, and back afterwards.
//! - `Choose`: somebody with no role chosen yet → to the page where one is chosen.
//! - `SecondFactorNeeded`: somebody whose role needs a second factor and who set none up in time → to its page.
//! - `Suspended`: somebody whose organization is closed for now → 403 that says so.
//! - `ChooseOrganization`: EIS staff with no organization open → to the list of them.
//! - `StepUp`: EIS staff who read here and would change something → 403 that says how.
//! - `Forbidden`: the address names a foreign tenant or a page outside the role → 403.
//! - `NotFound`: an id that is not there or that row-level security hides → 404, the same bytes for both.
//! - `Invalid`: what was typed is wrong → back to the form with everything typed (server functions only).
//! - `Conflict`: the state changed meanwhile → 409 with what to do.
//! - `Again`: the same form was sent and done before → where it led then (server functions only).
//! - `Busy`: no place, connection or lock came free in time → 503 with `Retry-After`; a form is shown again with everything
//!   typed.
//! - `TooLong`: a statement ran into its limit → 503 that says what to do.
//! - `Unavailable`: the database is not there, or went meanwhile → 503 with `Retry-After`.
//! - `BadRequest`: an address or body that no page of ours makes → 400.
//! - `Unreadable`: what the database keeps cannot be read → 500 that names table, row and column; also in the log.
//! - `Internal`: ours → 500 with the request's id; the cause goes to the log alone.

use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use eis::access::NoTenant;
use eis::db::sent_forms::Answer;
use eis::db::turns::Busy;
use eis::db::{DbError, QueryError};

use super::asked::{asked, back_from, id, page, sign_in};
use super::paths;
use super::redirect::{own_path, see_other};
use crate::components::refusal::{self, START};
use crate::forms::FieldErrors;
use crate::forms::once::NotTaken;

/// What is said of a form that was sent before with something else in it.
const SENT_BEFORE: &str = "This form was sent before with something else in it, and that was done. Look at what was done; if this is to be done too, send it from here.";

/// Why a request was not done.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nobody is signed in.
    #[error("not signed in")]
    SignedOut,
    /// Signed in, and no role is chosen.
    #[error("no role chosen")]
    Choose,
    /// The role needs a second factor, and the days of grace are over.
    #[error("second factor needed")]
    SecondFactorNeeded,
    /// The organization is suspended.
    #[error("suspended")]
    Suspended,
    /// EIS staff, and no organization is open.
    #[error("no organization open")]
    ChooseOrganization,
    /// EIS staff who only read in this organization, or read only again.
    #[error("reading only")]
    StepUp,
    /// Not for this role, or not this tenant's.
    #[error("refused")]
    Forbidden,
    /// Not there, or not to be seen.
    #[error("not found")]
    NotFound,
    /// Typed wrongly.
    #[error("invalid input")]
    Invalid(FieldErrors),
    /// Something else happened first.
    #[error("{0}")]
    Conflict(String),
    /// A form that was sent before, with what it was answered then.
    #[error("sent before")]
    Again(Option<Answer>),
    /// Too much is under way; nothing was done.
    #[error("busy")]
    Busy,
    /// It would have taken too long; nothing was done.
    #[error("too long")]
    TooLong,
    /// The database is not there, or went meanwhile.
    #[error("the database cannot be reached")]
    Unavailable,
    /// Not a request of ours.
    #[error("{0}")]
    BadRequest(String),
    /// A stored value cannot be read; the sentence names its row.
    #[error("{0}")]
    Unreadable(String),
    /// A fault of the portal.
    #[error("{0}")]
    Internal(String),
}

/// What is told where the database is not there. What went out just before it went may have been done.
const AWAY: &str = "It is mostly back within seconds, and nothing that was saved is lost. Wait a moment, then try again. Where you \
    sent a form, go back and send it again: what was done already is not done twice.";

/// What is told of a form that was done before and whose answer was not kept.
pub const DONE_BEFORE: &str = "It was done when the form was first sent; nothing was done again.";

/// What is told where too much is under way.
pub const BUSY: &str = "The portal is busy. Nothing was changed. Try again in a few seconds.";
/// The same, as a page of its own.
const BUSY_PAGE: &str =
    "Nothing was changed. Try again in a few seconds: load this page again, or go back and send the form again.";
/// Seconds after which a request that found the portal busy, or its database away, may be sent again.
const AGAIN_AFTER: HeaderValue = HeaderValue::from_static("5");

impl From<Busy> for AppError {
    fn from(Busy: Busy) -> Self {
        Self::Busy
    }
}

impl From<DbError> for AppError {
    fn from(error: DbError) -> Self {
        match error {
            error if error.is_busy() => Self::Busy,
            error if error.took_too_long() => Self::TooLong,
            error if error.is_away() => {
                tracing::debug!(%error, "the database is away");
                Self::Unavailable
            }
            DbError::SessionEnded => Self::SignedOut,
            DbError::Refused => Self::Forbidden,
            error if error.is_not_found() => Self::NotFound,
            // The gate's own refusals, by the names that it gives them.
            error if error.violates("not_yours") => Self::Forbidden,
            error if error.violates("reading_only") => Self::StepUp,
            error if error.violates("session_ended") => Self::SignedOut,
            error if error.violates("second_factor_needed") => Self::SecondFactorNeeded,
            DbError::Limited => {
                Self::Conflict("Too many attempts. Wait a quarter of an hour, then try again.".to_owned())
            }
            other if other.lacks_context() => {
                Self::Internal(format!("{} asked the database without a tenant context", asked()))
            }
            other => match other.unreadable() {
                Some(fault) => Self::Unreadable(fault.to_string()),
                None => Self::Internal(other.to_string()),
            },
        }
    }
}

impl From<NoTenant> for AppError {
    fn from(none: NoTenant) -> Self {
        DbError::from(none).into()
    }
}

impl From<QueryError> for AppError {
    fn from(error: QueryError) -> Self {
        DbError::Query(error).into()
    }
}

impl From<NotTaken> for AppError {
    fn from(not: NotTaken) -> Self {
        match not {
            NotTaken::Again(answer) => Self::Again(answer),
            NotTaken::Other => FieldErrors::one("", SENT_BEFORE).into(),
            NotTaken::Db(error) => error.into(),
        }
    }
}

impl From<FieldErrors> for AppError {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let (status, title, text) = match &self {
            Self::SignedOut => return see_other(&sign_in()),
            Self::Choose => return see_other("/switch"),
            Self::SecondFactorNeeded => return see_other(paths::SECOND_FACTOR),
            Self::ChooseOrganization => return see_other("/staff/organizations"),
            Self::Again(Some(answer)) => return see_other(&answer.location),
            Self::Again(None) => (StatusCode::CONFLICT, "This was done before", DONE_BEFORE),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "This is not yours to open",
                "The address belongs to someone else, or your role does not include this page. If you hold several roles, switch to the right one.",
            ),
            Self::StepUp => return step_up_first(&back_from(paths::STEP_UP)),
            Self::Suspended => (
                StatusCode::FORBIDDEN,
                "Your organisation's portal is suspended",
                "Nothing is lost. Your organisation's admin or EIS Power can tell you more; sign in again once it is open.",
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "There is nothing here",
                "The address may be mistyped, or what was here is gone. Search for it from its list.",
            ),
            Self::Conflict(text) => (StatusCode::CONFLICT, "Something else happened first", text.as_str()),
            Self::Busy => (StatusCode::SERVICE_UNAVAILABLE, "The portal is busy", BUSY_PAGE),
            Self::TooLong => (
                StatusCode::SERVICE_UNAVAILABLE,
                "This took too long",
                "It was stopped, and nothing was changed. Ask for less at a time (fewer days, fewer rows), or try again when the portal is less busy.",
            ),
            Self::Unavailable => {
                (StatusCode::SERVICE_UNAVAILABLE, "The portal cannot reach its database just now", AWAY)
            }
            Self::BadRequest(text) => (StatusCode::BAD_REQUEST, "This request cannot be read", text.as_str()),
            Self::Invalid(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Some answers need another look",
                "Go back, correct them and send again.",
            ),
            Self::Unreadable(fault) => {
                tracing::error!(function = asked(), %fault, "a stored value cannot be read");
                (StatusCode::INTERNAL_SERVER_ERROR, "A stored value cannot be read", fault.as_str())
            }
            Self::Internal(cause) => {
                tracing::error!(function = asked(), %cause, "request failed");
                (
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong on our side",
                    "Nothing was changed. Try again in a moment; if it happens again, tell support when it was and what is said below: our log has the rest.",
                )
            }
        };
        // A fault of ours is told by the name of what was asked for; a refusal names nothing.
        let ours = status == StatusCode::INTERNAL_SERVER_ERROR;
        let asked = if ours { format!("{} ({})", asked(), id()) } else { String::new() };
        let soon = matches!(self, Self::Busy | Self::Unavailable);
        let again = own_path(&page(), "");
        let ways = match self {
            Self::Forbidden => vec![START, ("Switch role or organisation", "/switch")],
            _ if soon && !again.is_empty() => vec![("Try again", again.as_str()), START],
            _ => vec![START],
        };
        let after = soon.then_some([(RETRY_AFTER, AGAIN_AFTER)]);
        (status, after, refusal::page(title, text, &asked, &ways)).into_response()
    }
}

/// What EIS staff are told who only read in the organization: how to change something, and come back from there.
#[must_use]
pub fn step_up_first(step_up: &str) -> Response {
    let text = "You read here and change nothing. To make a change, say why and for how long; the organisation reads it in its audit log.";
    (StatusCode::FORBIDDEN, refusal::page("Step up first", text, "", &[("Step up", step_up), START])).into_response()
}

/// What is sent when a handler panicked.
#[must_use]
pub fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| cause.downcast_ref::<&str>().map(ToString::to_string))
        .unwrap_or_else(|| "panic".to_owned());
    AppError::Internal(text).into_response()
}

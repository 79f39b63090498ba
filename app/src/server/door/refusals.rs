//! What is said at the door: to who comes beyond the limit, and to who keeps the portal waiting.

use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};

use super::visit::GivenUp;
use crate::components::refusal::{START, page};

/// The answer to half a head, as it goes over the wire.
pub const HALF_HEAD: &str = "HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: 86\r\n\r\nThe request did not come in whole. Nothing was done; send it again over another line.\n";

/// Seconds after which there may be room.
const SOON: &str = "5";

/// More connections than there is room for.
#[must_use]
pub fn full() -> Response {
    let text = "More people ask than the portal has room for. Nothing was done. Wait a few seconds, then try again.";
    let body = page("The portal is full at the moment", text, "", &[START]);
    (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, SOON)], body).into_response()
}

/// A body that is not waited for any longer.
#[must_use]
pub fn half_body(why: GivenUp) -> Response {
    match why {
        GivenUp::Slow => {
            let text = "What you sent stopped coming in before its end. Nothing was changed. Look at your connection, then send it again.";
            (StatusCode::REQUEST_TIMEOUT, page("This did not arrive", text, "", &[START])).into_response()
        }
        GivenUp::Stopping => {
            let text = "The portal is being restarted and could not wait for the rest of what you sent. Nothing was changed. Send it again in a minute.";
            let body = page("The portal is being restarted", text, "", &[START]);
            (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, SOON)], body).into_response()
        }
    }
}

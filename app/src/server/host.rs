//! By which name the portal is asked. Links that it makes, and the check that a form is its own, are built on that name, so a
//! foreign one is refused: with a public address, every other; without one, all but this machine's own.

use std::net::IpAddr;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::HOST;
use axum::http::uri::Authority;
use axum::response::{IntoResponse, Response};

use super::door::Here;
use super::guards::{Guard, refuses};
use super::state::Options;
use crate::components::refusal::{START, page};

/// Why a request's name is not believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// There is none.
    Missing,
    /// There are two, or the request's first line names another than its header.
    Several,
    /// It is not the portal's; what to do.
    Foreign(String),
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            Self::Missing => (
                StatusCode::BAD_REQUEST,
                "This request cannot be read",
                "It does not say by which name the portal is asked (the Host header). A browser says so: open the page in one.".to_owned(),
            ),
            Self::Several => (
                StatusCode::BAD_REQUEST,
                "This request cannot be read",
                "It says twice by which name the portal is asked (the Host header). Send it once.".to_owned(),
            ),
            Self::Foreign(text) => (StatusCode::MISDIRECTED_REQUEST, "The portal is not at this address", text),
        };
        (status, page(title, &text, "", &[START])).into_response()
    }
}

/// Whether the name by which a request asks is the portal's.
///
/// # Errors
/// When it is not, or is not one name.
pub fn believed(request: &Request, options: &Options) -> Result<(), Refused> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let host = hosts.next().ok_or(Refused::Missing)?;
    if refuses(Guard::OneHost, hosts.next().is_some()) {
        return Err(Refused::Several);
    }
    let host = host.to_str().unwrap_or_default();
    if request.uri().authority().is_some_and(|named| !named.as_str().eq_ignore_ascii_case(host)) {
        return Err(Refused::Several);
    }
    let ours = match &options.public_url {
        Some(url) => is_of(url, host),
        None => is_own(host, request.extensions().get::<Here>().copied()),
    };
    if !refuses(Guard::ForeignHost, !ours) {
        return Ok(());
    }
    match &options.public_url {
        Some(url) => Err(Refused::Foreign(format!("Nothing was done. The portal is at {url}: open it there."))),
        None => Err(Refused::Foreign(
            "Nothing was done. It answers to the address that it listens on. Its operator gives it a name by starting it with --public-url.".to_owned(),
        )),
    }
}

/// Whether a host is that of the public address; the scheme's own port may stand in it.
fn is_of(url: &str, host: &str) -> bool {
    let (scheme, name) = url.split_once("://").unwrap_or_default();
    host.eq_ignore_ascii_case(name) || host.strip_suffix(own_port(scheme)).is_some_and(|h| h.eq_ignore_ascii_case(name))
}

fn own_port(scheme: &str) -> &'static str {
    if scheme == "https" { ":443" } else { ":80" }
}

/// Whether a host is this machine as seen from itself, or the address by which the request came. A number cannot be
/// pointed elsewhere, as a name can.
fn is_own(host: &str, here: Option<Here>) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    if host.contains('@') {
        return false;
    }
    let name = authority.host();
    let number = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    match number.parse::<IpAddr>() {
        Ok(address) => address.is_loopback() || here.is_some_and(|here| here.0 == address.to_canonical()),
        Err(_) => name.eq_ignore_ascii_case("localhost"),
    }
}

/// Whether an address names this machine as seen from itself.
#[must_use]
pub fn is_this_machine(url: &str) -> bool {
    is_own(url.split_once("://").map_or(url, |(_, name)| name.trim_end_matches('/')), None)
}

/// The public address as browsers write it: small letters, no port of its scheme's own, nothing behind it.
///
/// # Errors
/// A sentence when it is not an address of a whole site.
pub fn public_url(given: &str) -> Result<String, String> {
    let fault = || format!("--public-url {given}: give scheme and host alone, such as https://portal.example");
    let (scheme, name) = given.trim_end_matches('/').split_once("://").ok_or_else(fault)?;
    let (scheme, name) = (scheme.to_ascii_lowercase(), name.to_ascii_lowercase());
    let plain = name.parse::<Authority>().is_ok_and(|authority| !authority.host().is_empty()) && !name.contains('@');
    if !plain || !["http", "https"].contains(&scheme.as_str()) {
        return Err(fault());
    }
    Ok(format!("{scheme}://{}", name.strip_suffix(own_port(&scheme)).unwrap_or(&name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_address_is_written_as_browsers_write_it() {
        for (given, written) in [
            ("https://portal.example", "https://portal.example"),
            ("https://Portal.Example:443/", "https://portal.example"),
            ("HTTP://portal.example:80", "http://portal.example"),
            ("https://portal.example:8443", "https://portal.example:8443"),
            ("http://[::1]:3000", "http://[::1]:3000"),
        ] {
            assert_eq!(public_url(given).as_deref(), Ok(written));
        }
        for wrong in [
            "portal.example",
            "ftp://portal.example",
            "https://",
            "https://a@b.example",
            "https://a.example/portal",
            "https://a b",
        ] {
            assert!(public_url(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_of_its_own_is_this_machine_or_where_the_request_came() {
        let here = Some(Here("192.0.2.7".parse().unwrap()));
        for own in [
            "localhost",
            "LOCALHOST:3000",
            "127.0.0.1",
            "127.9.9.9:80",
            "[::1]:3000",
            "192.0.2.7:8080",
            "[::ffff:192.0.2.7]",
        ] {
            assert!(is_own(own, here), "{own}");
        }
        for foreign in [
            "",
            "evil.example",
            "localhost.evil.example",
            "192.0.2.8",
            "a@localhost",
            "localhost/",
            "127.0.0.1.evil.example",
            "0.0.0.0",
        ] {
            assert!(!is_own(foreign, here), "{foreign}");
        }
    }
}

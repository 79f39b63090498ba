//! Why no connection came about, in a sentence that says what to do.

use std::error::Error as _;
use std::io;

use rustls::{AlertDescription, CertificateError, Error as TlsError};
use tokio_postgres::Error;
use tokio_postgres::config::Host;
use tokio_postgres::error::SqlState;

use super::asked::{Asked, Root};

/// What rustls says, where TLS is the fault. It stands inside an error of input and output.
fn of_rustls(error: &Error) -> Option<&TlsError> {
    let inner = error.source()?.downcast_ref::<io::Error>()?.get_ref()?;
    inner.downcast_ref::<TlsError>()
}

/// Whether the connection failed in TLS.
pub(super) fn is_of_tls(error: &Error) -> bool {
    // tokio-postgres tells the kind of an error by its text alone.
    of_rustls(error).is_some() || error.to_string().starts_with("error performing TLS handshake")
}

/// Whether the server refused the password.
pub(super) fn is_of_password(error: &Error) -> bool {
    error.code() == Some(&SqlState::INVALID_PASSWORD)
}

fn host(asked: &Asked) -> String {
    let name = asked.config.get_hosts().iter().find_map(|host| match host {
        Host::Tcp(name) => Some(name.clone()),
        Host::Unix(_) => None,
    });
    name.unwrap_or_else(|| "the server".to_owned())
}

fn root(asked: &Asked) -> String {
    match &asked.root {
        Root::File(file) => format!("sslrootcert={}", file.display()),
        Root::System => "sslrootcert=system".to_owned(),
        Root::Any => "sslrootcert".to_owned(),
    }
}

/// The sentence.
pub(super) fn sentence(error: &Error, asked: &Asked) -> String {
    match of_rustls(error) {
        Some(TlsError::InvalidCertificate(fault)) => of_certificate(fault, asked),
        Some(TlsError::AlertReceived(alert)) => of_alert(*alert),
        Some(other) => format!("TLS with {} failed: {other}", host(asked)),
        None if is_of_tls(error) && whole(error).contains("does not support TLS") => format!(
            "{} speaks no TLS, and sslmode={} asks for it; nothing was sent. Set ssl = on there, or sslmode=disable for a network that is yours alone",
            host(asked),
            asked.mode_name()
        ),
        None if is_of_tls(error) => format!("{}. TLS needs a host name or an address in host", whole(error)),
        None => of_database(error),
    }
}

fn of_certificate(fault: &CertificateError, asked: &Asked) -> String {
    let host = host(asked);
    match fault {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "the server's certificate is another host's than {host}{}. Write a name that stands in it (subjectAltName) into the address; \
             sslmode=verify-ca does not look at names",
            presented(fault)
        ),
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "the certificate of {host} is not signed by one of {}. Put the file of the right authority there; where you know of no change, \
             somebody may stand between",
            root(asked)
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            format!("the certificate of {host} has expired. Renew it on the server, or set this machine's clock")
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            format!("the certificate of {host} does not hold yet. Look at this machine's clock")
        }
        other => format!(
            "the certificate of {host} cannot be used: {other}. Have one made for a server, signed by one of {}",
            root(asked)
        ),
    }
}

fn presented(fault: &CertificateError) -> String {
    match fault {
        CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty() => {
            ": it has no names".to_owned()
        }
        CertificateError::NotValidForNameContext { presented, .. } => format!(": it names {}", presented.join(", ")),
        _ => String::new(),
    }
}

fn of_alert(alert: AlertDescription) -> String {
    match alert {
        AlertDescription::CertificateRequired | AlertDescription::UnknownCA | AlertDescription::BadCertificate => {
            format!(
                "the server does not take the portal's own certificate ({alert:?}): give sslcert and sslkey, signed by an authority that the server believes"
            )
        }
        other => format!("the server ended TLS: {other:?}"),
    }
}

fn of_database(error: &Error) -> String {
    let todo = match error.code() {
        Some(code) if *code == SqlState::INVALID_PASSWORD => {
            ". Where it is one of the portal's logins, look whether the data directory is the right one; if it is, somebody changed the password: start \
             the portal again or run `portal migrate up`, which sets it anew"
        }
        Some(code)
            if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION
                && whole(error).contains("client certificate") =>
        {
            ". Give sslcert and sslkey, signed by an authority that the server believes"
        }
        Some(code) if *code == SqlState::INVALID_AUTHORIZATION_SPECIFICATION => {
            ". Let pg_hba.conf take the portal's logins (hostssl … scram-sha-256) and reload the server"
        }
        Some(code) if *code == SqlState::TOO_MANY_CONNECTIONS => {
            ". See in pg_stat_activity who holds them; end those that are not the portal's with pg_terminate_backend(pid)"
        }
        _ => "",
    };
    format!("{}{todo}", whole(error))
}

/// An error with its causes.
fn whole(error: &Error) -> String {
    if let Some(fault) = error.as_db_error() {
        return fault.message().to_owned();
    }
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let more = next.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = next.source();
    }
    text
}

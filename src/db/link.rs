//! How a connection to the database is opened, plain or by TLS: the one place that does it.
//!
//! `sslmode`, `sslrootcert`, `sslcert` and `sslkey` mean what they mean to PostgreSQL's own programs (`link/asked.rs`), so
//! that one `DATABASE_URL` serves the portal and `psql`. A Unix socket is never encrypted, there as here.

mod asked;
mod told;
mod trust;

use std::time::Duration;

use diesel_async::AsyncPgConnection;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::tls::MakeTlsConnect;
use tokio_postgres::{Client, Connection, Socket};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::DbError;
use asked::Asked;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// For the other machine's word that it received what was sent; a slow query is none of this.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

type Wire = Connection<Socket, <MakeRustlsConnect as MakeTlsConnect<Socket>>::Stream>;

/// A connection for diesel, by a connection string.
///
/// # Errors
/// [`DbError::Unreachable`] with what to do: a parameter that is not known, no server there, TLS that was refused.
pub async fn connect(url: &str) -> Result<AsyncPgConnection, DbError> {
    let (client, wire) = open(url).await?;
    let connection = AsyncPgConnection::try_from_client_and_connection(client, wire).await;
    connection.map_err(|error| DbError::Unreachable(error.to_string()))
}

/// As [`connect`], without diesel: for measurements.
///
/// # Errors
/// As [`connect`].
pub async fn client(url: &str) -> Result<Client, DbError> {
    let (client, wire) = open(url).await?;
    tokio::spawn(wire);
    Ok(client)
}

/// Opens a connection and comes back when it has ended, whoever ended it.
///
/// # Errors
/// As [`connect`].
pub(crate) async fn hold(url: &str) -> Result<(), DbError> {
    let (client, wire) = open(url).await?;
    // How it ended is nothing to this caller: the next attempt tells.
    let _ = wire.await;
    drop(client);
    Ok(())
}

/// Whether the server is there and refuses the password of a connection string.
pub(crate) async fn is_refused_password(url: &str) -> bool {
    matches!(try_open(url).await, Err(Refusal { password: true, .. }))
}

/// Why there is no connection.
struct Refusal {
    told: String,
    password: bool,
}

impl From<String> for Refusal {
    fn from(told: String) -> Self {
        Self { told, password: false }
    }
}

async fn open(url: &str) -> Result<(Client, Wire), DbError> {
    try_open(url).await.map_err(|refusal| DbError::Unreachable(refusal.told))
}

async fn try_open(url: &str) -> Result<(Client, Wire), Refusal> {
    let asked = Asked::read(url, &|name| std::env::var(name).ok())?;
    let tls = MakeRustlsConnect::new(trust::client_config(&asked)?);
    let attempt = async |mode: SslMode| {
        let mut config = asked.config.clone();
        // A server that is gone without a word is noticed within these, unless the string says otherwise.
        config.connect_timeout(config.get_connect_timeout().copied().unwrap_or(CONNECT_TIMEOUT));
        config.tcp_user_timeout(config.get_tcp_user_timeout().copied().unwrap_or(ANSWER_TIMEOUT));
        config.ssl_mode(mode).connect(tls.clone()).await
    };
    let (first, second) = asked.attempts();
    let refused = match attempt(first).await {
        Ok(opened) => return Ok(opened),
        Err(error) => error,
    };
    let before = told::sentence(&refused, &asked);
    let Some(second) = second.filter(|_| another_way_may_work(&refused)) else {
        return Err(Refusal { told: before, password: told::is_of_password(&refused) });
    };
    attempt(second).await.map_err(|error| {
        let after = told::sentence(&error, &asked);
        let with = if second == SslMode::Disable { "without TLS" } else { "with TLS" };
        let told = if after == before { before } else { format!("{before}; {with}: {after}") };
        Refusal { told, password: told::is_of_password(&error) }
    })
}

/// Whether the server may take the same login with TLS, or without: TLS failed, or `pg_hba.conf` has no line for this
/// way. No password has been sent then.
fn another_way_may_work(error: &tokio_postgres::Error) -> bool {
    told::is_of_tls(error) || error.code() == Some(&SqlState::INVALID_AUTHORIZATION_SPECIFICATION)
}

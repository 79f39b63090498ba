//! The session store behind tower-sessions: rows in PostgreSQL, kept by the database's gate.
//!
//! The cookie's id is the secret; the database keeps its SHA-256. A session begins with the ticket that a right password (or a
//! switch) earned: who is not signed in has none ([`outside`](super::outside)). Saving only updates, so a session that
//! was signed out does not come back. What is saved is sealed under that id ([`sealed`](super::sealed)). Who is signed in never comes from the saved data: the gate tells it anew with
//! every request, which keeps it ([`remembering`]) until axum-login asks for the user.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::http::header::{Entry, HeaderMap, HeaderValue, SET_COOKIE};
use eis::db::gate::{LoadedSession, Ticket};
use eis::db::sessions::{Begun, NewSession};
use eis::db::turns::Party;
use eis::db::{Db, DbError};
use serde_json::{Value, json};
use tower_sessions::cookie::time::OffsetDateTime;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result, SessionStore};

use super::asked::is_asked_by;
use super::cookie::{SAME_SITE, cookie_name};
use super::errors::AppError;
use super::identity::{Identity, secret};
use super::sealed;
use super::shares::Shares;

/// Where axum-login keeps who is signed in.
pub const AUTH_KEY: &str = "axum-login.data";
/// Where a request's address and browser lie, for "my sessions".
pub const PEER_KEY: &str = "peer";
/// Where the ticket lies that a new session is bound to; never saved.
pub const TICKET_KEY: &str = "ticket";
/// Where it is told which session ended for this one ([`EndedOldest`](eis::db::sessions::EndedOldest)); told once.
pub const ENDED_KEY: &str = "ended_oldest";
/// What the store says to a session without a good ticket.
pub const STALE: &str = "a session begins with a ticket that is good";

/// Gives the cookie's removal the attributes that the cookie was made with. tower-sessions sends the path alone, and a
/// browser refuses to remove a `__Host-` cookie by one that is not Secure.
pub fn complete_removal(headers: &mut HeaderMap, https: bool) {
    let removal = format!("{}=;", cookie_name(https));
    let secure = if https { "; Secure" } else { "" };
    let Entry::Occupied(mut cookies) = headers.entry(SET_COOKIE) else { return };
    for cookie in cookies.iter_mut() {
        let Some(text) = cookie.to_str().ok().filter(|text| text.starts_with(&removal)) else { continue };
        if let Ok(whole) = HeaderValue::from_str(&format!("{text}; HttpOnly; SameSite={SAME_SITE}{secure}")) {
            *cookie = whole;
        }
    }
}

/// Sessions in PostgreSQL.
#[derive(Debug, Clone)]
pub struct PgSessions {
    db: Db,
    shares: Arc<Shares>,
    absolute_seconds: i32,
    idle_seconds: i32,
}

impl PgSessions {
    /// A store whose sessions end `absolute_seconds` after their making, or `idle_seconds` after their last use.
    #[must_use]
    pub const fn new(db: Db, shares: Arc<Shares>, absolute_seconds: i32, idle_seconds: i32) -> Self {
        Self { db, shares, absolute_seconds, idle_seconds }
    }
}

fn backend(error: impl std::fmt::Display) -> Error {
    Error::Backend(error.to_string())
}

/// The layer that asks for sessions tells nobody why it could not; the request keeps it.
fn failed(error: DbError) -> Error {
    let told = backend(&error);
    let _ = FAILED.try_with(|slot| slot.replace(Some(error)));
    told
}

/// What is saved: everything but who is signed in, sealed.
fn to_save(id: &Id, data: &HashMap<String, Value>) -> Result<String> {
    let kept: HashMap<&String, &Value> = data.iter().filter(|(key, _)| key.as_str() != AUTH_KEY).collect();
    let text = serde_json::to_string(&kept).map_err(|e| Error::Encode(e.to_string()))?;
    sealed::seal(secret(id), &text).map_err(|e| Error::Encode(e.to_string()))
}

tokio::task_local! {
    static LOADED: RefCell<Option<Identity>>;
    static FAILED: RefCell<Option<DbError>>;
}

/// Runs a request that keeps who its session belongs to between looking the session up and asking for its user.
pub async fn remembering<F: Future>(request: F) -> F::Output {
    FAILED.scope(RefCell::new(None), LOADED.scope(RefCell::new(None), request)).await
}

/// Why this request's session could not be looked up or kept; told once.
pub(super) fn take_failed() -> Option<AppError> {
    FAILED.try_with(|slot| slot.borrow_mut().take()).ok().flatten().map(AppError::from)
}

/// Who the session of this request was loaded with; told once.
pub(super) fn take_loaded() -> Option<Identity> {
    LOADED.try_with(|slot| slot.borrow_mut().take()).ok().flatten()
}

/// A session as the layer wants it; none where what it keeps was sealed for another: its person signs in again.
fn to_record(id: &Id, row: LoadedSession) -> Result<Option<Record>> {
    let Some(text) = sealed::open(secret(id), &row.data) else {
        tracing::warn!("a session keeps what was not sealed for it, and is not opened");
        return Ok(None);
    };
    let mut data: HashMap<String, Value> = serde_json::from_str(&text).map_err(|e| Error::Decode(e.to_string()))?;
    let expiry_date = OffsetDateTime::from_unix_timestamp(row.expires_at.timestamp()).map_err(backend)?;
    let bound = row.bound_hash.clone();
    if let Some(identity) = Identity::of(row).map_err(backend)? {
        data.insert(AUTH_KEY.to_owned(), json!({ "user_id": identity.user(), "auth_hash": bound }));
        is_asked_by(identity.who());
        let _ = LOADED.try_with(|slot| slot.replace(Some(identity)));
    }
    Ok(Some(Record { id: *id, data, expiry_date }))
}

#[async_trait]
impl SessionStore for PgSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let peer = record.data.get(PEER_KEY).cloned().unwrap_or_default();
        let text = |key: &str| peer.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let ticket = record.data.remove(TICKET_KEY).and_then(|hex| Ticket::of_hex(hex.as_str()?));
        let Some(ticket) = ticket else { return Err(backend(STALE)) };
        record.id = Id(rand::random());
        let new = NewSession {
            secret: secret(&record.id),
            ticket: &ticket,
            data: &to_save(&record.id, &record.data)?,
            address: &text("address"),
            agent: &text("agent"),
            absolute_seconds: self.absolute_seconds,
            idle_seconds: self.idle_seconds,
        };
        match self.db.session_create(&new).await.map_err(failed)? {
            Begun::Stale => return Err(backend(STALE)),
            Begun::Yes(None) => {}
            Begun::Yes(Some(ended)) => {
                let told = serde_json::to_value(ended).map_err(|e| Error::Encode(e.to_string()))?;
                record.data.insert(ENDED_KEY.to_owned(), told);
            }
        }
        Ok(())
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.db.session_save(secret(&record.id), &to_save(&record.id, &record.data)?).await.map_err(failed)?;
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let Some(row) = self.db.session_load(secret(id)).await.map_err(failed)? else {
            return Ok(None);
        };
        match (row.organization_id, row.user_id) {
            (Some(organization), _) => self.shares.belongs(id, Party::Organization(organization)),
            (None, Some(user)) => self.shares.belongs(id, Party::Person(user)),
            (None, None) => {}
        }
        if row.stale {
            self.db.session_touch(secret(id)).await.map_err(failed)?;
        }
        to_record(id, row)
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        self.db.session_delete(secret(id)).await.map_err(failed)
    }
}

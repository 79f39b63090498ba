//! Signing in with axum-login: how credentials are checked.

use axum_login::{AuthUser, AuthnBackend, UserId};
use eis::access::Actor;
use eis::access::passwords;
use eis::db::gate::{Salt, SignIn, Ticket};
use eis::db::sessions::EndedOldest;
use eis::db::{Db, DbError};
use serde_json::json;
use tower_sessions::session;
use tower_sessions::session_store;

pub use super::auth_error::AuthError;
use super::digests::{Digests, Place};
pub use super::identity::{Identity, User};
pub use super::network::{network, too_many};
use super::sessions::{self, ENDED_KEY, PEER_KEY, STALE, TICKET_KEY};

/// What was typed to sign in, and from where.
#[derive(Clone)]
pub struct Credentials {
    /// The account.
    pub email: String,
    /// The password.
    pub password: String,
    /// Where the attempt comes from.
    pub address: String,
}

/// The backend of axum-login: accounts in PostgreSQL, passwords by Argon2id.
#[derive(Debug, Clone)]
pub struct Accounts {
    /// The database.
    pub db: Db,
    digests: Digests,
}

impl Accounts {
    /// Accounts of a database.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, digests: Digests::of_machine() }
    }

    /// The digest of what was typed as the password of an account, from an address of [`network`]. The attempt is entered and
    /// counts before anything is digested; beyond the limits nothing is, or that would be the cheapest way to keep the portal busy.
    ///
    /// # Errors
    /// [`AuthError::Busy`], [`AuthError::Limited`], or when the database fails.
    pub async fn attempt(&self, email: &str, password: &str, address: &str) -> Result<Attempt, AuthError> {
        self.attempt_at(&self.digests.place()?, email, password, address).await
    }

    async fn attempt_at(
        &self,
        place: &Place,
        email: &str,
        password: &str,
        address: &str,
    ) -> Result<Attempt, AuthError> {
        let salt = self.db.sign_in_salt(email, address).await?.unless_limited()?;
        let digest = place.attempted(password, salt.clone()).await?;
        Ok(Attempt { salt, digest })
    }

    /// The same for the password of a session's own person.
    ///
    /// # Errors
    /// As [`Self::attempt`], and when the session has ended.
    pub async fn my_attempt(&self, actor: &Actor, password: &str) -> Result<Vec<u8>, AuthError> {
        let place = self.digests.place()?;
        let salt = self.db.enter_my_attempt(actor.secret, &network(&actor.address)).await?.unless_limited()?;
        place.attempted(password, salt).await
    }

    /// A fresh salt for a new password, and its digest under it.
    ///
    /// # Errors
    /// [`AuthError::Busy`], or when nobody can have this password: ask [`passwords::fault`] first.
    pub async fn new_password(&self, password: String) -> Result<(String, Vec<u8>), AuthError> {
        let salt = passwords::fresh_salt();
        let digest = self.digests.place()?.fresh(password, salt.clone()).await?;
        Ok((salt, digest))
    }
}

/// What was typed once more, under the parameters of today, where its own are weaker: to be kept so when it is right. It is
/// digested before that is known, so that the time tells nothing.
async fn stronger(place: &Place, typed: &str, salt: &str) -> Result<Option<Attempt>, AuthError> {
    let Some(salt) = passwords::stronger_salt(salt) else { return Ok(None) };
    let digest = place.attempted(typed, salt.clone()).await?;
    Ok(Some(Attempt { salt, digest }))
}

/// What was typed as the password of an account, digested.
#[derive(Debug)]
pub struct Attempt {
    /// Under these parameters and this salt.
    pub salt: String,
    /// To be tried by the gate.
    pub digest: Vec<u8>,
}

/// The salt of an attempt, where no limit holds.
trait Entered {
    fn unless_limited(self) -> Result<String, AuthError>;
}

impl Entered for Salt {
    fn unless_limited(self) -> Result<String, AuthError> {
        self.retry_after.map_or(Ok(self.salt), |seconds| Err(AuthError::Limited(seconds)))
    }
}

impl AuthnBackend for Accounts {
    type User = User;
    type Credentials = Credentials;
    type Error = AuthError;

    async fn authenticate(&self, given: Credentials) -> Result<Option<User>, AuthError> {
        let place = self.digests.place()?;
        let tried = self.attempt_at(&place, &given.email, &given.password, &given.address).await?;
        let stronger = stronger(&place, &given.password, &tried.salt).await?;
        let stronger = stronger.as_ref().map(|kept| (kept.salt.as_str(), kept.digest.as_slice()));
        match self.db.sign_in(&given.email, &tried.digest, &given.address, stronger).await? {
            SignIn::SignedIn { user, ticket } => Ok(Some(User::to_bind(user, ticket))),
            SignIn::CodeNeeded { half } => Ok(Some(User::half(half))),
            SignIn::Wrong => Ok(None),
            SignIn::Limited { retry_after } => Err(AuthError::Limited(retry_after)),
        }
    }

    /// The user whom this request's session was loaded with: never another, and no second query.
    async fn get_user(&self, id: &UserId<Self>) -> Result<Option<User>, AuthError> {
        Ok(sessions::take_loaded().map(User::of).filter(|user| user.id() == *id))
    }
}

/// The session of a request, with its user.
pub type AuthSession = axum_login::AuthSession<Accounts>;

/// Moves a session to a new id bound by a ticket: at sign-in, switch, choice and change of password. Tells which session
/// ended for it, where its person had too many.
///
/// # Errors
/// When the session cannot be written; [`DbError::SessionEnded`] when the ticket is stale.
pub async fn rotate(
    auth: &AuthSession,
    ticket: &Ticket,
    address: &str,
    agent: &str,
) -> Result<Option<EndedOldest>, DbError> {
    let session = &auth.session;
    let failed = |error: session::Error| match error {
        session::Error::Store(session_store::Error::Backend(text)) if text == STALE => DbError::SessionEnded,
        other => DbError::Unreachable(other.to_string()),
    };
    session.insert(PEER_KEY, json!({ "address": address, "agent": agent })).await.map_err(failed)?;
    session.insert(TICKET_KEY, ticket.hex()).await.map_err(failed)?;
    session.cycle_id().await.map_err(failed)?;
    session.save().await.map_err(failed)?;
    session.remove(ENDED_KEY).await.map_err(failed)
}

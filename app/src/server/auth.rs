//! Signing in with axum-login: who a session's user is, and how credentials are checked.

use axum_login::{AuthUser, AuthnBackend, UserId};
use chrono::{DateTime, Utc};
use eis::access::ClientSummary;
use eis::access::passwords;
use eis::access::{Actor, FactorDue, Narrowed, OpenOrganization, Role, Viewing};
use eis::db::gate::{LoadedSession, Salt, SignIn, Ticket};
use eis::db::sessions::EndedOldest;
use eis::db::{Db, DbError, Unreadable};
use eis::values::ids;
use serde_json::json;
use tower_sessions::session::{self, Id};
use tower_sessions::session_store;
use uuid::Uuid;

use super::asked::Who;
use super::digests::{Digests, Place};
use super::errors::AppError;
use super::sessions::{self, ENDED_KEY, PEER_KEY, STALE, TICKET_KEY};
use crate::forms::FieldErrors;

/// Who a session belongs to, as the database told it with this request.
#[derive(Clone)]
pub struct Identity {
    user: Uuid,
    email: String,
    name: String,
    auth_hash: Vec<u8>,
    assignment: Option<Uuid>,
    role: Option<Role>,
    narrowed: Option<Narrowed>,
    assignments: i32,
    organization: Option<(Uuid, String, String)>,
    client: Option<ClientSummary>,
    customer: Option<Uuid>,
    writes_until: Option<DateTime<Utc>>,
    viewing: Option<(String, DateTime<Utc>, Role)>,
    factor_due: Option<FactorDue>,
}

impl Identity {
    /// The user.
    #[must_use]
    pub const fn user(&self) -> ids::UserId {
        ids::UserId(self.user)
    }

    /// The user and the organization open, as the log names them.
    #[must_use]
    pub fn who(&self) -> Who {
        let organization = self.organization.as_ref().map(|(id, ..)| ids::OrganizationId(*id));
        Who { user: self.user(), organization }
    }

    /// The identity of a loaded session; `None` when nobody is signed in.
    ///
    /// # Errors
    /// When what is stored of its client cannot be read.
    pub fn of(row: LoadedSession) -> Result<Option<Self>, Unreadable> {
        let client = row.client()?;
        Ok(Self::with(row, client))
    }

    fn with(row: LoadedSession, client: Option<ClientSummary>) -> Option<Self> {
        Some(Self {
            user: row.user_id?,
            email: row.email?,
            name: row.user_name?,
            auth_hash: row.auth_hash?,
            assignment: row.assignment_id,
            role: row.role.as_deref().and_then(Role::parse),
            narrowed: row.narrowed,
            assignments: row.assignments,
            organization: row
                .organization_id
                .zip(row.organization_slug.zip(row.organization_name))
                .map(|(id, (slug, name))| (id, slug, name)),
            client,
            customer: row.customer_id,
            writes_until: row.writes_until,
            factor_due: row.factor_due.map(|at| FactorDue { at, over: row.locked }),
            viewing: match (row.viewed_name, row.viewed_until, row.own_role.as_deref().and_then(Role::parse)) {
                (Some(name), Some(until), Some(own_role)) => Some((name, until, own_role)),
                _ => None,
            },
        })
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({})", self.user)
    }
}

/// A user as axum-login sees one.
#[derive(Clone)]
pub struct User {
    identity: Identity,
    ticket: Option<Ticket>,
    code_needed: bool,
}

impl User {
    /// The user of a loaded session.
    #[must_use]
    pub const fn of(identity: Identity) -> Self {
        Self { identity, ticket: None, code_needed: false }
    }

    /// Somebody who has just proved who they are. Only good for binding: the next request loads who this is.
    #[must_use]
    pub const fn to_bind(user: ids::UserId, ticket: Ticket) -> Self {
        let identity = Identity {
            user: user.0,
            email: String::new(),
            name: String::new(),
            auth_hash: Vec::new(),
            assignment: None,
            role: None,
            narrowed: None,
            assignments: 0,
            organization: None,
            client: None,
            customer: None,
            writes_until: None,
            factor_due: None,
            viewing: None,
        };
        Self { identity, ticket: Some(ticket), code_needed: false }
    }

    /// The user's address.
    #[must_use]
    pub fn email(&self) -> &str {
        &self.identity.email
    }

    /// Whether the ticket is half of one: it binds no session before a code is given too.
    #[must_use]
    pub const fn code_needed(&self) -> bool {
        self.code_needed
    }

    /// The ticket that a right password earned.
    #[must_use]
    pub const fn ticket(&self) -> Option<&Ticket> {
        self.ticket.as_ref()
    }

    /// The actor of this session, coming from `address`.
    #[must_use]
    pub fn actor(&self, session: Id, address: String) -> Actor {
        let identity = self.identity.clone();
        Actor {
            secret: sessions::secret(&session),
            user: identity.user(),
            user_name: identity.name,
            role: identity.role,
            narrowed: identity.narrowed,
            assignment: identity.assignment.map(ids::AssignmentId),
            assignments: identity.assignments,
            organization: identity.organization.map(|(id, slug, name)| OpenOrganization {
                id: ids::OrganizationId(id),
                slug,
                name,
            }),
            client: identity.client.as_ref().map(|client| client.id),
            client_summary: identity.client,
            customer: identity.customer.map(ids::CustomerId),
            writes_until: identity.writes_until,
            factor_due: identity.factor_due,
            viewing: identity.viewing.map(|(customer, until, own_role)| Viewing { customer, until, own_role }),
            at: None,
            address,
        }
    }
}

/// Prints the id alone: axum-login traces users.
impl std::fmt::Debug for User {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "User({})", self.identity.user)
    }
}

impl AuthUser for User {
    type Id = ids::UserId;

    fn id(&self) -> ids::UserId {
        self.identity.user()
    }

    fn session_auth_hash(&self) -> &[u8] {
        &self.identity.auth_hash
    }
}

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

/// Where attempts from an address are counted: an IPv6 customer has 2^64 addresses, so its network counts.
#[must_use]
pub fn network(address: &str) -> String {
    match address.parse() {
        Ok(std::net::IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        _ => address.to_owned(),
    }
}

/// What is said when the limit on attempts holds.
#[must_use]
pub fn too_many(seconds: i32) -> String {
    format!("Too many attempts. Wait {} minutes, then try again.", (seconds + 59) / 60)
}

/// Why there is no user, or no digest.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// Too many wrong attempts.
    #[error("too many attempts; again in {0} seconds")]
    Limited(i32),
    /// More passwords wait than there is room for.
    #[error("too many passwords wait to be digested")]
    Busy,
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Digesting failed.
    #[error("the password could not be digested")]
    Digest,
}

impl AuthError {
    /// What a form is told at the field of its password, or above it where the portal is busy.
    #[must_use]
    pub fn at(self, field: &str) -> AppError {
        match self {
            Self::Limited(seconds) => FieldErrors::one(field, too_many(seconds)).into(),
            Self::Busy => AppError::Busy,
            Self::Db(error) => error.into(),
            Self::Digest => AppError::Internal(self.to_string()),
        }
    }
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
            SignIn::CodeNeeded { half } => {
                Ok(Some(User { code_needed: true, ..User::to_bind(ids::UserId(Uuid::nil()), half) }))
            }
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

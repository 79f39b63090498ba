//! Who a session's user is.

use axum_login::AuthUser;
use chrono::{DateTime, Utc};
use eis::access::{Actor, ClientSummary, FactorDue, Narrowed, OpenOrganization, Role, SessionSecret, Viewing};
use eis::db::Unreadable;
use eis::db::gate::{LoadedSession, Ticket};
use eis::values::ids;
use tower_sessions::session::Id;
use uuid::Uuid;

use super::asked::Who;

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

    /// Somebody whose password was right and who has a second factor to show yet.
    #[must_use]
    pub fn half(ticket: Ticket) -> Self {
        Self { code_needed: true, ..Self::to_bind(ids::UserId(Uuid::nil()), ticket) }
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
            secret: secret(&session),
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

/// The secret of a session's id.
#[must_use]
pub const fn secret(id: &Id) -> SessionSecret {
    SessionSecret(id.0)
}

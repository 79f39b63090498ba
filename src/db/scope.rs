//! What travels with a transaction: where it stands, and who writes in it. So nobody hands a statement its tenant twice.

use diesel::QueryResult;

use super::{DbError, Tenant};
use crate::access::{Actor, NoTenant, SessionSecret};
use crate::values::ids::{ClientId, CustomerId, OrganizationId, UserId};

/// Where a transaction stands. Each statement binds the organization of it; which rows are seen the database decides.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    organization: Option<OrganizationId>,
    client: Option<ClientId>,
    customer: Option<CustomerId>,
}

impl Scope {
    /// An organization as a whole.
    #[must_use]
    pub const fn at(organization: OrganizationId) -> Self {
        Self { organization: Some(organization), client: None, customer: None }
    }

    /// Where an actor stands.
    #[must_use]
    pub fn of(actor: &Actor) -> Self {
        Self {
            organization: actor.organization.as_ref().map(|open| open.id),
            client: actor.at.or(actor.client),
            customer: actor.customer,
        }
    }

    /// The same at one client; `None`: as it is.
    #[must_use]
    pub const fn at_client(mut self, client: Option<ClientId>) -> Self {
        if client.is_some() {
            self.client = client;
        }
        self
    }

    /// The organization.
    ///
    /// # Errors
    /// [`DbError::Refused`] where none is open.
    pub fn organization(self) -> Result<OrganizationId, DbError> {
        self.organization.ok_or(DbError::Refused)
    }

    /// The organization and its client.
    ///
    /// # Errors
    /// [`DbError::Refused`] where it stands at no client.
    pub fn client(self) -> Result<(OrganizationId, ClientId), DbError> {
        self.organization.zip(self.client).ok_or(DbError::Refused)
    }

    /// The client, where it stands at one.
    #[must_use]
    pub const fn client_if_any(self) -> Option<ClientId> {
        self.client
    }

    /// The customer, where it is one's.
    #[must_use]
    pub const fn customer_if_any(self) -> Option<CustomerId> {
        self.customer
    }
}

/// A client, and who works there: what every command and query at a client binds. The system (demo data) is nobody.
#[derive(Debug, Clone, Copy)]
pub struct AtClient {
    /// The organization.
    pub organization: OrganizationId,
    /// The client.
    pub client: ClientId,
    /// Who does it.
    pub by: Option<UserId>,
}

impl AtClient {
    /// Where an actor stands.
    ///
    /// # Errors
    /// [`DbError::Refused`] when the actor stands at no client.
    pub fn of(actor: &Actor) -> Result<Self, DbError> {
        let (client, organization) = actor.tenant()?;
        Ok(Self { organization, client, by: Some(actor.user) })
    }

    /// Where a transaction stands, and who writes in it.
    ///
    /// # Errors
    /// [`DbError::Refused`] when it stands at no client.
    pub fn at(tx: &Tenant) -> Result<Self, DbError> {
        Ok(Self::with(tx, tx.client()?))
    }

    /// As [`Self::at`], for a query: to ask one elsewhere is a fault of the program.
    ///
    /// # Errors
    /// When it stands at no client.
    pub fn here(tx: &Tenant) -> QueryResult<Self> {
        Ok(Self::with(tx, tx.here()?))
    }

    fn with(tx: &Tenant, (organization, client): (OrganizationId, ClientId)) -> Self {
        // Who reads only is nobody: nothing is written there.
        let by = tx.author().ok().and_then(|author| author.user);
        Self { organization, client, by }
    }
}

/// Who writes in a transaction, as the audit log names them. The database holds it against the context.
#[derive(Debug, Clone)]
pub struct Author {
    /// The user; `None`: the system.
    pub user: Option<UserId>,
    /// Their name.
    pub name: String,
    /// The code of their role.
    pub role: String,
    /// Where they come from.
    pub address: String,
    /// Their session's secret, for what is queued in their name; `None`: there is no session.
    pub secret: Option<SessionSecret>,
}

impl Author {
    /// The system: demo data, and what is done at the terminal.
    #[must_use]
    pub fn system() -> Self {
        let (name, role) = ("Command line".to_owned(), "system".to_owned());
        Self { user: None, name, role, address: String::new(), secret: None }
    }
}

impl From<NoTenant> for DbError {
    fn from(_: NoTenant) -> Self {
        Self::Refused
    }
}

impl From<&Actor> for Author {
    fn from(actor: &Actor) -> Self {
        Self {
            user: Some(actor.user),
            name: actor.user_name.clone(),
            role: actor.role.map_or("none", |role| role.code()).to_owned(),
            address: actor.address.clone(),
            secret: Some(actor.secret),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_gives_what_it_has_and_refuses_the_rest() {
        let (organization, client) = (OrganizationId::fresh(), ClientId::fresh());
        let whole = Scope::at(organization);
        assert_eq!(whole.organization().ok(), Some(organization));
        assert!(matches!(whole.client(), Err(DbError::Refused)));
        assert_eq!(whole.at_client(Some(client)).client().ok(), Some((organization, client)));
        assert_eq!(whole.at_client(Some(client)).at_client(None).client_if_any(), Some(client));
        assert!(matches!(Scope::default().organization(), Err(DbError::Refused)));
        assert_eq!(whole.customer_if_any(), None);
    }
}

//! Pages that exist for a whole organization and for one client alike: users, the audit log.

use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use eis::access::ClientSummary;
use eis::access::{Actor, Permission};
use eis::db::Tenant;
use eis::parties::organizations::{self, Organization};

use super::frame::Place;
use super::parts::AtClient;
use crate::components::Crumb;
use crate::format::{self, Locale};
use crate::server::ctx::Ctx;
use crate::server::errors::AppError;
use crate::server::functions;

/// Who asks, for which organization and, at a client's pages, for which client.
#[derive(Debug)]
pub struct Scope {
    /// Who asks.
    pub actor: Actor,
    /// The organization that is open.
    pub organization: Organization,
    /// The client, on a client's pages.
    pub client: Option<ClientSummary>,
}

impl Scope {
    /// Guards a page of the organization and opens its READ ONLY transaction.
    ///
    /// # Errors
    /// `Forbidden` for a role that does not run the organization.
    pub async fn organization(ctx: &Ctx, permission: Permission) -> Result<(Self, Tenant), AppError> {
        ctx.require(Permission::ViewOrganization)?;
        let actor = ctx.require(permission)?;
        let mut tx = ctx.read(&actor).await?;
        let organization = open(&mut tx, &actor).await?;
        Ok((Self { actor, organization, client: None }, tx))
    }

    /// Guards a page of a client and opens its READ ONLY transaction.
    ///
    /// # Errors
    /// As [`AtClient::open`].
    pub async fn client(ctx: &Ctx, permission: Permission, client: &str) -> Result<(Self, Tenant), AppError> {
        let (at, mut tx) = AtClient::open(ctx, permission, client).await?;
        let organization = open(&mut tx, &at.actor).await?;
        Ok((Self { actor: at.actor, organization, client: Some(at.client) }, tx))
    }

    /// The address that these pages lie under.
    #[must_use]
    pub fn base(&self) -> String {
        self.client.as_ref().map_or_else(|| "/organization".to_owned(), |client| format!("/clients/{}", client.id))
    }

    /// The hidden value that tells a form's function at which client it stands; empty: the organization.
    #[must_use]
    pub fn hidden(&self) -> (String, String) {
        ("client".to_owned(), self.client.as_ref().map(|client| client.id.to_string()).unwrap_or_default())
    }

    /// How numbers and dates are written here.
    #[must_use]
    pub fn locale(&self) -> Locale {
        Locale::from(self.client.as_ref().map_or(&self.organization.locale, |client| &client.locale))
    }

    /// The zone whose clock is shown here.
    #[must_use]
    pub fn zone(&self) -> Tz {
        self.client.as_ref().map_or(self.organization.zone.0, |client| client.zone())
    }

    /// A moment as it is written here.
    #[must_use]
    pub fn moment(&self, at: DateTime<Utc>) -> String {
        format::date_time(at.with_timezone(&self.zone()).naive_local(), self.locale())
    }

    /// The place for the frame; crumbs as (label, path below [`Self::base`]).
    #[must_use]
    pub fn place(&self, crumbs: &[(&str, &str)], this: &str) -> Place {
        let mut trail: Vec<Crumb> =
            crumbs.iter().map(|(label, path)| Crumb::new(*label, format!("{}/{path}", self.base()))).collect();
        if !crumbs.is_empty() {
            trail.push(Crumb::new(this, ""));
        }
        Place {
            client: self.client.as_ref().map(|client| client.id),
            client_name: self.client.as_ref().map(|client| client.name.clone()).unwrap_or_default(),
            locale: self.locale(),
            crumbs: trail,
        }
    }
}

/// The organization that is open.
///
/// # Errors
/// `Forbidden` when there is none.
pub(super) async fn open(tx: &mut Tenant, actor: &Actor) -> Result<Organization, AppError> {
    let id = actor.organization.as_ref().map(|open| open.id).ok_or(AppError::Forbidden)?;
    organizations::find(tx, id).await?.ok_or(AppError::Forbidden)
}

/// The guard of a server function that serves both scopes: an empty `client` is the organization.
///
/// # Errors
/// As the guards of [`functions`].
pub fn require_scope(permission: Permission, client: &str) -> Result<(Ctx, Actor), AppError> {
    if client.is_empty() {
        functions::require(Permission::ViewOrganization)?;
        functions::require(permission)
    } else {
        functions::require_client(permission, client)
    }
}

/// The address of the pages in which a function of both scopes was called.
#[must_use]
pub fn base_of(actor: &Actor) -> String {
    actor.at.map_or_else(|| "/organization".to_owned(), |client| format!("/clients/{client}"))
}

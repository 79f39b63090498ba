//! The door of service identities: their secret opens contexts at their own place, for the commands of their list. It is
//! the worker's login that comes here; what it does is [`crate::parties::service_identities`]' business.

use diesel::sql_types::{Binary, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use super::tenant::refused;
use super::{Access, Author, Cached, Db, DbError, Scope, Tenant};
use crate::access::service::{Command, Secret};
use crate::access::{Actor, OpenOrganization, SessionSecret};
use crate::values::ids::{ClientId, OrganizationId, UserId};

/// Connections for service identities.
#[derive(Debug, Clone)]
pub struct Services {
    db: Db,
}

/// A service identity about to do one of its commands.
#[derive(Debug, Clone)]
pub struct Entered {
    secret: Secret,
    command: Command,
    actor: Actor,
}

#[derive(QueryableByName)]
struct Who {
    #[diesel(sql_type = SqlUuid)]
    user_id: UserId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = SqlUuid)]
    organization_id: OrganizationId,
    #[diesel(sql_type = Text)]
    organization_slug: String,
    #[diesel(sql_type = Text)]
    organization_name: String,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    client_id: Option<ClientId>,
}

impl Services {
    /// A pool of at most `size` connections by the connection string of `eis_worker`; none is opened yet.
    ///
    /// # Errors
    /// When the pool cannot be built from these settings.
    pub fn new(worker_url: &str, size: usize) -> Result<Self, DbError> {
        Ok(Self { db: Db::of_login(worker_url, size, false)? })
    }

    /// Whose secret this is, for one command, used `from` there: noted in a transaction of its own, so that no row is held
    /// while the work goes on.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`] when the secret is nobody's, its identity has ended or its organization is suspended;
    /// [`DbError::Refused`] for a command that is not in its list.
    pub async fn enter(&self, secret: Secret, command: Command, from: &str) -> Result<Entered, DbError> {
        let mut connection = self.db.connection().await?;
        let query = sql_query("SELECT * FROM public.enter_service($1, $2, $3)")
            .bind::<Binary, _>(secret.bytes().to_vec())
            .bind::<Text, _>(command.code())
            .bind::<Text, _>(from);
        let who: Who = Cached(query).get_result(&mut connection).await.map_err(refused)?;
        Ok(Entered { secret, command, actor: who.actor(from) })
    }

    /// A transaction under the identity's context for its command, at `client` where that is one of its organization. It
    /// writes only where the command does.
    ///
    /// # Errors
    /// As [`Self::enter`], and [`DbError::Refused`] for a client that is not its own.
    pub async fn stand(&self, entered: &Entered, client: Option<ClientId>, access: Access) -> Result<Tenant, DbError> {
        let mut tenant = Tenant::around(self.db.connection().await?);
        tenant.batch_execute(access.begin()).await?;
        let query = sql_query("SELECT public.open_service_context($1, $2, $3)")
            .bind::<Binary, _>(entered.secret.bytes().to_vec())
            .bind::<Text, _>(entered.command.code())
            .bind::<Nullable<SqlUuid>, _>(client);
        Cached(query).execute(&mut *tenant).await.map_err(refused)?;
        let mut actor = entered.actor.clone();
        actor.at = client;
        let author = Author { secret: None, role: "service".to_owned(), ..Author::from(&actor) };
        Ok(tenant.standing(Scope::of(&actor), (access == Access::Write).then_some(author)))
    }
}

impl Entered {
    /// Who acts, for the business: at the identity's own client, where it has one. It holds no role of a person, so that no
    /// permission of the web is its own.
    #[must_use]
    pub const fn actor(&self) -> &Actor {
        &self.actor
    }
}

impl Who {
    fn actor(self, from: &str) -> Actor {
        Actor {
            secret: SessionSecret::NONE,
            user: self.user_id,
            user_name: self.name,
            role: None,
            narrowed: None,
            assignment: None,
            assignments: 1,
            organization: Some(OpenOrganization {
                id: self.organization_id,
                slug: self.organization_slug,
                name: self.organization_name,
            }),
            client: self.client_id,
            client_summary: None,
            customer: None,
            writes_until: None,
            factor_due: None,
            viewing: None,
            at: None,
            address: from.to_owned(),
        }
    }
}

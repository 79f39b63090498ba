//! Work as the system, across organizations: for EIS administrators, for a reason, on record in each organization
//! before anything is opened (`operate/scripts/after/19_gate_staff.sql`). There is no other door to more than one organization.

use diesel::QueryableByName;
use diesel::sql_query;
use diesel::sql_types::{Array, Binary, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{RunQueryDsl, SimpleAsyncConnection};

use super::tenant::refused;
use super::{Access, Author, Cached, Db, DbError, Scope, Tenant};
use crate::access::Actor;
use crate::values::ids::OrganizationId;

/// An organization in whose log the work stands.
#[derive(Debug, Clone, QueryableByName, serde::Serialize)]
pub struct Opened {
    /// Its id.
    #[diesel(sql_type = SqlUuid)]
    pub id: OrganizationId,
    /// Its short name.
    #[diesel(sql_type = Text)]
    pub slug: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `active` or `suspended`.
    #[diesel(sql_type = Text)]
    pub status: String,
}

impl Db {
    /// Puts on record in each of these organizations (`None`: all) that the actor works there as the system, and why;
    /// for a quarter of an hour [`Db::as_system`] opens them to this session.
    ///
    /// # Errors
    /// [`DbError::Refused`] for anyone but an EIS administrator; a check's violation when the reason is shorter than
    /// ten characters.
    pub async fn begin_system_work(
        &self,
        actor: &Actor,
        organizations: Option<&[OrganizationId]>,
        reason: &str,
        writes: bool,
    ) -> Result<Vec<Opened>, DbError> {
        let mut connection = self.connection().await?;
        let query = sql_query("SELECT * FROM public.begin_system_work($1, $2, $3, $4, $5)")
            .bind::<Binary, _>(actor.secret.bytes().to_vec())
            .bind::<Nullable<Array<SqlUuid>>, _>(organizations.map(<[_]>::to_vec))
            .bind::<Text, _>(reason)
            .bind::<Bool, _>(writes)
            .bind::<Text, _>(&actor.address);
        query.load(&mut connection).await.map_err(refused)
    }

    /// A transaction in one organization as the system.
    ///
    /// # Errors
    /// [`DbError::Refused`] unless the actor's session began work there with [`Db::begin_system_work`].
    pub async fn as_system(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        access: Access,
    ) -> Result<Tenant, DbError> {
        let mut tenant = Tenant::around(self.connection().await?);
        tenant.batch_execute(access.begin()).await?;
        let query = sql_query("SELECT public.open_system_work($1, $2)")
            .bind::<Binary, _>(actor.secret.bytes().to_vec())
            .bind::<SqlUuid, _>(organization);
        Cached(query).execute(&mut *tenant).await.map_err(refused)?;
        let author = (access == Access::Write).then(|| Author::from(actor));
        Ok(tenant.standing(Scope::at(organization), author))
    }
}

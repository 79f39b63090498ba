//! Figures of the whole platform, an organization at a time: by an EIS administrator as the system, or by the operator
//! at the command line. Either way each organization's log says who looked and why.

use diesel::sql_types::{Date, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryResult, QueryableByName, sql_query};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::access::Actor;
use crate::db::owner::Owner;
use crate::db::{Access, Db, DbError};
use crate::parties::organizations::{self, Statistics};
use crate::values::ids::OrganizationId;

/// How large an organization is. Counts, and nothing of anybody.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Figures {
    /// Which it is.
    #[serde(flatten)]
    pub summary: Summary,
    /// What it holds; written out, its counts alone.
    #[serde(flatten)]
    pub holds: Statistics,
}

/// An organization's name and state.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName, serde::Serialize)]
pub struct Summary {
    /// Its short name.
    #[diesel(sql_type = Text)]
    pub slug: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// `active` or `suspended`.
    #[diesel(sql_type = Text)]
    pub status: String,
    /// The last day for which something was billed.
    #[diesel(sql_type = Nullable<Date>)]
    pub billed_to: Option<chrono::NaiveDate>,
}

async fn figures(conn: &mut AsyncPgConnection, organization: OrganizationId) -> QueryResult<Figures> {
    let summary = sql_query(
        "SELECT g.slug, g.name, g.status,
            (SELECT max(i.period_to) - 1 FROM public.invoices i WHERE i.organization_id = g.id AND i.kind = 'invoice' AND i.status <> 'draft') AS billed_to
         FROM public.organizations g WHERE g.id = $1",
    )
    .bind::<SqlUuid, _>(organization)
    .get_result(conn)
    .await?;
    Ok(Figures { summary, holds: organizations::statistics(conn, organization).await? })
}

/// The figures of every organization, for an EIS administrator; the reason is put on record in each first.
///
/// # Errors
/// [`DbError::Refused`] for anyone else; a check's violation when the reason is shorter than ten characters.
pub async fn statistics(db: &Db, actor: &Actor, reason: &str) -> Result<Vec<Figures>, DbError> {
    let opened = db.begin_system_work(actor, None, reason, false).await?;
    let mut all = Vec::with_capacity(opened.len());
    for organization in opened {
        let mut tx = db.as_system(actor, organization.id, Access::Read).await?;
        all.push(figures(&mut tx, organization.id).await?);
    }
    Ok(all)
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: OrganizationId,
}

/// The same for the operator at the command line.
///
/// # Errors
/// When the database fails; then nothing was put on record.
pub async fn statistics_for_operator(admin_url: &str, operator: &str, reason: &str) -> Result<Vec<Figures>, DbError> {
    let mut tx = Owner::begin(admin_url).await?;
    let ids: Vec<Id> = sql_query("SELECT id FROM public.organizations ORDER BY name, id").load(&mut *tx).await?;
    let mut all = Vec::with_capacity(ids.len());
    for Id { id } in ids {
        tx.stand_on_record(id, operator, reason).await?;
        all.push(figures(&mut tx, id).await?);
    }
    tx.commit().await?;
    Ok(all)
}

//! Workspaces: where people of a client keep documents and ask about them. A client admin sees those of which they are a
//! member, who runs the organization sees all, the client's customers see what was published.
//!
//! The log of a client is read by all of its admins, members or not: records about what lies in a workspace tell that
//! something was done, by whom and when, and never names, titles or texts.

pub mod chats;
pub mod chunks;
pub mod data_sources;
pub mod files;
pub mod members;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::DbError;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::{data_sources as sources_table, files as files_table, workspaces};
use crate::values::codes::codes;
use crate::values::ids::{ClientId, OrganizationId, WorkspaceId};
use crate::values::texts::{TextFault, line, note, optional_lines};

codes! {
    /// Whether a workspace is worked in.
    Status {
        /// It is.
        Active = "active",
        /// It is kept, and nothing is added any more; customers do not see it.
        Archived = "archived",
    }
}

/// A workspace.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = workspaces)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// What people call it.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Whether it is worked in.
    pub status: Status,
    /// Whether the client's customers read it, while it is active.
    pub published: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What makes or changes a workspace.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = workspaces)]
pub struct Fields {
    /// What people call it.
    pub name: String,
    /// What it is for; may be empty.
    pub description: String,
    /// Whether it is worked in.
    pub status: Status,
    /// Whether the client's customers read it.
    pub published: bool,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Of the name.
    Name(TextFault),
    /// Of the description.
    Description(TextFault),
    /// There is no such workspace that the actor may change.
    NotThere,
    /// Something lies in it still: it can be archived.
    NotEmpty {
        /// Files.
        files: i64,
        /// Data sources.
        sources: i64,
    },
    /// Somebody has a conversation about it still: it can be archived.
    Chats,
}

impl Fields {
    fn checked(&self) -> Outcome<Self, Violation> {
        let mut violations = vec![];
        let name = note(line(&self.name, 200), &mut violations, Violation::Name);
        let description = note(optional_lines(&self.description, 2000), &mut violations, Violation::Description);
        Refused::unless(violations, ())?;
        Ok(Self { name, description, ..self.clone() })
    }
}

/// What the log may tell of a workspace.
fn told(status: Status, published: bool) -> Value {
    json!({ "status": status, "published": published })
}

/// Writes a record of what was done in a workspace.
async fn record(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (action, entity): (&str, &str),
    id: impl Into<Option<uuid::Uuid>>,
    summary: impl Into<String>,
    details: Value,
) -> Result<(), DbError> {
    let entry = audit::Entry { action, entity, entity_id: id.into(), customer: None, summary: summary.into(), details };
    audit::record(conn, actor, entry).await
}

/// Makes a workspace, whose owner the actor is from then on.
///
/// # Errors
/// The violations of its fields.
pub async fn create(conn: &mut AsyncPgConnection, actor: &Actor, fields: &Fields) -> Outcome<WorkspaceId, Violation> {
    let (here, fields, id) = (AtClient::of(actor)?, fields.checked()?, WorkspaceId::fresh());
    let keys = (
        workspaces::organization_id.eq(here.organization),
        workspaces::client_id.eq(here.client),
        workspaces::id.eq(id),
        workspaces::created_by.eq(actor.user.0),
    );
    diesel::insert_into(workspaces::table).values((keys, &fields)).execute(conn).await?;
    let details = audit::created(told(fields.status, fields.published));
    record(conn, actor, ("create", "workspace"), id.0, "Created a workspace", details).await?;
    Ok(id)
}

/// Changes a workspace.
///
/// # Errors
/// The violations of its fields; [`Violation::NotThere`] where the actor does not own it.
pub async fn update(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: WorkspaceId,
    fields: &Fields,
) -> Outcome<(), Violation> {
    let (here, fields) = (AtClient::of(actor)?, fields.checked()?);
    let before = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    diesel::update(of(&here).filter(workspaces::id.eq(id))).set(&fields).execute(conn).await?;
    let mut details = audit::changed(told(before.status, before.published), told(fields.status, fields.published));
    if (&before.name, &before.description) != (&fields.name, &fields.description) {
        details["after"]["words"] = json!("changed");
    }
    record(conn, actor, ("update", "workspace"), id.0, "Changed a workspace", details).await?;
    Ok(())
}

/// Deletes a workspace in which nothing lies.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::NotEmpty`], [`Violation::Chats`].
pub async fn delete(conn: &mut AsyncPgConnection, actor: &Actor, id: WorkspaceId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let before = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    let files: i64 = files_table::table
        .filter(files_table::organization_id.eq(here.organization).and(files_table::client_id.eq(here.client)))
        .filter(files_table::workspace_id.eq(id))
        .count()
        .get_result(conn)
        .await?;
    let sources: i64 = sources_table::table
        .filter(sources_table::organization_id.eq(here.organization).and(sources_table::client_id.eq(here.client)))
        .filter(sources_table::workspace_id.eq(id))
        .count()
        .get_result(conn)
        .await?;
    if files + sources > 0 {
        return Err(Refused::by(Violation::NotEmpty { files, sources }));
    }
    // Whose conversations there are is nobody else's to see: the key tells that there is one.
    diesel::delete(of(&here).filter(workspaces::id.eq(id)))
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint(error, [("chat_sessions_workspace", Violation::Chats)]))?;
    let details = audit::removed(told(before.status, before.published));
    record(conn, actor, ("delete", "workspace"), id.0, "Deleted a workspace", details).await?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(here: &AtClient) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    workspaces::table.filter(workspaces::organization_id.eq(organization)).filter(workspaces::client_id.eq(client))
}

/// The workspaces that the context sees, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &AsyncPgConnection, here: &AtClient) -> QueryResult<Vec<Workspace>> {
    let mut conn = conn;
    of(here)
        .select(Workspace::as_select())
        .order((crate::db::lower(workspaces::name), workspaces::id))
        .load(&mut conn)
        .await
}

/// The workspace of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, here: &AtClient, id: WorkspaceId) -> QueryResult<Option<Workspace>> {
    let mut conn = conn;
    of(here).filter(workspaces::id.eq(id)).select(Workspace::as_select()).first(&mut conn).await.optional()
}

/// The workspace of this id, if the context may change it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(conn: &mut AsyncPgConnection, here: &AtClient, id: WorkspaceId) -> QueryResult<Option<Workspace>> {
    of(here)
        .filter(workspaces::id.eq(id))
        .select(Workspace::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()
}

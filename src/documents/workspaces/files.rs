//! Files of a workspace: what their bytes are and the key that these are encrypted with. The bytes lie in the store, by the
//! file's id.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;

use super::{find as find_workspace, record};
use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::lower;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::files;
use crate::documents::content_key::{ContentKey, file_name, is_media_type};
use crate::values::codes::codes;
use crate::values::ids::{ClientId, FileId, OrganizationId, WorkspaceId};
use crate::values::texts::{TextFault, note};

/// The most bytes of a file.
pub const MOST_BYTES: i64 = 100 * 1024 * 1024;

codes! {
    /// What is known of a file's text.
    Status {
        /// It was not read yet.
        Received = "received",
        /// It can be found: [`super::chunks`].
        Indexed = "indexed",
        /// It cannot be read: [`Problem`].
        Failed = "failed",
    }
    /// Why a file's text cannot be read.
    Problem {
        /// It can.
        None = "",
        /// It is of a kind that nothing here reads.
        UnknownKind = "unknown_kind",
        /// It needs a password.
        Locked = "locked",
        /// It is damaged.
        Damaged = "damaged",
        /// It has no text, such as a picture.
        NoText = "no_text",
        /// It has more text than is kept.
        TooLong = "too_long",
    }
}

/// A file.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = files)]
pub struct File {
    /// Its id, by which the store knows its bytes.
    pub id: FileId,
    /// Where it lies.
    pub workspace_id: WorkspaceId,
    /// What it is called there.
    pub name: String,
    /// What its bytes are, such as `application/pdf`.
    pub media_type: String,
    /// How many they are.
    pub bytes: i64,
    /// Their SHA-256.
    pub sha256: Vec<u8>,
    /// What they are encrypted with.
    pub content_key: ContentKey,
    /// What is known of its text.
    pub status: Status,
    /// Why it cannot be read.
    pub problem: Problem,
    /// When it came.
    pub created_at: DateTime<Utc>,
}

/// What makes a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    /// What it is called.
    pub name: String,
    /// What its bytes are, by their content.
    pub media_type: String,
    /// How many they are.
    pub bytes: i64,
    /// Their SHA-256.
    pub sha256: [u8; 32],
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Of the name.
    Name(TextFault),
    /// Another file of the workspace has the name, whatever its case.
    NameTaken,
    /// It is no media type.
    MediaType,
    /// It has no bytes.
    Empty,
    /// It has more than so many bytes.
    TooLarge(i64),
    /// There is no such workspace to be seen.
    NoWorkspace,
    /// The workspace is archived.
    Archived,
    /// The actor reads the workspace and does not write in it.
    MayNotWrite,
    /// There is no such file that the actor may change.
    NotThere,
}

impl NewFile {
    fn checked(&self) -> Outcome<String, Violation> {
        let mut violations = vec![];
        let name = note(file_name(&self.name), &mut violations, Violation::Name);
        if !is_media_type(&self.media_type) {
            violations.push(Violation::MediaType);
        }
        if self.bytes <= 0 {
            violations.push(Violation::Empty);
        }
        if self.bytes > MOST_BYTES {
            violations.push(Violation::TooLarge(MOST_BYTES));
        }
        Refused::unless(violations, ())?;
        Ok(name)
    }
}

/// That a workspace is there and worked in.
pub(super) async fn open_workspace<V: std::fmt::Debug>(
    conn: &AsyncPgConnection,
    here: &AtClient,
    id: WorkspaceId,
    (not_there, archived): (V, V),
) -> Outcome<(), V> {
    match find_workspace(conn, here, id).await? {
        None => Err(Refused::by(not_there)),
        Some(row) if row.status == super::Status::Archived => Err(Refused::by(archived)),
        Some(_) => Ok(()),
    }
}

/// Takes a file in: its id and the key to encrypt its bytes with, which are then put into the store.
///
/// # Errors
/// The violations of its fields and of its place.
pub async fn create(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    workspace: WorkspaceId,
    new: &NewFile,
) -> Outcome<(FileId, ContentKey), Violation> {
    let (here, name) = (AtClient::of(actor)?, new.checked()?);
    open_workspace(conn, &here, workspace, (Violation::NoWorkspace, Violation::Archived)).await?;
    let (id, key) = (FileId::fresh(), ContentKey::fresh());
    let keys = (
        files::organization_id.eq(here.organization),
        files::client_id.eq(here.client),
        files::id.eq(id),
        files::workspace_id.eq(workspace),
        files::created_by.eq(actor.user.0),
    );
    let row = (
        files::name.eq(name),
        files::media_type.eq(&new.media_type),
        files::bytes.eq(new.bytes),
        files::sha256.eq(new.sha256.as_slice()),
        files::content_key.eq(&key),
    );
    diesel::insert_into(files::table).values((keys, row)).execute(conn).await.map_err(|error| {
        Refused::constraint_or_policy(error, Violation::MayNotWrite, [("files_name", Violation::NameTaken)])
    })?;
    let details = audit::created(json!({ "media_type": new.media_type, "bytes": new.bytes }));
    record(conn, actor, ("create", "file"), id.0, "Put a file into a workspace", details).await?;
    Ok((id, key))
}

/// Calls a file otherwise.
///
/// # Errors
/// [`Violation::Name`], [`Violation::NameTaken`], [`Violation::NotThere`].
pub async fn rename(conn: &mut AsyncPgConnection, actor: &Actor, id: FileId, name: &str) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let name = file_name(name).map_err(|fault| Refused::by(Violation::Name(fault)))?;
    let before = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    if before.name == name {
        return Ok(());
    }
    diesel::update(of(&here).filter(files::id.eq(id)))
        .set(files::name.eq(name))
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint(error, [("files_name", Violation::NameTaken)]))?;
    record(conn, actor, ("rename", "file"), id.0, "Renamed a file of a workspace", json!({})).await?;
    Ok(())
}

/// Deletes a file with its text. Its bytes are nobody's from then on: the key is gone, and the store drops what no row names.
///
/// # Errors
/// [`Violation::NotThere`].
pub async fn delete(conn: &mut AsyncPgConnection, actor: &Actor, id: FileId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let before = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    diesel::delete(of(&here).filter(files::id.eq(id))).execute(conn).await?;
    let details = audit::removed(json!({ "media_type": before.media_type, "bytes": before.bytes }));
    record(conn, actor, ("delete", "file"), id.0, "Deleted a file of a workspace", details).await?;
    Ok(())
}

/// Says that a file's text cannot be read, and why.
///
/// # Errors
/// [`Violation::NotThere`].
pub async fn failed(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: FileId,
    problem: Problem,
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let status = if problem == Problem::None { Status::Received } else { Status::Failed };
    let changed = diesel::update(of(&here).filter(files::id.eq(id)))
        .set((files::status.eq(status), files::problem.eq(problem)))
        .execute(conn)
        .await?;
    if changed == 1 { Ok(()) } else { Err(Refused::by(Violation::NotThere)) }
}

#[diesel::dsl::auto_type(no_type_alias)]
pub(super) fn of(here: &AtClient) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    files::table.filter(files::organization_id.eq(organization)).filter(files::client_id.eq(client))
}

/// Files of a workspace by name, at most `limit`, from behind the name `after`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &AsyncPgConnection,
    here: &AtClient,
    workspace: WorkspaceId,
    after: Option<&str>,
    limit: i64,
) -> QueryResult<Vec<File>> {
    let mut conn = conn;
    of(here)
        .filter(files::workspace_id.eq(workspace))
        .filter(lower(files::name).gt(lower(after.unwrap_or(""))))
        .select(File::as_select())
        .order(lower(files::name))
        .limit(limit)
        .load(&mut conn)
        .await
}

/// The file of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, here: &AtClient, id: FileId) -> QueryResult<Option<File>> {
    let mut conn = conn;
    of(here).filter(files::id.eq(id)).select(File::as_select()).first(&mut conn).await.optional()
}

/// The file of this id, if the context may change it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(conn: &mut AsyncPgConnection, here: &AtClient, id: FileId) -> QueryResult<Option<File>> {
    of(here).filter(files::id.eq(id)).select(File::as_select()).for_no_key_update().first(conn).await.optional()
}

//! Conversations about a workspace. Each is its person's own: the database shows it to nobody else, whatever their role.

use chrono::{DateTime, Utc};
use diesel::dsl::max;
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::json;

use super::files::open_workspace;
use super::{chunks, record};
use crate::access::Actor;
use crate::db::AtClient;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::{chat_messages, chat_sessions};
use crate::values::codes::codes;
use crate::values::ids::{ChatSessionId, ClientId, DocumentChunkId, OrganizationId, WorkspaceId};
use crate::values::texts::{TextFault, line, lines, note};

/// The most characters of what is said at a time.
pub const MOST_CHARACTERS: usize = 20_000;
/// The most pieces that are cited at a time.
pub const MOST_CITES: usize = 50;

codes! {
    /// Who speaks.
    Speaker {
        /// The person.
        User = "user",
        /// What answers.
        Assistant = "assistant",
        /// What the answering was told beforehand.
        System = "system",
    }
}

/// A conversation.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = chat_sessions)]
pub struct Chat {
    /// Its id.
    pub id: ChatSessionId,
    /// What it is about.
    pub workspace_id: WorkspaceId,
    /// What its person calls it.
    pub title: String,
    /// When it began.
    pub created_at: DateTime<Utc>,
}

/// What was said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The how manieth, from 0.
    pub position: i32,
    /// By whom.
    pub speaker: Speaker,
    /// What.
    pub text: String,
    /// The pieces of files that it goes by.
    pub cites: Vec<DocumentChunkId>,
    /// When.
    pub at: DateTime<Utc>,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Of the title.
    Title(TextFault),
    /// Of the text.
    Text(TextFault),
    /// More than so many pieces are cited.
    TooManyCites(usize),
    /// What is cited is no piece of the workspace's files.
    CiteUnknown(DocumentChunkId),
    /// There is no such workspace to be seen.
    NoWorkspace,
    /// The workspace is archived.
    Archived,
    /// There is no such conversation of the actor's own.
    NotThere,
    /// The actor reads and changes nothing.
    MayNotWrite,
}

/// Begins a conversation of the actor's.
///
/// # Errors
/// [`Violation::Title`], [`Violation::NoWorkspace`], [`Violation::Archived`], [`Violation::MayNotWrite`].
pub async fn create(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    workspace: WorkspaceId,
    title: &str,
) -> Outcome<ChatSessionId, Violation> {
    let (here, id) = (AtClient::of(actor)?, ChatSessionId::fresh());
    let title = line(title, 200).map_err(|fault| Refused::by(Violation::Title(fault)))?;
    open_workspace(conn, &here, workspace, (Violation::NoWorkspace, Violation::Archived)).await?;
    let row = (
        chat_sessions::organization_id.eq(here.organization),
        chat_sessions::client_id.eq(here.client),
        chat_sessions::id.eq(id),
        chat_sessions::workspace_id.eq(workspace),
        chat_sessions::user_id.eq(actor.user),
        chat_sessions::title.eq(title),
        chat_sessions::created_by.eq(actor.user.0),
    );
    diesel::insert_into(chat_sessions::table)
        .values(row)
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint_or_policy(error, Violation::MayNotWrite, []))?;
    record(conn, actor, ("create", "chat_session"), id.0, "Began a conversation about a workspace", json!({})).await?;
    Ok(id)
}

/// Calls a conversation otherwise.
///
/// # Errors
/// [`Violation::Title`], [`Violation::NotThere`].
pub async fn rename(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: ChatSessionId,
    title: &str,
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let title = line(title, 200).map_err(|fault| Refused::by(Violation::Title(fault)))?;
    let chat = diesel::update(of(&here).filter(chat_sessions::id.eq(id)));
    match chat.set(chat_sessions::title.eq(title)).execute(conn).await? {
        0 => Err(Refused::by(Violation::NotThere)),
        _ => Ok(()),
    }
}

/// Deletes a conversation with all that was said in it.
///
/// # Errors
/// [`Violation::NotThere`].
pub async fn delete(conn: &mut AsyncPgConnection, actor: &Actor, id: ChatSessionId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    if diesel::delete(of(&here).filter(chat_sessions::id.eq(id))).execute(conn).await? == 0 {
        return Err(Refused::by(Violation::NotThere));
    }
    record(conn, actor, ("delete", "chat_session"), id.0, "Deleted a conversation about a workspace", json!({}))
        .await?;
    Ok(())
}

/// Adds to a conversation: the place of what was said, from 0. Of two at once, the second comes behind the first.
///
/// # Errors
/// [`Violation::Text`], [`Violation::TooManyCites`], [`Violation::CiteUnknown`], [`Violation::NotThere`].
pub async fn say(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: ChatSessionId,
    (speaker, text): (Speaker, &str),
    cites: &[DocumentChunkId],
) -> Outcome<i32, Violation> {
    let here = AtClient::of(actor)?;
    let mut violations = vec![];
    let text = note(lines(text, MOST_CHARACTERS), &mut violations, Violation::Text);
    if cites.len() > MOST_CITES {
        violations.push(Violation::TooManyCites(MOST_CITES));
    }
    Refused::unless(violations, ())?;
    let chat = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    let known = chunks::cited(conn, &here, cites).await?;
    let is_known = |cite: &DocumentChunkId| known.iter().any(|c| c.id == *cite && c.workspace_id == chat.workspace_id);
    if let Some(unknown) = cites.iter().find(|cite| !is_known(cite)) {
        return Err(Refused::by(Violation::CiteUnknown(*unknown)));
    }
    let last: Option<i32> = said(&here, id).select(max(chat_messages::position)).first(conn).await?;
    let position = last.map_or(0, |last| last + 1);
    let row = (
        chat_messages::organization_id.eq(here.organization),
        chat_messages::client_id.eq(here.client),
        chat_messages::session_id.eq(id),
        chat_messages::position.eq(position),
        chat_messages::user_id.eq(actor.user),
        chat_messages::role.eq(speaker),
        chat_messages::text.eq(text),
        chat_messages::cites.eq(cites),
        chat_messages::created_by.eq(actor.user.0),
    );
    diesel::insert_into(chat_messages::table).values(row).execute(conn).await?;
    Ok(position)
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(here: &AtClient) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    chat_sessions::table
        .filter(chat_sessions::organization_id.eq(organization))
        .filter(chat_sessions::client_id.eq(client))
}

#[diesel::dsl::auto_type(no_type_alias)]
fn said(here: &AtClient, id: ChatSessionId) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    chat_messages::table
        .filter(chat_messages::organization_id.eq(organization))
        .filter(chat_messages::client_id.eq(client))
        .filter(chat_messages::session_id.eq(id))
}

/// The person's own conversations about a workspace, the latest first; at most `limit`, from behind `after`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &AsyncPgConnection,
    here: &AtClient,
    workspace: WorkspaceId,
    after: Option<ChatSessionId>,
    limit: i64,
) -> QueryResult<Vec<Chat>> {
    let mut conn = conn;
    let mut query = of(here).filter(chat_sessions::workspace_id.eq(workspace)).select(Chat::as_select()).into_boxed();
    if let Some(after) = after {
        query = query.filter(chat_sessions::id.lt(after));
    }
    query.order(chat_sessions::id.desc()).limit(limit).load(&mut conn).await
}

/// The person's own conversation of this id.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, here: &AtClient, id: ChatSessionId) -> QueryResult<Option<Chat>> {
    let mut conn = conn;
    of(here).filter(chat_sessions::id.eq(id)).select(Chat::as_select()).first(&mut conn).await.optional()
}

/// The person's own conversation of this id, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(conn: &mut AsyncPgConnection, here: &AtClient, id: ChatSessionId) -> QueryResult<Option<Chat>> {
    of(here).filter(chat_sessions::id.eq(id)).select(Chat::as_select()).for_no_key_update().first(conn).await.optional()
}

/// What was said in a conversation, in its order.
///
/// # Errors
/// When the database fails.
pub async fn messages(conn: &AsyncPgConnection, here: &AtClient, id: ChatSessionId) -> QueryResult<Vec<Said>> {
    let mut conn = conn;
    type Row = (i32, Speaker, String, Vec<Option<DocumentChunkId>>, DateTime<Utc>);
    let rows: Vec<Row> = said(here, id)
        .select((
            chat_messages::position,
            chat_messages::role,
            chat_messages::text,
            chat_messages::cites,
            chat_messages::created_at,
        ))
        .order(chat_messages::position)
        .load(&mut conn)
        .await?;
    let row = |(position, speaker, text, cites, at): Row| {
        // The table's own check lets no NULL in.
        Said { position, speaker, text, cites: cites.into_iter().flatten().collect(), at }
    };
    Ok(rows.into_iter().map(row).collect())
}

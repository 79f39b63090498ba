//! Data sources: places that are looked at for new documents of a workspace. Nothing secret stands in them.

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use super::files::open_workspace;
use super::record;
use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::lower;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::data_sources;
use crate::values::clock;
use crate::values::codes::codes;
use crate::values::ids::{ClientId, DataSourceId, OrganizationId, WorkspaceId};
use crate::values::texts::{TextFault, line, note};

codes! {
    /// What is looked at.
    Kind {
        /// A page of the web.
        WebPage = "web_page",
        /// A feed of news (RSS, Atom).
        Feed = "feed",
        /// A folder that this machine sees.
        Folder = "folder",
        /// A mailbox (IMAP).
        Mailbox = "mailbox",
        /// A store of objects (S3).
        ObjectStore = "object_store",
    }
    /// How often.
    Schedule {
        /// When somebody says so.
        Manual = "manual",
        /// Every hour.
        Hourly = "hourly",
        /// Every day.
        Daily = "daily",
        /// Every week.
        Weekly = "weekly",
    }
    /// Whether it is looked at.
    Status {
        /// It is.
        Active = "active",
        /// Not now.
        Paused = "paused",
    }
    /// What came of looking.
    Looked {
        /// Nobody looked yet.
        Never = "",
        /// Files came.
        Done = "done",
        /// Nothing was new.
        Unchanged = "unchanged",
        /// Nobody answered there.
        Unreachable = "unreachable",
        /// It let nobody in.
        Refused = "refused",
        /// What was there could not be read.
        Unreadable = "unreadable",
        /// There was more than is taken.
        TooLarge = "too_large",
    }
}

/// A data source.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = data_sources)]
pub struct DataSource {
    /// Its id.
    pub id: DataSourceId,
    /// Whose documents come from it.
    pub workspace_id: WorkspaceId,
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub address: String,
    /// How often it is looked at.
    pub schedule: Schedule,
    /// Whether it is.
    pub status: Status,
    /// When it was last.
    pub last_run_at: Option<DateTime<Utc>>,
    /// What came of it.
    pub last_result: Looked,
    /// How many files came.
    pub last_files: i32,
}

/// What makes or changes a data source.
#[derive(Debug, Clone, PartialEq, Eq, Insertable, AsChangeset)]
#[diesel(table_name = data_sources)]
pub struct Fields {
    /// What people call it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Where it is.
    pub address: String,
    /// How often it is looked at.
    pub schedule: Schedule,
    /// Whether it is.
    pub status: Status,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Of the name.
    Name(TextFault),
    /// Another source of the workspace has the name, whatever its case.
    NameTaken,
    /// Of the address.
    Address(TextFault),
    /// The address is not of its kind, such as a page's without `https://`.
    NotOfKind,
    /// A user or password stands in the address.
    SecretInAddress,
    /// There is no such workspace to be seen.
    NoWorkspace,
    /// The workspace is archived.
    Archived,
    /// The actor reads the workspace and does not write in it.
    MayNotWrite,
    /// There is no such source that the actor may change.
    NotThere,
}

/// Whether a user stands before the host of an address; whatever the scheme.
fn has_secret(address: &str) -> bool {
    let authority = address.split_once("://").map_or("", |(_, rest)| rest.split(['/', '?', '#']).next().unwrap_or(""));
    authority.contains('@')
}

impl Kind {
    fn takes(self, address: &str) -> bool {
        let begins = |schemes: &[&str]| schemes.iter().any(|scheme| address.starts_with(scheme));
        match self {
            Self::WebPage | Self::Feed => begins(&["https://", "http://"]),
            Self::Mailbox => begins(&["imaps://", "imap://"]),
            Self::ObjectStore => begins(&["s3://"]),
            Self::Folder => address.starts_with('/'),
        }
    }
}

impl Fields {
    fn checked(&self) -> Outcome<Self, Violation> {
        let mut violations = vec![];
        let name = note(line(&self.name, 200), &mut violations, Violation::Name);
        let address = note(line(&self.address, 2000), &mut violations, Violation::Address);
        if !address.is_empty() && !self.kind.takes(&address) {
            violations.push(Violation::NotOfKind);
        }
        if has_secret(&address) {
            violations.push(Violation::SecretInAddress);
        }
        Refused::unless(violations, ())?;
        Ok(Self { name, address, ..self.clone() })
    }

    /// What the log may tell of it.
    fn told(&self) -> Value {
        json!({ "kind": self.kind, "schedule": self.schedule, "status": self.status })
    }
}

impl From<&DataSource> for Fields {
    fn from(row: &DataSource) -> Self {
        let DataSource { name, kind, address, schedule, status, .. } = row.clone();
        Self { name, kind, address, schedule, status }
    }
}

/// Makes a data source.
///
/// # Errors
/// The violations of its fields and of its place.
pub async fn create(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    workspace: WorkspaceId,
    fields: &Fields,
) -> Outcome<DataSourceId, Violation> {
    let (here, fields, id) = (AtClient::of(actor)?, fields.checked()?, DataSourceId::fresh());
    open_workspace(conn, &here, workspace, (Violation::NoWorkspace, Violation::Archived)).await?;
    let keys = (
        data_sources::organization_id.eq(here.organization),
        data_sources::client_id.eq(here.client),
        data_sources::id.eq(id),
        data_sources::workspace_id.eq(workspace),
        data_sources::created_by.eq(actor.user.0),
    );
    diesel::insert_into(data_sources::table).values((keys, &fields)).execute(conn).await.map_err(|error| {
        Refused::constraint_or_policy(error, Violation::MayNotWrite, [("data_sources_name", Violation::NameTaken)])
    })?;
    let details = audit::created(fields.told());
    record(conn, actor, ("create", "data_source"), id.0, "Created a data source of a workspace", details).await?;
    Ok(id)
}

/// Changes a data source.
///
/// # Errors
/// The violations of its fields; [`Violation::NotThere`].
pub async fn update(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: DataSourceId,
    fields: &Fields,
) -> Outcome<(), Violation> {
    let (here, fields) = (AtClient::of(actor)?, fields.checked()?);
    let before = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    diesel::update(of(&here).filter(data_sources::id.eq(id)))
        .set(&fields)
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint(error, [("data_sources_name", Violation::NameTaken)]))?;
    let before = Fields::from(&before);
    let mut details = audit::changed(before.told(), fields.told());
    if (&before.name, &before.address) != (&fields.name, &fields.address) {
        details["after"]["words"] = json!("changed");
    }
    record(conn, actor, ("update", "data_source"), id.0, "Changed a data source of a workspace", details).await?;
    Ok(())
}

/// Deletes a data source; the files that came from it stay.
///
/// # Errors
/// [`Violation::NotThere`].
pub async fn delete(conn: &mut AsyncPgConnection, actor: &Actor, id: DataSourceId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let before = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    diesel::delete(of(&here).filter(data_sources::id.eq(id))).execute(conn).await?;
    let details = audit::removed(Fields::from(&before).told());
    record(conn, actor, ("delete", "data_source"), id.0, "Deleted a data source of a workspace", details).await?;
    Ok(())
}

/// Keeps what came of looking at a source. The files that came are on record themselves.
///
/// # Errors
/// [`Violation::NotThere`].
pub async fn looked(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: DataSourceId,
    (result, files): (Looked, i32),
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let at = (result != Looked::Never).then(clock::now);
    let kept = (
        data_sources::last_run_at.eq(at),
        data_sources::last_result.eq(result),
        data_sources::last_files.eq(files.max(0)),
    );
    let changed = diesel::update(of(&here).filter(data_sources::id.eq(id))).set(kept).execute(conn).await?;
    if changed == 1 { Ok(()) } else { Err(Refused::by(Violation::NotThere)) }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(here: &AtClient) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    data_sources::table
        .filter(data_sources::organization_id.eq(organization))
        .filter(data_sources::client_id.eq(client))
}

/// The data sources of a workspace, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(conn: &AsyncPgConnection, here: &AtClient, workspace: WorkspaceId) -> QueryResult<Vec<DataSource>> {
    let mut conn = conn;
    of(here)
        .filter(data_sources::workspace_id.eq(workspace))
        .select(DataSource::as_select())
        .order(lower(data_sources::name))
        .load(&mut conn)
        .await
}

/// The data source of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, here: &AtClient, id: DataSourceId) -> QueryResult<Option<DataSource>> {
    let mut conn = conn;
    of(here).filter(data_sources::id.eq(id)).select(DataSource::as_select()).first(&mut conn).await.optional()
}

/// The data source of this id, if the context may change it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: DataSourceId,
) -> QueryResult<Option<DataSource>> {
    of(here)
        .filter(data_sources::id.eq(id))
        .select(DataSource::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(kind: Kind, address: &str) -> Result<(), Vec<Violation>> {
        let (schedule, status) = (Schedule::Daily, Status::Active);
        let fields = Fields { name: "News".to_owned(), kind, address: address.to_owned(), schedule, status };
        match fields.checked() {
            Ok(_) => Ok(()),
            Err(Refused::Violated(all)) => Err(all),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn an_address_is_of_its_kind_and_has_no_password_in_it() {
        for (kind, address) in [
            (Kind::WebPage, "https://grid.example/notices?by=day"),
            (Kind::WebPage, "https://social.example/@grid"),
            (Kind::Feed, "http://grid.example/feed"),
            (Kind::Folder, "/srv/in@box"),
            (Kind::Mailbox, "imaps://mail.example/INBOX"),
            (Kind::ObjectStore, "s3://bucket/letters"),
        ] {
            assert_eq!(source(kind, address), Ok(()), "{address}");
        }
        for (kind, address) in [
            (Kind::Mailbox, "imaps://me:secret@mail.example/INBOX"),
            (Kind::WebPage, "https://me@grid.example"),
            (Kind::WebPage, "https://a:b@grid.example?x"),
        ] {
            assert_eq!(source(kind, address), Err(vec![Violation::SecretInAddress]), "{address}");
        }
        assert_eq!(source(Kind::WebPage, "ftp://x"), Err(vec![Violation::NotOfKind]));
        assert_eq!(source(Kind::Folder, "letters"), Err(vec![Violation::NotOfKind]));
        assert_eq!(source(Kind::Feed, " "), Err(vec![Violation::Address(TextFault::Missing)]));
    }
}

//! Documents: what was rendered for a customer, of what and when. The bytes lie in the store, by the document's id. An issued
//! one keeps the same bytes for ever: it can be withdrawn, and another issued in its place.

pub mod content_key;
pub mod messages;
pub mod workspaces;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::DbError;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::documents;
use crate::documents::content_key::{ContentKey, file_name, is_media_type};
use crate::values::clock;
use crate::values::codes::codes;
use crate::values::ids::{ClientId, CustomerId, DocumentId, OrganizationId};
use crate::values::texts::{TextFault, note};

/// The most bytes of a document.
pub const MOST_BYTES: i64 = 20 * 1024 * 1024;

codes! {
    /// What a document is.
    Kind {
        /// A bill.
        Invoice = "invoice",
        /// What takes a bill back.
        CreditNote = "credit_note",
        /// A reminder of what is owed.
        Reminder = "reminder",
        /// What was billed and paid.
        Statement = "statement",
        /// A contract.
        Contract = "contract",
        /// Any other letter.
        Letter = "letter",
    }
    /// How far it is.
    Status {
        /// It may be changed and deleted; its customer does not see it.
        Draft = "draft",
        /// It is the customer's.
        Issued = "issued",
        /// It was taken back.
        Withdrawn = "withdrawn",
    }
}

/// What something was made of: the noun of a table in the singular, and the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cause {
    /// Such as `invoice`.
    pub kind: &'static str,
    /// Which one.
    pub id: uuid::Uuid,
}

/// A document.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = documents)]
pub struct Document {
    /// Its id, by which the store knows its bytes.
    pub id: DocumentId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// What it is.
    pub kind: Kind,
    /// What it was rendered of: the noun of a table.
    pub cause_kind: String,
    /// Which one.
    pub cause_id: uuid::Uuid,
    /// What the file is called.
    pub name: String,
    /// Its language, such as `de`.
    pub language: String,
    /// What its bytes are, such as `application/pdf`.
    pub media_type: String,
    /// How many they are.
    pub bytes: i64,
    /// Their SHA-256.
    pub sha256: Vec<u8>,
    /// What they are encrypted with.
    pub content_key: ContentKey,
    /// How far it is.
    pub status: Status,
    /// When it was issued.
    pub issued_at: Option<DateTime<Utc>>,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}

/// What makes a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDocument {
    /// Whose it is.
    pub customer: CustomerId,
    /// What it is.
    pub kind: Kind,
    /// What it was rendered of.
    pub cause: Cause,
    /// What the file is called.
    pub name: String,
    /// Its language, such as `de` or `de-CH`.
    pub language: String,
    /// What its bytes are.
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
    /// It is no language such as `de` or `de-CH`.
    Language,
    /// It is no media type.
    MediaType,
    /// It has no bytes.
    Empty,
    /// It has more than so many bytes.
    TooLarge(i64),
    /// There is no such customer.
    NoCustomer,
    /// There is one of this kind, cause and language already that was not withdrawn.
    Twice,
    /// The actor reads and changes nothing.
    MayNotWrite,
    /// There is no such document that the actor may change.
    NotThere,
    /// It is not where the step begins.
    WrongStatus(Status),
}

/// Whether a text names a language: two small letters, and perhaps a country in two great ones.
#[must_use]
pub(crate) fn is_language(text: &str) -> bool {
    let (language, country) =
        text.split_once('-').map_or((text, None), |(language, country)| (language, Some(country)));
    language.len() == 2
        && language.bytes().all(|b| b.is_ascii_lowercase())
        && country.is_none_or(|country| country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()))
}

impl NewDocument {
    fn checked(&self) -> Outcome<String, Violation> {
        let mut violations = vec![];
        let name = note(file_name(&self.name), &mut violations, Violation::Name);
        for (wrong, violation) in [
            (!is_language(&self.language), Violation::Language),
            (!is_media_type(&self.media_type), Violation::MediaType),
            (self.bytes <= 0, Violation::Empty),
            (self.bytes > MOST_BYTES, Violation::TooLarge(MOST_BYTES)),
        ] {
            if wrong {
                violations.push(violation);
            }
        }
        Refused::unless(violations, ())?;
        Ok(name)
    }
}

async fn record(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    action: &str,
    (id, customer, kind): (DocumentId, CustomerId, Kind),
    details: Value,
) -> Result<(), DbError> {
    let done = match action {
        "create" => "Rendered",
        "issue" => "Issued",
        "withdraw" => "Withdrew",
        _ => "Deleted",
    };
    let summary = format!("{done} a document ({})", kind.code().replace('_', " "));
    let entry =
        audit::Entry { action, entity: "document", entity_id: Some(id.0), customer: Some(customer), summary, details };
    audit::record(conn, actor, entry).await
}

/// Takes a document in, as a draft: its id and the key to encrypt its bytes with, which are then put into the store.
///
/// # Errors
/// The violations of its fields; [`Violation::Twice`], also of two at once.
pub async fn create(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    new: &NewDocument,
) -> Outcome<(DocumentId, ContentKey), Violation> {
    let (here, name) = (AtClient::of(actor)?, new.checked()?);
    let (id, key) = (DocumentId::fresh(), ContentKey::fresh());
    let keys = (
        documents::organization_id.eq(here.organization),
        documents::client_id.eq(here.client),
        documents::id.eq(id),
        documents::customer_id.eq(new.customer),
        documents::created_by.eq(actor.user.0),
    );
    let row = (
        documents::kind.eq(new.kind),
        documents::cause_kind.eq(new.cause.kind),
        documents::cause_id.eq(new.cause.id),
        documents::name.eq(name),
        documents::language.eq(&new.language),
        documents::media_type.eq(&new.media_type),
        documents::bytes.eq(new.bytes),
        documents::sha256.eq(new.sha256.as_slice()),
        documents::content_key.eq(&key),
    );
    let refused = [("documents_of_cause", Violation::Twice), ("documents_customer", Violation::NoCustomer)];
    diesel::insert_into(documents::table)
        .values((keys, row))
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint_or_policy(error, Violation::MayNotWrite, refused))?;
    let details = audit::created(json!({
        "name": new.name, "cause": new.cause.kind, "cause_id": new.cause.id, "language": new.language, "bytes": new.bytes,
        "sha256": crate::values::hex::of(&new.sha256),
    }));
    record(conn, actor, "create", (id, new.customer, new.kind), details).await?;
    Ok((id, key))
}

/// The document for a step that begins at one of these statuses.
async fn at(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: DocumentId,
    from: &[Status],
) -> Outcome<Document, Violation> {
    let row = locked(conn, here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    if from.contains(&row.status) { Ok(row) } else { Err(Refused::by(Violation::WrongStatus(row.status))) }
}

/// Issues a draft: its customer sees it from then on, and it never changes.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::WrongStatus`].
pub async fn issue(conn: &mut AsyncPgConnection, actor: &Actor, id: DocumentId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let row = at(conn, &here, id, &[Status::Draft]).await?;
    let issued = (documents::status.eq(Status::Issued), documents::issued_at.eq(clock::now()));
    diesel::update(of(&here).filter(documents::id.eq(id))).set(issued).execute(conn).await?;
    let details = audit::changed(json!({ "status": Status::Draft }), json!({ "status": Status::Issued }));
    record(conn, actor, "issue", (id, row.customer_id, row.kind), details).await?;
    Ok(())
}

/// Takes an issued document back: another may be issued in its place.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::WrongStatus`].
pub async fn withdraw(conn: &mut AsyncPgConnection, actor: &Actor, id: DocumentId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let row = at(conn, &here, id, &[Status::Issued]).await?;
    let withdrawn = (documents::status.eq(Status::Withdrawn), documents::withdrawn_at.eq(clock::now()));
    diesel::update(of(&here).filter(documents::id.eq(id))).set(withdrawn).execute(conn).await?;
    let details = audit::changed(json!({ "status": Status::Issued }), json!({ "status": Status::Withdrawn }));
    record(conn, actor, "withdraw", (id, row.customer_id, row.kind), details).await?;
    Ok(())
}

/// Deletes a draft.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::WrongStatus`].
pub async fn delete(conn: &mut AsyncPgConnection, actor: &Actor, id: DocumentId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let row = at(conn, &here, id, &[Status::Draft]).await?;
    diesel::delete(of(&here).filter(documents::id.eq(id))).execute(conn).await?;
    let details = audit::removed(json!({ "name": row.name, "cause": row.cause_kind, "cause_id": row.cause_id }));
    record(conn, actor, "delete", (id, row.customer_id, row.kind), details).await?;
    Ok(())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(here: &AtClient) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    documents::table.filter(documents::organization_id.eq(organization)).filter(documents::client_id.eq(client))
}

/// Documents that the context sees, of one customer or of all, the latest first; at most `limit`, from behind `after`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &AsyncPgConnection,
    here: &AtClient,
    customer: Option<CustomerId>,
    after: Option<DocumentId>,
    limit: i64,
) -> QueryResult<Vec<Document>> {
    let mut conn = conn;
    let mut query = of(here).select(Document::as_select()).into_boxed();
    if let Some(customer) = customer {
        query = query.filter(documents::customer_id.eq(customer));
    }
    if let Some(after) = after {
        query = query.filter(documents::id.lt(after));
    }
    query.order(documents::id.desc()).limit(limit).load(&mut conn).await
}

/// Documents that were rendered of something, the latest first.
///
/// # Errors
/// When the database fails.
pub async fn of_cause(conn: &AsyncPgConnection, here: &AtClient, cause: Cause) -> QueryResult<Vec<Document>> {
    let mut conn = conn;
    of(here)
        .filter(documents::cause_kind.eq(cause.kind).and(documents::cause_id.eq(cause.id)))
        .select(Document::as_select())
        .order(documents::id.desc())
        .load(&mut conn)
        .await
}

/// The document of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, here: &AtClient, id: DocumentId) -> QueryResult<Option<Document>> {
    let mut conn = conn;
    of(here).filter(documents::id.eq(id)).select(Document::as_select()).first(&mut conn).await.optional()
}

/// The document of this id, if the context may change it, locked until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn locked(conn: &mut AsyncPgConnection, here: &AtClient, id: DocumentId) -> QueryResult<Option<Document>> {
    of(here).filter(documents::id.eq(id)).select(Document::as_select()).for_no_key_update().first(conn).await.optional()
}

#[cfg(test)]
mod tests {
    use super::is_language;

    #[test]
    fn a_language_has_two_letters_and_perhaps_a_country() {
        assert!(["de", "en-GB"].into_iter().all(is_language));
        assert!(!["", "d", "deu", "DE", "de-ch", "de-", "de_CH", "de-CHE"].into_iter().any(is_language));
    }
}

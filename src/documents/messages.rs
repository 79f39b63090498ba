//! Messages to customers: an outbox. A row is written in the transaction of what causes it, and sent afterwards by whoever
//! takes it up ([`due`]); what came of it is kept with it. What was caused once is told once.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{BigInt, Timestamptz, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::messages;
use crate::documents::{Cause, is_language};
use crate::values::clock;
use crate::values::codes::codes;
use crate::values::identifiers;
use crate::values::ids::{ClientId, CustomerId, DocumentId, MessageId, OrganizationId};
use crate::values::texts::{TextFault, line, lines, note};

/// How often a message is tried before it has failed for good.
pub const MOST_ATTEMPTS: i16 = 8;
/// How long a message belongs to whoever took it up.
pub const LEASE: TimeDelta = TimeDelta::minutes(10);
/// The most letters of what is kept of an answer.
const MOST_RESULT: usize = 400;

codes! {
    /// How a customer is told.
    Channel {
        /// By electronic mail.
        Mail = "mail",
        /// By a letter.
        Post = "post",
        /// On the portal.
        Portal = "portal",
    }
    /// How far a message is.
    Status {
        /// It waits.
        Queued = "queued",
        /// Somebody sends it now.
        Sending = "sending",
        /// The other side took it.
        Sent = "sent",
        /// It was tried as often as it may be, or was refused for good.
        Failed = "failed",
        /// It came back.
        Bounced = "bounced",
        /// Nothing is sent to the recipient any more.
        Suppressed = "suppressed",
        /// It was called off before it was sent.
        Cancelled = "cancelled",
    }
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = messages)]
pub struct Message {
    /// Its id.
    pub id: MessageId,
    /// Who is told.
    pub customer_id: CustomerId,
    /// What is told: a code that its words are found by.
    pub kind: String,
    /// What caused it: the noun of a table.
    pub cause_kind: String,
    /// Which one.
    pub cause_id: uuid::Uuid,
    /// How.
    pub channel: Channel,
    /// Where to: an address.
    pub recipient: String,
    /// In which language.
    pub language: String,
    /// The figures and names that its words are made with.
    pub content: Value,
    /// What goes with it.
    pub document_id: Option<DocumentId>,
    /// How far it is.
    pub status: Status,
    /// How often it was tried.
    pub attempts: i16,
    /// When it is tried next.
    pub due_at: Option<DateTime<Utc>>,
    /// What the other side said last.
    pub last_result: String,
    /// When it was sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
}

/// What makes a message.
#[derive(Debug, Clone, PartialEq)]
pub struct NewMessage {
    /// Who is told.
    pub customer: CustomerId,
    /// What is told: a code.
    pub kind: &'static str,
    /// What caused it.
    pub cause: Cause,
    /// How.
    pub channel: Channel,
    /// Where to.
    pub recipient: String,
    /// In which language.
    pub language: String,
    /// The figures and names that its words are made with: an object. Never a password, code or link.
    pub content: Value,
    /// What goes with it, of the same customer.
    pub document: Option<DocumentId>,
}

/// What came of trying to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tried {
    /// The other side took it.
    Sent(String),
    /// Not now.
    Later(String),
    /// Never.
    Refused(String),
    /// Nothing is sent to this recipient any more.
    Suppressed,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Of the recipient.
    Recipient(TextFault),
    /// The recipient is no e-mail address.
    NoAddress,
    /// It is no language such as `de` or `de-CH`.
    Language,
    /// The content is no object, or has more than so many characters.
    Content(usize),
    /// There is no such customer.
    NoCustomer,
    /// There is no such document of the customer.
    NoDocument,
    /// It was caused and written already.
    Twice,
    /// The actor reads and changes nothing.
    MayNotWrite,
    /// There is no such message that the actor may change.
    NotThere,
    /// It is not where the step begins.
    WrongStatus(Status),
}

const MOST_CONTENT: usize = 20_000;

impl NewMessage {
    fn checked(&self) -> Outcome<String, Violation> {
        let mut violations = vec![];
        let recipient = match self.channel {
            Channel::Post => lines(&self.recipient, 400),
            Channel::Mail | Channel::Portal => line(&self.recipient, 400),
        };
        let mut recipient = note(recipient, &mut violations, Violation::Recipient);
        if self.channel == Channel::Mail && !recipient.is_empty() {
            match identifiers::email(&recipient) {
                Ok(address) => recipient = address,
                Err(_) => violations.push(Violation::NoAddress),
            }
        }
        if !is_language(&self.language) {
            violations.push(Violation::Language);
        }
        // The database writes it with spaces between; a little room is left for them.
        if !self.content.is_object() || self.content.to_string().chars().count() > MOST_CONTENT / 2 {
            violations.push(Violation::Content(MOST_CONTENT / 2));
        }
        Refused::unless(violations, ())?;
        Ok(recipient)
    }
}

async fn record(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (action, done): (&str, &str),
    (id, customer, kind): (MessageId, CustomerId, &str),
    details: Value,
) -> Outcome<(), Violation> {
    let summary = format!("{done} a message ({})", kind.replace('_', " "));
    let entry =
        audit::Entry { action, entity: "message", entity_id: Some(id.0), customer: Some(customer), summary, details };
    Ok(audit::record(conn, actor, entry).await?)
}

/// Writes a message, to be sent once the transaction is committed.
///
/// # Errors
/// The violations of its fields; [`Violation::Twice`] where its cause was told already, also of two at once.
pub async fn create(conn: &mut AsyncPgConnection, actor: &Actor, new: &NewMessage) -> Outcome<MessageId, Violation> {
    let (here, recipient, id) = (AtClient::of(actor)?, new.checked()?, MessageId::fresh());
    let keys = (
        messages::organization_id.eq(here.organization),
        messages::client_id.eq(here.client),
        messages::id.eq(id),
        messages::customer_id.eq(new.customer),
        messages::created_by.eq(actor.user.0),
    );
    let row = (
        messages::kind.eq(new.kind),
        messages::cause_kind.eq(new.cause.kind),
        messages::cause_id.eq(new.cause.id),
        messages::channel.eq(new.channel),
        messages::recipient.eq(recipient),
        messages::language.eq(&new.language),
        messages::content.eq(&new.content),
        messages::document_id.eq(new.document),
        messages::due_at.eq(clock::now()),
    );
    let refused = [
        ("messages_once", Violation::Twice),
        ("messages_customer", Violation::NoCustomer),
        ("messages_document", Violation::NoDocument),
    ];
    diesel::insert_into(messages::table)
        .values((keys, row))
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint_or_policy(error, Violation::MayNotWrite, refused))?;
    let details = audit::created(json!({ "channel": new.channel, "cause": new.cause.kind, "cause_id": new.cause.id }));
    record(conn, actor, ("create", "Wrote"), (id, new.customer, new.kind), details).await?;
    Ok(id)
}

#[derive(QueryableByName)]
struct Taken {
    #[diesel(sql_type = SqlUuid)]
    id: MessageId,
}

/// Takes up to `limit` messages up whose time has come, and those whose sender went away. They are the caller's for
/// [`LEASE`]; commit before sending. Others who ask at once get others.
///
/// # Errors
/// When the database fails.
pub async fn due(conn: &mut AsyncPgConnection, here: &AtClient, limit: i64) -> QueryResult<Vec<Message>> {
    let now = clock::now();
    let taken: Vec<Taken> = sql_query(
        "UPDATE public.messages m SET status = 'sending', attempts = m.attempts + 1, due_at = $3 FROM ( \
         SELECT d.id FROM public.messages d WHERE d.organization_id = $1 AND d.client_id = $2 AND d.due_at <= $4 \
         ORDER BY d.due_at LIMIT $5 FOR NO KEY UPDATE SKIP LOCKED) d \
         WHERE m.organization_id = $1 AND m.client_id = $2 AND m.id = d.id RETURNING m.id",
    )
    .bind::<SqlUuid, _>(here.organization)
    .bind::<SqlUuid, _>(here.client)
    .bind::<Timestamptz, _>(now + LEASE)
    .bind::<Timestamptz, _>(now)
    .bind::<BigInt, _>(limit)
    .load(conn)
    .await?;
    let ids: Vec<MessageId> = taken.into_iter().map(|row| row.id).collect();
    of(here).filter(messages::id.eq_any(ids)).select(Message::as_select()).order(messages::id).load(conn).await
}

/// How long a message waits after so many attempts: a minute, then four times as long each time, a day at most.
fn pause(attempts: i16) -> TimeDelta {
    let minutes = 4_i64.saturating_pow(u32::try_from(attempts.saturating_sub(1)).unwrap_or(0));
    TimeDelta::minutes(minutes.min(24 * 60))
}

/// What remains of an answer of the other side: one line that can be shown.
fn told(answer: &str) -> String {
    let answer = crate::values::names::shown(answer).replace(['\n', '\r', '\t'], " ");
    answer.chars().take(MOST_RESULT).collect()
}

/// Keeps what came of sending: sent, to be tried again later, or failed.
///
/// # Errors
/// [`Violation::NotThere`]; [`Violation::WrongStatus`] where nobody was sending it.
pub async fn tried(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: MessageId,
    tried: &Tried,
) -> Outcome<Status, Violation> {
    let row = at(conn, here, id, &[Status::Sending]).await?;
    let now = clock::now();
    let (status, result, due, sent) = match tried {
        Tried::Sent(answer) => (Status::Sent, told(answer), None, Some(now)),
        Tried::Later(answer) if row.attempts < MOST_ATTEMPTS => {
            (Status::Queued, told(answer), Some(now + pause(row.attempts)), None)
        }
        Tried::Later(answer) | Tried::Refused(answer) => (Status::Failed, told(answer), None, None),
        Tried::Suppressed => (Status::Suppressed, String::new(), None, None),
    };
    let kept = (
        messages::status.eq(status),
        messages::last_result.eq(result),
        messages::due_at.eq(due),
        messages::sent_at.eq(sent),
    );
    diesel::update(of(here).filter(messages::id.eq(id))).set(kept).execute(conn).await?;
    Ok(status)
}

/// Keeps that a message that was sent came back.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::WrongStatus`].
pub async fn bounced(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: MessageId,
    answer: &str,
) -> Outcome<(), Violation> {
    at(conn, here, id, &[Status::Sent]).await?;
    let kept = (messages::status.eq(Status::Bounced), messages::last_result.eq(told(answer)));
    diesel::update(of(here).filter(messages::id.eq(id))).set(kept).execute(conn).await?;
    Ok(())
}

/// Tries a message again that failed, from the first attempt on.
///
/// # Errors
/// [`Violation::NotThere`], [`Violation::WrongStatus`].
pub async fn again(conn: &mut AsyncPgConnection, actor: &Actor, id: MessageId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let row = at(conn, &here, id, &[Status::Failed, Status::Suppressed]).await?;
    let kept = (messages::status.eq(Status::Queued), messages::attempts.eq(0_i16), messages::due_at.eq(clock::now()));
    diesel::update(of(&here).filter(messages::id.eq(id))).set(kept).execute(conn).await?;
    let details = audit::changed(json!({ "status": row.status }), json!({ "status": Status::Queued }));
    record(conn, actor, ("again", "Sent again"), (id, row.customer_id, &row.kind), details).await
}

/// Calls a message off that was not sent.
///
/// # Errors
/// [`Violation::NotThere`]; [`Violation::WrongStatus`], also while somebody sends it.
pub async fn cancel(conn: &mut AsyncPgConnection, actor: &Actor, id: MessageId) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let row = at(conn, &here, id, &[Status::Queued, Status::Failed, Status::Suppressed]).await?;
    let kept = (messages::status.eq(Status::Cancelled), messages::due_at.eq(None::<DateTime<Utc>>));
    diesel::update(of(&here).filter(messages::id.eq(id))).set(kept).execute(conn).await?;
    let details = audit::changed(json!({ "status": row.status }), json!({ "status": Status::Cancelled }));
    record(conn, actor, ("cancel", "Called off"), (id, row.customer_id, &row.kind), details).await
}

/// The message, locked, for a step that begins at one of these statuses.
async fn at(
    conn: &mut AsyncPgConnection,
    here: &AtClient,
    id: MessageId,
    from: &[Status],
) -> Outcome<Message, Violation> {
    let row: Option<Message> = of(here)
        .filter(messages::id.eq(id))
        .select(Message::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()?;
    let row = row.ok_or(Refused::by(Violation::NotThere))?;
    if from.contains(&row.status) { Ok(row) } else { Err(Refused::by(Violation::WrongStatus(row.status))) }
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(here: &AtClient) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    messages::table.filter(messages::organization_id.eq(organization)).filter(messages::client_id.eq(client))
}

/// Which messages to list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Filter {
    /// To this customer alone.
    pub customer: Option<CustomerId>,
    /// Of this status alone.
    pub status: Option<Status>,
}

/// Messages that the context sees, the latest first; at most `limit`, from behind `after`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &AsyncPgConnection,
    here: &AtClient,
    filter: Filter,
    after: Option<MessageId>,
    limit: i64,
) -> QueryResult<Vec<Message>> {
    let mut conn = conn;
    let mut query = of(here).select(Message::as_select()).into_boxed();
    if let Some(customer) = filter.customer {
        query = query.filter(messages::customer_id.eq(customer));
    }
    if let Some(status) = filter.status {
        query = query.filter(messages::status.eq(status));
    }
    if let Some(after) = after {
        query = query.filter(messages::id.lt(after));
    }
    query.order(messages::id.desc()).limit(limit).load(&mut conn).await
}

/// The message of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, here: &AtClient, id: MessageId) -> QueryResult<Option<Message>> {
    let mut conn = conn;
    of(here).filter(messages::id.eq(id)).select(Message::as_select()).first(&mut conn).await.optional()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end_at_a_day() {
        let minutes = |attempts| pause(attempts).num_minutes();
        assert_eq!([0, 1, 2, 3, 4, 5, 6, 7, i16::MAX].map(minutes), [1, 1, 4, 16, 64, 256, 1024, 1440, 1440]);
    }

    #[test]
    fn an_answer_is_kept_in_one_line() {
        assert_eq!(told("550 no\r\n such\u{202e} box"), "550 no   such\u{fffd} box");
        assert_eq!(told(&"x".repeat(1_000)).len(), MOST_RESULT);
    }
}

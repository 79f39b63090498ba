//! What customers ask for: a reading to take over, a move, other details, a dispute, a payment plan, a delegate. They send it
//! themselves, or the client writes it down for them (on the phone); the client decides and answers.
//!
//! A customer's context writes nothing. [`send`] and [`withdraw`] go by the secret of the own session, which the database
//! refuses while somebody only sees the portal as that customer, and leave their record themselves. What is asked for may
//! be personal: it stands in the row, never in the log.

mod asked;

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Binary, Bool, Jsonb, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::{Value, json};

pub use asked::{Asked, Delegate, Details, Dispute, Fault, Field, MOST_PARTS, Move, Plan, Reading};

use crate::access::Actor;
use crate::audit;
use crate::db::AtClient;
use crate::db::Unreadable;
use crate::db::refused::{Outcome, Refused};
use crate::db::schema::customer_requests;
use crate::values::clock;
use crate::values::codes::codes;
use crate::values::ids::{ClientId, CustomerId, CustomerRequestId, OrganizationId};
use crate::values::texts::{TextFault, note, optional_lines};

/// How many requests of one person wait at most.
pub const MOST_WAITING: usize = 20;

codes! {
    /// What is asked for.
    Kind {
        /// To take a reading over.
        Reading = "reading",
        /// To move in or out.
        Move = "move",
        /// To change name, address or how to write to them.
        Details = "details",
        /// To look at a bill again.
        Dispute = "dispute",
        /// To pay in parts.
        Plan = "plan",
        /// To let somebody else look after the account.
        Delegate = "delegate",
    }
    /// How far a request is.
    Status {
        /// It waits.
        Received = "received",
        /// The client decided.
        Decided = "decided",
        /// The customer took it back.
        Withdrawn = "withdrawn",
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: CustomerRequestId,
    /// Whose it is.
    pub customer: CustomerId,
    /// What is asked for.
    pub asked: Asked,
    /// How far it is.
    pub status: Status,
    /// Whether it was granted, once decided.
    pub accepted: Option<bool>,
    /// What the client answered; may be empty.
    pub answer: String,
    /// When it was decided.
    pub decided_at: Option<DateTime<Utc>>,
    /// When it came.
    pub created_at: DateTime<Utc>,
}

/// What stands in the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// Of what is asked for.
    Asked(Fault),
    /// More than so many requests of the person wait.
    TooMany(usize),
    /// It was sent already.
    Twice,
    /// There is no such customer.
    NoCustomer,
    /// Only a customer sends and withdraws requests.
    NoCustomerUser,
    /// The actor reads and changes nothing.
    MayNotWrite,
    /// There is no such request that the actor may change.
    NotThere,
    /// It does not wait any more.
    WrongStatus(Status),
    /// Of the answer.
    Answer(TextFault),
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = customer_requests)]
struct Row {
    id: CustomerRequestId,
    customer_id: CustomerId,
    kind: Kind,
    payload: Value,
    status: Status,
    accepted: Option<bool>,
    answer: String,
    decided_at: Option<DateTime<Utc>>,
    created_at: DateTime<Utc>,
}

impl TryFrom<Row> for Request {
    type Error = Unreadable;

    fn try_from(row: Row) -> Result<Self, Unreadable> {
        Ok(Self {
            id: row.id,
            customer: row.customer_id,
            asked: Asked::read(row.kind, &row.payload, row.id)?,
            status: row.status,
            accepted: row.accepted,
            answer: row.answer,
            decided_at: row.decided_at,
            created_at: row.created_at,
        })
    }
}

#[derive(QueryableByName)]
struct Done {
    #[diesel(sql_type = Bool)]
    done: bool,
}

/// What the database says of a session that is no customer's.
fn refused(error: diesel::result::Error) -> Refused<Violation> {
    Refused::constraint(
        error,
        [("not_yours", Violation::NoCustomerUser), ("customer_requests_too_many", Violation::TooMany(MOST_WAITING))],
    )
}

/// Sends a request of the customer whose session this is. Its id was made with its form: the same one sent again does nothing.
///
/// # Errors
/// [`Violation::Asked`], [`Violation::TooMany`], [`Violation::Twice`], [`Violation::NoCustomerUser`].
pub async fn send(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: CustomerRequestId,
    asked: &Asked,
) -> Outcome<(), Violation> {
    let asked = asked.checked().map_err(violated)?;
    let sent: Done = sql_query("SELECT public.send_customer_request($1, $2, $3, $4, $5) AS done")
        .bind::<Binary, _>(actor.secret.bytes().to_vec())
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(asked.kind())
        .bind::<Jsonb, _>(asked.payload())
        .bind::<Text, _>(&actor.address)
        .get_result(conn)
        .await
        .map_err(refused)?;
    if sent.done { Ok(()) } else { Err(Refused::by(Violation::Twice)) }
}

/// Takes a request back that waits, of the customer whose session this is.
///
/// # Errors
/// [`Violation::NotThere`] where none waits, [`Violation::NoCustomerUser`].
pub async fn withdraw(conn: &mut AsyncPgConnection, actor: &Actor, id: CustomerRequestId) -> Outcome<(), Violation> {
    let withdrawn: Done = sql_query("SELECT public.withdraw_customer_request($1, $2, $3) AS done")
        .bind::<Binary, _>(actor.secret.bytes().to_vec())
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(&actor.address)
        .get_result(conn)
        .await
        .map_err(refused)?;
    if withdrawn.done { Ok(()) } else { Err(Refused::by(Violation::NotThere)) }
}

fn violated(faults: Vec<Fault>) -> Refused<Violation> {
    Refused::Violated(faults.into_iter().map(Violation::Asked).collect())
}

/// Writes down what a customer asks the client for.
///
/// # Errors
/// [`Violation::Asked`], [`Violation::Twice`], [`Violation::NoCustomer`], [`Violation::MayNotWrite`].
pub async fn create(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: CustomerRequestId,
    customer: CustomerId,
    asked: &Asked,
) -> Outcome<(), Violation> {
    let (here, asked) = (AtClient::of(actor)?, asked.checked().map_err(violated)?);
    let row = (
        customer_requests::organization_id.eq(here.organization),
        customer_requests::client_id.eq(here.client),
        customer_requests::id.eq(id),
        customer_requests::customer_id.eq(customer),
        customer_requests::kind.eq(asked.kind()),
        customer_requests::payload.eq(asked.payload()),
        customer_requests::created_by.eq(actor.user.0),
    );
    let constraints =
        [("customer_requests_pkey", Violation::Twice), ("customer_requests_customer", Violation::NoCustomer)];
    diesel::insert_into(customer_requests::table)
        .values(row)
        .execute(conn)
        .await
        .map_err(|error| Refused::constraint_or_policy(error, Violation::MayNotWrite, constraints))?;
    let details = audit::created(json!({ "kind": asked.kind() }));
    record(conn, actor, ("create", "Wrote down a request"), (id, customer, asked.kind()), details).await
}

async fn record(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (action, done): (&str, &str),
    (id, customer, kind): (CustomerRequestId, CustomerId, Kind),
    details: Value,
) -> Outcome<(), Violation> {
    let summary = format!("{done} ({})", kind.code());
    let (entity, customer) = ("customer_request", Some(customer));
    let entry = audit::Entry { action, entity, entity_id: Some(id.0), customer, summary, details };
    Ok(audit::record(conn, actor, entry).await?)
}

/// Decides a request that waits. Whoever refuses says why.
///
/// # Errors
/// [`Violation::Answer`], [`Violation::NotThere`]; [`Violation::WrongStatus`] where it does not wait any more, also of two
/// at once.
pub async fn decide(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: CustomerRequestId,
    (accepted, answer): (bool, &str),
) -> Outcome<(), Violation> {
    let here = AtClient::of(actor)?;
    let mut violations = vec![];
    let answer = note(optional_lines(answer, 4000), &mut violations, Violation::Answer);
    if violations.is_empty() && answer.is_empty() && !accepted {
        violations.push(Violation::Answer(TextFault::Missing));
    }
    Refused::unless(violations, ())?;
    let row = locked(conn, &here, id).await?.ok_or(Refused::by(Violation::NotThere))?;
    if row.status != Status::Received {
        return Err(Refused::by(Violation::WrongStatus(row.status)));
    }
    let decided = (
        customer_requests::status.eq(Status::Decided),
        customer_requests::accepted.eq(accepted),
        customer_requests::answer.eq(answer),
        customer_requests::decided_at.eq(clock::now()),
        customer_requests::decided_by.eq(actor.user.0),
    );
    diesel::update(of(&here).filter(customer_requests::id.eq(id))).set(decided).execute(conn).await?;
    let details = audit::changed(
        json!({ "status": Status::Received }),
        json!({ "status": Status::Decided, "accepted": accepted }),
    );
    let done = if accepted { "Accepted a request" } else { "Refused a request" };
    record(conn, actor, ("decide", done), (id, row.customer_id, row.kind), details).await
}

async fn locked(conn: &mut AsyncPgConnection, here: &AtClient, id: CustomerRequestId) -> QueryResult<Option<Row>> {
    of(here)
        .filter(customer_requests::id.eq(id))
        .select(Row::as_select())
        .for_no_key_update()
        .first(conn)
        .await
        .optional()
}

#[diesel::dsl::auto_type(no_type_alias)]
fn of(here: &AtClient) -> _ {
    let organization: OrganizationId = here.organization;
    let client: ClientId = here.client;
    customer_requests::table
        .filter(customer_requests::organization_id.eq(organization))
        .filter(customer_requests::client_id.eq(client))
}

fn read(rows: Vec<Row>) -> QueryResult<Vec<Request>> {
    Ok(rows.into_iter().map(Request::try_from).collect::<Result<_, _>>()?)
}

/// Requests that the context sees, of one customer or of all, the latest first; at most `limit`, from behind `after`.
///
/// # Errors
/// When the database fails.
pub async fn list(
    conn: &AsyncPgConnection,
    here: &AtClient,
    customer: Option<CustomerId>,
    after: Option<CustomerRequestId>,
    limit: i64,
) -> QueryResult<Vec<Request>> {
    let mut conn = conn;
    let mut query = of(here).select(Row::as_select()).into_boxed();
    if let Some(customer) = customer {
        query = query.filter(customer_requests::customer_id.eq(customer));
    }
    if let Some(after) = after {
        query = query.filter(customer_requests::id.lt(after));
    }
    read(query.order(customer_requests::id.desc()).limit(limit).load(&mut conn).await?)
}

/// Requests that wait for the client, the oldest first; at most `limit`, from behind `after`.
///
/// # Errors
/// When the database fails.
pub async fn waiting(
    conn: &AsyncPgConnection,
    here: &AtClient,
    after: Option<CustomerRequestId>,
    limit: i64,
) -> QueryResult<Vec<Request>> {
    let mut conn = conn;
    let waits = of(here).filter(customer_requests::status.eq(Status::Received)).select(Row::as_select());
    let mut query = waits.into_boxed();
    if let Some(after) = after {
        query = query.filter(customer_requests::id.gt(after));
    }
    read(query.order(customer_requests::id.asc()).limit(limit).load(&mut conn).await?)
}

/// The request of this id, if the context sees it.
///
/// # Errors
/// When the database fails.
pub async fn find(conn: &AsyncPgConnection, here: &AtClient, id: CustomerRequestId) -> QueryResult<Option<Request>> {
    let mut conn = conn;
    let row: Option<Row> =
        of(here).filter(customer_requests::id.eq(id)).select(Row::as_select()).first(&mut conn).await.optional()?;
    Ok(row.map(Request::try_from).transpose()?)
}

//! Forms that were sent: each carries an id made with it, so that one sent twice is done once and answered twice.

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::{Binary, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

/// What a form was answered with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Where its sender was led.
    pub location: String,
    /// What its sender was told there.
    pub said: Option<String>,
}

/// What is known of a form that is being sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sending {
    /// Nothing: its id is taken now, and stays taken when the transaction is committed.
    First,
    /// The very same was sent and done; what it was answered with, if that was kept.
    Again(Option<Answer>),
    /// A form of this id was sent and done with something else in it.
    Other,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = Bool)]
    fresh: bool,
    #[diesel(sql_type = Bool)]
    alike: bool,
    #[diesel(sql_type = Nullable<Text>)]
    location: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    said: Option<String>,
}

/// Takes a form's id for this transaction. Of two at once, the second waits here until the first has ended.
///
/// # Errors
/// When the database refuses: nobody stands behind the context.
pub async fn send(conn: &mut AsyncPgConnection, form: Uuid, digest: &[u8; 32]) -> QueryResult<Sending> {
    let found: Found = sql_query("SELECT fresh, alike, location, said FROM public.send_form($1, $2)")
        .bind::<SqlUuid, _>(form)
        .bind::<Binary, _>(&digest[..])
        .get_result(conn)
        .await?;
    Ok(match found {
        Found { fresh: true, .. } => Sending::First,
        Found { alike: false, .. } => Sending::Other,
        Found { location, said, .. } => Sending::Again(location.map(|location| Answer { location, said })),
    })
}

/// Keeps what a form that was just sent is answered with.
///
/// # Errors
/// When the database fails.
pub async fn answer(conn: &mut AsyncPgConnection, form: Uuid, answer: &Answer) -> QueryResult<()> {
    sql_query("SELECT public.answer_form($1, $2, $3)")
        .bind::<SqlUuid, _>(form)
        .bind::<Text, _>(&answer.location)
        .bind::<Nullable<Text>, _>(answer.said.as_deref())
        .execute(conn)
        .await?;
    Ok(())
}

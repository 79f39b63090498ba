//! Calls to the database's gate that begin sessions, end one's own and sweep away what has ended (`operate/scripts/after`).

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::gate::Ticket;
use super::tenant::refused;
use super::{Db, DbError};
use crate::access::SessionSecret;
use crate::values::ids::SessionId;

/// A session that is about to begin.
#[derive(Debug)]
pub struct NewSession<'a> {
    /// Its secret.
    pub secret: SessionSecret,
    /// What it is bound to.
    pub ticket: &'a Ticket,
    /// What the web keeps with it, JSON.
    pub data: &'a str,
    /// Where it is opened from.
    pub address: &'a str,
    /// With which browser.
    pub agent: &'a str,
    /// Seconds until it ends, whatever happens.
    pub absolute_seconds: i32,
    /// Seconds without use until it ends.
    pub idle_seconds: i32,
}

/// A session that ended because its person had too many.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct EndedOldest {
    /// When it was opened.
    pub since: DateTime<Utc>,
    /// From where.
    pub address: String,
}

/// What came of beginning a session.
#[derive(Debug)]
pub enum Begun {
    /// It is there; the oldest of too many may have ended for it.
    Yes(Option<EndedOldest>),
    /// The ticket is spent, late, half of one, or of a password or role that has changed since.
    Stale,
}

/// What came of ending sessions of one's own, which asks for the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// So many have ended.
    Sessions(i32),
    /// The password is wrong; none has.
    WrongPassword,
    /// Too many wrong attempts; not tried.
    Limited,
}

#[derive(QueryableByName)]
struct EndedRow {
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Nullable<Integer>)]
    ended: Option<i32>,
}

#[derive(QueryableByName)]
struct BegunRow {
    #[diesel(sql_type = Bool)]
    made: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    ended_address: Option<String>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Integer)]
    value: i32,
}

impl Db {
    /// Begins a session bound to what its ticket proves.
    ///
    /// # Errors
    /// When the secret is taken, or the database fails; then the ticket is good still.
    pub async fn session_create(&self, new: &NewSession<'_>) -> Result<Begun, DbError> {
        let mut connection = self.connection().await?;
        let row: BegunRow = sql_query("SELECT * FROM public.session_create($1, $2, $3, $4, $5, $6, $7)")
            .bind::<Binary, _>(new.secret.bytes().to_vec())
            .bind::<Binary, _>(new.ticket.bytes())
            .bind::<Text, _>(new.data)
            .bind::<Text, _>(new.address)
            .bind::<Text, _>(new.agent)
            .bind::<Integer, _>(new.absolute_seconds)
            .bind::<Integer, _>(new.idle_seconds)
            .get_result(&mut connection)
            .await?;
        if !row.made {
            return Ok(Begun::Stale);
        }
        let ended = row.ended_since.zip(row.ended_address);
        Ok(Begun::Yes(ended.map(|(since, address)| EndedOldest { since, address })))
    }

    /// Ends one other session of the person of this one, or all others (`None`), with the digest of the password.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`]; [`DbError::Refused`] while the session sees as a customer.
    pub async fn end_my_sessions(
        &self,
        of: SessionSecret,
        which: Option<SessionId>,
        digest: &[u8],
        address: &str,
    ) -> Result<Ended, DbError> {
        let mut connection = self.connection().await?;
        let row: EndedRow = sql_query("SELECT * FROM public.end_my_sessions($1, $2, $3, $4)")
            .bind::<Binary, _>(of.bytes().to_vec())
            .bind::<Nullable<SqlUuid>, _>(which)
            .bind::<Binary, _>(digest)
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await
            .map_err(refused)?;
        Ok(match (row.outcome.as_str(), row.ended) {
            ("done", Some(ended)) => Ended::Sessions(ended),
            ("limited", _) => Ended::Limited,
            _ => Ended::WrongPassword,
        })
    }

    /// Removes sessions and tickets that have ended, and old attempts to sign in, a thousand of each at most; how many
    /// sessions. Several servers may do it at once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn sweep_sessions(&self) -> Result<i32, DbError> {
        let mut connection = self.connection().await?;
        let count: Count = sql_query("SELECT public.sweep_sessions() AS value").get_result(&mut connection).await?;
        Ok(count.value)
    }
}

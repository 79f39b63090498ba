//! Calls to the database's gate about the second factor (`operate/scripts/after`): it checks the codes itself and keeps
//! which were taken.

use diesel::sql_types::{Array, BigInt, Binary, Bool, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::gate::Ticket;
use super::owner::Owner;
use super::tenant::refused;
use super::{Db, DbError};
use crate::access::SessionSecret;
use crate::values::ids::UserId;

/// What came of a code after a right password.
#[derive(Debug)]
pub enum CodeAnswer {
    /// It was right: whose it is, and a ticket for a new session.
    SignedIn {
        /// The user.
        user: UserId,
        /// Good for one session, for one minute.
        ticket: Ticket,
    },
    /// It was wrong, or taken before.
    Wrong,
    /// Too many wrong attempts; not tried.
    Limited {
        /// Seconds until another attempt is tried.
        retry_after: i32,
    },
    /// The password was given too long ago: sign in again.
    Stale,
}

/// Whether one signs in with a second factor.
#[derive(Debug, QueryableByName)]
pub struct Factor {
    /// `off`, `begun` or `on`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// The secret for the authenticator app, while it is begun.
    #[diesel(sql_type = Nullable<Binary>)]
    pub shown: Option<Vec<u8>>,
    /// Codes on paper that are left.
    #[diesel(sql_type = BigInt)]
    pub recovery_left: i64,
}

/// What came of changing something about it: each change asks for the password, and most for a code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// It is done; with codes for paper where some were made. They are told this once.
    Done(Vec<String>),
    /// The password is wrong.
    WrongPassword,
    /// The code is wrong.
    WrongCode,
    /// Too many wrong attempts; not tried.
    Limited,
    /// It stands otherwise by now: look at its page again.
    Stale,
}

impl Changed {
    fn of(outcome: &str, codes: Option<Vec<String>>) -> Result<Self, DbError> {
        Ok(match outcome {
            "done" => Self::Done(codes.unwrap_or_default()),
            "wrong password" => Self::WrongPassword,
            "wrong code" => Self::WrongCode,
            "limited" => Self::Limited,
            "stale" | "on" => Self::Stale,
            other => return Err(unknown(other)),
        })
    }
}

/// An answer of the gate's that this program does not know.
fn unknown(outcome: &str) -> DbError {
    DbError::Query(diesel::result::Error::DeserializationError(format!("the gate answered {outcome:?}").into()))
}

#[derive(QueryableByName)]
struct AnswerRow {
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Nullable<Binary>)]
    ticket: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    user_id: Option<UserId>,
    #[diesel(sql_type = Nullable<Integer>)]
    retry_after: Option<i32>,
}

#[derive(QueryableByName)]
struct ChangedRow {
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Nullable<Array<Text>>)]
    codes: Option<Vec<String>>,
}

impl Db {
    /// Tries a code for the half ticket that a right password earned, under the limit of passwords.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn second_factor(&self, half: &Ticket, code: &str, address: &str) -> Result<CodeAnswer, DbError> {
        let mut connection = self.connection().await?;
        let row: AnswerRow = sql_query("SELECT * FROM public.second_factor($1, $2, $3)")
            .bind::<Binary, _>(half.bytes())
            .bind::<Text, _>(code)
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await?;
        Ok(match (row.outcome.as_str(), row.user_id, row.ticket) {
            ("signed_in", Some(user), Some(ticket)) => CodeAnswer::SignedIn { user, ticket: Ticket::of(ticket) },
            ("limited", ..) => CodeAnswer::Limited { retry_after: row.retry_after.unwrap_or(900) },
            ("stale", ..) => CodeAnswer::Stale,
            ("wrong", ..) => CodeAnswer::Wrong,
            (other, ..) => return Err(unknown(other)),
        })
    }

    /// Whether a session's person has a second factor.
    ///
    /// # Errors
    /// [`DbError::SessionEnded`]; [`DbError::Refused`] while the session sees as a customer.
    pub async fn my_second_factor(&self, of: SessionSecret) -> Result<Factor, DbError> {
        let mut connection = self.connection().await?;
        let query = sql_query("SELECT * FROM public.my_second_factor($1)").bind::<Binary, _>(of.bytes().to_vec());
        query.get_result(&mut connection).await.map_err(refused)
    }

    /// Makes a fresh secret for the authenticator app, with the password; nothing is asked for until it is confirmed.
    ///
    /// # Errors
    /// As [`Self::my_second_factor`].
    pub async fn begin_second_factor(
        &self,
        of: SessionSecret,
        digest: &[u8],
        address: &str,
    ) -> Result<Changed, DbError> {
        let mut connection = self.connection().await?;
        let row: ChangedRow =
            sql_query("SELECT public.begin_second_factor($1, $2, $3) AS outcome, NULL::text[] AS codes")
                .bind::<Binary, _>(of.bytes().to_vec())
                .bind::<Binary, _>(digest)
                .bind::<Text, _>(address)
                .get_result(&mut connection)
                .await
                .map_err(refused)?;
        Changed::of(&row.outcome, row.codes)
    }

    async fn change(
        &self,
        call: &'static str,
        of: SessionSecret,
        digest: &[u8],
        code: &str,
        address: &str,
    ) -> Result<Changed, DbError> {
        let mut connection = self.connection().await?;
        let row: ChangedRow = sql_query(call)
            .bind::<Binary, _>(of.bytes().to_vec())
            .bind::<Binary, _>(digest)
            .bind::<Text, _>(code)
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await
            .map_err(refused)?;
        Changed::of(&row.outcome, row.codes)
    }

    /// Turns it on with the password and a code from the app; gives the codes for paper.
    ///
    /// # Errors
    /// As [`Self::my_second_factor`].
    pub async fn confirm_second_factor(
        &self,
        of: SessionSecret,
        digest: &[u8],
        code: &str,
        address: &str,
    ) -> Result<Changed, DbError> {
        self.change("SELECT * FROM public.confirm_second_factor($1, $2, $3, $4)", of, digest, code, address).await
    }

    /// Makes new codes for paper, with password and code; those before work no longer.
    ///
    /// # Errors
    /// As [`Self::my_second_factor`].
    pub async fn new_recovery_codes(
        &self,
        of: SessionSecret,
        digest: &[u8],
        code: &str,
        address: &str,
    ) -> Result<Changed, DbError> {
        self.change("SELECT * FROM public.new_recovery_codes($1, $2, $3, $4)", of, digest, code, address).await
    }

    /// Turns it off, with password and code.
    ///
    /// # Errors
    /// As [`Self::my_second_factor`].
    pub async fn end_second_factor(
        &self,
        of: SessionSecret,
        digest: &[u8],
        code: &str,
        address: &str,
    ) -> Result<Changed, DbError> {
        let call = "SELECT public.end_second_factor($1, $2, $3, $4) AS outcome, NULL::text[] AS codes";
        self.change(call, of, digest, code, address).await
    }
}

/// The most days of grace: a century, for a demo that nobody needs a phone to look at. The database checks the same.
pub const MOST_GRACE_DAYS: u16 = 36_500;

/// Takes a person's second factor away, which was lost, as the owner: sessions end, energy admins are told, and no days of grace
/// begin again. The record in the log is the caller's. False when there is none.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub async fn take_away(owner: &mut Owner, person: UserId, reason: &str) -> Result<bool, DbError> {
    #[derive(QueryableByName)]
    struct Taken {
        #[diesel(sql_type = Bool)]
        taken: bool,
    }
    let row: Taken = sql_query("SELECT public.take_second_factor($1, $2) AS taken")
        .bind::<SqlUuid, _>(person)
        .bind::<Text, _>(reason)
        .get_result(&mut **owner)
        .await?;
    Ok(row.taken)
}

/// Sets how many days EIS staff and energy admins may do without a second factor, at most [`MOST_GRACE_DAYS`], as the owner:
/// no login may.
///
/// # Errors
/// When the database cannot be reached or refuses.
pub async fn set_grace(owner: &mut Owner, days: u16) -> Result<(), DbError> {
    sql_query("UPDATE private.second_factor_rule SET grace_days = $1 WHERE grace_days <> $1")
        .bind::<Integer, _>(i32::from(days))
        .execute(&mut **owner)
        .await?;
    Ok(())
}

//! Calls to the database's gate about the second factor (`migrations/…_totp`): it checks the codes itself and keeps
//! which were taken.

use diesel::sql_types::{Array, BigInt, Binary, Integer, Nullable, Text, Uuid as SqlUuid};
use diesel::{QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::gate::Ticket;
use super::tenant::refused;
use super::{Db, DbError};
use crate::access::SessionSecret;
use crate::ids::UserId;

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

/// What came of turning it off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It is off.
    Done,
    /// The password is wrong.
    WrongPassword,
    /// The code is wrong.
    WrongCode,
    /// Too many wrong attempts; not tried.
    Limited,
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
struct Codes {
    #[diesel(sql_type = Nullable<Array<Text>>)]
    value: Option<Vec<String>>,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    value: String,
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
            _ => CodeAnswer::Wrong,
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

    /// Makes a fresh secret for the authenticator app; nothing is asked for until it is confirmed.
    ///
    /// # Errors
    /// As [`Self::my_second_factor`].
    pub async fn begin_second_factor(&self, of: SessionSecret) -> Result<(), DbError> {
        let mut connection = self.connection().await?;
        let query = sql_query("SELECT public.begin_second_factor($1)").bind::<Binary, _>(of.bytes().to_vec());
        query.execute(&mut connection).await.map_err(refused)?;
        Ok(())
    }

    /// Turns it on with a code from the app: the codes for paper, or `None` when the code is wrong.
    ///
    /// # Errors
    /// As [`Self::my_second_factor`], and [`DbError::Limited`].
    pub async fn confirm_second_factor(
        &self,
        of: SessionSecret,
        code: &str,
        address: &str,
    ) -> Result<Option<Vec<String>>, DbError> {
        let mut connection = self.connection().await?;
        let codes: Codes = sql_query("SELECT public.confirm_second_factor($1, $2, $3) AS value")
            .bind::<Binary, _>(of.bytes().to_vec())
            .bind::<Text, _>(code)
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await
            .map_err(refused)?;
        Ok(codes.value)
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
    ) -> Result<Ended, DbError> {
        let mut connection = self.connection().await?;
        let words: Words = sql_query("SELECT public.end_second_factor($1, $2, $3, $4) AS value")
            .bind::<Binary, _>(of.bytes().to_vec())
            .bind::<Binary, _>(digest)
            .bind::<Text, _>(code)
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await
            .map_err(refused)?;
        Ok(match words.value.as_str() {
            "done" => Ended::Done,
            "wrong password" => Ended::WrongPassword,
            "limited" => Ended::Limited,
            _ => Ended::WrongCode,
        })
    }
}

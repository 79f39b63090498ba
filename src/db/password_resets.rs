//! Calls to the database's gate with the token of a one-time link that sets a new password (`operate/scripts/after`).

use diesel::sql_types::{Binary, Text};
use diesel::{OptionalExtension, QueryableByName, sql_query};
use diesel_async::RunQueryDsl;

use super::{Db, DbError};

/// Whose password a link sets.
#[derive(Debug, QueryableByName)]
pub struct Reset {
    /// The login's address.
    #[diesel(sql_type = Text)]
    pub email: String,
    /// The person's name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The organization in which the link was made.
    #[diesel(sql_type = Text)]
    pub organization_name: String,
}

/// What came of setting a new password by a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResetAnswer {
    /// It is set; every session of the person has ended.
    Done,
    /// The code of the second factor is wrong or missing.
    WrongCode,
    /// Too many wrong codes; not tried.
    Limited,
    /// The link is over, or never reached this login.
    Refused,
}

#[derive(QueryableByName)]
struct Words {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Db {
    /// Whose password a link sets; `None` when it is spent, ended or unknown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn password_reset(&self, token: &[u8]) -> Result<Option<Reset>, DbError> {
        let mut connection = self.connection().await?;
        let query = sql_query("SELECT * FROM public.password_reset_by_token($1)").bind::<Binary, _>(token);
        Ok(query.get_result(&mut connection).await.optional()?)
    }

    /// Sets a new password by a link; `code` is asked for where the person has a second factor.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn reset_password(
        &self,
        token: &[u8],
        salt: &str,
        digest: &[u8],
        code: &str,
        address: &str,
    ) -> Result<ResetAnswer, DbError> {
        let mut connection = self.connection().await?;
        let words: Words = sql_query("SELECT public.reset_password($1, $2, $3, $4, $5) AS value")
            .bind::<Binary, _>(token)
            .bind::<Text, _>(salt)
            .bind::<Binary, _>(digest)
            .bind::<Text, _>(code)
            .bind::<Text, _>(address)
            .get_result(&mut connection)
            .await?;
        Ok(match words.value.as_str() {
            "done" => ResetAnswer::Done,
            "wrong" => ResetAnswer::WrongCode,
            "limited" => ResetAnswer::Limited,
            _ => ResetAnswer::Refused,
        })
    }
}

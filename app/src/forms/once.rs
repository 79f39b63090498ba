//! Twice is once: a form carries an id made with it. [`Ctx::write`](crate::server::ctx::Ctx::write) takes that id in the
//! transaction of the form's own changes, [`Done::commit`](crate::server::functions::Done::commit) keeps the answer there.
//! The same form once more finds both: it changes nothing and is answered as it was.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use eis::db::sent_forms::{self, Answer, Sending};
use eis::db::{DbError, QueryError};
use sha2::{Digest, Sha256};
use uuid::Uuid;

/// The hidden field that holds a form's id.
pub const FIELD: &str = "form_id";

/// Why a form's id was not taken.
#[derive(Debug)]
pub enum NotTaken {
    /// The form was sent before: how it was answered, where that was kept.
    Again(Option<Answer>),
    /// It was sent before with something else in it.
    Other,
    /// The database.
    Db(DbError),
}

impl From<QueryError> for NotTaken {
    fn from(error: QueryError) -> Self {
        Self::Db(error.into())
    }
}

/// A form as it came.
#[derive(Debug, Default)]
pub struct Sent {
    id: Option<Uuid>,
    function: String,
    values: Vec<(String, String)>,
    /// Its id is taken in the transaction of this request.
    taken: AtomicBool,
}

impl Sent {
    /// What was sent to a function, but for the form's own id. One that no page made has no id and is always the first.
    #[must_use]
    pub fn new(id: &str, function: &str, values: Vec<(String, String)>) -> Self {
        let id = id.parse().ok();
        Self { id, function: function.to_owned(), values, taken: AtomicBool::new(false) }
    }

    /// Whether it has an id that tells it from others.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.id.is_some()
    }

    /// What was sent in a field; empty for nothing.
    #[must_use]
    pub fn value(&self, field: &str) -> &str {
        self.values.iter().find(|(name, _)| name == field).map_or("", |(_, value)| value)
    }

    /// Which form this is, so that the same with something else in it is told from the same again. Of one with secrets in it
    /// the database keeps nothing to guess at: its digest is of this process alone, and another server takes it for another form.
    fn digest(&self) -> [u8; 32] {
        static KEY: LazyLock<[u8; 32]> = LazyLock::new(rand::random);
        let mut pairs: Vec<&(String, String)> = self.values.iter().collect();
        pairs.sort();
        let mut hash = Sha256::new();
        if self.values.iter().any(|(name, _)| name.contains("password")) {
            hash.update(*KEY);
        }
        hash.update(self.function.as_bytes());
        for text in pairs.into_iter().flat_map(|(name, value)| [name, value]) {
            hash.update(text.len().to_be_bytes());
            hash.update(text);
        }
        hash.finalize().into()
    }

    /// What the very same form was answered with, if it was sent and done before. It takes nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn before(&self, tx: &mut eis::db::Tenant) -> Result<Option<Answer>, DbError> {
        let Some(id) = self.id else { return Ok(None) };
        match sent_forms::send(tx, id, &self.digest()).await? {
            Sending::Again(answer) => Ok(answer),
            Sending::First | Sending::Other => Ok(None),
        }
    }

    /// Takes the form's id in this transaction, once a request.
    ///
    /// # Errors
    /// [`NotTaken::Again`] with the answer of the first sending, or [`NotTaken::Other`] where the form went out before
    /// with something else in it.
    pub async fn take(&self, tx: &mut eis::db::Tenant) -> Result<(), NotTaken> {
        let Some(id) = self.id else { return Ok(()) };
        if self.taken.load(Ordering::Relaxed) {
            return Ok(());
        }
        match sent_forms::send(tx, id, &self.digest()).await? {
            Sending::First => {
                self.taken.store(true, Ordering::Relaxed);
                Ok(())
            }
            Sending::Again(answer) => Err(NotTaken::Again(answer)),
            Sending::Other => Err(NotTaken::Other),
        }
    }

    /// Keeps the answer in the transaction in which the id was taken.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn answered(&self, tx: &mut eis::db::Tenant, location: &str, said: Option<&str>) -> Result<(), DbError> {
        if let Some(id) = self.id.filter(|_| self.taken.load(Ordering::Relaxed)) {
            let answer = Answer { location: location.to_owned(), said: said.map(str::to_owned) };
            sent_forms::answer(tx, id, &answer).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(values: &[(&str, &str)]) -> Sent {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Sent::new("01936f00-0000-7000-8000-000000000001", "/api/x", values)
    }

    #[test]
    fn the_same_fields_in_another_order_are_the_same_form_and_another_value_is_another() {
        let one = sent(&[("a", "1"), ("b", "2")]).digest();
        assert_eq!(one, sent(&[("b", "2"), ("a", "1")]).digest());
        assert_ne!(one, sent(&[("a", "1"), ("b", "3")]).digest());
        assert_ne!(one, sent(&[("a", "1b2")]).digest());
    }

    #[test]
    fn of_a_form_with_a_secret_in_it_nothing_is_kept_to_guess_at() {
        let bare = |text: &str| -> [u8; 32] {
            let parts = ["/api/x", "\0\0\0\0\0\0\0\x0c", "old_password", "\0\0\0\0\0\0\0\x01", text];
            parts.iter().fold(Sha256::new(), |hash, part| hash.chain_update(part)).finalize().into()
        };
        let secret = sent(&[("old_password", "x")]).digest();
        assert_ne!(secret, bare("x"), "a digest that anybody can make of a guess");
        assert_eq!(secret, sent(&[("old_password", "x")]).digest(), "the same form again is known");
        assert_ne!(secret, sent(&[("old_password", "y")]).digest());
    }
}

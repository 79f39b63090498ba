//! Keys that bytes outside the database are encrypted with. Each lies in the row of its file or document alone: who
//! cannot read the row cannot read the bytes.

use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, Output, ToSql};
use diesel::sql_types::Binary;

/// The key of one file or document. It is never shown, logged or put on record.
#[derive(Clone, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = Binary)]
pub struct ContentKey([u8; 32]);

impl ContentKey {
    /// A new one, from the system's strong source by way of the thread's generator.
    #[must_use]
    pub fn fresh() -> Self {
        Self(rand::random())
    }

    /// What to encrypt with.
    #[must_use]
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl std::fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContentKey(…)")
    }
}

impl ToSql<Binary, Pg> for ContentKey {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        ToSql::<Binary, Pg>::to_sql(self.0.as_slice(), out)
    }
}

impl FromSql<Binary, Pg> for ContentKey {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        let bytes = <Vec<u8> as FromSql<Binary, Pg>>::from_sql(value)?;
        bytes.try_into().map(Self).map_err(|_| "a content key has 32 bytes".into())
    }
}

/// Whether a text names a media type as it is kept: small letters, a slash, no parameters.
#[must_use]
pub(crate) fn is_media_type(text: &str) -> bool {
    let part = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'+' | b'-'))
    };
    text.len() <= 127 && text.split_once('/').is_some_and(|(kind, of)| part(kind) && part(of))
}

/// A name of a file as it is kept.
///
/// # Errors
/// As [`crate::values::texts::line`], and for a slash of either kind, which would make a path of it.
pub(crate) fn file_name(text: &str) -> Result<String, crate::values::texts::TextFault> {
    let name = crate::values::texts::line(text, 255)?;
    match name.chars().find(|c| matches!(c, '/' | '\\')) {
        Some(slash) => Err(crate::values::texts::TextFault::Forbidden(slash)),
        None => Ok(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::values::texts::TextFault;

    #[test]
    fn a_key_is_never_printed_and_never_the_same() {
        let (one, two) = (ContentKey::fresh(), ContentKey::fresh());
        assert_eq!(format!("{one:?}"), "ContentKey(…)");
        assert_ne!(one, two);
    }

    #[test]
    fn a_media_type_has_two_parts_in_small_letters() {
        let fine = ["application/pdf", "image/svg+xml", "text/plain", "application/vnd.oasis.opendocument.text"];
        assert!(fine.into_iter().all(is_media_type));
        let odd = ["", "pdf", "Text/Plain", "text/plain; charset=utf-8", "text/", "/x", "a/b/c", "a/b\n"];
        assert!(!odd.into_iter().any(is_media_type));
        assert!(!is_media_type(&format!("a/{}", "b".repeat(126))));
    }

    #[test]
    fn a_file_name_is_no_path() {
        assert_eq!(file_name(" bill.pdf "), Ok("bill.pdf".to_owned()));
        assert_eq!(file_name("../etc"), Err(TextFault::Forbidden('/')));
        assert_eq!(file_name("a\\b"), Err(TextFault::Forbidden('\\')));
        assert_eq!(file_name(&"x".repeat(256)), Err(TextFault::TooLong(255)));
    }
}

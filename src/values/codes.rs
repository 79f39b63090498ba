//! Enums that the database spells as words: each has one mapping.

/// Makes enums whose variants have a word in the database, and reads and writes them there. An unknown word is a fault.
macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident { $($(#[$note:meta])* $variant:ident = $code:literal),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name {
            $($(#[$note])* $variant,)+
        }

        impl $name {
            /// Every one.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// As the database spells it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)+
                }
            }

            /// The one that is spelled so.
            #[must_use]
            pub fn of(code: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.code() == code)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.code())
            }
        }

        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>) -> diesel::serialize::Result {
                diesel::serialize::ToSql::<diesel::sql_types::Text, diesel::pg::Pg>::to_sql(self.code(), out)
            }
        }

        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(value: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                let code = <String as diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg>>::from_sql(value)?;
                Self::of(&code).ok_or_else(|| format!("{code:?} is no {}", stringify!($name)).into())
            }
        }
    )+};
}
pub(crate) use codes;

#[cfg(test)]
mod tests {
    codes! {
        /// For this test.
        Colour {
            /// One.
            Red = "red",
            /// The other.
            DarkBlue = "dark_blue",
        }
    }

    #[test]
    fn a_code_names_the_variant_that_it_was_made_of() {
        assert!(Colour::ALL.iter().all(|one| Colour::of(one.code()) == Some(*one)));
        assert_eq!((Colour::DarkBlue.code(), Colour::of("blue")), ("dark_blue", None));
        assert_eq!(serde_json::to_value(Colour::Red).unwrap(), "red");
    }
}

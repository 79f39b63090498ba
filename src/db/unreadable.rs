//! Stored values that cannot be read. They are faults that name their row, never taken as something else.

use super::DbError;

/// A stored value that cannot be read: where it stands and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table}.{column} of the row {id} cannot be read: {fault}")]
pub struct Unreadable {
    /// The table.
    pub table: &'static str,
    /// The row's id.
    pub id: String,
    /// The column.
    pub column: &'static str,
    /// What is wrong with the value.
    pub fault: String,
}

impl Unreadable {
    /// Of a column of a row.
    #[must_use]
    pub fn new(table: &'static str, id: impl ToString, column: &'static str, fault: impl ToString) -> Self {
        Self { table, id: id.to_string(), column, fault: fault.to_string() }
    }

    /// Reads a JSON value of a column of a row.
    ///
    /// # Errors
    /// When it is not what it should be.
    pub fn json<T: serde::de::DeserializeOwned>(
        value: &serde_json::Value,
        table: &'static str,
        id: impl ToString,
        column: &'static str,
    ) -> Result<T, Self> {
        T::deserialize(value).map_err(|fault| Self::new(table, id, column, fault))
    }

    /// Reads the name of a time zone in the column `time_zone` of a row.
    ///
    /// # Errors
    /// When no zone is known by that name.
    pub fn zone(name: &str, table: &'static str, id: impl ToString) -> Result<chrono_tz::Tz, Self> {
        name.parse().map_err(|_| Self::new(table, id, "time_zone", format!("\"{name}\" is no known time zone")))
    }
}

impl From<Unreadable> for diesel::result::Error {
    fn from(fault: Unreadable) -> Self {
        Self::DeserializationError(Box::new(fault))
    }
}

impl From<Unreadable> for DbError {
    fn from(fault: Unreadable) -> Self {
        Self::Query(fault.into())
    }
}

/// The zone of a row, read with the row: `$zone` for a field `#[diesel(embed)]` of a row of `$table`.
macro_rules! zone_of_row {
    ($(#[$doc:meta])* $zone:ident, $table:ident, $id:ty) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct $zone(pub chrono_tz::Tz);

        impl diesel::Selectable<diesel::pg::Pg> for $zone {
            type SelectExpression = (crate::db::schema::$table::id, crate::db::schema::$table::time_zone);

            fn construct_selection() -> Self::SelectExpression {
                (crate::db::schema::$table::id, crate::db::schema::$table::time_zone)
            }
        }

        impl diesel::Queryable<(diesel::sql_types::Uuid, diesel::sql_types::Text), diesel::pg::Pg> for $zone {
            type Row = ($id, String);

            fn build((id, name): Self::Row) -> diesel::deserialize::Result<Self> {
                Ok(Self(crate::db::Unreadable::zone(&name, stringify!($table), id)?))
            }
        }
    };
}
pub(crate) use zone_of_row;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_cannot_be_read_is_told_with_its_row_and_column() {
        let fault = Unreadable::json::<u8>(&serde_json::json!("x"), "invoices", 7, "inputs").unwrap_err();
        assert!(fault.to_string().starts_with("invoices.inputs of the row 7 cannot be read: invalid type"), "{fault}");
        let fault = Unreadable::zone("Mars/Base", "meters", 7).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "meters.time_zone of the row 7 cannot be read: \"Mars/Base\" is no known time zone"
        );
        let error = DbError::from(fault.clone());
        assert_eq!(error.unreadable(), Some(&fault));
    }
}

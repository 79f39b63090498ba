//! The ledger: every amount owed, paid or credited as an entry whose lines sum to zero.
//!
//! Nothing here writes. Entries follow from what is issued, paid and allocated, by triggers of those statements
//! (`migrations/…_ledger`); here they are read: [`list`] for a client, [`statement`] for a customer, and [`control`]
//! recomputes all of it.

pub mod control;
mod list;
mod statement;

use chrono::NaiveDate;
use diesel::QueryableByName;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::pg::{Pg, PgValue};
use diesel::sql_types::{Bool, Nullable, Text, Uuid as SqlUuid};
use rust_decimal::Decimal;

use crate::values::ids::{InvoiceId, LedgerEntryId};

pub use list::{Entry, Filter, list};
pub use statement::{Row, statement};

/// An enum that the database spells as a text; what is spelled otherwise cannot be read.
macro_rules! spelled {
    ($(#[$doc:meta])* $name:ident { $($(#[$each:meta])* $variant:ident = $code:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, FromSqlRow)]
        pub enum $name {
            $($(#[$each])* $variant,)*
        }

        impl $name {
            /// As the database spells it.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self {
                    $(Self::$variant => $code,)*
                }
            }
        }

        impl FromSql<Text, Pg> for $name {
            fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                match value.as_bytes() {
                    $(code if code == $code.as_bytes() => Ok(Self::$variant),)*
                    other => Err(format!("{:?} is no {}", String::from_utf8_lossy(other), stringify!($name)).into()),
                }
            }
        }
    };
}

spelled! {
    /// An account of the ledger.
    LedgerAccount {
        /// Bills that are open.
        Receivable = "receivable",
        /// What a customer has in credit.
        Unapplied = "unapplied",
        /// What was earned, before tax.
        Revenue = "revenue",
        /// Tax on it.
        Tax = "tax",
        /// Rounding of amounts to pay.
        Rounding = "rounding",
        /// Credit that a tariff keeps for the next bill.
        CarryOver = "carry_over",
        /// Money that came.
        Bank = "bank",
        /// Fees.
        Fees = "fees",
        /// What is not going to be paid.
        Losses = "losses",
        /// Deposits of customers.
        Deposits = "deposits",
    }
}

spelled! {
    /// What an entry follows from.
    Cause {
        /// An invoice was issued.
        Invoice = "invoice",
        /// A credit note was issued.
        CreditNote = "credit_note",
        /// Money came.
        Payment = "payment",
        /// Credit paid a bill.
        Allocation = "allocation",
    }
}

/// What happened, in codes and figures: the web writes the words.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct What {
    /// Its kind.
    #[diesel(sql_type = Text)]
    pub cause: Cause,
    /// Whether it takes another entry back.
    #[diesel(sql_type = Bool)]
    pub reverses: bool,
    /// The invoice or credit note that was issued, or the bill that was paid; `None` of a payment.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub invoice_id: Option<InvoiceId>,
    /// Its number; empty of a payment.
    #[diesel(sql_type = Text)]
    pub label: String,
    /// Of an allocation the number of the bill whose credit pays; empty where a payment does.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// How the money came; empty where none did.
    #[diesel(sql_type = Text)]
    pub method: String,
    /// What the payer wrote.
    #[diesel(sql_type = Text)]
    pub reference: String,
}

/// The columns of [`What`] of an entry `e`, and the joins that they need. $1 organization, $2 client.
const WHAT: &str = "e.cause, e.reverses IS NOT NULL AS reverses, d.id AS invoice_id, coalesce(d.label, '') AS label, \
     coalesce(s.label, '') AS source, coalesce(p.method, '') AS method, coalesce(p.reference, '') AS reference";
const OF_WHAT: &str = "\
     LEFT JOIN public.invoices d ON d.organization_id = $1 AND d.client_id = $2 \
         AND d.id = CASE WHEN e.cause IN ('invoice', 'credit_note') THEN e.cause_id ELSE e.settles_id END \
     LEFT JOIN public.invoices s ON s.organization_id = $1 AND s.client_id = $2 AND s.id = e.cause_id AND e.cause = 'allocation' \
     LEFT JOIN public.payments p ON p.organization_id = $1 AND p.client_id = $2 AND p.id = e.cause_id";

/// A line of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// The account.
    pub account: LedgerAccount,
    /// Above zero: debit; below: credit.
    pub amount: Decimal,
}

/// A place in a list of entries, the latest first: day and id of the last one shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub NaiveDate, pub LedgerEntryId);

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_{}", self.0, self.1)
    }
}

impl std::str::FromStr for Cursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (day, id) = text.split_once('_').ok_or(())?;
        Ok(Self(day.parse().map_err(|_| ())?, id.parse().map_err(|_| ())?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_from_its_address() {
        let cursor = Cursor("2026-12-01".parse().unwrap(), LedgerEntryId::fresh());
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        assert!("2026-12-01".parse::<Cursor>().is_err());
    }
}

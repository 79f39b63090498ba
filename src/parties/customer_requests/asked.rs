//! What a customer asks for, by kind: as values in Rust, as JSON in the row.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;
use crate::db::Unreadable;
use crate::values::identifiers;
use crate::values::ids::{CustomerRequestId, InvoiceId, MeterId};
use crate::values::texts::{TextFault, line, lines, note, optional_line, optional_lines};

/// The most parts in which something is paid.
pub const MOST_PARTS: u8 = 36;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Asked {
    /// To take a reading over.
    Reading(Reading),
    /// To move in or out.
    Move(Move),
    /// To change details.
    Details(Details),
    /// To look at a bill again.
    Dispute(Dispute),
    /// To pay in parts.
    Plan(Plan),
    /// To let somebody else look after the account.
    Delegate(Delegate),
}

/// What a register shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reading {
    /// The meter.
    pub meter: MeterId,
    /// The register's name, such as `1.8.1`; empty: it has one alone.
    pub register: String,
    /// The day on which it was read.
    pub on: NaiveDate,
    /// The figure on it.
    pub figure: Decimal,
}

/// A move.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Move {
    /// Whether the customer leaves; otherwise they come.
    pub out: bool,
    /// First day there, or first day no longer there.
    pub on: NaiveDate,
    /// The address that it is about.
    pub address: String,
    /// Where to write to afterwards; empty: there.
    pub write_to: String,
}

/// Details of a person or company; what is empty stays as it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Details {
    /// The name.
    pub name: String,
    /// Where to write to by mail.
    pub email: String,
    /// The telephone.
    pub phone: String,
    /// Where bills go.
    pub billing_address: String,
}

/// Doubt about a bill.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dispute {
    /// The bill.
    pub invoice: InvoiceId,
    /// What is wrong with it.
    pub reason: String,
}

/// Paying in parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// What is to be paid so.
    pub invoices: Vec<InvoiceId>,
    /// In how many monthly parts.
    pub parts: u8,
    /// On which day the first.
    pub first_on: NaiveDate,
}

/// Somebody who looks after the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delegate {
    /// Who.
    pub name: String,
    /// Where to write to them.
    pub email: String,
    /// First day no longer; `None`: until it is ended.
    pub until: Option<NaiveDate>,
}

/// A field of a request that is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A register's name.
    Register,
    /// An address.
    Address,
    /// Where to write to.
    WriteTo,
    /// A name.
    Name,
    /// A telephone number.
    Phone,
    /// Where bills go.
    BillingAddress,
    /// A reason.
    Reason,
}

/// What is wrong with what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Of a text.
    Text(Field, TextFault),
    /// It is no e-mail address.
    NoAddress,
    /// A register shows nothing below 0.
    Negative,
    /// A register has fewer digits than that.
    TooManyDigits,
    /// Nothing would change.
    Nothing,
    /// No bill is named.
    NoInvoice,
    /// A bill is named twice.
    InvoiceTwice(InvoiceId),
    /// Parts are 2 to so many.
    Parts(u8),
}

/// A new value of an address to write to, where it is not empty.
fn email(text: &str, faults: &mut Vec<Fault>) -> String {
    match text.trim() {
        "" => String::new(),
        typed => note(identifiers::email(typed), faults, |_| Fault::NoAddress),
    }
}

impl Asked {
    /// What is asked for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Reading(_) => Kind::Reading,
            Self::Move(_) => Kind::Move,
            Self::Details(_) => Kind::Details,
            Self::Dispute(_) => Kind::Dispute,
            Self::Plan(_) => Kind::Plan,
            Self::Delegate(_) => Kind::Delegate,
        }
    }

    /// As the row keeps it.
    pub(super) fn payload(&self) -> Value {
        // Texts, numbers and days under names that are texts: nothing of it fails to be written.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// What the row keeps.
    pub(super) fn read(kind: Kind, payload: &Value, id: CustomerRequestId) -> Result<Self, Unreadable> {
        fn json<T: serde::de::DeserializeOwned>(payload: &Value, id: CustomerRequestId) -> Result<T, Unreadable> {
            Unreadable::json(payload, "customer_requests", id, "payload")
        }
        Ok(match kind {
            Kind::Reading => Self::Reading(json(payload, id)?),
            Kind::Move => Self::Move(json(payload, id)?),
            Kind::Details => Self::Details(json(payload, id)?),
            Kind::Dispute => Self::Dispute(json(payload, id)?),
            Kind::Plan => Self::Plan(json(payload, id)?),
            Kind::Delegate => Self::Delegate(json(payload, id)?),
        })
    }

    /// As it is kept.
    ///
    /// # Errors
    /// Every fault of it.
    pub(super) fn checked(&self) -> Result<Self, Vec<Fault>> {
        let mut faults = vec![];
        let checked = match self.clone() {
            Self::Reading(asked) => Self::Reading(asked.checked(&mut faults)),
            Self::Move(asked) => Self::Move(asked.checked(&mut faults)),
            Self::Details(asked) => Self::Details(asked.checked(&mut faults)),
            Self::Dispute(asked) => Self::Dispute(asked.checked(&mut faults)),
            Self::Plan(asked) => Self::Plan(asked.checked(&mut faults)),
            Self::Delegate(asked) => Self::Delegate(asked.checked(&mut faults)),
        };
        if faults.is_empty() { Ok(checked) } else { Err(faults) }
    }
}

/// Takes a fault of a field in.
fn of(field: Field) -> impl FnOnce(TextFault) -> Fault {
    move |fault| Fault::Text(field, fault)
}

impl Reading {
    fn checked(self, faults: &mut Vec<Fault>) -> Self {
        let register = note(optional_line(&self.register, 60), faults, of(Field::Register));
        if self.figure < Decimal::ZERO {
            faults.push(Fault::Negative);
        }
        if self.figure.normalize().scale() > 3 || self.figure.abs() >= Decimal::from(1_000_000_000) {
            faults.push(Fault::TooManyDigits);
        }
        Self { register, ..self }
    }
}

impl Move {
    fn checked(self, faults: &mut Vec<Fault>) -> Self {
        let address = note(lines(&self.address, 400), faults, of(Field::Address));
        let write_to = note(optional_lines(&self.write_to, 400), faults, of(Field::WriteTo));
        Self { address, write_to, ..self }
    }
}

impl Details {
    fn checked(self, faults: &mut Vec<Fault>) -> Self {
        if self == Self::default() {
            faults.push(Fault::Nothing);
        }
        Self {
            name: note(optional_line(&self.name, 200), faults, of(Field::Name)),
            email: email(&self.email, faults),
            phone: note(optional_line(&self.phone, 60), faults, of(Field::Phone)),
            billing_address: note(optional_lines(&self.billing_address, 400), faults, of(Field::BillingAddress)),
        }
    }
}

impl Dispute {
    fn checked(self, faults: &mut Vec<Fault>) -> Self {
        Self { reason: note(lines(&self.reason, 4000), faults, of(Field::Reason)), ..self }
    }
}

impl Plan {
    fn checked(self, faults: &mut Vec<Fault>) -> Self {
        if self.invoices.is_empty() {
            faults.push(Fault::NoInvoice);
        }
        let before = |at: usize| self.invoices.iter().take(at);
        if let Some((_, twice)) = self.invoices.iter().enumerate().find(|(at, one)| before(*at).any(|b| b == *one)) {
            faults.push(Fault::InvoiceTwice(*twice));
        }
        if !(2..=MOST_PARTS).contains(&self.parts) {
            faults.push(Fault::Parts(MOST_PARTS));
        }
        self
    }
}

impl Delegate {
    fn checked(self, faults: &mut Vec<Fault>) -> Self {
        let name = note(line(&self.name, 200), faults, of(Field::Name));
        let email = note(identifiers::email(&self.email), faults, |_| Fault::NoAddress);
        Self { name, email, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day() -> NaiveDate {
        "2026-11-30".parse().unwrap()
    }

    fn reading(figure: &str) -> Asked {
        let figure = figure.parse().unwrap();
        Asked::Reading(Reading { meter: MeterId::fresh(), register: " 1.8.1 ".to_owned(), on: day(), figure })
    }

    fn delegate(name: &str, email: &str) -> Asked {
        Asked::Delegate(Delegate { name: name.to_owned(), email: email.to_owned(), until: None })
    }

    fn plan(invoices: Vec<InvoiceId>, parts: u8) -> Asked {
        Asked::Plan(Plan { invoices, parts, first_on: day() })
    }

    fn moving(address: &str) -> Asked {
        Asked::Move(Move { out: true, on: day(), address: address.to_owned(), write_to: String::new() })
    }

    fn dispute(reason: &str) -> Asked {
        Asked::Dispute(Dispute { invoice: InvoiceId::fresh(), reason: reason.to_owned() })
    }

    fn details(phone: &str, email: &str) -> Asked {
        Asked::Details(Details { phone: phone.to_owned(), email: email.to_owned(), ..Details::default() })
    }

    #[test]
    fn every_kind_is_kept_and_read_back() {
        let bill = InvoiceId::fresh();
        let all = [
            reading("12345.678"),
            moving("1 Mill Lane\nTown"),
            details("+49 30 1234", "kim@example.org"),
            dispute("Twice the usage of last year."),
            plan(vec![bill], 12),
            delegate("Care Taker", "care@example.org"),
        ];
        for asked in all {
            let kept = asked.checked().unwrap();
            let read = Asked::read(kept.kind(), &kept.payload(), CustomerRequestId::fresh()).unwrap();
            assert_eq!(read, kept);
        }
        let Asked::Reading(kept) = reading("1").checked().unwrap() else { panic!("a reading") };
        assert_eq!(kept.register, "1.8.1");
        assert!(Asked::read(Kind::Plan, &serde_json::json!({}), CustomerRequestId::fresh()).is_err());
    }

    #[test]
    fn each_fault_is_told() {
        let bill = InvoiceId::fresh();
        let missing = |field| Fault::Text(field, TextFault::Missing);
        for (asked, faults) in [
            (reading("-1"), vec![Fault::Negative]),
            (reading("1.2345"), vec![Fault::TooManyDigits]),
            (reading("1000000000"), vec![Fault::TooManyDigits]),
            (moving(" "), vec![missing(Field::Address)]),
            (details("", ""), vec![Fault::Nothing]),
            (
                details("1\u{202e}", "x"),
                vec![Fault::NoAddress, Fault::Text(Field::Phone, TextFault::Forbidden('\u{202e}'))],
            ),
            (dispute(""), vec![missing(Field::Reason)]),
            (dispute(&"x".repeat(4001)), vec![Fault::Text(Field::Reason, TextFault::TooLong(4000))]),
            (plan(vec![], 1), vec![Fault::NoInvoice, Fault::Parts(MOST_PARTS)]),
            (plan(vec![bill, bill], 37), vec![Fault::InvoiceTwice(bill), Fault::Parts(MOST_PARTS)]),
            (delegate("", "care@"), vec![missing(Field::Name), Fault::NoAddress]),
        ] {
            assert_eq!(asked.checked(), Err(faults), "{asked:?}");
        }
    }
}

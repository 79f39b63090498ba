//! Forms: reading what was typed, telling what is wrong with it, and giving everything back.

pub mod days;
mod figure;
pub mod once;
pub mod seen;

use chrono::{Datelike, NaiveDate};
use eis::values::identifiers::{self, NotAnAddress};
use eis::values::names;
use serde::{Deserialize, Serialize};

pub use figure::{Figure, read as figure};

/// What is wrong with a form, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldErrors(pub Vec<(String, String)>);

impl FieldErrors {
    /// One fault of one field.
    pub fn one(field: impl Into<String>, message: impl Into<String>) -> Self {
        Self(vec![(field.into(), message.into())])
    }

    /// Adds a fault.
    pub fn add(&mut self, field: impl Into<String>, message: impl Into<String>) {
        self.0.push((field.into(), message.into()));
    }

    /// The first fault of a field, or nothing.
    #[must_use]
    pub fn of(&self, field: &str) -> String {
        self.0.iter().find(|(name, _)| name == field).map(|(_, message)| message.clone()).unwrap_or_default()
    }

    /// `value` when there is no fault.
    ///
    /// # Errors
    /// The faults.
    pub fn or<T>(self, value: T) -> Result<T, Self> {
        if self.0.is_empty() { Ok(value) } else { Err(self) }
    }
}

/// What was typed and what was wrong with it, kept until its form is shown again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Typed {
    /// The page of the form.
    pub page: String,
    /// The context that the form was rendered in; what was typed is given back there alone.
    #[serde(default)]
    pub context: String,
    /// Name and value of every field.
    pub values: Vec<(String, String)>,
    /// What was wrong.
    pub errors: FieldErrors,
}

impl Typed {
    /// What was typed in a field; `fallback` when nothing was sent for it.
    #[must_use]
    pub fn value(&self, field: &str, fallback: impl Into<String>) -> String {
        self.values.iter().find(|(name, _)| name == field).map_or_else(|| fallback.into(), |(_, value)| value.clone())
    }

    /// Whether a box was ticked; `fallback` while nothing was sent. A box that is not ticked sends nothing.
    #[must_use]
    pub fn ticked(&self, field: &str, fallback: bool) -> bool {
        if self.values.is_empty() { fallback } else { !self.value(field, "").is_empty() }
    }

    /// What is wrong with a field, or nothing.
    #[must_use]
    pub fn error(&self, field: &str) -> String {
        self.errors.of(field)
    }
}

/// Whether people may mean a day: of the years 1900 to 2199. The database knows fewer years than the calendar here.
#[must_use]
pub fn is_meant(day: NaiveDate) -> bool {
    (1900..2200).contains(&day.year())
}

/// A day that people typed, or that an address names; `None` for anything else.
#[must_use]
pub fn day(typed: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(typed.trim(), "%Y-%m-%d").ok().filter(|day| is_meant(*day))
}

/// Collects faults while reading fields.
#[derive(Debug, Default)]
pub struct Reader {
    /// The faults so far.
    pub errors: FieldErrors,
}

impl Reader {
    /// Text without the space around it, at least one and at most `most` characters.
    pub fn text(&mut self, field: &str, typed: &str, what: &str, most: usize) -> String {
        let text = typed.trim();
        if text.is_empty() {
            self.errors.add(field, format!("Enter {what}."));
        }
        self.at_most(field, text, most)
    }

    /// Text that may be left out.
    pub fn optional(&mut self, field: &str, typed: &str, most: usize) -> String {
        self.at_most(field, typed.trim(), most)
    }

    fn at_most(&mut self, field: &str, text: &str, most: usize) -> String {
        if text.chars().count() > most {
            self.errors.add(field, format!("Use at most {most} characters."));
        }
        if let Err(hidden) = names::check(text) {
            self.errors.add(field, hidden.to_string());
        }
        text.to_owned()
    }

    /// What something is called by, as it is kept: compared without case, and nothing unseen in it.
    pub fn identifier(&mut self, field: &str, typed: &str, what: &str, most: usize) -> String {
        let kept = identifiers::kept(typed).unwrap_or_else(|unseen| {
            self.errors.add(field, unseen.to_string());
            typed.to_owned()
        });
        self.text(field, &kept, what, most)
    }

    /// An e-mail address to write to, which may be left out.
    pub fn email(&mut self, field: &str, typed: &str) -> String {
        if typed.trim().is_empty() { String::new() } else { self.address(field, identifiers::email(typed)) }
    }

    /// An e-mail address to sign in with.
    pub fn login(&mut self, field: &str, typed: &str) -> String {
        self.address(field, identifiers::login(typed))
    }

    fn address(&mut self, field: &str, read: Result<String, NotAnAddress>) -> String {
        read.unwrap_or_else(|fault| {
            self.errors.add(field, fault.to_string());
            String::new()
        })
    }

    /// A day.
    pub fn date(&mut self, field: &str, typed: &str, what: &str) -> Option<NaiveDate> {
        let day = day(typed);
        if day.is_none() {
            let form = "as year-month-day, like 2026-03-31, of the years 1900 to 2199";
            self.errors.add(field, format!("Enter {what} {form}."));
        }
        day
    }

    /// A day that may be left out.
    pub fn optional_date(&mut self, field: &str, typed: &str, what: &str) -> Option<NaiveDate> {
        if typed.trim().is_empty() { None } else { self.date(field, typed, what) }
    }

    /// One of some words.
    pub fn choice<'a>(&mut self, field: &str, typed: &str, what: &str, choices: &[&'a str]) -> &'a str {
        let found = choices.iter().find(|choice| **choice == typed).copied();
        found.unwrap_or_else(|| {
            self.errors.add(field, format!("Choose {what}."));
            ""
        })
    }

    /// An id in a hidden field or select.
    pub fn id<T: std::str::FromStr>(&mut self, field: &str, typed: &str, what: &str) -> Option<T> {
        let id = typed.parse().ok();
        if id.is_none() {
            self.errors.add(field, format!("Choose {what}."));
        }
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fault_is_told_at_once() {
        let mut reader = Reader::default();
        reader.text("name", "  ", "a name", 10);
        reader.email("email", "nobody");
        reader.date("from", "31.03.2026", "the first day");
        assert_eq!(reader.errors.0.len(), 3);
        assert!(reader.errors.of("from").contains("2026-03-31"));
    }

    #[test]
    fn a_day_of_another_age_is_refused_with_the_field_s_error() {
        for typed in ["-4713-01-01", "0000-01-01", "1899-12-31", "2200-01-01", "+262142-12-31"] {
            let mut reader = Reader::default();
            assert_eq!(reader.date("from", typed, "the first day"), None, "{typed}");
            assert!(reader.errors.of("from").contains("1900 to 2199"), "{typed}");
        }
        assert_eq!(day("1900-01-01"), NaiveDate::from_ymd_opt(1900, 1, 1));
        assert_eq!(day(" 2199-12-31 "), NaiveDate::from_ymd_opt(2199, 12, 31));
    }
}

//! No lost update: a form that edits a row carries the row as it stood in the form. Saving compares that with the row as
//! it is then, locked in the same transaction. Somebody else's change between the two refuses the form: its page shows
//! both beside each other, with what was typed kept, and a button that saves over what is shown there.

use std::borrow::Cow;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::once::Sent;
use super::{FieldErrors, Typed};

/// The hidden field that holds what the form saw.
pub const FIELD: &str = "seen";
/// The button that saves over what somebody else saved; its value names that.
pub const OVER: &str = "over";
/// Where the fault is told and the comparison stands.
pub const CHANGED: &str = "changed";

/// A field as a form shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: Cow<'static, str>,
    label: Cow<'static, str>,
    value: String,
    choices: Vec<(String, String)>,
    /// A form that does not send it means an empty value, not the value it saw.
    tick: bool,
}

/// A row as its form shows it: what the form edits, field by field.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown(Vec<Field>);

/// A field that somebody changed meanwhile, or that was typed otherwise than it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The field's label.
    pub label: Cow<'static, str>,
    /// As it stood when the form was opened; `None`: not known.
    pub was: Option<String>,
    /// As it is now.
    pub theirs: String,
    /// As it was typed.
    pub yours: String,
}

impl Shown {
    /// With a field more: its name in the form, its label and its value in the row.
    #[must_use]
    pub fn field(
        self,
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        value: impl ToString,
    ) -> Self {
        self.choice(name, label, value, [])
    }

    /// With a field more that is one of some codes, each with what people read for it.
    #[must_use]
    pub fn choice<'c>(
        mut self,
        name: impl Into<Cow<'static, str>>,
        label: impl Into<Cow<'static, str>>,
        value: impl ToString,
        choices: impl IntoIterator<Item = (&'c str, &'c str)>,
    ) -> Self {
        let choices = choices.into_iter().map(|(code, text)| (code.to_owned(), text.to_owned())).collect();
        self.0.push(Field { name: name.into(), label: label.into(), value: value.to_string(), choices, tick: false });
        self
    }

    /// With a box more, ticked or not: one that is not ticked is not sent.
    #[must_use]
    pub fn tick(mut self, name: &'static str, label: &'static str, ticked: bool) -> Self {
        let choices = [("true", "Yes"), ("", "No")].map(|(code, text)| (code.to_owned(), text.to_owned())).to_vec();
        let value = if ticked { "true" } else { "" }.to_owned();
        self.0.push(Field { name: name.into(), label: label.into(), value, choices, tick: true });
        self
    }

    /// All of it as the form carries it.
    #[must_use]
    pub fn text(&self) -> String {
        let pairs = self.0.iter().map(|field| (field.name.to_string(), Value::String(field.value.clone())));
        Value::Object(pairs.collect::<Map<_, _>>()).to_string()
    }

    /// The hidden pair of the form: what it saw when it was first opened.
    #[must_use]
    pub fn hidden(&self, typed: &Typed) -> (String, String) {
        (FIELD.to_owned(), typed.value(FIELD, self.text()))
    }

    /// Short for all of it: what the button to save over it carries.
    #[must_use]
    pub fn version(&self) -> String {
        version(&self.text())
    }

    /// What differs between the form as it came back, the row as it is now, and the row as the form saw it. Nothing
    /// while nobody else has changed it.
    #[must_use]
    pub fn differences(&self, typed: &Typed) -> Vec<Difference> {
        let seen = typed.value(FIELD, "");
        if seen.is_empty() || seen == self.text() {
            return vec![];
        }
        let before: Option<Map<String, Value>> = serde_json::from_str(&seen).ok();
        self.0.iter().filter_map(|field| field.difference(before.as_ref(), typed)).collect()
    }
}

impl Field {
    fn told(&self, value: &str) -> String {
        self.choices.iter().find(|(code, _)| code == value).map_or_else(|| value.to_owned(), |(_, text)| text.clone())
    }

    fn difference(&self, before: Option<&Map<String, Value>>, typed: &Typed) -> Option<Difference> {
        let was = before.and_then(|before| before.get(self.name.as_ref())).and_then(Value::as_str);
        let unsent = if self.tick { "" } else { was.unwrap_or(&self.value) };
        let yours = typed.value(&self.name, unsent);
        if was == Some(self.value.as_str()) && yours.trim() == self.value {
            return None;
        }
        Some(Difference {
            label: self.label.clone(),
            was: was.map(|was| self.told(was)),
            theirs: self.told(&self.value),
            yours: self.told(&yours),
        })
    }
}

/// Short for a row as a form saw it.
fn version(seen: &str) -> String {
    eis::values::hex::of(&Sha256::digest(seen)[..8])
}

/// What a form saw, or what it was told to save over: to be compared with the version that is there.
#[must_use]
pub fn seen_or_over(sent: &Sent) -> &str {
    let over = sent.value(OVER);
    if over.is_empty() { sent.value(FIELD) } else { over }
}

/// Makes sure that nobody changed the row after the form saw it. `now` was read and locked in the transaction that saves.
///
/// # Errors
/// The fault, at [`CHANGED`].
pub fn unchanged(sent: &Sent, now: &Shown) -> Result<(), FieldErrors> {
    let over = sent.value(OVER);
    match sent.value(FIELD) {
        "" => {
            Err(FieldErrors::one("", "This form does not say what it saw. Open its page again and send it from there."))
        }
        seen if seen == now.text() || over == now.version() => Ok(()),
        _ => Err(FieldErrors::one(CHANGED, refusal())),
    }
}

/// Whether the form saw this value in a field.
#[must_use]
pub fn names(sent: &Sent, field: &str, value: &str) -> bool {
    let seen: Option<Map<String, Value>> = serde_json::from_str(sent.value(FIELD)).ok();
    seen.as_ref().and_then(|seen| seen.get(field)).and_then(Value::as_str) == Some(value)
}

/// What is told of somebody else's change.
#[must_use]
pub fn refusal() -> &'static str {
    "Someone changed this after you opened it, so nothing was saved. Compare below: save yours over it, or correct it first."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, status: &str) -> Shown {
        let choices = [("active", "Active"), ("closed", "Closed")];
        Shown::default().field("name", "Name", name).choice("status", "Status", status, choices)
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_row_that_somebody_changed_is_saved_over_only_as_it_was_shown() {
        let (opened, now) = (row("A", "active"), row("B", "active"));
        let sent = |over: &str| Sent::new("", "", pairs(&[("seen", &opened.text()), ("over", over)]));
        assert_eq!(unchanged(&sent(""), &opened), Ok(()));
        assert!(!unchanged(&sent(""), &now).unwrap_err().of(CHANGED).is_empty());
        assert_eq!(unchanged(&sent(&now.version()), &now), Ok(()));
        assert!(unchanged(&sent(&now.version()), &row("C", "active")).is_err(), "changed once more");
        assert!(unchanged(&Sent::new("", "", vec![]), &now).is_err(), "a form that saw nothing");
    }

    #[test]
    fn both_versions_are_told_field_by_field_in_words() {
        let (opened, now) = (row("A", "active"), row("B", "closed"));
        let values = pairs(&[("seen", &opened.text()), ("name", "C"), ("status", "active")]);
        let typed = Typed { values, ..Typed::default() };
        let told: Vec<_> =
            now.differences(&typed).into_iter().map(|d| (d.label, d.was.unwrap(), d.theirs, d.yours)).collect();
        let line = |label: &'static str, was: &str, theirs: &str, yours: &str| {
            (Cow::from(label), was.to_owned(), theirs.to_owned(), yours.to_owned())
        };
        assert_eq!(told, [line("Name", "A", "B", "C"), line("Status", "Active", "Closed", "Active")]);
        assert!(opened.differences(&typed).is_empty(), "nobody changed it");
    }

    #[test]
    fn a_box_that_was_not_ticked_is_told_as_no() {
        let row = |name: &str, ticked| Shown::default().field("name", "Name", name).tick("all", "All", ticked);
        let (opened, now) = (row("A", true), row("B", true));
        let typed = Typed { values: pairs(&[("seen", &opened.text()), ("name", "A")]), ..Typed::default() };
        let told: Vec<_> = now.differences(&typed).into_iter().map(|d| (d.label, d.theirs, d.yours)).collect();
        let line =
            |label: &'static str, theirs: &str, yours: &str| (Cow::from(label), theirs.to_owned(), yours.to_owned());
        assert_eq!(told, [line("Name", "B", "A"), line("All", "Yes", "No")]);
    }
}

//! What a record keeps beside its sentence: the fields that changed, with what they were and what they are.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Map, Value, json};

/// Fields whose name says that they are nobody's to read are never put on record.
const SECRET: [&str; 5] = ["password", "secret", "token", "proof", "salt"];

/// Fields that are numbers, kept as text: 0.05 and 0.0500 are one rate. Any other text is what stands there, digit by
/// digit: an account 007 is not the account 7.
const FIGURES: [&str; 2] = ["tax_rate", "total"];

/// Whether a field says the same before and after.
fn is_same(name: &str, one: &Value, other: &Value) -> bool {
    let figure = |value: &Value| value.as_str().and_then(|text| text.parse::<Decimal>().ok());
    one == other || (FIGURES.contains(&name) && figure(one).zip(figure(other)).is_some_and(|(one, other)| one == other))
}

fn fields(of: impl Serialize) -> Map<String, Value> {
    let mut fields = match serde_json::to_value(of) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Map::new(),
        // On record, so that a record without fields never stands for one whose fields were lost.
        Err(fault) => return Map::from_iter([("not_recorded".to_owned(), Value::String(fault.to_string()))]),
    };
    fields.retain(|name, _| !SECRET.iter().any(|word| name.contains(word)));
    fields
}

/// Something new: its fields, without those left empty.
#[must_use]
pub fn created(after: impl Serialize) -> Value {
    let mut after = fields(after);
    after.retain(|_, value| !(value.is_null() || value == ""));
    json!({ "after": after })
}

/// Something changed: the fields that differ, before and after. A field that only one side names differs from none.
#[must_use]
pub fn changed(before: impl Serialize, after: impl Serialize) -> Value {
    let (mut before, mut after) = (fields(before), fields(after));
    let same = |name: &String, other: &Map<String, Value>, value: &Value| {
        is_same(name, other.get(name).unwrap_or(&Value::Null), value)
    };
    let was = before.clone();
    before.retain(|name, value| !same(name, &after, value));
    after.retain(|name, value| !same(name, &was, value));
    json!({ "before": before, "after": after })
}

/// Whether these are the details of a change that changed nothing.
pub(super) fn is_no_change(details: &Value) -> bool {
    let empty = |side: &str| details.get(side).and_then(Value::as_object).is_some_and(Map::is_empty);
    empty("before") && empty("after")
}

/// Something that is gone: what was there.
#[must_use]
pub fn removed(before: impl Serialize) -> Value {
    let mut before = fields(before);
    before.retain(|_, value| !(value.is_null() || value == ""));
    json!({ "before": before })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_fields_that_changed_are_kept() {
        let details = changed(
            json!({ "name": "A", "phone": "1", "until": null }),
            json!({ "name": "B", "phone": "1", "until": "2026-12-01" }),
        );
        let expected =
            json!({ "before": { "name": "A", "until": null }, "after": { "name": "B", "until": "2026-12-01" } });
        assert_eq!(details, expected);
        assert_eq!(changed(json!({ "name": "A" }), json!({ "name": "A" })), json!({ "before": {}, "after": {} }));
    }

    #[test]
    fn a_figure_written_with_more_zeros_is_no_change_and_a_name_of_digits_is() {
        let details = changed(
            json!({ "tax_rate": "0.0500", "tax_number": "1.10", "account_number": "007" }),
            json!({ "tax_rate": "0.05", "tax_number": "1.1", "account_number": "7" }),
        );
        let (before, after) = (&details["before"], &details["after"]);
        assert_eq!(*before, json!({ "tax_number": "1.10", "account_number": "007" }));
        assert_eq!(*after, json!({ "tax_number": "1.1", "account_number": "7" }));
        assert!(!is_no_change(&details));
        assert!(is_no_change(&changed(json!({ "tax_rate": "0.0500" }), json!({ "tax_rate": "0.05" }))));
        assert!(!is_no_change(&json!({})), "an event without details");
        assert!(!is_no_change(&changed(json!({ "tax_rate": "0.05" }), json!({ "tax_rate": "0.06" }))));
    }

    #[test]
    fn a_secret_is_never_put_on_record() {
        let person = json!({ "name": "A", "password_proof": "x", "reset_token": "y", "totp_secret": "z", "phone": "" });
        assert_eq!(created(&person), json!({ "after": { "name": "A" } }));
        assert_eq!(removed(&person), json!({ "before": { "name": "A" } }));
    }
}

//! What a record keeps beside its sentence: the fields that changed, with what they were and what they are.

use serde::Serialize;
use serde_json::{Map, Value, json};

/// Fields whose name says that they are nobody's to read are never put on record.
const SECRET: [&str; 5] = ["password", "secret", "token", "proof", "salt"];

fn fields(of: impl Serialize) -> Map<String, Value> {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(of) else { return Map::new() };
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
    let same =
        |name: &String, other: &Map<String, Value>, value: &Value| other.get(name).unwrap_or(&Value::Null) == value;
    let was = before.clone();
    before.retain(|name, value| !same(name, &after, value));
    after.retain(|name, value| !same(name, &was, value));
    json!({ "before": before, "after": after })
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
    fn a_secret_is_never_put_on_record() {
        let person = json!({ "name": "A", "password_proof": "x", "reset_token": "y", "totp_secret": "z", "phone": "" });
        assert_eq!(created(&person), json!({ "after": { "name": "A" } }));
        assert_eq!(removed(&person), json!({ "before": { "name": "A" } }));
    }
}

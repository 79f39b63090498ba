//! A JSON schema validator for the keywords that our schema uses; any other is a fault of the schema.

use std::cell::RefCell;
use std::collections::HashMap;

use regex::Regex;
use serde_json::Value;

/// Whether a document fits the schema; the first thing that does not.
pub fn fits(schema: &Value, document: &Value) -> Result<(), String> {
    Validator { root: schema }.check(schema, document, "")
}

thread_local! {
    /// Patterns made ready: making one takes much longer than using it.
    static PATTERNS: RefCell<HashMap<String, Regex>> = RefCell::default();
}

fn matches(pattern: &str, text: &str) -> bool {
    PATTERNS.with_borrow_mut(|known| {
        known.entry(pattern.to_owned()).or_insert_with(|| Regex::new(pattern).unwrap()).is_match(text)
    })
}

struct Validator<'s> {
    root: &'s Value,
}

impl Validator<'_> {
    fn check(&self, schema: &Value, value: &Value, path: &str) -> Result<(), String> {
        for (keyword, wanted) in schema.as_object().unwrap() {
            self.keyword(schema, keyword, wanted, value, path)?;
        }
        Ok(())
    }

    fn keyword(&self, schema: &Value, keyword: &str, wanted: &Value, value: &Value, path: &str) -> Result<(), String> {
        let fine = |fine: bool| if fine { Ok(()) } else { Err(format!("{path}: {keyword} {wanted}: {value}")) };
        let one = |schema: &Value| self.check(schema, value, path);
        let branches = || wanted.as_array().unwrap().iter().filter(|branch| one(branch).is_ok()).count();
        let number =
            |test: fn(f64, f64) -> bool| value.as_f64().is_none_or(|value| test(value, wanted.as_f64().unwrap()));
        let count = |test: fn(usize, usize) -> bool| {
            value.as_array().is_none_or(|list| test(list.len(), usize::try_from(wanted.as_u64().unwrap()).unwrap()))
        };
        match keyword {
            "$schema" | "$id" | "$defs" | "title" | "description" | "default" | "format" => Ok(()),
            "$ref" => one(self.root.pointer(wanted.as_str().unwrap().trim_start_matches('#')).unwrap()),
            "type" => fine(match wanted.as_str().unwrap() {
                "object" => value.is_object(),
                "array" => value.is_array(),
                "string" => value.is_string(),
                "boolean" => value.is_boolean(),
                "null" => value.is_null(),
                "number" => value.is_number(),
                "integer" => value.is_i64() || value.is_u64(),
                other => panic!("type {other}"),
            }),
            "const" => fine(value == wanted),
            "enum" => fine(wanted.as_array().unwrap().contains(value)),
            "pattern" => fine(value.as_str().is_none_or(|text| matches(wanted.as_str().unwrap(), text))),
            "minimum" => fine(number(|value, least| value >= least)),
            "maximum" => fine(number(|value, most| value <= most)),
            "exclusiveMinimum" => fine(number(|value, least| value > least)),
            "exclusiveMaximum" => fine(number(|value, most| value < most)),
            "minItems" => fine(count(|have, least| have >= least)),
            "maxItems" => fine(count(|have, most| have <= most)),
            "uniqueItems" => {
                fine(value.as_array().is_none_or(|list| (1..list.len()).all(|at| !list[..at].contains(&list[at]))))
            }
            "anyOf" => fine(branches() > 0),
            "oneOf" => fine(branches() == 1),
            "allOf" => wanted.as_array().unwrap().iter().try_for_each(one),
            "required" => fine(value.as_object().is_none_or(|map| {
                wanted.as_array().unwrap().iter().all(|name| map.contains_key(name.as_str().unwrap()))
            })),
            "items" => value
                .as_array()
                .into_iter()
                .flatten()
                .enumerate()
                .try_for_each(|(at, item)| self.check(wanted, item, &format!("{path}[{at}]"))),
            "properties" => wanted.as_object().unwrap().iter().try_for_each(|(name, schema)| {
                value.get(name).map_or(Ok(()), |value| self.check(schema, value, &format!("{path}.{name}")))
            }),
            "additionalProperties" => {
                let known = |name: &str| schema.get("properties").is_some_and(|known| known.get(name).is_some());
                value.as_object().into_iter().flatten().filter(|(name, _)| !known(name)).try_for_each(
                    |(name, value)| {
                        let path = format!("{path}.{name}");
                        if wanted == &Value::Bool(false) {
                            Err(format!("{path} is unknown"))
                        } else {
                            self.check(wanted, value, &path)
                        }
                    },
                )
            }
            other => panic!("the schema has the keyword {other}, which nothing checks"),
        }
    }
}

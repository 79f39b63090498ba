//! URDB (OpenEI utility rate database) JSON, versions 7 and 8, as a tariff document.
//!
//! Field meanings: <https://openei.org/services/doc/rest/util_rates/?version=8>. Periods are numbered from
//! 0 there and shown from 1 here. Rates are rounded to 6 decimals, as the portal keeps them. What cannot
//! be represented is named and refused, never dropped.

mod charges;
mod fields;
mod schedule;
mod structure;

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde_json::{Map, Value};

use super::{Fault, TariffDocument};

/// Whether the text looks like URDB: a rate structure at the top, or a list of `items`.
#[must_use]
pub fn is_urdb(value: &Value) -> bool {
    let structures = ["energyratestructure", "demandratestructure", "flatdemandstructure", "energyweekdayschedule"];
    let has = |object: &Map<String, Value>| object.keys().any(|key| structures.contains(&key.to_lowercase().as_str()));
    value.as_object().is_some_and(|object| has(object) || object.get("items").is_some_and(Value::is_array))
}

/// Imports one rate. URDB knows no zone: `zone` is the customer's.
///
/// # Errors
/// Every field that is wrong or cannot be represented.
pub fn import(value: &Value, zone: Tz) -> Result<TariffDocument, Vec<Fault>> {
    let (object, prefix) = rate(value)?;
    let mut rate = Rate { fields: BTreeMap::new(), prefix, faults: vec![] };
    for (key, value) in object.iter().filter(|(_, value)| !value.is_null()) {
        if let Some((other, _)) = rate.fields.insert(key.to_lowercase(), (key, value)) {
            rate.faults.push(Fault::new(format!("{prefix}{key}"), format!("{other} says the same thing again")));
        }
    }
    fields::refuse_unknown(&mut rate);
    let mut tariff = TariffDocument::empty(&fields::name(&mut rate), "USD", zone);
    tariff.description = fields::words(&mut rate);
    structure::energy(&mut rate, &mut tariff);
    structure::demand(&mut rate, &mut tariff);
    charges::fixed(&mut rate, &mut tariff);
    charges::minimums(&mut rate, &mut tariff);
    charges::export(&mut rate, &mut tariff);
    if rate.faults.is_empty() { Ok(tariff) } else { Err(rate.faults) }
}

fn rate(value: &Value) -> Result<(&Map<String, Value>, &'static str), Vec<Fault>> {
    let items = value.get("items").and_then(Value::as_array);
    match (items.map(Vec::as_slice), value.as_object()) {
        (Some([Value::Object(one)]), _) => Ok((one, "items[0].")),
        (Some(items), _) => {
            Err(vec![Fault::new("items", format!("a file must hold one rate; this one holds {}", items.len()))])
        }
        (None, Some(object)) => Ok((object, "")),
        (None, None) => Err(vec![Fault::new("", "a rate is a JSON object")]),
    }
}

/// A rate while it is read: its fields by lower-case name, and what is wrong with them.
struct Rate<'v> {
    fields: BTreeMap<String, (&'v str, &'v Value)>,
    prefix: &'static str,
    faults: Vec<Fault>,
}

impl<'v> Rate<'v> {
    fn get(&self, field: &str) -> Option<&'v Value> {
        self.fields.get(field).map(|(_, value)| *value)
    }

    /// A field's text; `None` where it says nothing. Anything else that it holds is noted as a fault.
    fn text(&mut self, field: &str) -> Option<String> {
        let value = self.get(field).filter(|value| !fields::empty(value))?;
        if !value.is_string() {
            self.fault(field, "", fields::NO_TEXT);
        }
        value.as_str().map(str::to_owned)
    }

    /// Notes a fault; `field` is the lower-case name, `rest` what follows it in the path.
    fn fault(&mut self, field: &str, rest: &str, message: impl Into<String>) {
        let name = self.fields.get(field).map_or(field, |(name, _)| name);
        self.faults.push(Fault::new(format!("{}{name}{rest}", self.prefix), message));
    }
}

#[cfg(test)]
mod tests;

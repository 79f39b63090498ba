//! What a record tells beyond its sentence: field, before, after.

use eis::access::Role;
use eis::audit;
use leptos::prelude::*;
use rust_decimal::Decimal;
use serde_json::Value;

use crate::components::{Column, DataTable};

/// One field of a record. Unchanged fields are left out.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    /// The field, in words.
    pub name: String,
    /// What it was; empty for none.
    pub before: String,
    /// What it is; empty for none.
    pub after: String,
}

/// The changes and figures that a record's details hold.
#[must_use]
pub fn of(details: &Value) -> Vec<Change> {
    let Value::Object(all) = details else { return Vec::new() };
    let fields = |key: &str| all.get(key).and_then(Value::as_object).cloned().unwrap_or_default();
    let (before, after) = (fields("before"), fields("after"));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    names.dedup();
    let changed = names.into_iter().filter_map(|name| {
        let (was, is) = (word(before.get(name)), word(after.get(name)));
        (was != is).then(|| Change { name: words(name), before: was, after: is })
    });
    let figures = all.iter().filter(|(name, value)| {
        !((*name == "before" || *name == "after") && value.is_object()) && !word(Some(value)).is_empty()
    });
    let figures =
        figures.map(|(name, value)| Change { name: words(name), before: String::new(), after: word(Some(value)) });
    changed.chain(figures).collect()
}

/// `service_address` reads `Service address`.
fn words(name: &str) -> String {
    if name == "kwh" {
        return "kWh".to_owned();
    }
    let text = name.replace('_', " ");
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn word(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::Number(figure)) => audit::grouped(figure),
        Some(Value::String(text)) if text.contains('.') && text.parse::<Decimal>().is_ok() => audit::grouped(text),
        Some(Value::String(text)) => Role::parse(text).map_or_else(|| text.clone(), |role| role.label().to_owned()),
        Some(Value::Bool(flag)) => if *flag { "yes" } else { "no" }.to_owned(),
        Some(Value::Array(items)) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(|item| word(Some(item))).collect::<Vec<_>>().join(", ")
        }
        Some(other) => other.to_string(),
    }
}

/// The changes behind a fold; nothing where there are none.
pub fn fold(changes: Vec<Change>, about: &str) -> Option<impl IntoView + use<>> {
    (!changes.is_empty()).then(|| {
        let count = if changes.len() == 1 { "1 field".to_owned() } else { format!("{} fields", changes.len()) };
        let about = about.to_owned();
        let dash = |text: String| if text.is_empty() { "–".to_owned() } else { text };
        let was = changes.iter().any(|change| !change.before.is_empty());
        let is = changes.iter().any(|change| !change.after.is_empty());
        let heads = match (was, is) {
            (true, true) => vec!["Field", "Before", "After"],
            (true, false) => vec!["Field", "Was"],
            _ => vec!["Field", "Value"],
        };
        let columns = heads.into_iter().map(Column::text).collect();
        let rows = changes
            .into_iter()
            .map(|change| {
                view! {
                    <tr>
                        <th scope="row">{change.name}</th>
                        {was.then(|| view! { <td>{dash(change.before)}</td> })}
                        {is.then(|| view! { <td>{dash(change.after)}</td> })}
                    </tr>
                }
            })
            .collect_view();
        view! {
            <details class="behind">
                <summary>{count}</summary>
                <DataTable caption=format!("What changed: {about}") columns=columns>{rows}</DataTable>
            </details>
        }
    })
}

/// The changes in one line, for a spreadsheet.
#[must_use]
pub fn line(changes: &[Change]) -> String {
    let told = changes.iter().map(|change| match (change.before.as_str(), change.after.as_str()) {
        ("", after) => format!("{}: {after}", change.name),
        (before, "") => format!("{}: was {before}", change.name),
        (before, after) => format!("{}: {before} → {after}", change.name),
    });
    told.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_what_changed_is_told() {
        let details = json!({ "before": { "name": "A", "phone": "1" }, "after": { "name": "B", "phone": "1" }, "kwh": "38047.806", "invoices": 1200 });
        let told = of(&details);
        assert_eq!(told.len(), 3);
        assert_eq!(told[0], Change { name: "Name".into(), before: "A".into(), after: "B".into() });
        assert_eq!((told[1].after.as_str(), told[2].after.as_str()), ("1,200", "38,047.806"));
        assert_eq!(line(&told), "Name: A → B; Invoices: 1,200; kWh: 38,047.806");
    }
}

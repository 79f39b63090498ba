//! Which fields matter, which do not, and which are refused.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde_json::{Number, Value};

use super::Rate;
use crate::values::money::Rounding;

/// Fields that become charges.
const READ: &[&str] = &[
    "energyratestructure",
    "energyweekdayschedule",
    "energyweekendschedule",
    "demandratestructure",
    "demandweekdayschedule",
    "demandweekendschedule",
    "demandwindow",
    "demandunits",
    "demandrateunit",
    "flatdemandstructure",
    "flatdemandmonths",
    "flatdemandunit",
    "flatdemandunits",
    "lookbackpercent",
    "lookbackmonths",
    "lookbackrange",
    "fixedmonthlycharge",
    "fixedchargefirstmeter",
    "fixedchargeunits",
    "annualmincharge",
    "minmonthlycharge",
    "mincharge",
    "minchargeunits",
    "dgrules",
    "usenetmetering",
];

/// Fields that say who, where and since when, or whom the rate is open to: nothing that a bill depends on.
const ABOUT: &[&str] = &[
    "label",
    "name",
    "uri",
    "utility",
    "eiaid",
    "country",
    "sector",
    "servicetype",
    "description",
    "source",
    "sourceparent",
    "approved",
    "is_default",
    "startdate",
    "enddate",
    "effectivedate",
    "supersedes",
    "supercedes",
    "sourcereference",
    "mindemand",
    "maxdemand",
    "servicemin",
    "servicemax",
    "revisions",
    "version",
    "basicinformationcomments",
    "energycomments",
    "demandcomments",
    "applicability",
    "voltagecategory",
    "voltageminimum",
    "voltagemaximum",
    "phasewiring",
    "peakkwcapacitymin",
    "peakkwcapacitymax",
    "peakkwcapacityhistory",
    "peakkwhusagemin",
    "peakkwhusagemax",
    "peakkwhusagehistory",
    "demandattrs",
    "energyattrs",
    "fixedattrs",
    "flatdemandattrs",
    "energytoulabels",
    "demandtoulabels",
    "demandlabels",
    "openeiversion",
    "_id",
    "latest_update",
    "ratename",
    "rate_name",
    "year",
];

/// What is told of a field that should be a text.
pub const NO_TEXT: &str = "this is not a text";

/// What the rate is called; a name of ours where it has none, for nothing is billed by it.
pub fn name(rate: &mut Rate<'_>) -> String {
    rate.text("name").or_else(|| rate.text("label")).unwrap_or_else(|| "URDB rate".to_owned())
}

/// What a rate says in words: its description, then comments and attributes with the field's name.
pub fn words(rate: &mut Rate<'_>) -> String {
    let description = rate.text("description");
    let remarks = rate.fields.iter().filter(|(name, (_, value))| {
        (name.ends_with("comments") || name.ends_with("attrs") || name.ends_with("labels")) && !empty(value)
    });
    let remarks = remarks.map(|(_, (name, value))| match value {
        Value::String(text) => format!("{name}: {text}"),
        other => format!("{name}: {other}"),
    });
    description.into_iter().chain(remarks).collect::<Vec<_>>().join("\n")
}

/// Refuses fields that would change a bill and are not represented.
pub fn refuse_unknown(rate: &mut Rate<'_>) {
    let unknown: Vec<String> = rate
        .fields
        .iter()
        .filter(|(name, (_, value))| !known(name) && !empty(value))
        .map(|(name, _)| name.clone())
        .collect();
    for field in unknown {
        rate.fault(&field, "", "this cannot be represented: a bill may depend on it, so the rate is refused");
    }
}

fn known(name: &str) -> bool {
    READ.contains(&name) || ABOUT.contains(&name)
}

/// Whether a field says nothing: null, zero, false, an empty text, or a list of such.
pub fn empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Bool(true) => false,
        Value::Number(number) => decimal(number).is_some_and(|number| number.is_zero()),
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.iter().all(empty),
        Value::Object(map) => map.values().all(empty),
    }
}

/// A number by its shortest text, never by float arithmetic; `None` beyond what a decimal holds.
pub fn decimal(number: &Number) -> Option<Decimal> {
    let text = number.to_string();
    Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text)).ok()
}

/// A rate as the portal keeps it: 6 decimals.
pub fn price(value: &Value) -> Option<Decimal> {
    let exact = value.as_number().and_then(decimal)?;
    Some(Rounding::HalfAwayFromZero.apply(exact, 6).normalize())
}

/// A block's limit: 3 decimals; `Some(None)` where it is so large that it means none (URDB writes 1e38).
pub fn limit(value: &Value) -> Option<Option<Decimal>> {
    let number = value.as_number()?;
    let text = number.to_string();
    // Below zero, or too small for a decimal, it is no limit; what is too large for one is the end that there is not.
    if text.starts_with('-') || (text.contains("e-") && decimal(number).is_none()) {
        return None;
    }
    let limit = decimal(number).filter(|limit| *limit < Decimal::from(1_000_000_000));
    Some(limit.map(|limit| Rounding::HalfAwayFromZero.apply(limit, 3).normalize()))
}

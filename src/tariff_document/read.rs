//! From text to a document: this format or URDB's, told apart by content; faults carry line and column.

use chrono_tz::Tz;
use serde_json::Value;

use super::validate::Fault;
use super::{FORMAT, TariffDocument, locate, urdb};

/// Reads a tariff. `zone` is taken for formats that have none (URDB).
///
/// # Errors
/// Every fault with its field and its place in the text; never empty.
pub fn read(text: &str, zone: Tz) -> Result<TariffDocument, Vec<Fault>> {
    let text = text.trim_start_matches('\u{feff}');
    let value: Value = serde_json::from_str(text).map_err(|fault| vec![syntax(&fault)])?;
    let read = if value.get("format").is_some() { own(text, &value) } else { foreign(&value, zone) };
    let faults = match read {
        Ok(tariff) => match tariff.validate() {
            faults if faults.is_empty() => return Ok(tariff),
            faults => faults,
        },
        Err(faults) => faults,
    };
    Err(faults.into_iter().map(|fault| locate::place(text, fault)).collect())
}

fn own(text: &str, value: &Value) -> Result<TariffDocument, Vec<Fault>> {
    match value.get("format").and_then(Value::as_str) {
        Some(FORMAT) => serde_json::from_str(text).map_err(|fault| vec![syntax(&fault)]),
        _ => Err(vec![Fault::new("format", format!("this portal reads {FORMAT:?}"))]),
    }
}

fn foreign(value: &Value, zone: Tz) -> Result<TariffDocument, Vec<Fault>> {
    if urdb::is_urdb(value) {
        return urdb::import(value, zone);
    }
    Err(vec![Fault::new(
        "",
        format!("this is no tariff: neither \"format\": {FORMAT:?} nor URDB's rate structures are there"),
    )])
}

fn syntax(fault: &serde_json::Error) -> Fault {
    let text = fault.to_string();
    let message = text.rsplit_once(" at line ").map_or(text.as_str(), |(message, _)| message).to_owned();
    let place = |number: usize| Some(u64::try_from(number.max(1)).unwrap_or(1));
    Fault { path: String::new(), message, line: place(fault.line()), column: place(fault.column()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::UTC;

    #[test]
    fn a_document_is_written_and_read_back_unchanged() {
        let tariff = TariffDocument::flat("Basic", "EUR", chrono_tz::Europe::Berlin, "0.28".parse().unwrap())
            .and_daily("Base", "0.3".parse().unwrap());
        let text = serde_json::to_string_pretty(&tariff).unwrap();
        assert!(text.contains("\"price\": \"0.28\""), "{text}");
        assert_eq!(read(&text, UTC).unwrap(), tariff);
    }

    #[test]
    fn a_fault_has_line_and_column() {
        let tariff = TariffDocument::flat("Basic", "EUR", UTC, "0.28".parse().unwrap());
        let text = serde_json::to_string_pretty(&tariff).unwrap();
        let fault = |text: String| read(&text, UTC).unwrap_err()[0].to_string();
        assert_eq!(
            fault(text.replace("\"0.28\"", "\"0.1234567\"")),
            "16:24: energy[0].prices[0].blocks[0].price: a price has at most 6 decimals"
        );
        assert!(fault(text.replace("\"energy\"", "\"enrgy\"")).starts_with("7:9: unknown field `enrgy`"));
        assert!(fault(text.replace("eis-tariff/1", "eis-tariff/9")).contains("format: this portal reads"));
        assert!(fault("{\"a\":1}".to_owned()).contains("this is no tariff"));
        assert!(fault("{".to_owned()).starts_with("1:1: EOF"));
        assert!(fault("[]".to_owned()).contains("this is no tariff"));
    }
}

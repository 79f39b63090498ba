//! From text to a document: this format or URDB's, told apart by content; faults carry line and column.

use chrono_tz::Tz;
use serde_json::Value;

use super::once::Once;
use super::validate::Fault;
use super::{FORMAT, TariffDocument, locate, urdb};

/// Reads a tariff. `zone` is taken for formats that have none (URDB).
///
/// # Errors
/// Every fault with its field and its place in the text; never empty.
pub fn read(text: &str, zone: Tz) -> Result<TariffDocument, Vec<Fault>> {
    let text = text.trim_start_matches('\u{feff}');
    serde_json::from_str::<Once>(text).map_err(|fault| vec![syntax(&fault)])?;
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

/// Whether a tariff names its zone: the portal's own form does, URDB's has none.
#[must_use]
pub fn has_zone(text: &str) -> bool {
    let value = serde_json::from_str::<Value>(text.trim_start_matches('\u{feff}'));
    value.is_ok_and(|value| value.get("format").is_some())
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

    #[test]
    fn every_kind_of_charge_is_written_and_read_back_unchanged() {
        use crate::tariff_document::*;
        let decimal = |text: &str| text.parse::<rust_decimal::Decimal>().unwrap();
        let periods = [("off-peak", decimal("0.2")), ("on-peak", decimal("0.4"))];
        let mut tariff =
            TariffDocument::time_of_use("All", "EUR", chrono_tz::Europe::Berlin, &periods, [0; 24], [1; 24]);
        let rider = |name: &str, kind| Adjustment { name: name.to_owned(), kind };
        tariff.adjustments = vec![
            rider("Fuel", AdjustmentKind::Kwh { price: decimal("-0.01") }),
            rider("City", AdjustmentKind::Percent { percent: decimal("2.5"), of: vec![LineKind::Energy] }),
            rider("Once", AdjustmentKind::Period { price: decimal("1.5") }),
        ];
        tariff.energy[0].blocks_per = BlockBasis::NormalDays(30);
        tariff.fixed.push(FixedCharge {
            name: "Base".to_owned(),
            price: decimal("9"),
            per: FixedBasis::Month,
            proration: Proration::NormalDays(30),
        });
        tariff.minimums.push(Minimum {
            name: "Least".to_owned(),
            amount: decimal("5"),
            per: MinimumBasis::Year,
            counts: vec![],
        });
        tariff.demand.push(DemandCharge {
            name: "Demand".to_owned(),
            register: None,
            calendar: None,
            per_period: false,
            window_minutes: Some(15),
            prices: vec![PriceCell::flat(decimal("7"))],
            ratchet: Some(Ratchet { percent: decimal("80"), months: 11, only: vec![12] }),
        });
        let settlement = Some(Settlement { month: 4, price: decimal("0.05") });
        let sell = || (Some("time of use".to_owned()), vec![PriceCell::flat(decimal("0.1"))]);
        let forms = [
            ExportCredit::NetMetering(NetMetering { roll_over: true, settlement }),
            ExportCredit::NetBilling { calendar: sell().0, netting: Netting::Hour, prices: sell().1, roll_over: true },
            ExportCredit::BuyAllSellAll { calendar: sell().0, prices: sell().1, roll_over: false },
        ];
        for form in forms {
            tariff.export = Some(form);
            let text = serde_json::to_string_pretty(&tariff).unwrap();
            assert_eq!(read(&text, UTC), Ok(tariff.clone()), "{text}");
        }
        let text = serde_json::to_string_pretty(&tariff).unwrap();
        for (known, unknown) in [
            ("\"price\": \"-0.01\"", "\"prize\": \"-0.01\""),
            ("\"roll_over\"", "\"rollover\""),
            ("\"percent\": \"2.5\"", "\"percent\": \"2.5\", \"x\": 1"),
        ] {
            assert!(
                text.contains(known) && read(&text.replace(known, unknown), UTC).is_err(),
                "{unknown} is refused, not dropped"
            );
        }
    }

    #[test]
    fn amounts_are_read_in_plain_spelling_alone_as_the_schema_has_it() {
        let tariff = TariffDocument::flat("Basic", "EUR", UTC, "0.28".parse().unwrap());
        let text = serde_json::to_string_pretty(&tariff).unwrap();
        for spelling in ["1_0", "1e2", "1E-2", " 1", "1,5", ""] {
            let faults = read(&text.replace("\"0.28\"", &format!("{spelling:?}")), UTC).unwrap_err();
            assert_eq!(
                faults[0].to_string(),
                format!(
                    "16:{}: invalid value: string {spelling:?}, expected a plain decimal number such as \"0.28\"",
                    25 + spelling.len()
                )
            );
        }
        for (field, value) in [("from", "\"0_0\""), ("to", "\"1_0\"")] {
            let more = format!("\"price\": \"0.28\", {field:?}: {value}");
            assert!(read(&text.replace("\"from\": \"0\",", "").replace("\"price\": \"0.28\"", &more), UTC).is_err());
        }
        for (spelling, price) in [("0.5", "0.5"), ("1e2", "100"), ("\"+.5\"", "0.5"), ("7", "7"), ("-1", "-1")] {
            let read = read(&text.replace("\"0.28\"", spelling), UTC).unwrap();
            assert_eq!(read.energy[0].prices[0].blocks[0].price.to_string(), price, "{spelling}");
        }
    }

    #[test]
    fn every_amount_of_a_document_is_refused_in_another_spelling() {
        let charges = [
            r#""fixed": [{"name": "Base", "price": "1_0", "per": "month"}]"#,
            r#""adjustments": [{"name": "Fuel", "per": "kwh", "price": "1_0"}]"#,
            r#""adjustments": [{"name": "Fuel", "per": "period", "price": "1e1"}]"#,
            r#""adjustments": [{"name": "Fuel", "per": "percent", "percent": "1_0"}]"#,
            r#""minimums": [{"name": "Least", "amount": "1_0", "per": "day"}]"#,
            r#""taxes": [{"name": "VAT", "percent": "1_9"}]"#,
            r#""export": {"form": "net_metering", "settlement": {"month": 4, "price": "1_0"}}"#,
            r#""rounding": {"payable_step": "1_0"}"#,
        ];
        for charge in charges {
            let document = |charge: &str| {
                let text =
                    format!(r#"{{"format": "eis-tariff/1", "name": "A", "currency": "EUR", "zone": "UTC", {charge}}}"#);
                read(&text, UTC)
            };
            let faults = document(charge).unwrap_err();
            assert!(faults[0].message.contains("expected a plain decimal number"), "{charge}: {faults:?}");
            let plain = charge.replace("\"1_", "\"1").replace("1e1", "10");
            assert!(document(&plain).is_ok(), "{plain}");
        }
    }
}

//! What a document looks like from afar: its kind, and its energy steps as rows.

use rust_decimal::Decimal;

use crate::parties::clients::Client;
use crate::tariff_document::{PriceCell, TariffDocument, Tax};

/// A step of the energy price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockRow {
    /// Time-of-use period, with its season where the tariff has several; empty: at all times.
    pub tou_period: String,
    /// Where it begins.
    pub from_kwh: Decimal,
    /// Where it ends; `None`: nowhere.
    pub to_kwh: Option<Decimal>,
    /// Per kWh.
    pub price: Decimal,
}

/// The energy steps of a document, charge by charge.
#[must_use]
pub fn blocks_of(document: &TariffDocument) -> Vec<BlockRow> {
    let cells = document.energy.iter().flat_map(|charge| &charge.prices);
    cells
        .flat_map(|cell| {
            cell.blocks.iter().map(|block| BlockRow {
                tou_period: period_of(cell),
                from_kwh: block.from,
                to_kwh: block.to,
                price: block.price,
            })
        })
        .collect()
}

fn period_of(cell: &PriceCell) -> String {
    let parts = [cell.season.as_deref(), cell.period.as_deref()];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The document as a client's bills are rated: a tariff that names no tax bears the client's.
#[must_use]
pub fn as_billed(mut document: TariffDocument, client: &Client) -> TariffDocument {
    if document.taxes.is_empty() && client.tax_rate > Decimal::ZERO {
        let name = if client.tax_name.is_empty() { "Tax".to_owned() } else { client.tax_name.clone() };
        let percent = (client.tax_rate * Decimal::ONE_HUNDRED).normalize();
        document.taxes.push(Tax { name, percent, on: vec![], names: vec![] });
    }
    document
}

/// The kind of a document, as the database spells it.
#[must_use]
pub fn kind_of(document: &TariffDocument) -> &'static str {
    let cells = || document.energy.iter().flat_map(|charge| &charge.prices);
    let tiered = cells().any(|cell| cell.blocks.len() > 1);
    let time_of_use = cells().any(|cell| cell.period.is_some() || cell.season.is_some());
    match (document.demand.is_empty(), tiered, time_of_use) {
        (true, false, false) => "flat",
        (true, true, false) => "tiered",
        (true, false, true) => "time_of_use",
        (false, false, false) => "demand",
        _ => "mixed",
    }
}

/// A kind as people read it.
#[must_use]
pub fn kind_label(kind: &str) -> &'static str {
    match kind {
        "flat" => "Flat",
        "tiered" => "Tiered",
        "time_of_use" => "Time of use",
        "demand" => "Demand",
        _ => "Mixed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn a_tiered_tariff_is_read_off_step_by_step() {
        let steps = [(Some(dec("500")), dec("0.10")), (None, dec("0.15"))];
        let tariff = TariffDocument::tiered("T", "USD", Tz::UTC, &steps);
        let rows = blocks_of(&tariff);
        assert_eq!(kind_of(&tariff), "tiered");
        assert_eq!((rows[0].from_kwh, rows[0].to_kwh), (dec("0"), Some(dec("500"))));
        assert_eq!((rows[1].from_kwh, rows[1].to_kwh, rows[1].price), (dec("500"), None, dec("0.15")));
    }

    #[test]
    fn kinds_follow_from_the_document() {
        assert_eq!(kind_of(&TariffDocument::flat("F", "USD", Tz::UTC, dec("0.2"))), "flat");
        let periods = [("Off-peak", dec("0.1")), ("On-peak", dec("0.3"))];
        let tou = TariffDocument::time_of_use("T", "USD", Tz::UTC, &periods, [0; 24], [0; 24]);
        assert_eq!(kind_of(&tou), "time_of_use");
        assert_eq!(blocks_of(&tou)[1].tou_period, "On-peak");
    }
}

//! What a new tariff begins with.

use eis::parties::clients::Client;
use eis::tariff_document::{self, PriceCell, TariffDocument};
use rust_decimal::Decimal;

/// What a new tariff of a kind begins with: the client's currency, zone and tax, prices still to be typed.
pub(super) fn starter(kind: &str, client: &Client) -> TariffDocument {
    let zone = client.zone();
    let (currency, none) = (client.currency.as_str(), Decimal::ZERO);
    let steps = [(Some(Decimal::from(500)), none), (None, none)];
    let mut weekday = [0_u8; 24];
    weekday.get_mut(16..21).unwrap_or_default().fill(1);
    let periods = [("Off-peak", none), ("On-peak", none)];
    let mut document = match kind {
        "tiered" => TariffDocument::tiered("", currency, zone, &steps),
        "time_of_use" => TariffDocument::time_of_use("", currency, zone, &periods, weekday, [0; 24]),
        _ => TariffDocument::flat("", currency, zone, none),
    };
    if kind == "demand" {
        document.demand.push(tariff_document::DemandCharge {
            name: "Demand".to_owned(),
            register: None,
            calendar: None,
            per_period: false,
            window_minutes: Some(15),
            prices: vec![PriceCell::flat(none)],
            ratchet: None,
        });
    }
    let document = document.and_monthly("Base charge", none);
    if client.tax_rate > none {
        let name = if client.tax_name.is_empty() { "Tax" } else { client.tax_name.as_str() };
        return document.and_tax(name, (client.tax_rate * Decimal::ONE_HUNDRED).normalize());
    }
    document
}

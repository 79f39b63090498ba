//! A tariff made ready for rating: checked, its calendars as tables, its prices by cell.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::calendar::CompiledCalendar;
use super::registers::watt_hours;
use crate::tariff_document::{Block, ExportCredit, Fault, LineKind, PriceCell, TariffDocument};

/// A checked tariff, made ready once and used for any number of bills.
#[derive(Debug, Clone)]
pub struct CompiledTariff {
    pub(super) document: TariffDocument,
    pub(super) energy: Vec<Charge>,
    pub(super) demand: Vec<Charge>,
    pub(super) export: Option<Charge>,
}

/// Prices by the cells of a calendar.
#[derive(Debug, Clone)]
pub struct Charge {
    pub name: String,
    pub calendar: Option<CompiledCalendar>,
    /// Index into `prices` of every cell of the calendar.
    price_of: Vec<u16>,
    pub prices: Vec<Price>,
}

/// One price with its blocks.
#[derive(Debug, Clone)]
pub struct Price {
    pub season: Option<String>,
    /// Its place in the calendar's seasons.
    pub season_at: Option<usize>,
    pub period: Option<String>,
    pub blocks: Vec<Block>,
    /// Where each block but the last ends, in watt-hours.
    pub ends: Vec<i64>,
}

impl CompiledTariff {
    /// Checks a tariff and makes it ready.
    ///
    /// # Errors
    /// The faults of [`TariffDocument::validate`].
    pub fn new(document: &TariffDocument) -> Result<Self, Vec<Fault>> {
        let faults = document.validate();
        if !faults.is_empty() {
            return Err(faults);
        }
        let calendars: BTreeMap<&String, CompiledCalendar> = document
            .calendars
            .iter()
            .map(|(name, calendar)| (name, CompiledCalendar::new(calendar, document.clock)))
            .collect();
        let charge = |name: &str, calendar: &Option<String>, prices: &[PriceCell]| {
            Charge::new(name, calendar.as_ref().and_then(|name| calendars.get(name)).cloned(), prices)
        };
        let energy =
            document.energy.iter().map(|energy| charge(&energy.name, &energy.calendar, &energy.prices)).collect();
        let demand =
            document.demand.iter().map(|demand| charge(&demand.name, &demand.calendar, &demand.prices)).collect();
        let export = match &document.export {
            Some(
                ExportCredit::NetBilling { calendar, prices, .. }
                | ExportCredit::BuyAllSellAll { calendar, prices, .. },
            ) => Some(charge("Energy fed in", calendar, prices)),
            _ => None,
        };
        Ok(Self { document: document.clone(), energy, demand, export })
    }

    /// The document it was made from.
    #[must_use]
    pub const fn document(&self) -> &TariffDocument {
        &self.document
    }

    /// Names and per cents of the taxes on a line.
    pub(super) fn taxes(&self, kind: LineKind, name: &str) -> Vec<(String, Decimal)> {
        let all = |tax: &crate::tariff_document::Tax| tax.on.is_empty() && tax.names.is_empty();
        let taxed = self
            .document
            .taxes
            .iter()
            .filter(|tax| all(tax) || tax.on.contains(&kind) || tax.names.iter().any(|known| known == name));
        taxed.map(|tax| (tax.name.clone(), tax.percent)).collect()
    }
}

impl Charge {
    fn new(name: &str, calendar: Option<CompiledCalendar>, cells: &[PriceCell]) -> Self {
        let season_at = |name: &String| calendar.as_ref()?.seasons.iter().position(|known| known == name);
        let prices = cells.iter().map(|cell| Price {
            season: cell.season.clone(),
            season_at: cell.season.as_ref().and_then(season_at),
            period: cell.period.clone(),
            blocks: cell.blocks.clone(),
            ends: cell.blocks.iter().filter_map(|block| block.to).map(watt_hours).collect(),
        });
        let prices: Vec<Price> = prices.collect();
        let price_of = calendar.as_ref().map_or_else(Vec::new, |calendar| {
            (0..calendar.cells()).map(|cell| price_index(calendar, cells, cell)).collect()
        });
        Self { name: name.to_owned(), calendar, price_of, prices }
    }

    /// The price of a cell.
    pub fn price_of(&self, cell: u16) -> usize {
        self.price_of.get(usize::from(cell)).copied().unwrap_or(0).into()
    }
}

fn price_index(calendar: &CompiledCalendar, cells: &[PriceCell], cell: usize) -> u16 {
    let (season, period) = calendar.of_cell(cell);
    let name = |names: &[String], at: usize| names.get(at).cloned().unwrap_or_default();
    let (season, period) = (name(&calendar.seasons, season), name(&calendar.periods, period));
    let found = cells.iter().position(|cell| cell.holds(&season, &period));
    u16::try_from(found.unwrap_or(0)).unwrap_or(0)
}

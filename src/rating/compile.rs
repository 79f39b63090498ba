//! A tariff made ready for rating: checked, its calendars as tables, its prices by cell, its lines described.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Datelike;
use rust_decimal::Decimal;

use super::calendar::CompiledCalendar;
use super::error::RatingError;
use super::grid::Grid;
use super::item::{Item, Unit};
use super::measure::watt_hours;
use crate::tariff_document::{
    Adjustment, AdjustmentKind, Block, ExportCredit, Fault, LineKind, PriceCell, TariffDocument, Tax,
};
use crate::values::period::Period;

/// A checked tariff, made ready once and used for any number of bills.
#[derive(Debug, Clone)]
pub struct CompiledTariff {
    pub(super) document: TariffDocument,
    /// All calendars as one.
    pub(super) grid: Grid,
    pub(super) energy: Vec<Charge>,
    pub(super) demand: Vec<Charge>,
    pub(super) export: Option<Charge>,
    /// One of each fixed charge.
    pub(super) fixed: Vec<Arc<Item>>,
    /// One of each adjustment.
    pub(super) riders: Vec<Arc<Item>>,
    /// Calendars whose holidays matter to a charge.
    holidays: Vec<Holidays>,
}

/// A calendar whose holidays matter.
#[derive(Debug, Clone)]
struct Holidays {
    calendar: String,
    /// Whether they matter to demand, which each version measures over the whole billing period.
    of_demand: bool,
}

/// Prices by time.
#[derive(Debug, Clone)]
pub struct Charge {
    pub name: String,
    pub calendar: Option<CompiledCalendar>,
    /// Index into `prices` of every cell of the calendar; nothing where no hour has the cell and it has no price.
    of_calendar: Vec<Option<u16>>,
    /// Index into `prices` of every cell of the tariff's grid.
    of_grid: Vec<u16>,
    pub prices: Vec<Price>,
    /// Of a demand charge: under which name bills keep its highest demand at any time.
    pub record: Arc<str>,
}

/// Ends a charge's name where bills keep its highest demand: no name in a tariff has it. A period follows where there is
/// one; a second charge of the same name has it twice.
pub const OF_CHARGE: char = '\u{1f}';

/// One price with its blocks.
#[derive(Debug, Clone)]
pub struct Price {
    pub season: Option<String>,
    /// Its place in the calendar's seasons.
    pub season_at: Option<usize>,
    pub period: Option<String>,
    pub blocks: Vec<Block>,
    /// What a line of each block charges for.
    pub items: Vec<Arc<Item>>,
    /// Where each block but the last ends, in watt-hours.
    pub ends: Vec<i64>,
    /// Of a demand charge: under which name bills keep the highest demand at this price.
    pub record: Arc<str>,
    /// Of a demand charge: all names under which bills keep it, this one, the charge's and the period's.
    pub kept_as: Vec<Arc<str>>,
}

/// What the lines of a charge are like.
#[derive(Clone, Copy)]
struct Lines<'t> {
    kind: LineKind,
    unit: Unit,
    /// Whether they tell the time-of-use period.
    periods: bool,
    /// Whether they tell the block.
    blocks: bool,
    taxes: &'t [Tax],
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
        let calendars = Calendars::new(document);
        if !calendars.grid.fits() {
            let message = "all of them together have more different hours than can be told apart";
            return Err(vec![Fault::new("calendars", message)]);
        }
        let taxes = &document.taxes;
        let lines = |kind, unit| Lines { kind, unit, periods: true, blocks: true, taxes };
        let energy = document.energy.iter().map(|energy| {
            let lines = lines(LineKind::Energy, Unit::KilowattHour);
            calendars.charge(&energy.name, energy.calendar.as_ref(), &energy.prices, lines)
        });
        let demand = document.demand.iter().enumerate().map(|(at, demand)| {
            let lines = Lines { periods: demand.per_period, ..lines(LineKind::Demand, Unit::Kilowatt) };
            let charge = calendars.charge(&demand.name, demand.calendar.as_ref(), &demand.prices, lines);
            let namesakes = document.demand.iter().take(at).filter(|other| other.name == demand.name).count();
            charge.recorded(namesakes, demand.per_period)
        });
        let export = match &document.export {
            Some(
                ExportCredit::NetBilling { calendar, prices, .. }
                | ExportCredit::BuyAllSellAll { calendar, prices, .. },
            ) => {
                let lines = Lines { blocks: false, ..lines(LineKind::Credit, Unit::KilowattHour) };
                Some(calendars.charge("Energy fed in", calendar.as_ref(), prices, lines))
            }
            _ => None,
        };
        let fixed = document
            .fixed
            .iter()
            .map(|charge| Item::new(LineKind::Fixed, &charge.name, Unit::of_fixed(charge), charge.price, taxes));
        let riders = document.adjustments.iter().map(|adjustment| rider(adjustment, taxes));
        let (energy, demand) = (energy.collect(), demand.collect());
        let (fixed, riders) = (fixed.map(Arc::new).collect(), riders.map(Arc::new).collect());
        let holidays = holidays(document);
        Ok(Self { document: document.clone(), energy, demand, export, fixed, riders, holidays, grid: calendars.grid })
    }

    /// Checks that the holidays of all days that are rated are known.
    pub(super) fn knows_holidays(&self, part: Period, whole: Period) -> Result<(), RatingError> {
        for Holidays { calendar, of_demand } in &self.holidays {
            let days = if *of_demand { whole } else { part };
            let Some(known) = self.document.calendars.get(calendar) else { continue };
            let missing = (days.from().year()..=days.last().year()).find(|year| !known.knows_holidays_of(*year));
            if let Some(year) = missing {
                let message = known.holidays_missing(year);
                return Err(RatingError::Holidays { calendar: calendar.clone(), message });
            }
        }
        Ok(())
    }

    /// The document it was made from.
    #[must_use]
    pub const fn document(&self) -> &TariffDocument {
        &self.document
    }

    /// What a line charges for that only this bill has.
    pub(super) fn item(&self, kind: LineKind, name: &str, unit: Unit, price: Decimal) -> Item {
        Item::new(kind, name, unit, price, &self.document.taxes)
    }
}

/// The calendars whose holidays change a price or a demand.
fn holidays(document: &TariffDocument) -> Vec<Holidays> {
    let timed = |cells: &[PriceCell]| cells.iter().any(|cell| cell.period.is_some());
    let energy =
        document.energy.iter().filter(|charge| timed(&charge.prices)).filter_map(|charge| charge.calendar.as_ref());
    let export = match &document.export {
        Some(
            ExportCredit::NetBilling { calendar, prices, .. } | ExportCredit::BuyAllSellAll { calendar, prices, .. },
        ) if timed(prices) => calendar.as_ref(),
        _ => None,
    };
    let demand =
        document.demand.iter().filter(|charge| charge.per_period).filter_map(|charge| charge.calendar.as_ref());
    let demand: Vec<&String> = demand.collect();
    // Net metering nets by the periods of the first energy charge, which is one of these.
    let used: Vec<&String> = energy.chain(export).chain(demand.iter().copied()).collect();
    let calendars = document.calendars.iter().filter(|(name, known)| used.contains(name) && known.uses_holidays());
    calendars.map(|(name, _)| Holidays { calendar: name.clone(), of_demand: demand.contains(&name) }).collect()
}

fn rider(adjustment: &Adjustment, taxes: &[Tax]) -> Item {
    let (unit, price) = match &adjustment.kind {
        AdjustmentKind::Kwh { price } => (Unit::KilowattHour, *price),
        AdjustmentKind::Period { price } => (Unit::Each, *price),
        AdjustmentKind::Percent { percent, .. } => (Unit::Amount, percent / Decimal::ONE_HUNDRED),
    };
    Item::new(LineKind::Adjustment, &adjustment.name, unit, price, taxes)
}

/// A tariff's calendars by name, and all of them as one.
struct Calendars<'d> {
    by_name: BTreeMap<&'d String, CompiledCalendar>,
    grid: Grid,
}

impl<'d> Calendars<'d> {
    fn new(document: &'d TariffDocument) -> Self {
        let calendars = document.calendars.iter().map(|(name, calendar)| (name, CompiledCalendar::new(calendar)));
        let by_name: BTreeMap<&String, CompiledCalendar> = calendars.collect();
        let grid = Grid::new(&by_name.values().collect::<Vec<_>>(), document.clock);
        Self { by_name, grid }
    }

    fn charge(&self, name: &str, calendar: Option<&String>, cells: &[PriceCell], lines: Lines<'_>) -> Charge {
        let place = calendar.and_then(|name| self.by_name.keys().position(|known| *known == name));
        let calendar = calendar.and_then(|name| self.by_name.get(name)).cloned();
        let season_at = |name: &String| calendar.as_ref()?.seasons.iter().position(|known| known == name);
        let prices = cells.iter().map(|cell| Price {
            season: cell.season.clone(),
            season_at: cell.season.as_ref().and_then(season_at),
            period: cell.period.clone(),
            blocks: cell.blocks.clone(),
            items: items(name, cell, lines),
            ends: cell.blocks.iter().filter_map(|block| block.to).map(watt_hours).collect(),
            record: Arc::default(),
            kept_as: vec![],
        });
        let prices: Vec<Price> = prices.collect();
        let of_calendar: Vec<Option<u16>> = calendar.as_ref().map_or_else(Vec::new, |calendar| {
            (0..calendar.cells()).map(|cell| price_index(calendar, cells, cell)).collect()
        });
        let of_grid = match place {
            // Validation sees to it that every cell that an hour has is priced.
            Some(place) => {
                self.grid.cells_of(place).map(|cell| of_calendar.get(cell).copied().flatten().unwrap_or(0)).collect()
            }
            None => vec![0; self.grid.cells()],
        };
        Charge { name: name.to_owned(), calendar, of_calendar, of_grid, prices, record: Arc::default() }
    }
}

/// What a line of each block of a price charges for.
fn items(name: &str, cell: &PriceCell, lines: Lines<'_>) -> Vec<Arc<Item>> {
    let period = cell.period.as_deref().filter(|_| lines.periods);
    let several = lines.blocks && cell.blocks.len() > 1;
    let item = |(at, block): (usize, &Block)| {
        let block_at = several.then(|| u16::try_from(at + 1).unwrap_or(u16::MAX));
        let item = Item::new(lines.kind, name, lines.unit, block.price, lines.taxes);
        Arc::new(item.of_price(cell.season.as_deref(), period, block_at))
    };
    cell.blocks.iter().enumerate().map(item).collect()
}

impl Charge {
    /// The demand charge with the names of its records; `namesakes` come before it in the tariff.
    fn recorded(mut self, namesakes: usize, per_period: bool) -> Self {
        let ends = std::iter::repeat_n(OF_CHARGE, namesakes + 1);
        self.record = self.name.chars().chain(ends).collect::<String>().into();
        for price in &mut self.prices {
            let period = price.period.as_deref().filter(|_| per_period);
            price.record =
                period.map_or_else(|| self.record.clone(), |period| format!("{}{period}", self.record).into());
            let own = period.map(|_| price.record.clone());
            price.kept_as = [Some(self.record.clone()), own, period.map(Arc::from)].into_iter().flatten().collect();
        }
        self
    }

    /// Whether a bill keeps this charge's highest demand under the name.
    pub fn is_record(&self, name: &str) -> bool {
        name.strip_prefix(&*self.record).is_some_and(|period| !period.starts_with(OF_CHARGE))
    }

    /// The price of a cell of the charge's calendar; nothing where it has none.
    pub fn price_of(&self, cell: usize) -> Option<usize> {
        self.of_calendar.get(cell).copied().flatten().map(usize::from)
    }

    /// The price of a cell of the tariff's grid.
    pub fn price_at(&self, cell: u16) -> usize {
        self.of_grid.get(usize::from(cell)).copied().unwrap_or(0).into()
    }
}

fn price_index(calendar: &CompiledCalendar, cells: &[PriceCell], cell: usize) -> Option<u16> {
    let (season, period) = calendar.of_cell(cell);
    let name = |names: &[String], at: usize| names.get(at).cloned().unwrap_or_default();
    let (season, period) = (name(&calendar.seasons, season), name(&calendar.periods, period));
    let found = cells.iter().position(|cell| cell.holds(&season, &period));
    found.and_then(|found| u16::try_from(found).ok())
}

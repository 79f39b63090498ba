//! A calendar as lookup tables: the cell (season and period) of every quarter-hour of every kind of day.

use chrono::{Datelike, NaiveDate};

use crate::tariff_document::{Calendar, MonthDay};
use crate::values::period::Period;

/// Quarter-hours of a day.
pub const SLOTS: usize = 96;

/// A calendar made ready. How days run through it, beside the tariff's other calendars, is the
/// [`Grid`](super::grid::Grid)'s matter.
#[derive(Debug, Clone)]
pub struct CompiledCalendar {
    /// Season names.
    pub seasons: Vec<String>,
    /// Period names.
    pub periods: Vec<String>,
    /// Season of every day of the year, by [`MonthDay::index`].
    season_of: Vec<u8>,
    /// Season of every month that lies in one.
    months: [Option<usize>; 12],
    /// The cell of every slot, one list a season and kind of day.
    rows: Vec<Vec<u16>>,
    /// Dates that follow the pattern for holidays, in order.
    pub holidays: Vec<NaiveDate>,
    /// The longest interval that no change of period divides, in minutes.
    pub resolution: u16,
}

impl CompiledCalendar {
    pub fn new(calendar: &Calendar) -> Self {
        let mut season_of = vec![0; 372];
        for day in MonthDay::all() {
            let season = calendar.seasons.iter().position(|season| season.contains(day)).unwrap_or(0);
            if let Some(slot) = season_of.get_mut(day.index()) {
                *slot = u8::try_from(season).unwrap_or(0);
            }
        }
        let month = |month: u32| {
            let mut seasons =
                (1..=31).filter_map(|day| MonthDay::new(month, day)).map(|day| season_of.get(day.index()));
            let first = seasons.next().flatten()?;
            seasons.all(|season| season == Some(first)).then_some(usize::from(*first))
        };
        let months = std::array::from_fn(|at| month(u32::try_from(at + 1).unwrap_or(1)));
        let rows: Vec<Vec<u16>> = (0..calendar.seasons.len())
            .flat_map(|season| (0..8).map(move |kind| row(calendar, season, kind)))
            .collect();
        let mut holidays = calendar.holidays.clone();
        holidays.sort_unstable();
        let resolution = rows.iter().flat_map(|row| changes(row)).map(step).min().unwrap_or(60);
        let seasons = calendar.seasons.iter().map(|season| season.name.clone()).collect();
        Self { seasons, periods: calendar.periods.clone(), season_of, months, rows, holidays, resolution }
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        self.seasons.len() * self.periods.len()
    }

    /// Season of a date, from 0.
    pub fn season(&self, date: NaiveDate) -> usize {
        self.season_on(MonthDay::of(date))
    }

    /// Season of a day of the year, from 0.
    pub fn season_on(&self, day: MonthDay) -> usize {
        self.season_of.get(day.index()).copied().unwrap_or(0).into()
    }

    /// Days of a period in each season.
    pub fn days_of_seasons(&self, period: Period) -> Vec<i64> {
        let mut days = vec![0; self.seasons.len()];
        let mut add = |season: usize, more: i64| {
            if let Some(days) = days.get_mut(season) {
                *days += more;
            }
        };
        for month in period.months() {
            match self.season_of_month(month.from()) {
                Some(season) => add(season, month.days()),
                None => month.dates().for_each(|date| add(self.season(date), 1)),
            }
        }
        days
    }

    /// The season of all days of a month; `None` where it changes within.
    fn season_of_month(&self, date: NaiveDate) -> Option<usize> {
        let month = usize::try_from(date.month0()).unwrap_or(0);
        self.months.get(month).copied().flatten()
    }

    /// The cells of a season's kind of day, slot by slot; kinds as [`DayKind::index`] has them.
    ///
    /// [`DayKind::index`]: crate::tariff_document::DayKind::index
    pub fn slots(&self, season: usize, kind: usize) -> &[u16] {
        self.rows.get(season * 8 + kind).map(Vec::as_slice).unwrap_or_default()
    }

    /// Season and period of a cell, from 0.
    pub fn of_cell(&self, cell: usize) -> (usize, usize) {
        let periods = self.periods.len().max(1);
        (cell / periods, cell % periods)
    }

    /// Whether a season has the period on any day.
    pub fn uses(&self, season: usize, period: &str) -> bool {
        let used = |cell: &u16| self.periods.get(self.of_cell((*cell).into()).1).is_some_and(|name| name == period);
        // Holidays count where there are any.
        let kinds = if self.holidays.is_empty() { 7 } else { 8 };
        (0..kinds).any(|kind| self.slots(season, kind).iter().any(used))
    }
}

/// The slots at which the cell changes, and the first.
fn changes(row: &[u16]) -> impl Iterator<Item = usize> {
    (0..row.len()).filter(|at| *at == 0 || row.get(*at) != row.get(at - 1))
}

/// The longest usual interval that ends at a slot: 60, 30 or 15 minutes.
fn step(slot: usize) -> u16 {
    match slot % 4 {
        0 => 60,
        2 => 30,
        _ => 15,
    }
}

/// Holidays without a pattern follow their weekday, but validation refuses them before.
fn row(calendar: &Calendar, season: usize, kind: usize) -> Vec<u16> {
    let patterns = calendar.seasons.get(season).map(|season| season.days.as_slice()).unwrap_or_default();
    let pattern = patterns.iter().find(|pattern| pattern.on.iter().any(|day| day.index() == kind));
    let hours = pattern.map(|pattern| pattern.hours.as_slice()).unwrap_or_default();
    let cell = |slot: usize| {
        let period = hours.get(slot * hours.len() / SLOTS).copied().unwrap_or(0);
        u16::try_from(season * calendar.periods.len() + usize::from(period)).unwrap_or(0)
    };
    (0..SLOTS).map(cell).collect()
}

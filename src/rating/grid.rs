//! The calendars of a tariff laid over each other, so that one pass over a day's values serves every charge.
//!
//! A grid cell is a combination of cells, one of each calendar, that occurs at some time of some day. Each day is
//! cut into runs of one grid cell; a charge looks up its price by grid cell.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, Timelike};

use super::calendar::{CompiledCalendar, SLOTS};
use crate::tariff_document::{Clock, DayKind, MonthDay};
use crate::usage::days::{day_start, offset_minutes, standard_offset_minutes};
use crate::usage::{DayUsage, Profile};

/// All calendars of a tariff as one.
#[derive(Debug, Clone)]
pub struct Grid {
    /// Of each grid cell, the cell of every calendar.
    cells: Vec<Vec<u16>>,
    /// The first of the seven weekdays' rows for every day of a leap year.
    weeks: Vec<u16>,
    rows: Vec<Row>,
    /// Dates that are a holiday in any calendar, in order, each with its row.
    holidays: Vec<(NaiveDate, u16)>,
    clock: Clock,
    most_cells: usize,
}

/// The grid cells of a kind of day.
#[derive(Debug, Clone, Default)]
struct Row {
    slots: Vec<u16>,
    /// Runs of one cell in intervals of each length of [`LENGTHS`].
    runs: [Vec<Segment>; LENGTHS.len()],
}

/// Lengths of intervals in minutes; quarter-hours are those of the slots.
const LENGTHS: [u16; 4] = [15, 60, 30, 5];

/// Slots or intervals from `from` to without `to`, all of one grid cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub from: usize,
    pub to: usize,
    pub cell: u16,
}

impl Grid {
    /// Lays calendars over each other.
    pub fn new(calendars: &[&CompiledCalendar], clock: Clock) -> Self {
        let mut grid = Self { cells: vec![], weeks: vec![], rows: vec![], holidays: vec![], clock, most_cells: 0 };
        // Days of the year on which every calendar has the same season share their weekdays' rows.
        let mut seasons: Vec<Vec<usize>> = vec![];
        for day in MonthDay::all() {
            let own: Vec<usize> = calendars.iter().map(|calendar| calendar.season_on(day)).collect();
            let known = seasons.iter().position(|known| *known == own);
            let week = known.unwrap_or_else(|| {
                for kind in 0..7 {
                    grid.add_row(calendars, &own, |_| kind);
                }
                seasons.push(own);
                seasons.len() - 1
            });
            grid.weeks.push(u16::try_from(week * 7).unwrap_or(0));
        }
        grid.add_holidays(calendars);
        grid.most_cells = grid.rows.iter().map(Row::cells).max().unwrap_or(1);
        grid
    }

    fn add_holidays(&mut self, calendars: &[&CompiledCalendar]) {
        let mut dates: Vec<NaiveDate> =
            calendars.iter().flat_map(|calendar| calendar.holidays.iter().copied()).collect();
        dates.sort_unstable();
        dates.dedup();
        for date in dates {
            let seasons: Vec<usize> = calendars.iter().map(|calendar| calendar.season(date)).collect();
            let row = self.add_row(calendars, &seasons, |calendar| {
                let holiday = calendar.holidays.binary_search(&date).is_ok();
                if holiday { DayKind::Holiday.index() } else { weekday(date) }
            });
            self.holidays.push((date, row));
        }
    }

    /// Adds the row of a day with these seasons and kinds in the calendars; its place.
    fn add_row(
        &mut self,
        calendars: &[&CompiledCalendar],
        seasons: &[usize],
        kind: impl Fn(&CompiledCalendar) -> usize,
    ) -> u16 {
        let slots: Vec<&[u16]> =
            calendars.iter().zip(seasons).map(|(calendar, season)| calendar.slots(*season, kind(calendar))).collect();
        let cell = |slot: usize| self.intern(slots.iter().map(|slots| slots.get(slot).copied().unwrap_or(0)).collect());
        let slots = (0..SLOTS).map(cell).collect();
        self.rows.push(Row::new(slots));
        u16::try_from(self.rows.len() - 1).unwrap_or(0)
    }

    fn intern(&mut self, cells: Vec<u16>) -> u16 {
        let known = self.cells.iter().position(|known| *known == cells);
        let place = known.unwrap_or_else(|| {
            self.cells.push(cells);
            self.cells.len() - 1
        });
        u16::try_from(place).unwrap_or(0)
    }

    /// Of each grid cell, the cell of one of the calendars it was made of.
    pub fn cells_of(&self, calendar: usize) -> impl Iterator<Item = usize> {
        self.cells.iter().map(move |cells| cells.get(calendar).copied().unwrap_or(0).into())
    }

    /// How many grid cells there are.
    pub fn cells(&self) -> usize {
        self.cells.len()
    }

    /// Whether every cell and every row has a place of its own.
    pub fn fits(&self) -> bool {
        let most = usize::from(u16::MAX);
        self.cells.len() <= most && self.rows.len() <= most
    }

    /// As many grid cells as any usual day has.
    pub fn most_cells(&self) -> usize {
        self.most_cells
    }

    fn row(&self, date: NaiveDate) -> Option<&Row> {
        let holiday = self.holidays.binary_search_by_key(&date, |(date, _)| *date).ok();
        let place = match holiday.and_then(|at| self.holidays.get(at)) {
            Some((_, row)) => usize::from(*row),
            None => usize::from(self.weeks.get(leap_day(date)).copied().unwrap_or(0)) + weekday(date),
        };
        self.rows.get(place)
    }

    /// The day's intervals as runs of one cell; `scratch` holds them where they are this day's own.
    pub fn segments<'s>(&'s self, profile: &Profile, day: &DayUsage, scratch: &'s mut Vec<Segment>) -> &'s [Segment] {
        let known = LENGTHS.iter().position(|minutes| *minutes == profile.minutes);
        match known.filter(|_| self.clock != Clock::Standard && is_usual(profile, day)) {
            Some(length) => self.row(day.date).map(|row| row.runs[length].as_slice()).unwrap_or_default(),
            None => {
                scratch.clear();
                self.slow_segments(profile, day, scratch);
                scratch
            }
        }
    }

    /// Interval by interval: days when clocks change, and calendars on standard time.
    fn slow_segments(&self, profile: &Profile, day: &DayUsage, segments: &mut Vec<Segment>) {
        let start = day_start(profile.zone, day.date);
        let standard = standard_offset_minutes(profile.zone, day.date.year());
        for at in 0..day.values.len() {
            let minutes = i64::from(profile.minutes) * i64::try_from(at).unwrap_or(0);
            let instant = start + Duration::minutes(minutes);
            let offset = if self.clock == Clock::Standard { standard } else { offset_minutes(profile.zone, instant) };
            let cell = self.cell(instant.naive_utc() + Duration::minutes(offset.into()));
            match segments.last_mut() {
                Some(last) if last.cell == cell => last.to = at + 1,
                _ => segments.push(Segment { from: at, to: at + 1, cell }),
            }
        }
    }

    /// The grid cell of a local time.
    fn cell(&self, local: NaiveDateTime) -> u16 {
        let slot = usize::try_from(local.num_seconds_from_midnight() / 900).unwrap_or(0);
        self.row(local.date()).and_then(|row| row.slots.get(slot)).copied().unwrap_or(0)
    }
}

impl Row {
    fn new(slots: Vec<u16>) -> Self {
        let mut quarters: Vec<Segment> = vec![];
        for (slot, cell) in slots.iter().copied().enumerate() {
            match quarters.last_mut() {
                Some(last) if last.cell == cell => last.to = slot + 1,
                _ => quarters.push(Segment { from: slot, to: slot + 1, cell }),
            }
        }
        let of = |minutes: u16| {
            let scale = |slot: usize| slot * 15 / usize::from(minutes);
            quarters.iter().map(|run| Segment { from: scale(run.from), to: scale(run.to), cell: run.cell }).collect()
        };
        Self { runs: LENGTHS.map(of), slots }
    }

    /// How many cells it has.
    fn cells(&self) -> usize {
        let mut cells = self.slots.clone();
        cells.sort_unstable();
        cells.dedup();
        cells.len()
    }
}

/// The place of a date among the days of a leap year, from 0.
fn leap_day(date: NaiveDate) -> usize {
    let day = usize::try_from(date.ordinal0()).unwrap_or(0);
    if day >= 59 && !date.leap_year() { day + 1 } else { day }
}

/// 0 for Monday.
fn weekday(date: NaiveDate) -> usize {
    usize::try_from(date.weekday().num_days_from_monday()).unwrap_or(0)
}

/// Whether the day has 24 hours: then its clocks did not change.
fn is_usual(profile: &Profile, day: &DayUsage) -> bool {
    day.values.len() * usize::from(profile.minutes) == SLOTS * 15
}

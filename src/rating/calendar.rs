//! A calendar as lookup tables: the cell (season and period) of every quarter-hour of every kind of day.

use chrono::{Datelike, Duration, NaiveDate, NaiveDateTime, Timelike};

use crate::tariff_document::{Calendar, Clock, DayKind, MonthDay};
use crate::usage::days::{day_start, offset_minutes, standard_offset_minutes};
use crate::usage::{DayUsage, Profile};

/// Quarter-hours of a day.
const SLOTS: usize = 96;

/// A calendar made ready.
#[derive(Debug, Clone)]
pub struct CompiledCalendar {
    /// Season names.
    pub seasons: Vec<String>,
    /// Period names.
    pub periods: Vec<String>,
    /// Season of every day of the year, by [`MonthDay::index`].
    season_of: Vec<u8>,
    /// One a season and kind of day.
    rows: Vec<Row>,
    holidays: Vec<NaiveDate>,
    clock: Clock,
    /// The longest interval that no change of period divides, in minutes.
    pub resolution: u16,
}

/// The cells of a kind of day.
#[derive(Debug, Clone, Default)]
struct Row {
    slots: Vec<u16>,
    /// Runs of one cell in intervals of each length of [`LENGTHS`].
    runs: [Vec<Segment>; LENGTHS.len()],
}

/// Lengths of intervals in minutes; quarter-hours are those of the slots.
const LENGTHS: [u16; 4] = [15, 60, 30, 5];

/// Slots or intervals from `from` to without `to`, all of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub from: usize,
    pub to: usize,
    pub cell: u16,
}

impl CompiledCalendar {
    pub fn new(calendar: &Calendar, clock: Clock) -> Self {
        let mut season_of = vec![0; 372];
        for day in MonthDay::all() {
            let season = calendar.seasons.iter().position(|season| season.contains(day)).unwrap_or(0);
            if let Some(slot) = season_of.get_mut(day.index()) {
                *slot = u8::try_from(season).unwrap_or(0);
            }
        }
        let rows: Vec<Row> = (0..calendar.seasons.len())
            .flat_map(|season| (0..8).map(move |kind| row(calendar, season, kind)))
            .collect();
        let mut holidays = calendar.holidays.clone();
        holidays.sort_unstable();
        let resolution = rows.iter().flat_map(|row| &row.runs[0]).map(|run| step(run.from)).min().unwrap_or(60);
        let seasons = calendar.seasons.iter().map(|season| season.name.clone()).collect();
        Self { seasons, periods: calendar.periods.clone(), season_of, rows, holidays, clock, resolution }
    }

    /// How many cells there are.
    pub fn cells(&self) -> usize {
        self.seasons.len() * self.periods.len()
    }

    /// Season of a date, from 0.
    pub fn season(&self, date: NaiveDate) -> usize {
        self.season_of.get(MonthDay::of(date).index()).copied().unwrap_or(0).into()
    }

    fn row(&self, date: NaiveDate) -> Option<&Row> {
        let holiday = !self.holidays.is_empty() && self.holidays.binary_search(&date).is_ok();
        let kind = if holiday {
            DayKind::Holiday.index()
        } else {
            usize::try_from(date.weekday().num_days_from_monday()).unwrap_or(0)
        };
        self.rows.get(self.season(date) * 8 + kind)
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

    /// The cell of a local time.
    fn cell(&self, local: NaiveDateTime) -> u16 {
        let slot = usize::try_from(local.num_seconds_from_midnight() / 900).unwrap_or(0);
        self.row(local.date()).and_then(|row| row.slots.get(slot)).copied().unwrap_or(0)
    }

    /// Season and period of a cell, from 0.
    pub fn of_cell(&self, cell: usize) -> (usize, usize) {
        let periods = self.periods.len().max(1);
        (cell / periods, cell % periods)
    }
}

/// Whether the day has 24 hours: then its clocks did not change.
fn is_usual(profile: &Profile, day: &DayUsage) -> bool {
    day.values.len() * usize::from(profile.minutes) == SLOTS * 15
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
fn row(calendar: &Calendar, season: usize, kind: usize) -> Row {
    let patterns = calendar.seasons.get(season).map(|season| season.days.as_slice()).unwrap_or_default();
    let pattern = patterns.iter().find(|pattern| pattern.on.iter().any(|day| day.index() == kind));
    let hours = pattern.map(|pattern| pattern.hours.as_slice()).unwrap_or_default();
    let mut row = Row::default();
    for slot in 0..SLOTS {
        let period = hours.get(slot * hours.len() / SLOTS).copied().unwrap_or(0);
        let cell = u16::try_from(season * calendar.periods.len() + usize::from(period)).unwrap_or(0);
        row.slots.push(cell);
        match row.runs[0].last_mut() {
            Some(last) if last.cell == cell => last.to = slot + 1,
            _ => row.runs[0].push(Segment { from: slot, to: slot + 1, cell }),
        }
    }
    let [quarters, others @ ..] = &mut row.runs;
    for (runs, minutes) in others.iter_mut().zip(LENGTHS.iter().skip(1)) {
        let scale = |slot: usize| slot * 15 / usize::from(*minutes);
        runs.extend(quarters.iter().map(|run| Segment { from: scale(run.from), to: scale(run.to), cell: run.cell }));
    }
    row
}

impl CompiledCalendar {
    /// Whether a season has the period on any day.
    pub fn uses(&self, season: usize, period: &str) -> bool {
        let rows = self.rows.get(season * 8..season * 8 + 8).unwrap_or_default();
        let used = |run: &Segment| self.periods.get(self.of_cell(run.cell.into()).1).is_some_and(|name| name == period);
        // Holidays count where there are any.
        let kinds = if self.holidays.is_empty() { 7 } else { 8 };
        rows.iter().take(kinds).any(|row| row.runs[0].iter().any(used))
    }
}

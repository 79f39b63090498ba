//! One pass over the values of a profile, shared by all charges: each day's energy and highest value by grid cell.
//! What follows works on these, and on values only where a block's limit or a longer demand window asks.

use std::borrow::Cow;

use chrono::NaiveDate;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::error::RatingError;
use super::grid::{Grid, Segment};
use super::walk;
use crate::usage::{DayUsage, Profile};
use crate::values::money::Rounding;
use crate::values::period::Period;

/// Whole watt-hours; `tile` refuses reads that do not fit, and validation limits that do not.
pub fn watt_hours(kwh: Decimal) -> i64 {
    Rounding::HalfAwayFromZero.apply(kwh * Decimal::ONE_THOUSAND, 0).to_i64().unwrap_or(0)
}

/// The days of a period, measured.
pub struct Measured<'p> {
    profile: &'p Profile,
    grid: &'p Grid,
    days: Vec<Day<'p>>,
    /// The cells of all days, one day after the other.
    cells: Vec<OfCell>,
    /// The highest value in each grid cell, and the first day that has it.
    highest: Vec<Option<Highest<'p>>>,
}

/// A day of usage and what it comes to.
pub struct Day<'p> {
    pub usage: &'p DayUsage,
    /// Energy in watt-hours.
    pub wh: i64,
    /// Whether any value is below zero.
    pub falls: bool,
    /// Its place in [`Measured::cells`].
    first: u32,
    count: u16,
}

impl Day<'_> {
    pub const fn date(&self) -> NaiveDate {
        self.usage.date
    }
}

/// A day's values in one grid cell.
#[derive(Debug, Clone, Copy)]
pub struct OfCell {
    pub cell: u16,
    /// Energy in watt-hours.
    pub wh: i64,
}

/// The most energy in any demand window, and the first day that has it.
#[derive(Debug, Clone, Copy)]
pub struct Highest<'p> {
    pub wh: i64,
    pub day: &'p DayUsage,
}

impl<'p> Highest<'p> {
    /// Takes the place of another that is less; of two alike, the one of the earlier day stays.
    pub fn raise(self, other: &mut Option<Self>) {
        let higher = |other: &Self| (self.wh, other.day.date) > (other.wh, self.day.date);
        if other.as_ref().is_none_or(higher) {
            *other = Some(self);
        }
    }
}

impl<'p> Measured<'p> {
    /// Measures the days of a period.
    ///
    /// # Errors
    /// Those of [`walk::days`].
    pub fn of(profile: &'p Profile, period: Period, grid: &'p Grid) -> Result<Self, RatingError> {
        let whole = walk::days(profile, period)?;
        let (days, cells) = (Vec::with_capacity(whole.len()), Vec::with_capacity(whole.len() * grid.most_cells()));
        let mut measured = Self { profile, grid, days, cells, highest: vec![None; grid.cells()] };
        let mut scratch = vec![];
        for usage in whole {
            measured.add(usage, grid.segments(profile, usage, &mut scratch));
        }
        Ok(measured)
    }

    fn add(&mut self, usage: &'p DayUsage, segments: &[Segment]) {
        let first = self.cells.len();
        let (mut wh, mut signs) = (0, 0);
        for segment in segments {
            let values = usage.values.get(segment.from..segment.to).unwrap_or_default();
            if values.is_empty() {
                continue;
            }
            let sums = Sums::of(values);
            wh += sums.wh;
            signs |= sums.signs;
            if let Some(highest) = self.highest.get_mut(usize::from(segment.cell)) {
                Highest { wh: sums.highest.into(), day: usage }.raise(highest);
            }
            // A day has few cells.
            let known = self.cells.get_mut(first..).unwrap_or_default();
            match known.iter_mut().find(|known| known.cell == segment.cell) {
                Some(known) => known.wh += sums.wh,
                None => self.cells.push(OfCell { cell: segment.cell, wh: sums.wh }),
            }
        }
        let count = u16::try_from(self.cells.len() - first).unwrap_or(u16::MAX);
        self.days.push(Day { usage, wh, falls: signs < 0, first: u32::try_from(first).unwrap_or(u32::MAX), count });
    }

    /// What was measured.
    pub const fn profile(&self) -> &'p Profile {
        self.profile
    }

    /// The days that lie in a period, in order.
    pub fn days(&self, period: Period) -> &[Day<'p>] {
        let first = self.days.partition_point(|day| day.date() < period.from());
        let after = self.days.partition_point(|day| day.date() < period.to());
        self.days.get(first..after).unwrap_or_default()
    }

    /// The grid cells that a day has values in.
    pub fn cells(&self, day: &Day<'_>) -> &[OfCell] {
        let first = usize::try_from(day.first).unwrap_or(usize::MAX);
        self.cells.get(first..).and_then(|cells| cells.get(..day.count.into())).unwrap_or_default()
    }

    /// A day's values in order of time, as runs of one grid cell; `scratch` as in [`Grid::segments`].
    pub fn runs<'s>(&'s self, day: &Day<'s>, scratch: &'s mut Vec<Segment>) -> impl Iterator<Item = (u16, &'s [i32])> {
        let values = &day.usage.values;
        let segments = self.grid.segments(self.profile, day.usage, scratch);
        segments.iter().map(|run| (run.cell, values.get(run.from..run.to).unwrap_or_default()))
    }

    /// By grid cell the most energy in any window of so many intervals. Windows begin on the clock and belong to the
    /// cell in which they begin.
    pub fn highest(&self, length: usize) -> Cow<'_, [Option<Highest<'p>>]> {
        if length <= 1 {
            return Cow::Borrowed(&self.highest);
        }
        let (mut highest, mut scratch) = (vec![None; self.highest.len()], vec![]);
        for day in &self.days {
            let values = &day.usage.values;
            for run in self.grid.segments(self.profile, day.usage, &mut scratch) {
                let windows = (run.from.next_multiple_of(length)..run.to).step_by(length);
                let most = windows.map(|start| window(values, start, length)).max();
                if let (Some(wh), Some(highest)) = (most, highest.get_mut(usize::from(run.cell))) {
                    Highest { wh, day: day.usage }.raise(highest);
                }
            }
        }
        Cow::Owned(highest)
    }

    /// Energy of all days in watt-hours.
    pub fn wh(&self) -> i64 {
        self.days.iter().map(|day| day.wh).sum()
    }
}

fn window(values: &[i32], start: usize, length: usize) -> i64 {
    let end = (start + length).min(values.len());
    values.get(start..end).unwrap_or_default().iter().map(|value| i64::from(*value)).sum()
}

/// What some values come to.
struct Sums {
    wh: i64,
    highest: i32,
    /// All signs at once: no value is below zero where their union is not.
    signs: i32,
}

impl Sums {
    /// By itself it keeps its sums in registers.
    #[inline(never)]
    fn of(values: &[i32]) -> Self {
        let (mut sum, mut highest, mut signs) = (0_i32, i32::MIN, 0);
        for value in values {
            sum = sum.wrapping_add(*value);
            highest = highest.max(*value);
            signs |= value;
        }
        // Processors add up four values of 32 bits at a time, and all but outlandish usage has room in the sum.
        let most = i64::from(highest) * i64::try_from(values.len()).unwrap_or(i64::MAX);
        let fits = signs >= 0 && most <= i64::from(i32::MAX);
        let exact = || values.iter().map(|value| i64::from(*value)).sum();
        Self { wh: if fits { sum.into() } else { exact() }, highest, signs }
    }
}

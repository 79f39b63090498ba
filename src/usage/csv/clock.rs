//! Local times: which of the two hours a time means where clocks go back, told by the order of the rows.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::super::days::instants;
use super::super::{Reading, SeriesKey, UsageError};
use super::numbers::Figure;

/// Rows that may wait in the hour that comes twice: of one series, and of all together.
const WAITING: (usize, usize) = (1_000, 50_000);

/// A row that was read.
#[derive(Debug, Clone)]
pub struct Row {
    /// Its reading, without energy and, where the time is local, without an instant.
    pub reading: Reading,
    /// Its energy.
    pub figure: Figure,
}

/// What a local time cannot be, as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nowhere {
    /// Line of the row.
    pub line: u64,
    /// The time as it is written.
    pub local: NaiveDateTime,
    /// What is wrong.
    pub reason: String,
}

/// Turns local times into instants, a series at a time.
pub struct Clock {
    zone: Option<Tz>,
    series: HashMap<Arc<SeriesKey>, State>,
    /// Rows that wait.
    waiting: usize,
}

/// What is known of a series.
#[derive(Default)]
struct State {
    /// The last local time that means one instant.
    before: Option<NaiveDateTime>,
    /// Rows since then whose time means two.
    run: Vec<Twice>,
}

/// A row whose local time means two instants.
struct Twice {
    local: NaiveDateTime,
    first: DateTime<Utc>,
    second: DateTime<Utc>,
    row: Row,
}

/// In which order the rows of a series go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

impl Clock {
    /// For local times of a zone; without one they are refused.
    pub fn new(zone: Option<Tz>) -> Self {
        Self { zone, series: HashMap::new(), waiting: 0 }
    }

    /// Takes a row with a local time and hands on whatever is settled.
    ///
    /// # Errors
    /// When more rows wait than any clock makes wait.
    pub fn take(
        &mut self,
        local: NaiveDateTime,
        mut row: Row,
        each: &mut dyn FnMut(Result<Row, Nowhere>),
    ) -> Result<(), UsageError> {
        let line = row.reading.line;
        let nowhere = |reason: String| Err(Nowhere { line, local, reason });
        let Some(zone) = self.zone else {
            each(nowhere(format!("{local} has no offset and no time zone is known: say the zone")));
            return Ok(());
        };
        let state = self.series.entry(Arc::clone(&row.reading.series)).or_default();
        match instants(zone, local) {
            (Some(first), Some(second)) if first == second => {
                self.waiting -= state.run.len();
                state.settle(Some(local), each);
                state.before = Some(local);
                row.reading.start = first;
                each(Ok(row));
            }
            (Some(first), Some(second)) => {
                if state.run.len() >= WAITING.0 || self.waiting >= WAITING.1 {
                    let reason = "too many rows stand in the hour that comes twice: write the times with their offset";
                    return Err(UsageError::at(line, 1, reason));
                }
                self.waiting += 1;
                state.run.push(Twice { local, first, second, row });
            }
            _ => each(nowhere(format!("{local} does not exist in {zone}: clocks skip it"))),
        }
        Ok(())
    }

    /// Settles what is left at the end of the file.
    pub fn finish(mut self, each: &mut dyn FnMut(Result<Row, Nowhere>)) {
        self.series.values_mut().for_each(|state| state.settle(None, each));
    }
}

impl State {
    /// Settles the rows that wait: `after` is the local time of the row behind them.
    fn settle(&mut self, after: Option<NaiveDateTime>, each: &mut dyn FnMut(Result<Row, Nowhere>)) {
        let later = self.order(after).map(|order| self.later(order)).filter(|later| self.tells(later));
        let again = self.has_a_time_twice();
        for (at, Twice { local, first, second, mut row }) in std::mem::take(&mut self.run).into_iter().enumerate() {
            if later.is_none() && again {
                let line = row.reading.line;
                let reason = format!(
                    "{local} is there twice, as clocks go back then, and the order of the rows does not tell which is which: \
                     write the times with their offset"
                );
                each(Err(Nowhere { line, local, reason }));
                continue;
            }
            // A time that is there once, with no order around it, is the first of the two.
            let is_later = later.as_ref().and_then(|later| later.get(at).copied()).unwrap_or(false);
            row.reading.start = if is_later { second } else { first };
            each(Ok(row));
        }
    }

    /// Which rows are of the second pass through the hour, where they go on in this order.
    fn later(&self, order: Order) -> Vec<bool> {
        let (mut later, mut last) = (order == Order::Descending, None);
        let pass = |twice: &Twice| {
            let back = last.is_some_and(|last| match order {
                Order::Ascending => twice.local <= last,
                Order::Descending => twice.local >= last,
            });
            if back {
                later = order == Order::Ascending;
            }
            last = Some(twice.local);
            later
        };
        self.run.iter().map(pass).collect()
    }

    /// Whether no two rows are on one instant while the other one stays empty: rows that were sorted by their local time do
    /// not tell.
    fn tells(&self, later: &[bool]) -> bool {
        let taken = || self.run.iter().map(|twice| twice.local).zip(later.iter().copied());
        let count = |place: (NaiveDateTime, bool)| taken().filter(|other| *other == place).count();
        taken().all(|(local, later)| count((local, later)) < 2 || count((local, !later)) > 0)
    }

    fn has_a_time_twice(&self) -> bool {
        let mut times: Vec<NaiveDateTime> = self.run.iter().map(|twice| twice.local).collect();
        times.sort_unstable();
        times.windows(2).any(|pair| pair.first() == pair.last())
    }

    /// The order that most steps of these rows have, with the rows before and behind them.
    fn order(&self, after: Option<NaiveDateTime>) -> Option<Order> {
        let times: Vec<NaiveDateTime> =
            self.before.into_iter().chain(self.run.iter().map(|twice| twice.local)).chain(after).collect();
        let pairs = || times.windows(2).filter_map(|pair| pair.first().zip(pair.last()));
        let (up, down) =
            (pairs().filter(|(one, two)| one < two).count(), pairs().filter(|(one, two)| one > two).count());
        match up.cmp(&down) {
            std::cmp::Ordering::Greater => Some(Order::Ascending),
            std::cmp::Ordering::Less => Some(Order::Descending),
            std::cmp::Ordering::Equal => None,
        }
    }
}

//! The interval length: inferred from the first rows of a series, checked on all that follow.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, NaiveDateTime, Utc};
use chrono_tz::Tz;

use super::super::days::instants;
use super::super::{Item, Reading, SeriesKey, UsageError};

/// Rows held back until a length is settled.
const HELD: usize = 12;

/// The lengths a meter may have, in minutes.
const LENGTHS: [u32; 4] = [5, 15, 30, 60];

/// What is known of each series so far.
#[derive(Default)]
pub struct Series {
    known: HashMap<Arc<SeriesKey>, State>,
}

#[derive(Default)]
struct State {
    held: Vec<Reading>,
    minutes: Option<u32>,
    phase: i64,
    last: Option<DateTime<Utc>>,
}

impl Series {
    /// A local time as an instant: in the hour that repeats, the first pass, then the second.
    pub fn resolve(&self, zone: Tz, key: &Arc<SeriesKey>, local: NaiveDateTime) -> Result<DateTime<Utc>, String> {
        let last = self.known.get(key).and_then(|state| state.last);
        match instants(zone, local) {
            (Some(first), Some(second)) => {
                Ok(if last.is_some_and(|last| first <= last) && first != second { second } else { first })
            }
            _ => Err(format!("{local} does not exist in {zone}: clocks skip it")),
        }
    }

    /// Takes a reading without a length and hands on whatever is settled.
    pub fn push(&mut self, reading: Reading, each: &mut dyn FnMut(Item)) {
        let state = self.known.entry(Arc::clone(&reading.series)).or_default();
        state.last = Some(reading.start);
        if let Some(minutes) = state.minutes {
            return state.emit(reading, minutes, each);
        }
        state.held.push(reading);
        if state.held.len() >= HELD {
            state.settle(each);
        }
    }

    /// Whether no reading came.
    pub fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Settles series shorter than the rows held back.
    pub fn finish(mut self, each: &mut dyn FnMut(Item)) -> Result<(), UsageError> {
        let mut faults = vec![];
        for state in self.known.values_mut().filter(|state| !state.held.is_empty()) {
            let line = state.held.first().map_or(1, |reading| reading.line);
            if !state.settle(each) {
                faults.push(line);
            }
        }
        faults.into_iter().min().map_or(Ok(()), |line| {
            Err(UsageError::at(
                line,
                1,
                "the interval length cannot be told: rows must lie 5, 15, 30 or 60 minutes apart",
            ))
        })
    }
}

impl State {
    /// The most frequent distance of neighbouring rows that is a length; false where there is none.
    fn settle(&mut self, each: &mut dyn FnMut(Item)) -> bool {
        let apart = |pair: &[Reading]| {
            pair.first().zip(pair.last()).map(|(one, two)| (two.start - one.start).num_seconds().unsigned_abs())
        };
        let apart: Vec<u64> = self.held.windows(2).filter_map(apart).collect();
        let frequency = |minutes: u32| apart.iter().filter(|seconds| **seconds == u64::from(minutes) * 60).count();
        // Among equals the shortest: a gap makes distances longer, nothing makes them shorter.
        let Some(minutes) = LENGTHS
            .into_iter()
            .rev()
            .max_by_key(|minutes| frequency(*minutes))
            .filter(|minutes| frequency(*minutes) > 0)
        else {
            return false;
        };
        self.minutes = Some(minutes);
        self.phase = self.common_phase(i64::from(minutes) * 60);
        for reading in std::mem::take(&mut self.held) {
            self.emit(reading, minutes, each);
        }
        true
    }

    /// The offset from whole intervals that most of the rows held back share, in seconds.
    fn common_phase(&self, seconds: i64) -> i64 {
        let mut count: HashMap<i64, usize> = HashMap::new();
        for reading in &self.held {
            *count.entry(reading.start.timestamp().rem_euclid(seconds)).or_default() += 1;
        }
        count.into_iter().max_by_key(|(phase, count)| (*count, -*phase)).map_or(0, |(phase, _)| phase)
    }

    fn emit(&self, mut reading: Reading, minutes: u32, each: &mut dyn FnMut(Item)) {
        reading.seconds = minutes * 60;
        if reading.start.timestamp().rem_euclid(i64::from(reading.seconds)) == self.phase {
            return each(Item::Reading(reading));
        }
        let start = reading.start.to_rfc3339_opts(chrono::SecondsFormat::Secs, true);
        each(Item::Rejected(super::off_grid(reading.line, &start, minutes)));
    }
}

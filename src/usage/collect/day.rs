//! One day being filled.

use std::cmp::Ordering;

use chrono::{DateTime, Duration, NaiveDate, Utc};
use chrono_tz::Tz;

use super::super::days::{LENGTHS, day_start, intervals};
use super::super::energy::{Carry, Energy};
use super::super::{DayUsage, Quality, Reading};
use super::finding::{Finding, FindingKind};

/// The mark of a slot of which the file says that nothing is known.
const NULL: u8 = 253;

/// What keeping a day among others costs.
const NODE: usize = 64;

/// One day being filled. A value takes five bytes, more only where it has parts of a watt-hour.
pub struct Day {
    date: NaiveDate,
    start: DateTime<Utc>,
    zone: Tz,
    /// Length of a slot.
    minutes: u16,
    /// Whether the file says how long the intervals are.
    stated: bool,
    /// Whole watt-hours, rounded down.
    wh: Vec<i32>,
    /// Millionths above them; empty where there are none.
    parts: Vec<i32>,
    flags: Vec<u8>,
    /// Versions that the values have, and which of them each has; empty where all have the first.
    versions: Vec<i64>,
    version_of: Vec<u16>,
}

impl Day {
    /// An empty day with slots of `minutes`.
    pub fn new(zone: Tz, date: NaiveDate, minutes: u16, stated: bool) -> Self {
        let count = intervals(zone, date, minutes);
        Self {
            date,
            start: day_start(zone, date),
            zone,
            minutes,
            stated,
            wh: vec![0; count],
            parts: vec![],
            flags: vec![Quality::Missing.code(); count],
            versions: vec![],
            version_of: vec![],
        }
    }

    /// The memory that it takes, about.
    pub const fn bytes(&self) -> usize {
        size_of::<Self>()
            + NODE
            + self.wh.len() * 4
            + self.parts.len() * 4
            + self.flags.len()
            + self.versions.len() * 8
            + self.version_of.len() * 2
    }

    /// Length of a slot in minutes.
    pub const fn minutes(&self) -> u16 {
        self.minutes
    }

    /// Whether the file says how long the intervals are.
    pub const fn is_stated(&self) -> bool {
        self.stated
    }

    /// Puts a value in its place. Of two for one interval the later version counts; a value that is there already
    /// stays.
    pub fn put(&mut self, reading: &Reading) -> Option<Finding> {
        let date = self.date;
        let found = |kind| Some(Finding::of(kind, reading, date));
        if self.stated && reading.seconds != u32::from(self.minutes) * 60 {
            return found(FindingKind::WrongLength { minutes: self.minutes });
        }
        let offset = (reading.start - self.start).num_seconds();
        if offset % (i64::from(self.minutes) * 60) != 0 {
            let Some(finer) = LENGTHS.into_iter().rev().find(|finer| {
                !self.stated
                    && *finer < self.minutes
                    && self.minutes.is_multiple_of(*finer)
                    && offset % (i64::from(*finer) * 60) == 0
            }) else {
                return found(FindingKind::Overlap { minutes: self.minutes });
            };
            self.set_slots(finer);
        }
        let place = usize::try_from(offset / (i64::from(self.minutes) * 60)).ok();
        let Some(at) = place.filter(|at| *at < self.wh.len()) else {
            return found(FindingKind::Overlap { minutes: self.minutes });
        };
        if self.flags.get(at).is_some_and(|flag| *flag != Quality::Missing.code()) {
            let (kept, known) = (self.energy(at), self.version(at));
            let (null, was_null) = (reading.quality == Quality::Missing, self.flags.get(at) == Some(&NULL));
            return match reading.version.cmp(&known) {
                Ordering::Greater if known > 0 => {
                    self.set(at, reading);
                    found(FindingKind::Replaced)
                }
                Ordering::Less if reading.version > 0 => found(FindingKind::Replaced),
                // A value tells more than that there is none.
                _ if was_null && !null => {
                    self.set(at, reading);
                    None
                }
                _ if null => None,
                _ if kept == reading.energy => found(FindingKind::Duplicate),
                _ => found(FindingKind::Conflict { kept, other: reading.energy }),
            };
        }
        self.set(at, reading);
        None
    }

    fn energy(&self, at: usize) -> Energy {
        // No parts: none are kept.
        Energy::joined(self.wh.get(at).copied().unwrap_or(0), self.parts.get(at).copied().unwrap_or(0))
    }

    fn version(&self, at: usize) -> i64 {
        // Where all have one version, none is kept of each.
        let of = self.version_of.get(at).copied().unwrap_or(0);
        self.versions.get(usize::from(of)).copied().unwrap_or(0)
    }

    fn set(&mut self, at: usize, reading: &Reading) {
        let (wh, parts) = reading.energy.split();
        if parts != 0 && self.parts.is_empty() {
            self.parts = vec![0; self.wh.len()];
        }
        if let Some(kept) = self.parts.get_mut(at) {
            *kept = parts;
        }
        // `Energy` holds no more watt-hours than fit.
        if let (Some(kept), Ok(wh)) = (self.wh.get_mut(at), i32::try_from(wh)) {
            *kept = wh;
        }
        if let Some(flag) = self.flags.get_mut(at) {
            *flag = if reading.quality == Quality::Missing { NULL } else { reading.quality.code() };
        }
        self.set_version(at, reading.version);
    }

    fn set_version(&mut self, at: usize, version: i64) {
        if self.versions.is_empty() {
            self.versions.push(version);
        }
        let known = self.versions.iter().position(|known| *known == version).unwrap_or_else(|| {
            self.versions.push(version);
            self.versions.len() - 1
        });
        if known > 0 && self.version_of.is_empty() {
            self.version_of = vec![0; self.wh.len()];
        }
        if let (Some(of), Ok(known)) = (self.version_of.get_mut(at), u16::try_from(known)) {
            *of = known;
        }
    }

    /// Slots that have a value.
    pub fn have(&self) -> usize {
        self.filled().count()
    }

    /// Whether the file speaks of any slot, be it to say that nothing is known.
    pub fn is_told(&self) -> bool {
        self.flags.iter().any(|code| *code != Quality::Missing.code())
    }

    /// Slots.
    pub const fn want(&self) -> usize {
        self.flags.len()
    }

    fn filled(&self) -> impl Iterator<Item = usize> {
        let has = |(_, code): &(usize, &u8)| **code != Quality::Missing.code() && **code != NULL;
        self.flags.iter().enumerate().filter(has).map(|(at, _)| at)
    }

    /// The longest length whose slots hold all values there are: what this day alone says of its intervals.
    pub fn own_minutes(&self) -> u16 {
        let fits = |length: &u16| {
            let slots = usize::from(length / self.minutes);
            length.is_multiple_of(self.minutes) && self.filled().all(|at| at.is_multiple_of(slots))
        };
        LENGTHS.into_iter().rev().find(fits).unwrap_or(self.minutes)
    }

    /// Whether every slot of this length has its value.
    pub fn is_full(&self, minutes: u16) -> bool {
        self.have() == intervals(self.zone, self.date, minutes)
    }

    /// A distance of neighbouring values that is no interval length, where all have it.
    pub fn odd_distance(&self) -> Option<u16> {
        let filled: Vec<usize> = self.filled().collect();
        let mut apart = filled.windows(2).filter_map(|pair| Some(pair.last()? - pair.first()?));
        let first = apart.next()?;
        let minutes = u16::try_from(first).ok()?.checked_mul(self.minutes)?;
        (filled.len() > 2 && apart.all(|other| other == first) && !LENGTHS.contains(&minutes)).then_some(minutes)
    }

    /// The starts of the values beside the slots of a longer length, where those slots are all filled.
    pub fn strays(&self, minutes: u16) -> Option<Vec<DateTime<Utc>>> {
        if self.stated || minutes <= self.minutes || !minutes.is_multiple_of(self.minutes) {
            return None;
        }
        let slots = usize::from(minutes / self.minutes);
        let (on, beside): (Vec<usize>, Vec<usize>) = self.filled().partition(|at| at.is_multiple_of(slots));
        let start = |at: usize| {
            let offset = i64::try_from(at).ok()?.checked_mul(i64::from(self.minutes))?;
            Some(self.start + Duration::minutes(offset))
        };
        (on.len() == intervals(self.zone, self.date, minutes)).then(|| beside.into_iter().filter_map(start).collect())
    }

    /// The same values in slots of another length; each begins where it did, one that begins in no slot is left out.
    pub fn set_slots(&mut self, minutes: u16) {
        if minutes == self.minutes {
            return;
        }
        let mut other = Self::new(self.zone, self.date, minutes, self.stated);
        other.versions = std::mem::take(&mut self.versions);
        if !self.parts.is_empty() {
            other.parts = vec![0; other.wh.len()];
        }
        if !self.version_of.is_empty() {
            other.version_of = vec![0; other.wh.len()];
        }
        for at in self.filled() {
            let offset = at * usize::from(self.minutes);
            if !offset.is_multiple_of(usize::from(minutes)) {
                continue;
            }
            let to = offset / usize::from(minutes);
            move_value(&self.wh, &mut other.wh, at, to);
            move_value(&self.parts, &mut other.parts, at, to);
            move_value(&self.flags, &mut other.flags, at, to);
            move_value(&self.version_of, &mut other.version_of, at, to);
        }
        *self = other;
    }

    /// The day in whole watt-hours; their sum is the exact sum rounded once.
    pub fn into_usage(mut self) -> DayUsage {
        self.flags.iter_mut().filter(|code| **code == NULL).for_each(|code| *code = Quality::Missing.code());
        let flags = self.flags.iter().any(|code| *code != 0).then_some(self.flags);
        let values = if self.parts.is_empty() { self.wh } else { carried(&self.wh, &self.parts) };
        DayUsage { date: self.date, values, flags }
    }
}

fn carried(wh: &[i32], parts: &[i32]) -> Vec<i32> {
    let mut carry = Carry::default();
    let energies = wh.iter().zip(parts).map(|(wh, parts)| Energy::joined(*wh, *parts));
    // A watt-hour more than the largest value is the largest value.
    energies.map(|energy| i32::try_from(carry.next(energy)).unwrap_or(i32::MAX)).collect()
}

fn move_value<T: Copy>(from: &[T], to: &mut [T], at: usize, place: usize) {
    if let (Some(value), Some(slot)) = (from.get(at), to.get_mut(place)) {
        *slot = *value;
    }
}

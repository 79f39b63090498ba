//! Energy: one cumulative counter walks through the blocks in order of time (rule 2).
//!
//! All limits of a charge, whatever their period, cut the counter's way into stretches; within a stretch
//! every price has one block. Watt-hours are summed per stretch and price. A day that stays within one
//! stretch is added price by price; of a day that crosses a limit only the run that does is walked interval by
//! interval, and an interval that crosses a limit is split.

use chrono::NaiveDate;

use super::compile::Charge;
use super::measure::{Day, Measured};
use super::walk;
use crate::values::period::Period;

/// A limit scaled to the period: limit x numerator / denominator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scale {
    pub numerator: i64,
    pub denominator: i64,
}

impl Scale {
    /// A limit in watt-hours as one of this period, to the whole watt-hour, half upwards.
    fn of(self, limit: i64) -> i64 {
        if self.numerator == self.denominator {
            return limit;
        }
        let denominator = i128::from(self.denominator.max(1));
        let twice = i128::from(limit) * i128::from(self.numerator) * 2 + denominator;
        i64::try_from(twice.div_euclid(denominator * 2)).unwrap_or(i64::MAX)
    }
}

/// Watt-hours that fell into a stretch at a price, with their days.
#[derive(Debug, Clone, Default)]
pub struct Bucket {
    pub wh: i64,
    pub days: Vec<(NaiveDate, i64, bool)>,
}

/// The counter of a charge on its way through the blocks.
pub struct Counter<'c> {
    charge: &'c Charge,
    /// Where stretches end, in watt-hours; the last stretch has no end.
    limits: Vec<i64>,
    at: i64,
    stretch: usize,
    /// By stretch, then price.
    buckets: Vec<Bucket>,
}

impl<'c> Counter<'c> {
    pub fn new(charge: &'c Charge, scale: Scale) -> Self {
        let ends = charge.prices.iter().flat_map(|price| &price.ends);
        let mut limits: Vec<i64> = ends.map(|end| scale.of(*end)).collect();
        limits.sort_unstable();
        limits.dedup();
        let buckets = vec![Bucket::default(); (limits.len() + 1) * charge.prices.len()];
        Self { charge, limits, at: 0, stretch: 0, buckets }
    }

    /// A counter that has already walked.
    pub fn with_buckets(charge: &'c Charge, scale: Scale, buckets: Vec<Bucket>) -> Self {
        Self { buckets, ..Self::new(charge, scale) }
    }

    /// Watt-hours of each stretch, all prices together.
    pub fn stretches(&self) -> Vec<i64> {
        let prices = self.charge.prices.len().max(1);
        self.buckets.chunks(prices).map(|buckets| buckets.iter().map(|bucket| bucket.wh).sum()).collect()
    }

    /// Takes the days of a period.
    pub fn walk(&mut self, measured: &Measured<'_>, period: Period) {
        let mut scratch = vec![];
        for day in measured.days(period) {
            let estimated = walk::estimated(day.usage);
            if self.stays(day) {
                for of in measured.cells(day) {
                    self.put(self.charge.price_at(of.cell), day.date(), of.wh, estimated);
                }
                self.at = self.at.saturating_add(day.wh);
                continue;
            }
            for (cell, values) in measured.runs(day, &mut scratch) {
                let price = self.charge.price_at(cell);
                let wh: i64 = values.iter().map(|value| i64::from(*value)).sum();
                if !day.falls && wh <= self.room_above() {
                    self.take(price, day.date(), wh, estimated);
                    continue;
                }
                values.iter().for_each(|wh| self.step(price, day.date(), i64::from(*wh), estimated, &mut |_, _| ()));
            }
        }
    }

    /// Whether the counter stays within its stretch, whatever the order of the day's values.
    fn stays(&self, day: &Day<'_>) -> bool {
        match self.limits.get(self.stretch) {
            _ if self.limits.is_empty() => true,
            None => !day.falls,
            Some(end) => !day.falls && self.at.saturating_add(day.wh) <= *end,
        }
    }

    /// Moves the counter by one interval, split where it crosses a limit; tells each share and its bucket.
    pub fn step(&mut self, price: usize, date: NaiveDate, wh: i64, estimated: bool, share: &mut dyn FnMut(usize, i64)) {
        let mut left = wh;
        while left != 0 {
            let room = if left > 0 { self.room_above() } else { -self.room_below() };
            if room == 0 {
                self.stretch = if left > 0 { self.stretch + 1 } else { self.stretch - 1 };
                continue;
            }
            let take = if left > 0 { left.min(room) } else { left.max(room) };
            share(self.stretch * self.charge.prices.len() + price, take);
            self.take(price, date, take, estimated);
            left -= take;
        }
    }

    /// Moves the counter within its stretch; no energy leaves no trace.
    fn take(&mut self, price: usize, date: NaiveDate, wh: i64, estimated: bool) {
        if wh != 0 {
            self.put(price, date, wh, estimated);
            self.at += wh;
        }
    }

    fn room_above(&self) -> i64 {
        self.limits.get(self.stretch).map_or(i64::MAX, |end| end - self.at)
    }

    /// Below the first limit there is no end: usage may be negative (rule 7).
    fn room_below(&self) -> i64 {
        let start = self.stretch.checked_sub(1).and_then(|before| self.limits.get(before));
        start.map_or(i64::MAX, |start| self.at - start)
    }

    fn put(&mut self, price: usize, date: NaiveDate, wh: i64, estimated: bool) {
        let place = self.stretch * self.charge.prices.len() + price;
        let Some(bucket) = self.buckets.get_mut(place) else {
            return;
        };
        bucket.wh += wh;
        match bucket.days.last_mut() {
            Some((last, total, guess)) if *last == date => {
                *total += wh;
                *guess |= estimated;
            }
            _ => {
                if bucket.days.is_empty() {
                    bucket.days.reserve(31);
                }
                bucket.days.push((date, wh, estimated));
            }
        }
    }

    /// Which block of a price holds in a stretch, from 0.
    fn block_of(&self, stretch: usize, price: usize, scale: Scale) -> usize {
        let start = stretch.checked_sub(1).and_then(|before| self.limits.get(before)).copied().unwrap_or(i64::MIN);
        let ends = self.charge.prices.get(price).map(|price| price.ends.as_slice()).unwrap_or_default();
        ends.iter().filter(|end| scale.of(**end) <= start).count()
    }

    /// The sums by price and block, in that order.
    pub fn finish(mut self, scale: Scale) -> Vec<Sum> {
        let mut sums: Vec<Sum> = Vec::with_capacity(self.buckets.len());
        for price in 0..self.charge.prices.len() {
            for stretch in 0..=self.limits.len() {
                let place = stretch * self.charge.prices.len() + price;
                let bucket = self.buckets.get_mut(place).map(std::mem::take).unwrap_or_default();
                let block = self.block_of(stretch, price, scale);
                match sums.last_mut() {
                    Some(last) if (last.price, last.block) == (price, block) => last.add(bucket, place),
                    _ => sums.push(Sum { price, block, bucket, first: place, last: place }),
                }
            }
        }
        sums
    }
}

/// What falls to one block of one price.
pub struct Sum {
    pub price: usize,
    pub block: usize,
    pub bucket: Bucket,
    /// The first and last of the buckets it was made of.
    first: usize,
    last: usize,
}

impl Sum {
    /// Whether it was made of this bucket of a charge with so many prices.
    pub fn is_of(&self, place: usize, prices: usize) -> bool {
        place % prices == self.price && self.first <= place && place <= self.last
    }

    /// Joins days that both have: a day that crossed a limit of another price.
    fn add(&mut self, other: Bucket, place: usize) {
        self.bucket.wh += other.wh;
        self.last = place;
        for (date, wh, estimated) in other.days {
            match self.bucket.days.iter_mut().find(|(known, ..)| *known == date) {
                Some((_, total, guess)) => {
                    *total += wh;
                    *guess |= estimated;
                }
                None => self.bucket.days.push((date, wh, estimated)),
            }
        }
    }
}

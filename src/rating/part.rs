//! The lines of one part of a billing period under one version of a tariff.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::bill::{BillLine, Peaks, TraceDay};
use super::compile::{Charge, CompiledTariff};
use super::energy::{Bucket, Counter, Scale, Sum};
use super::error::RatingError;
use super::input::{History, Supply, UsageInput};
use super::item::Item;
use super::measure::{Measured, watt_hours};
use super::named::{self, Named, Source};
use super::{registers, walk};
use crate::tariff_document::BlockBasis;
use crate::usage::{Profile, Quality, RegisterRead};
use crate::values::money::{Money, Rounding};
use crate::values::period::Period;

/// A part of a billing period under one version of a tariff.
pub struct Part<'a> {
    pub tariff: &'a CompiledTariff,
    /// The part.
    pub period: Period,
    /// The billing period.
    pub whole: Period,
    pub usage: &'a UsageInput<'a>,
    /// Usage of the billing period, for demand.
    pub whole_usage: &'a UsageInput<'a>,
    pub history: &'a History,
    /// What was bought in the billing period, measured; `None` of register reads.
    pub measured: Option<Measured<'a>>,
    /// The registers that the tariff names.
    pub named: Vec<Named<'a>>,
}

/// What is handed from one part of a billing period to the next, and to the next bill.
#[derive(Debug, Clone, Default)]
pub struct State {
    /// Net metering: watt-hours left over by time-of-use period.
    pub bank: BTreeMap<String, i64>,
    /// Net metering: whether there is anything to net in this part.
    pub netted: bool,
    /// Net metering: watt-hours billed by the first charge of the part.
    pub billed_wh: i64,
    /// Highest demand by charge and by time-of-use period.
    pub peaks: Peaks,
}

impl State {
    /// The state that earlier bills left behind.
    pub fn from_history(history: &History) -> Self {
        let bank = history.carried.bank_kwh.iter().map(|(period, kwh)| (period.clone(), watt_hours(*kwh)));
        Self { bank: bank.collect(), ..Self::default() }
    }
}

impl<'a> Part<'a> {
    /// A part of a billing period; `usage` is the part's, `whole_usage` the billing period's.
    ///
    /// # Errors
    /// When days of the billing period are not there, or not whole.
    pub fn new(
        tariff: &'a CompiledTariff,
        (period, usage): (Period, &'a UsageInput<'a>),
        (whole, whole_usage): (Period, &'a UsageInput<'a>),
        history: &'a History,
    ) -> Result<Self, RatingError> {
        let measured = match whole_usage.import {
            Supply::Profile(profile) => Some(Measured::of(profile, whole, &tariff.grid)?),
            Supply::Reads(_) => None,
        };
        // A register of a time-of-use period knows the days itself.
        if measured.is_some() {
            tariff.knows_holidays(period, whole)?;
        }
        let named = named::registers(tariff, usage, (whole, whole_usage))?;
        if tariff.document.names_registers() {
            let reads = || registers::total(whole_usage.import.reads());
            named::add_up(&named, whole_usage, measured.as_ref().map_or_else(reads, Measured::wh))?;
            named::tiled(&named, period)?;
        }
        Ok(Self { tariff, period, whole, usage, whole_usage, history, measured, named })
    }

    /// What an energy charge is worked out from: its register, or all that was bought; `bought` is `None` of reads.
    pub fn source<'s>(
        &'s self,
        register: Option<&String>,
        bought: Option<&'s Measured<'s>>,
    ) -> Result<Source<'s>, RatingError> {
        match register {
            Some(name) => Ok(named::find(&self.named, name)?.of_part()),
            None => Ok(Source { measured: bought, reads: self.usage.import.reads() }),
        }
    }

    /// What a demand charge is worked out from.
    pub fn demand_source(&self, register: Option<&String>) -> Result<Source<'_>, RatingError> {
        match register {
            Some(name) => Ok(named::find(&self.named, name)?.of_whole()),
            None => Ok(Source { measured: self.measured.as_ref(), reads: self.whole_usage.import.reads() }),
        }
    }

    /// Sends the days of the part through the blocks of a charge.
    pub fn walk(&self, charge: &Charge, measured: &Measured<'_>, scale: Scale) -> Result<Vec<Sum>, RatingError> {
        self.fits(charge, measured.profile())?;
        let mut counter = Counter::new(charge, scale);
        counter.walk(measured, self.period);
        Ok(counter.finish(scale))
    }

    /// The part's share of the billing period's days.
    pub fn share(&self) -> Decimal {
        if self.period == self.whole {
            return Decimal::ONE;
        }
        Decimal::from(self.period.days()) / Decimal::from(self.whole.days())
    }

    /// Energy bought in the part, in kWh.
    pub fn imported(&self) -> Decimal {
        let wh = match &self.measured {
            Some(measured) => measured.days(self.period).iter().map(|day| day.wh).sum(),
            None => registers::total(self.usage.import.reads()),
        };
        Decimal::new(wh, 3)
    }

    /// All that was bought in the part, by day or by read.
    pub fn bought(&self) -> Bucket {
        let days: Vec<(NaiveDate, i64, bool)> = match &self.measured {
            Some(measured) => {
                let days = measured.days(self.period).iter();
                days.map(|day| (day.date(), day.wh, walk::estimated(day.usage))).collect()
            }
            None => {
                let reads = self.usage.import.reads().iter();
                let wh = |read: &RegisterRead| watt_hours(read.kwh);
                reads.map(|read| (read.from, wh(read), read.quality == Quality::Estimated)).collect()
            }
        };
        Bucket { wh: days.iter().map(|(_, wh, _)| wh).sum(), days }
    }

    /// Whether the profile's days and intervals fit the charge's calendar.
    pub fn fits(&self, charge: &Charge, profile: &Profile) -> Result<(), RatingError> {
        if profile.zone != self.tariff.document.zone {
            return Err(RatingError::Zone { usage: profile.zone, tariff: self.tariff.document.zone });
        }
        match &charge.calendar {
            Some(calendar) if profile.minutes > calendar.resolution => {
                let field = format!("the calendar of {}", charge.name);
                Err(RatingError::IntervalTooLong { minutes: profile.minutes, field, needed: calendar.resolution })
            }
            _ => Ok(()),
        }
    }

    /// How block limits scale to this part (rule 2).
    pub fn scale(&self, basis: BlockBasis) -> Scale {
        let (days, whole) = (self.period.days(), self.whole.days());
        match basis {
            // Half a period has half the block.
            BlockBasis::Period => Scale { numerator: days, denominator: whole },
            BlockBasis::NormalDays(normal) => Scale { numerator: days, denominator: normal.into() },
            BlockBasis::Day => Scale { numerator: days, denominator: 1 },
        }
    }

    /// The line of a block and price.
    pub fn energy_line(
        &self,
        (charge, source): (&Charge, Source<'_>),
        sum: Sum,
    ) -> Result<Option<BillLine>, RatingError> {
        let item = charge.prices.get(sum.price).and_then(|price| price.items.get(sum.block));
        let line = |item| self.line(item, self.kwh(sum.bucket.wh), trace(&sum.bucket, 1, source.reads));
        item.map(line).transpose()
    }

    pub fn kwh(&self, wh: i64) -> Decimal {
        let kwh = Decimal::new(wh, 3);
        self.tariff
            .document
            .rounding
            .kwh_decimals
            .map_or(kwh, |decimals| Rounding::HalfAwayFromZero.apply(kwh, decimals.into()))
    }

    /// A finished line: rounded, and marked where the part is not the whole billing period.
    pub fn line(&self, item: &Arc<Item>, quantity: Decimal, trace: Vec<TraceDay>) -> Result<BillLine, RatingError> {
        let item = if self.period == self.whole { Arc::clone(item) } else { Arc::new(item.of_days(self.period)) };
        self.line_of(item, self.period, quantity, trace)
    }

    /// A finished line of the whole billing period, of which the part may be the last days only.
    pub fn line_of_bill(
        &self,
        item: Arc<Item>,
        quantity: Decimal,
        trace: Vec<TraceDay>,
    ) -> Result<BillLine, RatingError> {
        self.line_of(item, self.whole, quantity, trace)
    }

    fn line_of(
        &self,
        item: Arc<Item>,
        period: Period,
        quantity: Decimal,
        trace: Vec<TraceDay>,
    ) -> Result<BillLine, RatingError> {
        let amount = Money::product(quantity, item.price, self.tariff.document.rounding.money)
            .filter(|amount| amount.abs() < MOST)
            .ok_or_else(|| RatingError::TooLarge(item.name.clone()))?;
        let estimated = trace.iter().any(|day| day.estimated);
        Ok(BillLine { item, period, quantity, amount, estimated, trace })
    }
}

/// The days of a bucket, with a sign; where it comes of register reads, the reads.
pub fn trace(bucket: &Bucket, sign: i64, reads: &[RegisterRead]) -> Vec<TraceDay> {
    let next = |date: NaiveDate| date.succ_opt().unwrap_or(date);
    let day = |(date, wh, estimated): &(NaiveDate, i64, bool), until| TraceDay {
        date: *date,
        until,
        quantity: Decimal::new(wh * sign, 3),
        estimated: *estimated,
    };
    if reads.is_empty() {
        return bucket.days.iter().map(|share| day(share, next(share.0))).collect();
    }
    // A day by itself where no read begins on it: what was netted.
    let read = |date| reads.iter().find(|read| read.from == date);
    let until = |date| read(date).map_or_else(|| next(date), |read| read.to);
    bucket.days.iter().map(|share| day(share, until(share.0))).collect()
}

/// An amount is below this, as it is stored.
pub const MOST: Money = Money::from_cents(1_000_000_000_000);

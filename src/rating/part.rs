//! The lines of one part of a billing period under one version of a tariff.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::bill::{BillLine, Peaks, TraceDay};
use super::compile::{Charge, CompiledTariff};
use super::energy::{Bucket, Counter, Scale, Sum};
use super::error::RatingError;
use super::export::{self, Flow};
use super::input::{History, Supply, UsageInput};
use super::item::Item;
use super::measure::Measured;
use super::named::{self, Named, Source};
use super::{adjust, demand, fixed, registers, walk};
use crate::money::{Money, Rounding};
use crate::period::Period;
use crate::tariff_document::{BlockBasis, ExportCredit};
use crate::usage::{Profile, Quality, RegisterRead};

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
        let bank = history.carried.bank_kwh.iter().map(|(period, kwh)| (period.clone(), registers::watt_hours(*kwh)));
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

    /// All lines but those that look at the whole bill: settlement, roll-over, minimums, taxes.
    pub fn lines(&self, state: &mut State) -> Result<Vec<BillLine>, RatingError> {
        let flow = export::flow(self)?;
        state.netted = self.usage.export.is_some() || !state.bank.is_empty();
        let mut lines = Vec::with_capacity(USUAL_LINES);
        let first = self.energy(&flow, state, &mut lines)?;
        demand::lines(self, &mut state.peaks, &mut lines)?;
        fixed::lines(self, &mut lines)?;
        adjust::riders(self, first, &mut lines)?;
        export::credits(self, &flow, &mut lines)?;
        Ok(lines)
    }

    /// Adds the energy lines; how many of them are the first charge's.
    fn energy(&self, flow: &Flow, state: &mut State, lines: &mut Vec<BillLine>) -> Result<usize, RatingError> {
        let netted = self.netted(flow)?;
        let bought = netted.as_ref().or(self.measured.as_ref());
        let mut first = 0;
        for (at, (charge, rules)) in self.tariff.energy.iter().zip(&self.tariff.document.energy).enumerate() {
            let source = self.source(rules.register.as_ref(), bought)?;
            let sums = self.sums(charge, self.scale(rules.blocks_per), source, state, at == 0)?;
            self.energy_lines((charge, source), sums, lines)?;
            if at == 0 {
                first = lines.len();
            }
        }
        Ok(first)
    }

    /// What is left of the part's imports after netting, measured; `None` where nothing was netted.
    pub fn netted<'f>(&'f self, flow: &'f Flow) -> Result<Option<Measured<'f>>, RatingError> {
        flow.bought().map(|profile| Measured::of(profile, self.period, &self.tariff.grid)).transpose()
    }

    /// What falls to each block and price of a charge.
    pub fn sums(
        &self,
        charge: &Charge,
        scale: Scale,
        source: Source<'_>,
        state: &mut State,
        first: bool,
    ) -> Result<Vec<Sum>, RatingError> {
        let metering = matches!(self.tariff.document.export, Some(ExportCredit::NetMetering(_)));
        let sums = match source.measured {
            Some(measured) => self.walk(charge, measured, scale)?,
            None => {
                registers::tile(source.reads, self.period)?;
                let exports = self.usage.export.as_ref().filter(|_| metering).map(Supply::reads);
                if let Some(exports) = exports {
                    registers::tile(exports, self.period)?;
                }
                registers::net_energy(charge, source.reads, exports.unwrap_or_default(), scale)?
            }
        };
        if metering && state.netted {
            Ok(export::net_metering(self, charge, &sums, scale, state, first))
        } else {
            Ok(sums)
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
                let wh = |read: &RegisterRead| registers::watt_hours(read.kwh);
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

    fn energy_lines(
        &self,
        (charge, source): (&Charge, Source<'_>),
        sums: Vec<Sum>,
        lines: &mut Vec<BillLine>,
    ) -> Result<(), RatingError> {
        let none = sums.iter().all(|sum| sum.bucket.wh == 0);
        for (at, sum) in sums.into_iter().enumerate() {
            // A charge always shows: with no usage, its first price.
            if sum.bucket.wh != 0 || (none && at == 0) {
                lines.extend(self.energy_line((charge, source), sum)?);
            }
        }
        Ok(())
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

/// Lines for which there is room from the start.
const USUAL_LINES: usize = 12;

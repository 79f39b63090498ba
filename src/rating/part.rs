//! The lines of one part of a billing period under one version of a tariff.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::bill::{BillLine, LineKind, TraceDay, Unit};
use super::compile::{Charge, CompiledTariff};
use super::energy::{Counter, Scale, Sum};
use super::error::RatingError;
use super::export::{self, Flow};
use super::input::{History, Supply, UsageInput};
use super::{adjust, demand, fixed, registers, walk};
use crate::money::{Money, Rounding};
use crate::period::Period;
use crate::tariff_document::{BlockBasis, ExportCredit};
use crate::usage::Profile;

/// A part of a billing period under one version of a tariff.
#[derive(Clone, Copy)]
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
}

/// What makes a line.
pub struct Draft<'d> {
    pub kind: LineKind,
    pub name: &'d str,
    pub season: Option<&'d str>,
    pub tou_period: Option<&'d str>,
    pub block: Option<u16>,
    pub note: String,
    pub quantity: Decimal,
    pub unit: Unit,
    pub price: Decimal,
    pub trace: Vec<TraceDay>,
}

impl<'d> Draft<'d> {
    pub fn new(kind: LineKind, name: &'d str, quantity: Decimal, unit: Unit, price: Decimal) -> Self {
        Self {
            kind,
            name,
            season: None,
            tou_period: None,
            block: None,
            note: String::new(),
            quantity,
            unit,
            price,
            trace: vec![],
        }
    }
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
    /// Highest demand by time-of-use period.
    pub peaks: BTreeMap<String, Decimal>,
}

impl State {
    /// The state that earlier bills left behind.
    pub fn from_history(history: &History) -> Self {
        let bank = history.carried.bank_kwh.iter().map(|(period, kwh)| (period.clone(), registers::watt_hours(*kwh)));
        Self { bank: bank.collect(), ..Self::default() }
    }
}

impl Part<'_> {
    /// All lines but those that look at the whole bill: settlement, roll-over, minimums, taxes.
    pub fn lines(&self, state: &mut State) -> Result<Vec<BillLine>, RatingError> {
        let flow = export::flow(self)?;
        state.netted = self.usage.export.is_some() || !state.bank.is_empty();
        let mut lines = self.energy(&flow, state)?;
        lines.extend(demand::lines(self, &mut state.peaks)?);
        lines.extend(fixed::lines(self)?);
        adjust::riders(self, &mut lines)?;
        lines.extend(export::credits(self, &flow)?);
        Ok(lines)
    }

    fn energy(&self, flow: &Flow, state: &mut State) -> Result<Vec<BillLine>, RatingError> {
        let mut lines = vec![];
        for (at, (charge, rules)) in self.tariff.energy.iter().zip(&self.tariff.document.energy).enumerate() {
            let scale = self.scale(rules.blocks_per);
            let sums = self.sums(charge, scale, flow, state, at == 0)?;
            self.energy_lines(charge, sums, &mut lines)?;
        }
        Ok(lines)
    }

    /// What falls to each block and price of a charge.
    pub fn sums(
        &self,
        charge: &Charge,
        scale: Scale,
        flow: &Flow,
        state: &mut State,
        first: bool,
    ) -> Result<Vec<Sum>, RatingError> {
        let metering = matches!(self.tariff.document.export, Some(ExportCredit::NetMetering(_)));
        let sums = match self.usage.import {
            Supply::Profile(profile) => self.walk(charge, &self.bought(profile, flow), scale)?,
            Supply::Reads(reads) => {
                registers::tile(reads, self.period)?;
                let exports = match self.usage.export {
                    Some(Supply::Reads(exports)) if metering => exports,
                    _ => &[],
                };
                registers::net_energy(charge, reads, exports, scale)?
            }
        };
        if metering && state.netted {
            Ok(export::net_metering(self, charge, &sums, scale, state, first))
        } else {
            Ok(sums)
        }
    }

    /// What energy charges are worked out from: imports, or what is left of them after netting.
    pub fn bought<'b>(&self, profile: &'b Profile, flow: &'b Flow) -> Cow<'b, Profile> {
        match flow {
            Flow::Gross => Cow::Borrowed(profile),
            Flow::Net(net) if matches!(self.tariff.document.export, Some(ExportCredit::NetMetering(_))) => {
                Cow::Borrowed(net)
            }
            Flow::Net(net) => Cow::Owned(export::one_way(net, 1)),
        }
    }

    /// Sends the days of a profile through the blocks of a charge.
    pub fn walk(&self, charge: &Charge, profile: &Profile, scale: Scale) -> Result<Vec<Sum>, RatingError> {
        self.fits(charge, profile)?;
        let mut counter = Counter::new(charge, scale);
        let mut scratch = vec![];
        for day in walk::days(profile, self.period)? {
            let segments = charge.calendar.as_ref().map(|calendar| calendar.segments(profile, day, &mut scratch));
            counter.day(day.date, &day.values, segments.unwrap_or_default(), walk::estimated(day));
        }
        Ok(counter.finish(scale))
    }

    /// The part's share of the billing period's days.
    pub fn share(&self) -> Decimal {
        Decimal::from(self.period.days()) / Decimal::from(self.whole.days())
    }

    /// Energy bought in the billing period, in kWh.
    pub fn imported(&self) -> Result<Decimal, RatingError> {
        Ok(match self.usage.import {
            Supply::Profile(profile) => {
                Decimal::new(walk::days(profile, self.period)?.iter().map(|day| walk::sum(&day.values)).sum(), 3)
            }
            Supply::Reads(reads) => Decimal::new(reads.iter().map(|read| registers::watt_hours(read.kwh)).sum(), 3),
        })
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

    fn energy_lines(&self, charge: &Charge, sums: Vec<Sum>, lines: &mut Vec<BillLine>) -> Result<(), RatingError> {
        let none = sums.iter().all(|sum| sum.bucket.wh == 0);
        for (at, sum) in sums.into_iter().enumerate() {
            // A charge always shows: with no usage, its first price.
            if sum.bucket.wh != 0 || (none && at == 0) {
                lines.extend(self.energy_line(charge, sum)?);
            }
        }
        Ok(())
    }

    /// The line of a block and price.
    pub fn energy_line(&self, charge: &Charge, sum: Sum) -> Result<Option<BillLine>, RatingError> {
        let Some(price) = charge.prices.get(sum.price) else {
            return Ok(None);
        };
        let Some(block) = price.blocks.get(sum.block) else {
            return Ok(None);
        };
        let mut draft =
            Draft::new(LineKind::Energy, &charge.name, self.kwh(sum.bucket.wh), Unit::KilowattHour, block.price);
        draft.season = price.season.as_deref();
        draft.tou_period = price.period.as_deref();
        draft.block = (price.blocks.len() > 1).then(|| u16::try_from(sum.block + 1).unwrap_or(u16::MAX));
        draft.trace = sum.bucket.days.iter().map(|(date, wh, estimated)| self.trace(*date, *wh, *estimated)).collect();
        self.line(draft).map(Some)
    }

    pub fn kwh(&self, wh: i64) -> Decimal {
        let kwh = Decimal::new(wh, 3);
        self.tariff
            .document
            .rounding
            .kwh_decimals
            .map_or(kwh, |decimals| Rounding::HalfAwayFromZero.apply(kwh, decimals.into()))
    }

    /// A day's share; of register reads, the read's.
    pub fn trace(&self, date: NaiveDate, wh: i64, estimated: bool) -> TraceDay {
        let next = date.succ_opt().unwrap_or(date);
        let until = match self.usage.import {
            Supply::Profile(_) => next,
            Supply::Reads(reads) => reads.iter().find(|read| read.from == date).map_or(next, |read| read.to),
        };
        TraceDay { date, until, quantity: Decimal::new(wh, 3), estimated }
    }

    /// A finished line: described, rounded, taxed.
    pub fn line(&self, draft: Draft<'_>) -> Result<BillLine, RatingError> {
        let exact = draft
            .quantity
            .checked_mul(draft.price)
            .filter(|exact| exact.abs() < most())
            .ok_or_else(|| RatingError::TooLarge(draft.name.to_owned()))?;
        let taxes = self.tariff.taxes(draft.kind, draft.name);
        Ok(BillLine {
            kind: draft.kind,
            name: draft.name.to_owned(),
            description: self.describe(&draft),
            period: self.period,
            season: draft.season.map(str::to_owned),
            tou_period: draft.tou_period.map(str::to_owned),
            block: draft.block,
            quantity: draft.quantity,
            unit: draft.unit,
            price: draft.price,
            amount: Money::rounded(exact, self.tariff.document.rounding.money),
            tax_rate: (!taxes.is_empty()).then(|| taxes.iter().map(|(_, percent)| *percent).sum()),
            estimated: draft.trace.iter().any(|day| day.estimated),
            trace: draft.trace,
            taxes,
        })
    }

    fn describe(&self, draft: &Draft<'_>) -> String {
        let mut text = String::with_capacity(96);
        text.push_str(draft.name);
        for part in [draft.season, draft.tou_period].into_iter().flatten() {
            text.push_str(", ");
            text.push_str(part);
        }
        if let Some(block) = draft.block {
            text.push_str(&format!(", block {block}"));
        }
        if !draft.note.is_empty() {
            text.push_str(", ");
            text.push_str(&draft.note);
        }
        if self.period != self.whole {
            text.push_str(&format!(" ({})", self.period));
        }
        text
    }
}

/// An amount is below this, as it is stored.
pub fn most() -> Decimal {
    Decimal::from(10_000_000_000_i64)
}

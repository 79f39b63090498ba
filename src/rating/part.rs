//! The lines of one part of a billing period under one version of a tariff.

use chrono::NaiveDate;
use rust_decimal::Decimal;

use super::bill::{BillLine, LineKind, TraceDay, Unit};
use super::compile::{Charge, CompiledTariff};
use super::energy::{Counter, Scale, Sum};
use super::error::RatingError;
use super::input::{History, Supply, UsageInput};
use super::{fixed, registers, walk};
use crate::money::{Money, Rounding};
use crate::period::Period;
use crate::tariff_document::BlockBasis;
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

impl Part<'_> {
    /// All lines but minimums and taxes, which look at the whole bill.
    pub fn lines(&self) -> Result<Vec<BillLine>, RatingError> {
        let mut lines = self.energy()?;
        lines.extend(fixed::lines(self)?);
        Ok(lines)
    }

    fn energy(&self) -> Result<Vec<BillLine>, RatingError> {
        let mut lines = vec![];
        for (charge, rules) in self.tariff.energy.iter().zip(&self.tariff.document.energy) {
            let scale = self.scale(rules.blocks_per);
            let sums = match self.usage.import {
                Supply::Profile(profile) => self.profile_energy(charge, profile, scale)?,
                Supply::Reads(reads) => {
                    registers::tile(reads, self.period)?;
                    registers::energy(charge, reads, scale)?
                }
            };
            self.energy_lines(charge, sums, &mut lines)?;
        }
        Ok(lines)
    }

    fn profile_energy(&self, charge: &Charge, profile: &Profile, scale: Scale) -> Result<Vec<Sum>, RatingError> {
        self.fits(charge, profile)?;
        let mut counter = Counter::new(charge, scale);
        let mut segments = vec![];
        for day in walk::days(profile, self.period)? {
            if let Some(calendar) = &charge.calendar {
                calendar.segments(profile, day, &mut segments);
            }
            counter.day(day.date, &day.values, &segments, walk::estimated(day));
        }
        Ok(counter.finish(scale))
    }

    /// Whether the profile's days and intervals fit the charge's calendar.
    fn fits(&self, charge: &Charge, profile: &Profile) -> Result<(), RatingError> {
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
    fn scale(&self, basis: BlockBasis) -> Scale {
        let (days, whole) = (self.period.days(), self.whole.days());
        match basis {
            // Half a period has half the block.
            BlockBasis::Period => Scale { numerator: days, denominator: whole },
            BlockBasis::NormalDays(normal) => Scale { numerator: days, denominator: normal.into() },
            BlockBasis::Day => Scale { numerator: days, denominator: 1 },
        }
    }

    fn energy_lines(&self, charge: &Charge, sums: Vec<Sum>, lines: &mut Vec<BillLine>) -> Result<(), RatingError> {
        let used: Vec<bool> = sums.iter().map(|sum| sum.bucket.wh != 0).collect();
        let none = !used.contains(&true);
        for (at, (sum, used)) in sums.into_iter().zip(used).enumerate() {
            // A charge always shows: with no usage, its first price.
            if !(used || none && at == 0) {
                continue;
            }
            let Some(price) = charge.prices.get(sum.price) else { continue };
            let Some(block) = price.blocks.get(sum.block) else { continue };
            let mut draft =
                Draft::new(LineKind::Energy, &charge.name, self.kwh(sum.bucket.wh), Unit::KilowattHour, block.price);
            draft.season = price.season.as_deref();
            draft.tou_period = price.period.as_deref();
            draft.block = (price.blocks.len() > 1).then(|| u16::try_from(sum.block + 1).unwrap_or(u16::MAX));
            draft.trace =
                sum.bucket.days.iter().map(|(date, wh, estimated)| self.trace(*date, *wh, *estimated)).collect();
            lines.push(self.line(draft)?);
        }
        Ok(())
    }

    fn kwh(&self, wh: i64) -> Decimal {
        let kwh = Decimal::new(wh, 3);
        self.tariff
            .document
            .rounding
            .kwh_decimals
            .map_or(kwh, |decimals| Rounding::HalfAwayFromZero.apply(kwh, decimals.into()))
    }

    /// A day's share; of register reads, the read's.
    fn trace(&self, date: NaiveDate, wh: i64, estimated: bool) -> TraceDay {
        let next = date.succ_opt().unwrap_or(date);
        let until = match self.usage.import {
            Supply::Profile(_) => next,
            Supply::Reads(reads) => reads.iter().find(|read| read.from == date).map_or(next, |read| read.to),
        };
        TraceDay { date, until, quantity: Decimal::new(wh, 3), estimated }
    }

    /// A finished line: described, rounded, taxed.
    pub fn line(&self, draft: Draft<'_>) -> Result<BillLine, RatingError> {
        let exact =
            draft.quantity.checked_mul(draft.price).ok_or_else(|| RatingError::TooLarge(draft.name.to_owned()))?;
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
        let mut text = draft.name.to_owned();
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

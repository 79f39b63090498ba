//! What makes the lines of a part: its energy, then each of the other kinds of charge.

use super::bill::BillLine;
use super::compile::Charge;
use super::energy::{Scale, Sum};
use super::error::RatingError;
use super::export::{self, Flow};
use super::input::Supply;
use super::measure::Measured;
use super::named::Source;
use super::part::{Part, State};
use super::{adjust, demand, fixed, registers};
use crate::tariff_document::ExportCredit;

/// Lines for which there is room from the start.
const USUAL_LINES: usize = 12;

impl Part<'_> {
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
}

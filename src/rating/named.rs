//! Registers by their names: what a price of one register is worked out from. Where a tariff prices registers, each of the
//! usage is priced by some charge, and each that a charge names is there.

use super::compile::CompiledTariff;
use super::error::RatingError;
use super::input::{Register, Supply, UsageInput};
use super::measure::Measured;
use super::registers::{tile, total};
use crate::tariff_document::same_register;
use crate::usage::{Direction, RegisterRead};
use crate::values::period::Period;

/// A register that the tariff names, with its usage.
pub struct Named<'a> {
    name: &'a str,
    /// Its values in the billing period; `None` of register reads.
    measured: Option<Measured<'a>>,
    /// Its reads in the part.
    reads: &'a [RegisterRead],
    /// Its reads in the billing period.
    whole_reads: &'a [RegisterRead],
}

/// What a charge is worked out from.
#[derive(Clone, Copy)]
pub struct Source<'s> {
    /// Values; `None` of register reads.
    pub measured: Option<&'s Measured<'s>>,
    pub reads: &'s [RegisterRead],
}

impl<'a> Named<'a> {
    /// What a charge of the register is worked out from in the part of the billing period.
    pub fn of_part<'s>(&'s self) -> Source<'s> {
        Source { measured: self.measured.as_ref(), reads: self.reads }
    }

    /// The same in the whole billing period.
    pub fn of_whole<'s>(&'s self) -> Source<'s> {
        Source { measured: self.measured.as_ref(), reads: self.whole_reads }
    }

    fn wh(&self) -> i64 {
        self.measured.as_ref().map_or_else(|| total(self.whole_reads), Measured::wh)
    }
}

/// The register of a name.
pub fn find<'n, 'a>(named: &'n [Named<'a>], name: &str) -> Result<&'n Named<'a>, RatingError> {
    let found = named.iter().find(|known| same_register(known.name, name));
    found.ok_or_else(|| RatingError::Register(format!("the register {name}, which the tariff prices, is not there")))
}

/// The registers that the tariff names; none where it names none.
///
/// # Errors
/// [`RatingError::Register`] with the register that is priced by no charge, or that is not there; those of [`Measured::of`].
pub fn registers<'a>(
    tariff: &'a CompiledTariff,
    usage: &'a UsageInput<'a>,
    (whole, whole_usage): (Period, &'a UsageInput<'a>),
) -> Result<Vec<Named<'a>>, RatingError> {
    let mut named: Vec<Named<'a>> = vec![];
    for name in wanted(tariff) {
        if named.iter().any(|known| same_register(known.name, name)) {
            continue;
        }
        let (part, whole_register) = (one(usage, name)?, one(whole_usage, name)?);
        let measured = match whole_register.supply {
            Supply::Profile(profile) => Some(Measured::of(profile, whole, &tariff.grid)?),
            Supply::Reads(_) => None,
        };
        named.push(Named { name, measured, reads: part.supply.reads(), whole_reads: whole_register.supply.reads() });
    }
    if tariff.document.names_registers() {
        all_priced(tariff, whole_usage)?;
    }
    Ok(named)
}

fn wanted(tariff: &CompiledTariff) -> impl Iterator<Item = &str> {
    let energy = tariff.document.energy.iter().filter_map(|charge| charge.register.as_deref());
    energy.chain(tariff.document.demand.iter().filter_map(|charge| charge.register.as_deref()))
}

fn imports<'u>(usage: &UsageInput<'u>) -> impl Iterator<Item = &'u Register<'u>> {
    usage.registers.iter().filter(|register| register.direction == Direction::Import)
}

/// The register of a name that is there once.
fn one<'u>(usage: &UsageInput<'u>, name: &str) -> Result<&'u Register<'u>, RatingError> {
    let mut found = imports(usage).filter(|register| register.name().is_some_and(|known| same_register(known, name)));
    match (found.next(), found.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => Err(RatingError::Register(format!("the register {} is there twice", name.trim()))),
        (None, _) => {
            let there: Vec<String> = imports(usage).map(Register::label).collect();
            let there = if there.is_empty() { "it has no names of registers".to_owned() } else { there.join("; ") };
            Err(RatingError::Register(format!(
                "the tariff prices the register {}, and the usage does not have it: {there}",
                name.trim()
            )))
        }
    }
}

/// Every register of the usage is priced by an energy charge.
fn all_priced(tariff: &CompiledTariff, usage: &UsageInput<'_>) -> Result<(), RatingError> {
    let prices = || tariff.document.energy.iter().filter_map(|charge| charge.register.as_deref());
    for register in imports(usage) {
        if !register.name().is_some_and(|name| prices().any(|priced| same_register(priced, name))) {
            let priced: Vec<&str> = prices().map(str::trim).collect();
            let message = format!("{} has no price: the tariff prices {}", register.label(), priced.join(", "));
            return Err(RatingError::Register(message));
        }
    }
    Ok(())
}

/// Whether the registers come to what was bought: nothing is billed that was not, and nothing is left out.
pub fn add_up(named: &[Named<'_>], usage: &UsageInput<'_>, bought: i64) -> Result<(), RatingError> {
    let priced = imports(usage).filter_map(|register| register.name()).map(|name| find(named, name));
    let sum: i64 = priced.map(|named| named.map(Named::wh)).sum::<Result<_, _>>()?;
    if sum == bought {
        return Ok(());
    }
    Err(RatingError::Register(format!("they come to {sum} Wh, and all that was bought to {bought} Wh")))
}

/// Checks that the reads of every register named follow each other over the part.
pub fn tiled(named: &[Named<'_>], period: Period) -> Result<(), RatingError> {
    named.iter().filter(|one| one.measured.is_none()).try_for_each(|one| tile(one.reads, period))
}

//! Registers of a meter that people read: what each counts, and how its figures are to be taken.

use diesel::prelude::*;
use diesel_async::RunQueryDsl;
use rust_decimal::Decimal;
use serde::Serialize;

use crate::db::Tenant;
use crate::db::refused::Refused;
use crate::db::schema::{meter_readings, registers};
use crate::tariff_document::same_register;
use crate::values::ids::{MeterId, RegisterId};

/// The most registers that a meter has.
pub const MOST: usize = 8;
/// The most characters in the name of a register.
pub const REGISTER_NAME: usize = 20;
/// The most whole digits of a register.
pub const MOST_DIGITS: i16 = 9;
/// The most decimals of a register.
pub const MOST_DECIMALS: i16 = 3;
/// The most that a unit on a register may stand for.
pub const MOST_MULTIPLIER: Decimal = Decimal::from_parts(999_999, 0, 0, false, 0);

/// A register counts energy in kWh.
pub const ENERGY: &str = "energy";
/// A register keeps the highest demand in kW since the reading before.
pub const DEMAND: &str = "demand";

/// A register.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = registers)]
pub struct Register {
    /// Its id.
    pub id: RegisterId,
    /// Its meter.
    pub meter_id: MeterId,
    /// The time-of-use name or code by which tariffs know it; empty where the meter has one.
    pub name: String,
    /// [`ENERGY`] or [`DEMAND`].
    pub measures: String,
    /// Whole digits before it begins anew.
    pub digits: i16,
    /// Digits after the decimal mark.
    pub decimals: i16,
    /// What a unit on it stands for.
    pub multiplier: Decimal,
}

impl Register {
    /// Whether it counts energy; else it keeps the highest demand.
    #[must_use]
    pub fn is_energy(&self) -> bool {
        self.measures == ENERGY
    }

    /// kWh or kW.
    #[must_use]
    pub fn unit(&self) -> &'static str {
        unit(&self.measures)
    }
}

/// What a register's figures are in.
#[must_use]
pub fn unit(measures: &str) -> &'static str {
    if measures == DEMAND { "kW" } else { "kWh" }
}

/// What makes a register.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Insertable, Serialize)]
#[diesel(table_name = registers)]
pub struct RegisterFields {
    /// Its name, empty where the meter has one of its kind.
    pub name: String,
    /// [`ENERGY`] or [`DEMAND`].
    pub measures: String,
    /// Whole digits.
    pub digits: i16,
    /// Digits after the decimal mark.
    pub decimals: i16,
    /// What a unit on it stands for.
    pub multiplier: Decimal,
}

impl Default for RegisterFields {
    /// The register of a household's meter.
    fn default() -> Self {
        Self { name: String::new(), measures: ENERGY.to_owned(), digits: 6, decimals: 0, multiplier: Decimal::ONE }
    }
}

impl From<&Register> for RegisterFields {
    fn from(row: &Register) -> Self {
        let row = row.clone();
        let (digits, decimals) = (row.digits, row.decimals);
        Self { name: row.name, measures: row.measures, digits, decimals, multiplier: row.multiplier.normalize() }
    }
}

/// What forbids registers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// An interval meter tells its values itself.
    OfIntervals,
    /// None of them counts energy.
    NoEnergy,
    /// More than [`MOST`].
    TooMany,
    /// This is no name of a register.
    NoName(String),
    /// Two of a kind have this name.
    Twice(String),
    /// One of several that count energy has no name.
    Unnamed,
    /// So many whole digits, or decimals, no register has.
    Digits(i16, i16),
    /// A unit stands for nothing, for too much, or has more than six decimals.
    Multiplier(Decimal),
    /// The meter was read already, and its registers stay as they are.
    Read,
}

/// Why registers were not changed.
pub type RegisterError = Refused<Violation>;

/// What registers of a meter break by themselves.
pub(crate) fn faults(is_read: bool, fields: &[RegisterFields]) -> Vec<Violation> {
    let mut found = vec![];
    if !is_read {
        found.extend((!fields.is_empty()).then_some(Violation::OfIntervals));
        return found;
    }
    let energy = fields.iter().filter(|one| one.measures == ENERGY).count();
    found.extend((energy == 0).then_some(Violation::NoEnergy));
    found.extend((fields.len() > MOST).then_some(Violation::TooMany));
    let unnamed = fields.iter().any(|one| one.measures == ENERGY && one.name.is_empty());
    found.extend((energy > 1 && unnamed).then_some(Violation::Unnamed));
    for (at, one) in fields.iter().enumerate() {
        let (name, digits, decimals) = (&one.name, one.digits, one.decimals);
        let is_name = name.trim() == name
            && name.chars().count() <= REGISTER_NAME
            && !name.contains(|letter: char| letter.is_control());
        found.extend((!is_name).then(|| Violation::NoName(name.clone())));
        let before = fields.iter().take(at);
        let twice = before.filter(|other| other.measures == one.measures).any(|other| same_register(&other.name, name));
        found.extend(twice.then(|| Violation::Twice(name.clone())));
        let fits = (1..=MOST_DIGITS).contains(&digits) && (0..=MOST_DECIMALS).contains(&decimals);
        found.extend((!fits).then_some(Violation::Digits(digits, decimals)));
        let multiplier = one.multiplier.normalize();
        let stands = multiplier > Decimal::ZERO && multiplier <= MOST_MULTIPLIER && multiplier.scale() <= 6;
        found.extend((!stands).then_some(Violation::Multiplier(one.multiplier)));
    }
    found
}

/// The registers of some meters: those of energy first, each kind by name.
///
/// # Errors
/// When the database fails.
pub async fn of_meters(tx: &Tenant, meters: &[MeterId]) -> QueryResult<Vec<Register>> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    registers::table
        .filter(registers::organization_id.eq(organization).and(registers::client_id.eq(client)))
        .filter(registers::meter_id.eq_any(meters))
        .select(Register::as_select())
        .order((registers::meter_id, registers::measures.desc(), registers::name))
        .load(&mut conn)
        .await
}

/// Gives a new meter its registers: where none are told, the one that households have.
pub(super) async fn give(tx: &mut Tenant, meter: MeterId, fields: &[RegisterFields]) -> QueryResult<()> {
    let (organization, client) = tx.here()?;
    let usual = [RegisterFields::default()];
    let given = if fields.is_empty() { &usual[..] } else { fields };
    let rows = given.iter().map(|fields| {
        (
            registers::organization_id.eq(organization),
            registers::client_id.eq(client),
            registers::id.eq(RegisterId::fresh()),
            registers::meter_id.eq(meter),
            fields,
        )
    });
    let rows = rows.collect::<Vec<_>>();
    diesel::insert_into(registers::table).values(rows).execute(&mut **tx).await?;
    Ok(())
}

/// Whether somebody has read it.
pub(super) async fn was_read(tx: &Tenant, meter: MeterId) -> QueryResult<bool> {
    let ((organization, client), mut conn) = (tx.here()?, tx.shared());
    let readings = meter_readings::table
        .filter(meter_readings::organization_id.eq(organization))
        .filter(meter_readings::client_id.eq(client).and(meter_readings::meter_id.eq(meter)));
    diesel::select(diesel::dsl::exists(readings)).get_result(&mut conn).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> RegisterFields {
        RegisterFields { name: name.to_owned(), ..RegisterFields::default() }
    }

    fn demand(name: &str) -> RegisterFields {
        RegisterFields { measures: DEMAND.to_owned(), decimals: 2, ..named(name) }
    }

    #[test]
    fn registers_of_a_kind_have_names_of_their_own_and_one_counts_energy() {
        let fault = |fields: &[RegisterFields]| faults(true, fields);
        assert_eq!(fault(&[named("")]), []);
        assert_eq!(fault(&[named("HT"), named("NT"), demand("HT"), demand("")]), []);
        assert_eq!(fault(&[]), [Violation::NoEnergy]);
        assert_eq!(fault(&[demand("")]), [Violation::NoEnergy]);
        assert_eq!(fault(&[named("HT"), named("")]), [Violation::Unnamed]);
        assert_eq!(fault(&[named("HT"), named("ht")]), [Violation::Twice("ht".to_owned())]);
        assert_eq!(fault(&[named("HT "), named("NT")]), [Violation::NoName("HT ".to_owned())]);
        assert_eq!(fault(&[named(&"x".repeat(21))]), [Violation::NoName("x".repeat(21))]);
        let nine: Vec<_> = (0..9).map(|at| named(&format!("T{at}"))).collect();
        assert_eq!(fault(&nine), [Violation::TooMany]);
        assert_eq!(faults(false, &[named("")]), [Violation::OfIntervals]);
        assert_eq!(faults(false, &[]), []);
    }

    #[test]
    fn digits_and_multiplier_are_what_registers_have() {
        let with = |digits, decimals, multiplier| {
            faults(true, &[RegisterFields { digits, decimals, multiplier, ..RegisterFields::default() }])
        };
        assert_eq!(with(5, 3, Decimal::from(40)), []);
        assert_eq!(with(0, 0, Decimal::ONE), [Violation::Digits(0, 0)]);
        assert_eq!(with(10, 0, Decimal::ONE), [Violation::Digits(10, 0)]);
        assert_eq!(with(6, 4, Decimal::ONE), [Violation::Digits(6, 4)]);
        for wrong in [Decimal::ZERO, Decimal::NEGATIVE_ONE, Decimal::from(1_000_000), Decimal::new(1, 7)] {
            assert_eq!(with(6, 0, wrong), [Violation::Multiplier(wrong)]);
        }
    }
}
